"""The command `seedbank cache gc`: removes from the store what its rules no longer keep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.retention.confirming import DryRunOption, YesOption, ask, can_ask, figures_json, megabytes, recomputing
from cli.streams import print_error, print_json, print_text
from resources.wording import counted, did_you_mean, dollars

if TYPE_CHECKING:
    from io_managers.store.retention.rules import Collection, Rules
    from seed_assets.session.session import Session


def gc(
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    ttl: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STAGE=DAYS", help="Remove results of this stage that were unused for so long; repeatable."
        ),
    ] = None,
    limit_mb: Annotated[
        int | None,
        typer.Option(min=0, metavar="MB", help="Use this limit of the store's size instead of `store.limit_mb`."),
    ] = None,
    grace_days: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Use this time of grace instead of `store.grace_days`.")
    ] = None,
    vacuum: Annotated[
        bool,
        typer.Option("--vacuum/--no-vacuum", help="Whether to give free space in the database file back to the disk."),
    ] = True,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove from the store what is not in use: unused results by their time to live, values that nothing names, leftovers.

    What is published is never removed. It shows first what it would remove, and asks; without a terminal it removes only with
    --yes. Other processes may work in the home meanwhile.
    """
    from io_managers.store.retention.collection import collect
    from io_managers.store.retention.space import vacuum as vacuum_store

    with open_session(None, home, must_exist=True) as session:
        rules = _rules(session.settings.store.rules(), ttl or [], limit_mb, grace_days)
        _note_unknown(rules, session)
        found = None
        if dry_run or not yes:
            found = collect(session.store, rules, dry_run=True)
            if not as_json:
                _show(found)
        if not dry_run and (
            yes or (found and not found.is_empty and not as_json and can_ask() and ask("Remove this?"))
        ):
            found = collect(session.store, rules, dry_run=False)
            busy = session.home.others_running()
            if vacuum and not (busy and found.free_bytes > _MOST_BESIDE_OTHERS):
                found.after_bytes -= vacuum_store(session.store) or 0
            if not as_json:
                _show(found)
                if vacuum and busy:
                    print_text(
                        "Another process works in the home; run again when it has ended to make the file smaller."
                    )
        elif not dry_run and not as_json and found and not found.is_empty:
            print_text("Nothing was removed. Say --yes to remove this.")
        if as_json and found is not None:
            print_json(_as_json(found))


# So much free space is given back while other processes work in the home, since they wait for it (a judgement).
_MOST_BESIDE_OTHERS = 256 << 20


def _rules(rules: "Rules", ttl: Sequence[str], limit_mb: int | None, grace_days: float | None) -> "Rules":
    from dataclasses import replace

    from resources.errors import ConfigurationError

    days = dict(rules.ttl_days)
    for one in ttl:
        stage, _, number = one.partition("=")
        try:
            days[stage.strip()] = float(number)
            if not 0 <= days[stage.strip()] < float("inf"):
                raise ValueError
        except ValueError:
            raise ConfigurationError(f"--ttl is {one!r}, but it must be STAGE=DAYS, such as retrieval=7.") from None
    return replace(
        rules,
        ttl_days=days,
        limit_bytes=rules.limit_bytes if limit_mb is None else limit_mb << 20,
        grace_days=rules.grace_days if grace_days is None else grace_days,
    )


def _note_unknown(rules: "Rules", session: "Session") -> None:
    """Say which names of stages nothing has: a typing error would silently keep everything."""
    from io_managers.store.retention.clearing import known_names

    known = {*session.pipeline.stages, *known_names(session.store)[0]}
    for name in sorted(rules.ttl_days.keys() - known):
        print_error(
            f"No result of a stage {name!r} is in the store (store.ttl_days, --ttl).{did_you_mean(name, known)}"
        )


def _show(found: "Collection") -> None:
    from cli.screen import Screen, columns_of, stage_tables

    console = Screen()
    rows = sorted(found.stages.items())
    if rows:
        names = [f"{stage} ({reason})" for (stage, reason), _ in rows]
        figures = columns_of(
            ("results", "space", "dollars", "seconds"),
            [
                (f"{one.results:,}", megabytes(one.bytes), dollars(one.usd, one.unpriced), f"{one.seconds:,.1f}")
                for _, one in rows
            ],
        )
        console.print(stage_tables(names, [figures], console.width))
    verb = "Would be removed" if found.dry_run else "Removed"
    parts = [counted(found.total.results, "result")]
    if found.orphans:
        parts.append(f"{counted(found.orphans, 'value')} that nothing names ({megabytes(found.orphan_bytes)})")
    if found.files:
        parts.append(counted(found.files, "left-over file"))
    if found.quarantined:
        parts.append(f"{counted(found.quarantined, 'damaged value')} from the quarantine")
    if found.is_empty:
        console.sentence(f"Nothing to remove. The store has {megabytes(found.before_bytes)}.")
    else:
        console.sentence(f"{verb}: {', '.join(parts)}.")
        if found.total.results:
            console.sentence(f"Computing these results again would cost {recomputing(found.total)}.")
        console.sentence(
            f"The store has {megabytes(found.before_bytes)}; "
            + (
                f"about {megabytes(found.after_bytes)} would be left."
                if found.dry_run
                else f"{megabytes(found.after_bytes)} are left."
            )
        )
    if found.still_over_bytes:
        console.sentence(
            f"It stays {megabytes(found.still_over_bytes)} above its limit: the rest is published, or was used too recently."
        )


def _as_json(found: "Collection") -> dict[str, object]:
    return {
        "dry_run": found.dry_run,
        "removed": [
            {"stage": stage, "reason": reason, **figures_json(one)}
            for (stage, reason), one in sorted(found.stages.items())
        ],
        "total": figures_json(found.total),
        "orphans": found.orphans,
        "orphan_bytes": found.orphan_bytes,
        "files": found.files,
        "quarantined": found.quarantined,
        "before_bytes": found.before_bytes,
        "after_bytes": found.after_bytes,
        "still_over_bytes": found.still_over_bytes,
    }
