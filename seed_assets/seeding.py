"""The main job: bring the knowledge base up to date with the corpus.

What belongs here: the order of things (plan, removals, documents, then the corpus) and the account of what was done.
What does not: Dagster's ways (dagster_runs, imported only when there is something to do) and what is printed (cli).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from resources.errors import ConfigurationError
from resources.formats import SUFFIXES
from resources.lance_errors import TableError
from seed_assets.interrupts import Draining
from seed_assets.observer import Observer
from seed_assets.planner import Plan
from seed_assets.reuse import Usage
from seed_assets.runner import BlockedError, RunOptions, Tally
from seed_assets.session import Session
from seed_assets.stage import SOURCE

if TYPE_CHECKING:
    from seed_assets.dagster_runs import DagsterRuns

# More of the corpus gone at once looks like a folder that is not mounted.
LARGEST_REMOVAL = 0.2

DONE, FAILED, BUDGET, INTERRUPT = 0, 1, 3, 130


@dataclass(frozen=True, slots=True)
class SeedOptions:
    """What `seedbank seed` can be told. documents: a glob on document ids; stages: with all that they need."""

    stages: tuple[str, ...] = ()
    documents: str = ""
    run: RunOptions = field(default_factory=RunOptions)
    allow_removals: bool = False
    rebuild_sink: bool = False
    rebind: bool = False
    verify: bool = False


@dataclass(slots=True)
class StageReport:
    """One stage of a seed. documents: that it was asked for; the rest, in documents too, unless they were blocked."""

    documents: int = 0
    reused: int = 0
    computed: int = 0
    failed: int = 0
    seconds: float = 0.0
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class FailureReport:
    """What failed, why and what to do. document: "" where the fault is the stage's as a whole."""

    document: str
    stage: str
    reason: str
    remedy: str


@dataclass(slots=True)
class SeedReport:
    """What a seed did. exit_code: 0 done, 1 something failed, 3 the budget was spent, 130 interrupted."""

    stages: dict[str, StageReport] = field(default_factory=dict)
    failures: list[FailureReport] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    seconds: float = 0.0
    exit_code: int = DONE
    added: int = 0
    removed: int = 0
    skipped_files: int = 0


def seed(session: Session, options: SeedOptions, observer: Observer | None = None) -> SeedReport:
    """Do what the plan says. Raises ConfigurationError, StoreError; what fails of a document or a table is reported."""
    return _Seed(session, options, observer).run()


