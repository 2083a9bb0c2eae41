"""The main job: bring the knowledge base up to date with the corpus.

What belongs here: the order of things (plan, removals, documents, clusters, the corpus, where documents stand in it) and
the account of what was done.
What does not: Dagster's ways (dagster_runs, imported only when there is something to do) and what is printed (cli).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from resources.errors import ConfigurationError
from resources.formats import SUFFIXES
from resources.lance_errors import TableError
from seed_assets.estimate import StageEstimate, estimate
from seed_assets.interrupts import Draining
from seed_assets.observer import Observer
from seed_assets.outcomes import BlockedError, NotBegunError, Tally
from seed_assets.planner import Plan
from seed_assets.removals import check_removals, remove_documents
from seed_assets.reuse import Usage
from seed_assets.runner import RunOptions
from seed_assets.seed_report import BUDGET, FAILED, INTERRUPT, FailureReport, SeedReport, StageReport
from seed_assets.session import Session
from seed_assets.work import (
    Blocked,
    Visit,
    blocked,
    remembered,
    selected_documents,
    selected_stages,
    visits,
    with_untold,
)

if TYPE_CHECKING:
    from seed_assets.dagster_runs import DagsterRuns, FinishedRun
    from seed_assets.document_partitions import DocumentPartitions

# How often a seed begins again because partitions that it uses are deleted: once is a mistake, more a script.
_MOST_LOSSES = 3


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


def seed(session: Session, options: SeedOptions, observer: Observer | None = None) -> SeedReport:
    """Do what the plan says. Raises ConfigurationError, StoreError; what fails of a document or a table is reported."""
    return _Seed(session, options, observer).run()


class _Seed:
    def __init__(self, session: Session, options: SeedOptions, observer: Observer | None) -> None:
        self._session = session
        self._options = options
        self._runner = session.runner(options.run, observer)
        self._selected_stages = selected_stages(session.pipeline, options.stages)
        pipeline = session.pipeline
        self._stages = [name for name in self._selected_stages if pipeline.stages[name].units == "documents"]
        placing = {stage.name for stage in pipeline.placing_stages}
        self._placing = [name for name in self._stages if name in placing]
        self._first = [name for name in self._stages if name not in placing]
        self._report = SeedReport()
        self._canceled = False
        self._failed_runs = 0
        self._losses = 0
        self._visited: set[str] = set()
        # What no document of a stage could be done for: a table that cannot be written, a run that did not start.
        self._faults: dict[str, FailureReport] = {}

    def run(self) -> SeedReport:
        """See `seed`."""
        started = time.perf_counter()
        session = self._session
        session.home.check(session.settings.corpus, rebind=self._options.rebind)
        plan = self._plan(verify=self._options.verify)
        self._check_selection(plan)
        if self._gone(plan) and not self._options.allow_removals:
            check_removals(session, plan)
        # Not before something was found in it: bound to the wrong folder, the home would refuse the right one.
        session.home.bind(session.settings.corpus, rebind=self._options.rebind)
        if self._options.rebuild_sink:
            # Not before the checks: a refusal says that nothing was changed.
            session.store.check_writable()
            self._drop_tables()
            plan = self._plan()
        todo = self._todo(plan, self._stages) or self._cluster_todo(plan) or self._corpus_todo(plan)
        if self._gone(plan) or todo or not self._agreed(plan):
            session.store.check_writable()
            known = session.known_documents()
            estimates = estimate(session.pipeline, session.store, plan, self._selected_stages, self._selected(plan))
            self._runner.observer.planned(plan, estimates)
            self._check_affordable(estimates)
            with session.home.running(), Draining(self._runner.stopping):
                plan = self._execute(plan)
            self._report.added = len(session.known_documents() - known)
        self._account(plan)
        self._report.seconds = time.perf_counter() - started
        return self._report

    def _execute(self, plan: Plan) -> Plan:
        from seed_assets.dagster_runs import DagsterRuns, translated

        with translated(self._runner):
            runs = DagsterRuns(self._session.settings, self._runner)
            try:
                return self._run_everything(runs, plan)
            except KeyboardInterrupt:
                self._canceled = True
                return self._plan()
            finally:
                runs.close()

    def _run_everything(self, runs: "DagsterRuns", plan: Plan) -> Plan:
        home, partitions = self._session.home, runs.partitions
        agreed = self._agreed(plan)
        # Whoever changes Dagster's records meanwhile takes the token away.
        token = f"a seed is under way: {uuid4()}"
        home.agree(token)
        runs.close_dead_runs()
        if self._gone(plan):
            self._remove(partitions, self._gone(plan))
            plan = self._plan()
        if not self._options.documents:
            # Documents that failed until they were removed never had a ref, but a partition.
            partitions.remove(plan.scan.gone(set(partitions.order())))
        # Files that are no sources come last: the range of the others is whole.
        partitions.add(sorted(plan.documents, key=plan.scan.problems.__contains__))
        plan = self._run_documents(runs, plan, self._first, agreed=agreed)
        plan = self._run_clusters(runs, plan)
        todo = self._corpus_todo(plan)
        if todo and not self._halted():
            self._take_note(runs.run(todo, None))
            plan = self._plan()
        plan = self._run_documents(runs, plan, self._placing, agreed=agreed)
        if self._is_whole() and not self._halted() and home.agreement() == token:
            home.agree(plan.digest())
        return plan

    def _run_documents(self, runs: "DagsterRuns", plan: Plan, stages: Sequence[str], *, agreed: bool) -> Plan:
        """Pass after pass, each without the documents that failed before it, until nothing is left that can be done."""
        partitions = runs.partitions
        before: Any = None
        todo = self._todo(plan, stages)
        untold = {} if agreed else self._untold(partitions, plan, stages)
        while (todo or untold) and (todo, untold, self._losses) != before and not self._halted():
            before = todo, untold, self._losses
            failed_before = self._failed_runs
            partitions.add(sorted(todo))  # somebody may have deleted them meanwhile
            blocked = self._blocked(plan)
            merged, told_failed = with_untold(todo, untold, blocked, stages)
            for visit in visits(merged, blocked):
                for range_ in partitions.ranges(set(visit.stages), visit.avoid):
                    members = partitions.members(*range_)
                    self._run_range(runs, visit.needed(members, stages), range_, members)
            for range_ in partitions.ranges_of_only(set(told_failed)):
                members = partitions.members(*range_)
                self._run_range(runs, Visit(told_failed, frozenset()).needed(members, stages), range_, members)
            plan = self._plan()
            todo = self._todo(plan, stages)
            untold = self._untold(partitions, plan, stages) if self._failed_runs > failed_before else {}
        return plan

    def _run_clusters(self, runs: "DagsterRuns", plan: Plan) -> Plan:
        """Pass after pass, each without the clusters that failed before it, until nothing is left that can be done."""
        before: Any = None
        todo = self._cluster_todo(plan)
        while todo and todo != before and not self._halted():
            before = todo
            wanted = {name for names in todo.values() for name in names}
            types = list(todo)
            self._take_note(runs.run([n for n in self._selected_stages if n in wanted], (types[0], types[-1])))
            plan = self._plan()
            todo = self._cluster_todo(plan)
        return plan

    def _run_range(
        self, runs: "DagsterRuns", stages: Sequence[str], range_: tuple[str, str], members: Sequence[str]
    ) -> None:
        if not stages or self._halted():
            return
        self._visited.update(members)
        finished = runs.run(stages, range_)
        lost = set(members).difference(() if finished.success else runs.partitions.order())
        if lost and self._losses < _MOST_LOSSES:
            # Somebody deleted partitions that the run was using: Dagster gives up the whole of it.
            self._losses += 1
            self._failed_runs += 1
            self._report.runs.append(finished.run_id)
            runs.partitions.add(sorted(lost))
        else:
            self._take_note(finished)

    def _untold(self, partitions: "DocumentPartitions", plan: Plan, stages: Sequence[str]) -> dict[str, list[str]]:
        """Documents that Dagster shows otherwise than they are, though nothing is to be done for them."""
        possible = self._possible()
        documents = self._visited.union(self._selected(plan)).intersection(plan.documents)
        names = [name for name in stages if name in possible]
        return partitions.shown_otherwise(plan, names, [d for d in plan.documents if d in documents])

    def _take_note(self, finished: "FinishedRun") -> None:
        self._report.runs.append(finished.run_id)
        self._failed_runs += not finished.success
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

    def _remove(self, partitions: "DocumentPartitions", gone: set[str]) -> None:
        try:
            remove_documents(self._session, partitions, gone)
        except TableError as error:
            what = f"removal from {error.table}"  # a table may have a stage's name
            self._faults[what] = FailureReport("", what, error.reason, error.remedy)
        else:
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
        anew = {name: visited.get(name, set()) for name in self._selected_stages} if options.anew else {}
        recluster = options.recluster and "clusters" not in visited
        plan = self._session.plan(verify=verify, retry_failed=options.retry_failed, anew=anew, recluster=recluster)
        self._runner.use_scan(plan.scan)
        return plan

    def _given_up(self) -> dict[str, set[str]]:
        """Stage -> the units that failed in this seed, there or before it: they are not tried again in it."""
        given_up: dict[str, set[str]] = {}
        for name, tally in self._runner.tallies.items():
            for stage in self._session.pipeline.downstream([name], of_unit=True):
                given_up.setdefault(stage, set()).update(tally.failed)
        return given_up

    def _selected(self, plan: Plan) -> list[str]:
        return selected_documents(plan, self._options.documents)

    def _gone(self, plan: Plan) -> set[str]:
        # A partial selection says nothing of the rest.
        return set() if self._options.documents else plan.gone

    def _is_whole(self) -> bool:
        """Whether this seed is for all documents and stages."""
        return not self._options.documents and len(self._stages) == len(self._session.pipeline.document_stages)

    def _agreed(self, plan: Plan) -> bool:
        """Whether Dagster is known to show what the plan says."""
        return not self._session.home.abandoned() and self._session.home.agreement() == plan.digest()

    def _possible(self) -> AbstractSet[str]:
        """The stages that no fault of a table stops."""
        return set(self._stages) - self._session.pipeline.downstream(self._faults)

    def _todo(self, plan: Plan, stages: Sequence[str]) -> dict[str, list[str]]:
        """Document -> those of these stages that can be done for it now."""
        placing = set[str]() if plan.placed else set(self._placing)
        possible, blocked = (self._possible() & set(stages)) - placing, self._blocked(plan)
        todo: dict[str, list[str]] = {}
        for document, names in plan.todo(self._selected(plan)).items():
            left = [name for name in names if name in possible and name not in blocked.get(document, ())]
            if left:
                todo[document] = left
        return todo

    def _cluster_todo(self, plan: Plan) -> dict[str, list[str]]:
        """Cluster type -> the stages of it and of its clusters that can be done now."""
        given_up = self._given_up()
        possible = set(self._selected_stages) - self._session.pipeline.downstream(self._faults)
        todo: dict[str, list[str]] = {}
        for cluster_type, names in plan.clustering().items():
            if cluster_type in given_up.get("clusters", ()):
                continue
            left = [
                name
                for name in names
                if name in possible and plan.stages[name].has_work(cluster_type, given_up.get(name, frozenset()))
            ]
            if left:
                todo[cluster_type] = left
        return todo

    def _blocked(self, plan: Plan) -> Blocked:
        """What nothing can be done about in this seed."""
        failed = remembered(self._session.pipeline, plan, self._stages)
        for name in self._stages:
            hopeless: AbstractSet[str] = self._runner.tallies.get(name, Tally()).failed.keys()
            if self._options.run.cache_only:
                hopeless |= self._uncached(plan, name)
            for document in hopeless:
                failed.setdefault(document, set()).add(name)
        return blocked(self._session.pipeline, failed)

    def _uncached(self, plan: Plan, name: str) -> set[str]:
        """The documents that --cache-only has to leave out; rows are made of what is finished, and cost nothing."""
        return plan.stages[name].computing if plan.stages[name].stage.kind == "value" else set()

    def _corpus_todo(self, plan: Plan) -> list[str]:
        """The stages of the corpus as a whole that can be done now."""
        stages, refs = self._session.pipeline.stages, self._session.store.refs
        possible = set(self._selected_stages) - self._session.pipeline.downstream(self._faults)
        given_up = self._given_up()
        upkeep = [
            name
            for name in plan.upkeep
            if (not self._options.stages or name in self._options.stages)
            and name not in self._faults
            and not self._faults.keys() & set(stages[name].over)
            and any(refs.get(upstream) for upstream in stages[name].over)
        ]
        values = [name for name in plan.of_corpus() if name in possible and "" not in given_up.get(name, ())]
        return [*values, *upkeep]

    def _halts(self) -> Iterator[FailureReport]:
        """The stages whose endpoint answered nobody any more."""
        for name, error in self._runner.halted.items():
            failed = self._runner.tallies.get(name, Tally()).failed.values()
            left = sum(isinstance(problem, NotBegunError) for problem in failed)
            told = f"{error.reason} {left} documents were left out." if left else error.reason
            yield FailureReport("", name, told, error.remedy)

    def _halted(self) -> bool:
        return self._canceled or bool(self._runner.stop_reason())

    def _check_affordable(self, estimates: Mapping[str, StageEstimate]) -> None:
        """What is missing to ask anybody, before anything is done: keys, and prices where a budget is set."""
        for name, stage in estimates.items():
            if not stage.compute or self._options.run.cache_only:
                continue
            for endpoint in self._runner.endpoints(self._session.pipeline.stages[name]):
                endpoint.check_ready(priced=self._runner.budget.limited)

    def _check_selection(self, plan: Plan) -> None:
        self._selected(plan)
        if not plan.documents and not plan.gone:
            raise ConfigurationError(
                f"The corpus folder {self._session.settings.corpus} holds no documents ({plan.scan.skipped} files of other "
                f"kinds). Supported are {', '.join(SUFFIXES)}."
            )

    def _account(self, plan: Plan) -> None:
        report = self._report
        report.skipped_files = plan.scan.skipped
        selected = set(self._selected(plan))
        found: dict[tuple[str, str], FailureReport] = {}
        for document, stage, error in plan.failures():
            asked = stage not in self._stages or document in selected or document in plan.scan.unreadable
            if stage in self._selected_stages and asked:
                found[document, stage] = FailureReport(document, stage, error.reason, error.remedy)
        for name, tally in self._runner.tallies.items():
            for document, error in tally.failed.items():
                if not isinstance(error, BlockedError | NotBegunError):
                    found.setdefault((document, name), FailureReport(document, name, error.reason, error.remedy))
        if self._options.run.cache_only:
            for name in self._first:
                for document in self._uncached(plan, name) & selected:
                    if not any(known == document for known, _ in found):
                        reason = "no finished result is in the store."
                        found[document, name] = FailureReport(document, name, reason, "Run again without --cache-only.")
        report.failures = [*found.values(), *self._faults.values(), *self._halts()]
        for name in self._selected_stages:
            states = plan.stages[name].states
            asked = selected if name in self._stages else states.keys()
            computed = len(self._runner.tallies[name].computed) if name in self._runner.tallies else 0
            current = sum(state == "current" for unit, state in states.items() if unit in asked)
            failed = sum(stage == name for _, stage in found)
            report.stages[name] = StageReport(len(asked), max(0, current - computed), computed, failed)
        for stage in self._session.pipeline.upkeep_stages:
            if not self._options.stages or stage.name in self._options.stages:
                computed = len(self._runner.tallies[stage.name].computed) if stage.name in self._runner.tallies else 0
                failed = int(stage.name in self._faults)
                current = int(stage.name not in plan.upkeep)
                report.stages[stage.name] = StageReport(1, max(0, current - computed), computed, failed)
        for name, tally in self._runner.tallies.items():
            if name in report.stages:
                entry, usage = report.stages[name], self._runner.reuse.spent.get(name, Usage())
                entry.seconds, entry.requests, entry.usd = round(tally.seconds, 3), usage.requests, usage.usd
                entry.tokens, entry.unpriced_requests = usage.tokens, usage.unpriced
        if self._canceled or self._runner.stopping.is_set():
            report.exit_code = INTERRUPT
        elif self._runner.over_budget:
            report.exit_code = BUDGET
        elif report.failures:
            report.exit_code = FAILED
