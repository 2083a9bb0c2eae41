"""What people see: the live table of a seed, its report, the status, search results.

What belongs here: layout and wording. What does not: finding anything out.
"""

import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from cli.money import dollars
from resources.config import PROJECT_ROOT
from resources.llm import Usage
from seed_assets.estimate import total
from seed_assets.planner import UPSTREAM

if TYPE_CHECKING:
    from event_log.trim import Trimmed
    from retrieval.search import SearchHit
    from seed_assets.estimate import StageEstimate
    from seed_assets.planner import Plan
    from seed_assets.seed_report import SeedReport
    from seed_assets.session import Session

_NAMED = 20
_REFRESHES_A_SECOND = 8


@dataclass(slots=True)
class _Row:
    documents: int = 0
    reused: int = 0
    computed: int = 0
    failed: int = 0
    paid: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    since: float | None = None


class LiveTable:
    """The table of a running seed: an Observer. On a terminal it is drawn while it changes, else only at the end."""

    def __init__(self, session: "Session") -> None:
        self._rows = {name: _Row() for name in session.pipeline.stages}
        self._lock = threading.Lock()
        self._console = Console(stderr=True, emoji=False)
        self._live: Live | None = None
        self._reached = ""

    def __enter__(self) -> "LiveTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def planned(self, plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> None:
        """See Observer."""
        self._console.print(_sentence(plan, estimates), markup=False, highlight=False, soft_wrap=True)

    def began(self, stage: str, documents: int) -> None:
        """See Observer."""
        with self._lock:
            row = self._rows[stage]
            row.documents = max(row.documents, documents)
            row.since = time.perf_counter()
        if self._live is None and self._console.is_terminal:
            # Not under the lock: it draws the table at once.
            self._live = Live(
                get_renderable=self._render,
                console=self._console,
                refresh_per_second=_REFRESHES_A_SECOND,
                transient=True,
            )
            self._live.start()

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """See Observer."""
        with self._lock:
            row = self._rows[stage]
            row.reused += reused
            row.computed += computed
            row.failed += failed

    def reached(self, stage: str, place: int, total: int, name: str) -> None:
        """See Observer."""
        line = f"{stage} {place}/{total}  {_shortened(name, 100)}"
        if self._console.is_terminal:
            self._reached = line
        else:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def paid(self, stage: str, usage: Usage) -> None:
        """See Observer."""
        with self._lock:
            self._rows[stage].paid = usage

    def ended(self, stage: str, seconds: float) -> None:
        """See Observer."""
        with self._lock:
            row = self._rows[stage]
            row.seconds += seconds
            row.since = None

    def _render(self) -> Table:
        with self._lock:
            paid = any(row.paid.requests for row in self._rows.values())
            table = _stage_table(paid=paid)
            table.caption = escape(self._reached)
            for name, row in self._rows.items():
                running = row.since is not None
                seconds = row.seconds + (time.perf_counter() - row.since if row.since is not None else 0)
                table.add_row(
                    f"[bold]{name}[/]" if running else name,
                    *_counts(row.documents, row.reused, row.computed, row.failed),
                    *(_cost(row.paid.requests, row.paid.tokens, row.paid.usd, row.paid.unpriced) if paid else ()),
                    f"{seconds:.1f}" if seconds else "",
                )
        return table


