"""What is shown to people: the live table of a seed, its report, and states.

This module is about layout and wording only.
"""

import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from cli.failure_list import failure_lines
from cli.plan_report import kept_lines, reading_sentences, sentence_of, sentence_of_store
from cli.screen import Screen, columns_of, stage_tables
from cli.streams import print_text
from cli.warning_list import note_lines, warning_lines
from io_managers.plain_text import plain
from resources.columns import Column
from resources.endpoints.llm import Usage
from resources.project_folder import PROGRAMS
from resources.settings.config import PROJECT_ROOT, SAMPLE_CORPUS
from resources.wording import counted, dollars
from seed_assets.engine.progress import Progress
from seed_assets.graph.stage import Units
from seed_assets.planning.plan import UPSTREAM

if TYPE_CHECKING:
    from event_log.trim import Trimmed
    from resources.corpus.skipped_files import SkippedFiles
    from seed_assets.planning.estimate import StageEstimate
    from seed_assets.planning.plan import Plan
    from seed_assets.planning.warned_documents import WarnedDocument
    from seed_assets.seeding.seed_report import SeedReport
    from seed_assets.session.session import Session
    from seed_assets.session.sharing import RemoteState

_REFRESHES_PER_SECOND = 8
"""How often the live table is drawn: often enough to look continuous, and cheap (a judgement)."""


@dataclass(slots=True)
class _Row:
    documents: int = 0
    reused: int = 0
    computed: int = 0
    failed: int = 0
    before: int = 0  # of `computed` and `failed`, when the run began that is under way
    paid: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    since: float | None = None