class _Seed:
    def __init__(self, session: Session, options: SeedOptions, observer: Observer | None) -> None:
        self._session = session
        self._options = options
        self._runner = session.runner(options.run, observer)
        self._stages = self._selected_stages()
        self._report = SeedReport()
        self._canceled = False
        # What no document of a stage could be done for: a table that cannot be written, a run that did not start.
        self._faults: dict[str, FailureReport] = {}

    def run(self) -> SeedReport:
        """See `seed`."""
        started = time.perf_counter()
        session = self._session
        session.home.check(session.settings.corpus, rebind=self._options.rebind)
        plan = self._plan(verify=self._options.verify)
        self._check_selection(plan)
        self._check_removals(plan)
        # Not before something was found in it: bound to the wrong folder, the home would refuse the right one.
        session.home.bind(session.settings.corpus, rebind=self._options.rebind)
        if self._options.rebuild_sink:
            # Not before the checks: a refusal says that nothing was changed.
            session.store.check_writable()
            self._drop_tables()
            plan = self._plan()
        known = session.store.refs.partitions()
        if self._gone(plan) or self._todo(plan) or self._corpus_todo(plan) or session.home.abandoned():
            session.store.check_writable()
            with session.home.running(), Draining(self._runner.stopping):
                plan = self._execute(plan)
        self._report.added = len(session.store.refs.partitions() - known)
        self._account(plan)
        self._report.seconds = time.perf_counter() - started
        return self._report

    def _execute(self, plan: Plan) -> Plan:
        from seed_assets.dagster_runs import DagsterRuns, translated

        with translated(self._session.home, self._runner):
            runs = DagsterRuns(self._session.settings, self._runner)
            try:
                return self._run_everything(runs, plan)
            except KeyboardInterrupt:
                self._canceled = True
                return self._plan()
            finally:
                runs.close()

    def _run_everything(self, runs: "DagsterRuns", plan: Plan) -> Plan:
        runs.close_dead_runs()
        if self._gone(plan):
            self._remove(runs, self._gone(plan))
            plan = self._plan()
        if not self._options.documents:
            # Documents that failed until they were removed never had a ref, but a partition.
            runs.remove_documents(plan.scan.gone(set(runs.documents())))
        runs.add_documents(plan.documents)
        plan = self._run_documents(runs, plan)
        todo = self._corpus_todo(plan)
        if todo and not self._halted():
            self._run(runs, todo, None)
            plan = self._plan()
        return plan

    def _run_documents(self, runs: "DagsterRuns", plan: Plan) -> Plan:
        """Pass after pass, each without the documents that failed before it, until nothing is left that can be done."""
        before: dict[str, list[str]] | None = None
        todo = self._todo(plan)
        while todo and todo != before and not self._halted():
            impossible = self._impossible(plan)
            groups: dict[frozenset[str], list[str]] = {}
            for document in todo:
                groups.setdefault(impossible.get(document, frozenset()), []).append(document)
            for documents in groups.values():
                needed = {name for document in documents for name in todo[document]}
                avoid = {document for document, stages in impossible.items() if stages & needed}
                for first, last in runs.ranges(set(documents), avoid):
                    members = {name for document in runs.members(first, last) for name in todo.get(document, ())}
                    if not self._halted():
                        self._run(runs, [name for name in self._stages if name in members & needed], (first, last))
            before, plan = todo, self._plan()
            todo = self._todo(plan)
        return plan

    def _run(self, runs: "DagsterRuns", stages: Sequence[str], documents: tuple[str, str] | None) -> None:
        finished = runs.run(stages, documents)
        self._report.runs.append(finished.run_id)
        self._canceled |= finished.canceled
        for name, message in finished.failed_stages.items():
            fault = self._runner.faults.get(name)
            if isinstance(fault, TableError):
                self._faults[name] = FailureReport("", name, fault.reason, fault.remedy)
            elif fault is None and (self._runner.stop_reason() or self._failed_in(name)):
                continue  # told by the exit status, or document by document
            else:
                self._faults[name] = FailureReport(
                    "", name, str(fault or message), "Mend it and run again; all finished work is kept."
                )

    def _failed_in(self, name: str) -> bool:
        return bool(self._runner.tallies.get(name, Tally()).failed)

    def _remove(self, runs: "DagsterRuns", gone: set[str]) -> None:
        """Rows first, then refs, then partitions: whatever interrupts this, the next seed finds it to be done."""
        session = self._session
        for table in {stage.table for stage in session.pipeline.document_stages if stage.table}:
            try:
                with session.store.leases.hold(f"table {table}"):
                    session.tables.delete_documents(table, sorted(gone))
            except TableError as error:
                what = f"removal from {table}"  # a table may have a stage's name
                self._faults[what] = FailureReport("", what, error.reason, error.remedy)
                return
        session.store.refs.drop_partitions(sorted(gone))
        runs.remove_documents(gone)
        self._report.removed = len(gone)

    def _drop_tables(self) -> None:
        session = self._session
        for stage in session.pipeline.stages.values():
            if stage.table:
                with session.store.leases.hold(f"table {stage.table}"):
                    session.tables.drop(stage.table)
                    session.store.refs.drop_stage(stage.name)

    def _plan(self, *, verify: bool = False) -> Plan:
        """What is to be done now; what was computed anew by this seed is not to be done again."""
        options = self._options.run
        visited = {name: tally.visited for name, tally in self._runner.tallies.items()}
        anew = {name: visited.get(name, set()) for name in self._stages} if options.anew else {}
        plan = self._session.plan(verify=verify, retry_failed=options.retry_failed, anew=anew)
        self._runner.use_scan(plan.scan)
        return plan

    def _selected_stages(self) -> list[str]:
        """The document stages that were asked for and all that they need, in order."""
        pipeline = self._session.pipeline
        unknown = [name for name in self._options.stages if name not in pipeline.stages]
        if unknown:
            raise ConfigurationError(
                f"There is no stage {', '.join(unknown)}. The stages are {', '.join(pipeline.stages)}."
            )
        wanted = set(self._options.stages or pipeline.stages)
        for stage in reversed(list(pipeline.stages.values())):
            if stage.name in wanted:
                wanted.update(name for name in stage.inputs if name != SOURCE)
        return [stage.name for stage in pipeline.document_stages if stage.name in wanted]

    def _selected(self, plan: Plan) -> list[str]:
        pattern = self._options.documents
        return [d for d in plan.documents if not pattern or fnmatchcase(d, pattern)]

    def _gone(self, plan: Plan) -> set[str]:
        # A partial selection says nothing of the rest.
        return set() if self._options.documents else plan.gone

    def _todo(self, plan: Plan) -> dict[str, list[str]]:
        """Document -> the stages that can be done for it now."""
        possible = set(self._stages) - self._session.pipeline.downstream(self._faults)
        impossible = self._impossible(plan)
        todo: dict[str, list[str]] = {}
        for document, names in plan.todo(self._selected(plan)).items():
            left = [name for name in names if name in possible and name not in impossible.get(document, ())]
            if left:
                todo[document] = left
        return todo

    def _impossible(self, plan: Plan) -> dict[str, frozenset[str]]:
        """Document -> the stages that nothing can be done about in this seed: those that failed, and what needs them."""
        failed: dict[str, set[str]] = {}
        first = self._session.pipeline.document_stages[0].name
        for document in plan.scan.problems:
            failed.setdefault(document, set()).add(first)
        for name in self._stages:
            stage = plan.stages[name]
            tally = self._runner.tallies.get(name, Tally())
            hopeless = {document for document in stage.failures if document not in stage.todo}
            if self._options.run.cache_only:
                hopeless |= self._uncached(plan, name)
            for document in hopeless | tally.failed.keys():
                failed.setdefault(document, set()).add(name)
        return {d: frozenset(self._session.pipeline.downstream(names)) for d, names in failed.items()}

    def _uncached(self, plan: Plan, name: str) -> set[str]:
        """The documents that --cache-only has to leave out; rows are made of what is finished, and cost nothing."""
        return plan.stages[name].computing if plan.stages[name].stage.kind == "document" else set()

    def _corpus_todo(self, plan: Plan) -> list[str]:
        """The corpus-level stages that are to be run after the documents."""
        asked = self._options.stages
        names = [name for name in plan.corpus_todo if not asked or name in asked]
        stages = self._session.pipeline.stages
        return [
            name
            for name in names
            if name not in self._faults
            and not self._faults.keys() & set(stages[name].inputs)
            and any(self._session.store.refs.get(upstream) for upstream in stages[name].inputs)
        ]

    def _halted(self) -> bool:
        return self._canceled or bool(self._runner.stop_reason())

    def _check_selection(self, plan: Plan) -> None:
        if self._options.documents and not self._selected(plan):
            raise ConfigurationError(f"No document matches {self._options.documents!r}.")
        if not plan.documents and not plan.gone:
            raise ConfigurationError(
                f"The corpus folder {self._session.settings.corpus} holds no documents ({plan.scan.skipped} files of other "
                f"kinds). Supported are {', '.join(SUFFIXES)}."
            )

    def _check_removals(self, plan: Plan) -> None:
        gone = self._gone(plan) - plan.renamed
        known = len(self._session.store.refs.partitions())
        if self._options.allow_removals or len(gone) <= 1 or len(gone) <= LARGEST_REMOVAL * known:
            return
        raise ConfigurationError(
            f"{len(gone)} of {known} documents are gone from {self._session.settings.corpus}, {min(gone)} for one. If that is "
            "right, say --allow-removals, and they are taken out of the knowledge base; if a disk is not mounted, mount it. "
            "Nothing was changed."
        )

    def _account(self, plan: Plan) -> None:
        report = self._report
        report.skipped_files = plan.scan.skipped
        selected = set(self._selected(plan))
        found: dict[tuple[str, str], FailureReport] = {}
        for document, stage, error in plan.failures():
            if stage in self._stages and (document in selected or document in plan.scan.unreadable):
                found[document, stage] = FailureReport(document, stage, error.reason, error.remedy)
        for name, tally in self._runner.tallies.items():
            for document, error in tally.failed.items():
                if not isinstance(error, BlockedError):
                    found.setdefault((document, name), FailureReport(document, name, error.reason, error.remedy))
        if self._options.run.cache_only:
            for name in self._stages:
                for document in self._uncached(plan, name) & selected:
                    if not any(known == document for known, _ in found):
                        reason = "no finished result is in the store."
                        found[document, name] = FailureReport(document, name, reason, "Run again without --cache-only.")
        report.failures = [*found.values(), *self._faults.values()]
        for name in self._stages:
            states = plan.stages[name].states
            computed = len(self._runner.tallies[name].computed) if name in self._runner.tallies else 0
            current = sum(state == "current" for document, state in states.items() if document in selected)
            failed = sum(stage == name for _, stage in found)
            report.stages[name] = StageReport(len(selected), max(0, current - computed), computed, failed)
        for stage in self._session.pipeline.corpus_stages:
            if not self._options.stages or stage.name in self._options.stages:
                computed = len(self._runner.tallies[stage.name].computed) if stage.name in self._runner.tallies else 0
                failed = int(stage.name in self._faults)
                current = int(stage.name not in plan.corpus_todo)
                report.stages[stage.name] = StageReport(1, max(0, current - computed), computed, failed)
        for name, tally in self._runner.tallies.items():
            if name in report.stages:
                entry, usage = report.stages[name], self._runner.reuse.spent.get(name, Usage())
                entry.seconds, entry.requests, entry.usd = round(tally.seconds, 3), usage.requests, usage.usd
                entry.tokens = usage.input_tokens + usage.output_tokens
        if self._canceled or self._runner.stopping.is_set():
            report.exit_code = INTERRUPT
        elif self._runner.over_budget:
            report.exit_code = BUDGET
        elif report.failures:
            report.exit_code = FAILED