def show_report(session: "Session", report: "SeedReport") -> None:
    """What was made, what was reused, what failed, and what to do next."""
    console = Console(emoji=False)
    paid = any(stage.requests for stage in report.stages.values())
    table = _stage_table(paid=paid)
    for name, stage in report.stages.items():
        table.add_row(
            name,
            *_counts(stage.documents, stage.reused, stage.computed, stage.failed),
            *(_cost(stage.requests, stage.tokens, stage.usd, stage.unpriced_requests) if paid else ()),
            f"{stage.seconds:.1f}",
        )
    console.print(table)
    _show_failures(
        console,
        [{"document": f.document, "stage": f.stage, "reason": f.reason, "remedy": f.remedy} for f in report.failures],
    )
    made = sum(stage.computed for stage in report.stages.values())
    reused = sum(stage.reused for stage in report.stages.values())
    documents = next((stage.documents for stage in report.stages.values()), 0)
    changes = "".join(
        f", {count} {word}"
        for count, word in (
            (report.added, "added"),
            (report.removed, "removed"),
            (report.skipped_files, "files of other kinds skipped"),
        )
        if count
    )
    console.print(
        f"{documents} documents{changes}; {made} results made, {reused} reused, in {report.seconds:.1f} s"
        + ("." if report.runs else "; nothing to do, no run was started."),
        highlight=False,
        soft_wrap=True,
    )
    if report.exit_code == 130:
        console.print("Interrupted. Everything that was finished is kept; run again to go on.")
    elif report.exit_code == 3:
        console.print(
            "The budget was reached. Everything that was finished is kept; raise --max-cost, or `budget` in the settings, "
            "to go on."
        )
    _show_next(console, session)


def _show_next(console: Console, session: "Session") -> None:
    default = session.settings.home == PROJECT_ROOT / ".seedbank"
    home = "" if default else f"SEEDBANK_HOME={shlex.quote(str(session.settings.home))} "
    command = f"{home}.venv/bin"
    console.print("Next:", highlight=False)
    for line, meaning in (
        (f"{command}/seedbank search '{_question(session)}'", "search it"),
        (f"{command}/seedbank dev", "open Dagster: every document is a partition"),
        (f"{command}/seedbank seed", "run again: only what changed is computed"),
    ):
        console.print(f"  {escape(line)}   [dim]{meaning}[/]", highlight=False, soft_wrap=True)


def _question(session: "Session") -> str:
    of_sample = session.settings.corpus == PROJECT_ROOT / "sample_corpus"
    return "why do the pages face outward in a chained library" if of_sample else "a question about your documents"