class LiveTable:
    """The table of a running seed, which follows it as an Observer. It is drawn while it changes, on a terminal only."""

    def __init__(self, session: "Session", *, cache_only: bool = False, lines_only: bool = False) -> None:
        """cache_only: nothing is computed, so no costs are shown. lines_only: show how far slow stages are, and nothing more."""
        self._cache_only = cache_only
        self._lines_only = lines_only
        self._rows = {name: _Row() for name in session.pipeline.stages}
        self._lock = threading.Lock()
        self._console = Screen(stderr=True)
        self._live: Live | None = None
        self._reached = ""
        # How many results the plan has to compute, by stage.
        self._planned: dict[str, int] = {}

    def __enter__(self) -> "LiveTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def planned(self, plan: "Plan", estimates: "Mapping[str, StageEstimate]") -> None:
        """See Observer."""
        # How many clusters there will be is not known, and one run has all of them.
        of_documents = [name for name in estimates if plan.stages[name].stage.units is Units.DOCUMENTS]
        self._planned = {name: estimates[name].compute for name in of_documents}
        if self._lines_only:
            return
        if self._cache_only:
            self._console.sentence(sentence_of_store(plan, estimates))
            return
        self._console.sentence(sentence_of(plan, estimates))
        for sentence in reading_sentences(estimates):
            self._console.sentence(sentence)

    def began(self, stage: str, documents: int) -> None:
        """See Observer."""
        with self._lock:
            row = self._rows[stage]
            row.documents = max(row.documents, documents)
            row.before = row.computed + row.failed
            row.since = time.perf_counter()
        if self._live is None and self._drawn:
            # Outside of the lock, since starting it draws the table, and drawing takes the lock.
            self._live = Live(
                get_renderable=self._render,
                console=self._console,
                refresh_per_second=_REFRESHES_PER_SECOND,
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

    def reached(self, progress: Progress) -> None:
        """See Observer. A seed of many documents has several runs, and each reports only its own documents."""
        with self._lock:
            row = self._rows[progress.stage]
            done, planned = row.before + progress.done, self._planned.get(progress.stage, 0)
            total, seconds = max(planned, row.before + progress.total), row.seconds + progress.seconds
        line = replace(progress, done=done, total=total, seconds=seconds).line()
        if self._drawn:
            self._reached = line
        else:
            self._console.sentence(line)

    @property
    def _drawn(self) -> bool:
        """Whether the table is drawn over and over again, which only a terminal can show."""
        return self._console.is_terminal and not self._lines_only

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

    def _render(self) -> Group:
        with self._lock:
            running = {name for name, row in self._rows.items() if row.since is not None}
            lines = [
                _Line(
                    _counts(row.documents, row.reused, row.computed, row.failed, row.seconds + _since(row) or None),
                    _cost(row.paid.requests, row.paid.tokens, row.paid.usd, row.paid.unpriced),
                )
                for row in self._rows.values()
            ]
            names = list(self._rows)
        paid = not self._cache_only and any(line.cost[0] for line in lines)
        table = stage_tables(names, _columns(lines, paid=paid), self._console.width, bold=running)
        return Group(table, Text(self._reached, style="dim")) if self._reached else table


def _since(row: _Row) -> float:
    return time.perf_counter() - row.since if row.since is not None else 0.0


def show_report(session: "Session", report: "SeedReport") -> None:
    """Print what was computed, reused and failed, and what to do next."""
    console = Screen()
    stages = report.stages.values()
    lines = [
        _Line(
            _counts(
                stage.documents,
                stage.reused,
                stage.computed,
                stage.failed,
                stage.seconds,
                stage.blocked,
                stage.waiting,
            ),
            _cost(stage.requests, stage.tokens, stage.usd, stage.unpriced_requests),
        )
        for stage in stages
    ]
    paid = any(stage.requests for stage in stages)
    console.print(stage_tables(list(report.stages), _columns(lines, paid=paid), console.width))
    _show_failures(console, _failures_of(report))
    made = sum(stage.computed for stage in report.stages.values())
    reused = sum(stage.reused for stage in report.stages.values())
    documents = next((stage.documents for stage in report.stages.values()), 0)
    changes = "".join(
        f", {change}"
        for count, change in (
            (report.added, f"{report.added:,} added"),
            (report.removed, f"{report.removed:,} removed"),
        )
        if count
    )
    console.sentence(
        f"{counted(documents, 'document')}{changes}; {counted(made, 'result')} computed, {reused:,} reused, in "
        f"{report.seconds:.1f} s" + ("." if report.runs else "; nothing to do, no run was started."),
    )
    if shared := report.shared.sentence():
        console.sentence(shared)
    if report.published is not None:
        console.sentence(report.published.sentence())
    for line in note_lines(report.skipped, report.warned, report.without_text):
        console.sentence(line)
    _show_what_stopped(console, report)
    _show_next(console, session)


def show_problems(report: "SeedReport") -> None:
    """Print only what failed and what stopped the seed; nothing if all went well."""
    console = Screen()
    _show_failures(console, _failures_of(report))
    _show_what_stopped(console, report)


def _failures_of(report: "SeedReport") -> list[dict[str, str]]:
    return [{"document": f.document, "stage": f.stage, "reason": f.reason, "remedy": f.remedy} for f in report.failures]


def _show_what_stopped(console: Screen, report: "SeedReport") -> None:
    if report.exit_code == 130:
        console.sentence("Interrupted. All finished work is kept; run the command again to continue.")
    elif report.exit_code == 3:
        console.sentence(
            f"The budget was reached: {report.stopped}. Work that costs nothing was still done, and all finished work is "
            f"kept. {report.remedy}"
        )
    if waiting := max((stage.waiting for stage in report.stages.values()), default=0):
        it = "It waits" if waiting == 1 else "They wait"
        console.sentence(
            f"{counted(waiting, 'document or cluster', 'documents or clusters')} not finished. {it} for a batch of the provider, "
            "which takes up to a day: `seedbank batch list` shows it. Run again then, or let `seedbank dev` go on by itself; "
            "`seedbank seed --no-wait` sends the rest now, at the full price."
        )


def _show_next(console: Screen, session: "Session") -> None:
    default = session.settings.home == PROJECT_ROOT / ".seedbank"
    home = "" if default else f"SEEDBANK_HOME={shlex.quote(str(session.settings.home))} "
    command = f"{home}{PROGRAMS}seedbank"
    console.sentence("Next:")
    for line, meaning in (
        (f"{command} search '{_question(session)}'", "search it"),
        (f"{command} dev", "open Dagster: every document is a partition"),
        (f"{command} seed", "run again: only what changed is computed"),
    ):
        console.marked(f"  {escape(plain(line))}   [dim]{meaning}[/]")


def _question(session: "Session") -> str:
    of_sample = session.settings.corpus == SAMPLE_CORPUS
    return "why do the pages face outward in a chained library" if of_sample else "a question about your documents"


def show_status(
    counts: Mapping[str, Mapping[str, int]],
    failures: Sequence[Mapping[str, str]],
    gone: Sequence[str],
    maintenance: Mapping[str, str],
    warned: "Sequence[WarnedDocument]" = (),
    skipped: "SkippedFiles | None" = None,
    kept: Mapping[str, Mapping[str, int]] | None = None,
    without_text: Sequence[str] = (),
    remote: "RemoteState | None" = None,
) -> None:
    """Print the number of units by stage and state, then what is kept, the skipped files, the warnings and the failures."""
    console = Screen()
    waits = any(by_state.get("waiting") for by_state in counts.values())
    states = [state for state in next(iter(counts.values()), {}) if state != "waiting" or waits]
    rows = [[f"{by_state[s]:,}" if by_state[s] else "·" for s in states] for by_state in counts.values()]
    console.print(stage_tables(list(counts), [columns_of(states, rows)], console.width))
    for line in kept_lines(kept or {}):
        console.sentence(line)
    if any(by_state.get("stale") or by_state.get("missing") for by_state in counts.values()):
        console.sentence(
            "The next seed computes what is stale or missing; `seedbank plan` says why, and what that costs."
        )
    if waits:
        console.sentence("What is waiting is in a batch of the provider; `seedbank batch list` shows since when.")
    for name, reason in maintenance.items():
        console.sentence(f"{name} has to run{' after them' if reason == UPSTREAM else f': {reason}'}.")
    if gone:
        are, them = ("is", "it") if len(gone) == 1 else ("are", "them")
        more = ", ..." if len(gone) > 1 else "."
        console.sentence(
            f"{counted(len(gone), 'document')} {are} gone from the corpus; the next seed removes {them}: {gone[0]}{more}"
        )
    if skipped is not None:
        for line in note_lines(skipped, without_text=without_text):
            console.sentence(line)
    for line in remote.sentences() if remote else ():
        console.sentence(line)
    for line in warning_lines(warned):
        console.sentence(line)
    _show_failures(console, failures)


def show_trimmed(trimmed: "Trimmed", *, dry_run: bool) -> None:
    """Print what `history trim` has removed, or would remove."""
    what = (
        f"{counted(trimmed.events, 'superseded event')}, {counted(trimmed.copies, 'copy of events', 'copies of events')}, "
        f"{counted(trimmed.checks, 'evaluation of checks', 'evaluations of checks')}, {counted(trimmed.ticks, 'tick')} and "
        f"{counted(trimmed.runs, 'run')}"
    )
    print_text(f"{'Would be removed' if dry_run else 'Removed'}: {what}.")
    if not dry_run:
        print_text(
            f"Dagster's records take {trimmed.bytes_after / 2**20:,.1f} MB (before: {trimmed.bytes_before / 2**20:,.1f} MB)."
        )


def _show_failures(console: Screen, failures: Sequence[Mapping[str, Any]]) -> None:
    if not failures:
        return
    console.marked(f"[bold red]{len(failures):,} failed:[/]")
    for line in failure_lines(failures):
        console.sentence(line)


@dataclass(frozen=True, slots=True)
class _Line:
    """The figures of one stage: of its units, and of its requests."""

    counts: tuple[str, ...]
    cost: tuple[str, ...]


def _columns(lines: Sequence[_Line], *, paid: bool) -> list[list[Column]]:
    """The columns of a seed. paid: whether any stage sent requests."""
    counts = columns_of(
        ("total", "reused", "computed", "failed", "blocked", "waiting", "seconds"), [line.counts for line in lines]
    )
    # Usually none is.
    counts = [one for one in counts if one.heading not in ("blocked", "waiting") or set(one.cells) != {"0"}]
    return [counts, columns_of(("requests", "tokens", "dollars"), [line.cost for line in lines])] if paid else [counts]


def _counts(
    documents: int, reused: int, computed: int, failed: int, seconds: float | None, blocked: int = 0, waiting: int = 0
) -> tuple[str, ...]:
    """The counts of a stage. seconds: None if it has not begun."""
    figures = (f"{count:,}" for count in (documents, reused, computed, failed, blocked, waiting))
    return (*figures, "" if seconds is None else f"{seconds:,.1f}")


def _cost(requests: int, tokens: int, usd: float, unpriced: int) -> tuple[str, str, str]:
    return (f"{requests:,}", f"{tokens:,}", dollars(usd, unpriced)) if requests else ("", "", "")
