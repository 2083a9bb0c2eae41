"""The command `seedbank cache clear`: removes finished results by stage, model, document or age, in use or not."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.retention.confirming import DryRunOption, YesOption, ask, can_ask, figures_json, megabytes, recomputing
from cli.streams import print_json
from resources.wording import counted, did_you_mean, dollars

if TYPE_CHECKING:
    from io_managers.store.retention.clearing import Choice, Cleared
    from seed_assets.session.session import Session


def clear(
    stage: Annotated[
        list[str] | None, typer.Option(metavar="STAGE", help="Results of this stage or kind of request; repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help="Results that this model was asked for; repeatable.")
    ] = None,
    document: Annotated[
        list[str] | None, typer.Option(metavar="DOCUMENT", help="Results of this document; repeatable.")
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", min=0, metavar="DAYS", help="Results that were computed before that."),
    ] = None,
    with_parts: Annotated[
        bool,
        typer.Option(
            "--with-parts", help="Also the answers of models and other parts that these results were made from."
        ),
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove finished results, so that the next seed computes them again. If several options are given, all must apply.

    It shows first what computing them again would cost, and asks; without a terminal it needs --yes or --dry-run. Published
    results stay readable until they are computed again.
    """
    from io_managers.store.retention.clearing import Choice
    from io_managers.store.retention.clearing import clear as clear_store
    from resources.errors import ConfigurationError

    choice = Choice(tuple(stage or ()), tuple(model or ()), tuple(document or ()), older_than, with_parts)
    with open_session(None, home, must_exist=True) as session:
        if choice == Choice(with_parts=with_parts):
            raise ConfigurationError("Say what to remove: --stage, --model, --document or --older-than.")
        _check(choice, session)
        if not yes:
            found = clear_store(session.store, choice, dry_run=True)
            if as_json and dry_run:
                print_json(_as_json(found, dry_run=True))
            elif not as_json:
                _show(found, choice, dry_run=True)
            if dry_run or not found.stages:
                return
            if not can_ask() or as_json:
                raise ConfigurationError("Nothing was removed. Confirm with --yes, or look first with --dry-run.")
            if not ask("Remove them?"):
                return
        found = clear_store(session.store, choice, dry_run=dry_run)
        if as_json:
            print_json(_as_json(found, dry_run=dry_run))
        else:
            _show(found, choice, dry_run=dry_run)


def _check(choice: "Choice", session: "Session") -> None:
    """Raise ConfigurationError for names that nothing has."""
    from io_managers.store.retention.clearing import known_names
    from resources.errors import ConfigurationError

    stages, models = known_names(session.store)
    known = {
        "stage": {*stages, *session.pipeline.stages},
        "model": models,
        "document": session.known_documents() if choice.documents else set[str](),
    }
    for what, names in (("stage", choice.stages), ("model", choice.models), ("document", choice.documents)):
        for name in names:
            if name not in known[what]:
                raise ConfigurationError(
                    f"The store has nothing of a {what} {name!r}.{did_you_mean(name, known[what])}"
                )


def _show(found: "Cleared", choice: "Choice", *, dry_run: bool) -> None:
    from cli.screen import Screen, columns_of, stage_tables

    console = Screen()
    if not found.stages:
        console.sentence("Nothing to remove.")
        return
    figures = columns_of(
        ("results", "space", "dollars", "seconds"),
        [
            (f"{one.results:,}", megabytes(one.bytes), dollars(one.usd, one.unpriced), f"{one.seconds:,.1f}")
            for one in found.stages.values()
        ],
    )
    console.print(stage_tables(list(found.stages), [figures], console.width))
    verb = "Would be removed" if dry_run else "Removed"
    console.sentence(
        f"{verb}: {counted(found.total.results, 'result')}, of which {found.published:,} "
        f"{'is' if found.published == 1 else 'are'} published now."
    )
    console.sentence(f"Computing them again would cost {recomputing(found.total)}.")
    if not choice.with_parts and found.total.requests:
        console.sentence(
            "Answers of models that are still in the store cost nothing; --with-parts removes them as well."
        )


def _as_json(found: "Cleared", *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "removed": [{"stage": stage, **figures_json(one)} for stage, one in found.stages.items()],
        "total": figures_json(found.total),
        "published": found.published,
    }