def show_plan(plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> None:
    """What a seed would do, stage by stage, why, and what it would cost."""
    console = Console(emoji=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("stage", min_width=15, no_wrap=True)
    for name in ("reused", "publish", "compute", "left out", "requests", "tokens", "dollars"):
        table.add_column(name, justify="right", no_wrap=True)
    reasons: dict[str, list[str]] = {}
    for name, stage in estimates.items():
        at_most = "≤" if stage.upper_bound and stage.compute else ""
        table.add_row(
            name,
            f"{stage.reused:,}",
            f"{stage.publish:,}",
            f"{at_most}{stage.compute:,}",
            f"{stage.left_out:,}",
            f"{stage.cost.requests:,}",
            f"{stage.cost.tokens:,}",
            dollars(stage.cost.usd, stage.cost.unpriced),
        )
        for reason, count in stage.reasons.items():
            if reason == UPSTREAM:  # says nothing that the stage before it does not
                continue
            reasons.setdefault(reason, []).append(f"{name} {count:,}")
    console.print(table)
    for reason, where in reasons.items():
        console.print(f"{reason}: {', '.join(where)}", markup=False, highlight=False, soft_wrap=True)
    console.print(_sentence(plan, estimates), markup=False, highlight=False, soft_wrap=True)
    saved = total(stage.saved for stage in estimates.values())
    if saved.requests:
        console.print(
            f"Reuse saves {saved.requests:,} requests, {saved.tokens:,} tokens, {_money(saved)}.", highlight=False
        )


def _sentence(plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> str:
    compute = sum(stage.compute for stage in estimates.values())
    publish = sum(stage.publish for stage in estimates.values())
    if not (compute or publish or plan.gone or plan.upkeep):
        return "Nothing to do."
    cost = total(stage.cost for stage in estimates.values())
    at_most = "at most " if any(stage.upper_bound for stage in estimates.values()) else ""
    parts = [
        f"{at_most}{compute:,} results to compute" if compute else "",
        f"{publish:,} finished ones to publish" if publish else "",
        f"{len(plan.gone):,} documents to remove" if plan.gone else "",
        f"{', '.join(plan.upkeep)} to be made anew" if plan.upkeep else "",
    ]
    priced = (
        f"; {at_most if cost.requests else ''}{cost.requests:,} requests, about {cost.tokens:,} tokens, {_money(cost)}"
    )
    return f"To do: {', '.join(part for part in parts if part)}{priced}."


def _money(usage: Usage) -> str:
    amount = dollars(usage.usd, usage.unpriced)
    return f"${amount}" if amount[0].isdigit() else f"{amount} dollars"


def show_status(
    counts: Mapping[str, Mapping[str, int]],
    failures: Sequence[Mapping[str, str]],
    gone: Sequence[str],
    upkeep: Mapping[str, str],
) -> None:
    """Counts by stage and state, then what failed."""
    console = Console(emoji=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    for state in next(iter(counts.values()), {}):
        table.add_column(state, justify="right")
    for name, by_state in counts.items():
        table.add_row(name, *(f"{count:,}" if count else "·" for count in by_state.values()))
    console.print(table)
    for name, reason in upkeep.items():
        console.print(f"{name} is to be run: {reason}.", highlight=False)
    if gone:
        console.print(
            f"{len(gone)} documents are gone from the corpus; the next seed removes them: {escape(gone[0])}, ..."
        )
    _show_failures(console, failures)


def show_trimmed(trimmed: "Trimmed", *, dry_run: bool) -> None:
    """What a trim of Dagster's history has removed, or would."""
    verb = "would be removed" if dry_run else "were removed"
    print(
        f"{trimmed.events:,} superseded events, {trimmed.copies:,} copies of events, {trimmed.checks:,} evaluations of checks, "
        f"{trimmed.ticks:,} ticks and {trimmed.runs:,} runs {verb}."
    )
    if not dry_run:
        print(
            f"Dagster's records take {trimmed.bytes_after / 2**20:,.1f} MB; it was {trimmed.bytes_before / 2**20:,.1f} MB."
        )


def show_hits(hits: "Sequence[SearchHit]") -> None:
    """Search results, best first."""
    console = Console(emoji=False)
    if not hits:
        console.print("Nothing found.")
    for hit in hits:
        console.print(
            f"[bold]{hit.score:.3f}[/]  {escape(hit.document)}  [dim]characters {hit.start} to {hit.end}[/]",
            highlight=False,
        )
        console.print(f"       {_shortened(hit.text)}", highlight=False, markup=False)


def _show_failures(console: Console, failures: Sequence[Mapping[str, Any]]) -> None:
    if not failures:
        return
    console.print(f"[bold red]{len(failures)} failed:[/]")
    for failure in failures[:_NAMED]:
        where = f"{failure['document']} ({failure['stage']})" if failure["document"] else failure["stage"]
        console.print(f"  {where}: {failure['reason']}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"    -> {failure['remedy']}", markup=False, highlight=False, soft_wrap=True)
    if len(failures) > _NAMED:
        console.print(f"  and {len(failures) - _NAMED} more: `seedbank status --json` names all.", highlight=False)


def _stage_table(*, paid: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("stage", min_width=15, no_wrap=True)
    cost = ("requests", "tokens", "dollars") if paid else ()
    for name in ("in all", "reused", "computed", "failed", *cost, "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _counts(documents: int, reused: int, computed: int, failed: int) -> tuple[str, str, str, str]:
    return f"{documents:,}", f"{reused:,}", f"{computed:,}", f"[red]{failed:,}[/]" if failed else "0"


def _cost(requests: int, tokens: int, usd: float, unpriced: int) -> tuple[str, str, str]:
    return (f"{requests:,}", f"{tokens:,}", dollars(usd, unpriced)) if requests else ("", "", "")


def _shortened(text: str, characters: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"
