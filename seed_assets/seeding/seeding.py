"""The main job: bring the knowledge base up to date with the corpus.

This module checks, removes what is gone, starts the runs one after the other, and reports what was done. Which run comes next
is decided in planning.phases. Dagster is in dagster_runs, which is imported only if there is something to do; what is printed
is in the cli.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from io_managers.store.errors import StoreError, StoreUnavailableError, is_disk_failure
from resources.corpus.formats import remedies_for, suffixes
from resources.errors import ConfigurationError, DocumentError
from resources.memory_errors import NO_MEMORY, memory_remedy, mentions_memory
from resources.tables.lance_errors import TableError
from seed_assets.engine.interrupts import Draining
from seed_assets.engine.maintenance_due import maintenance_action
from seed_assets.engine.runner import RunOptions
from seed_assets.engine.stage_run import Tally
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.graph.stage import Stage, WarmsUp
from seed_assets.orchestration.job_names import JOBS
from seed_assets.planning.estimate import StageEstimate, estimate
from seed_assets.planning.phases import Phases, Run, Step
from seed_assets.planning.plan import UPSTREAM, Plan
from seed_assets.planning.work import selected_stages
from seed_assets.seeding.left_to_do import LeftToDo
from seed_assets.seeding.publishing import publish_after_seed
from seed_assets.seeding.savings import note_unvisited
from seed_assets.seeding.seed_account import account
from seed_assets.seeding.seed_observer import SeedObserver, SilentSeed
from seed_assets.seeding.seed_records import SeedRecords
from seed_assets.seeding.seed_report import FailureReport, SeedReport
from seed_assets.session.removals import check_removals, remove_documents
from seed_assets.session.session import Session
from seed_assets.session.sharing import pull, sharing

if TYPE_CHECKING:
    from seed_assets.orchestration.dagster_runs import DagsterRuns, FinishedRun
    from seed_assets.orchestration.document_partitions import DocumentPartitions
    from seed_assets.spreading.worker_pool import WorkerPool

# How often a seed begins again because somebody deleted partitions that it uses. One deletion is a mistake; with more, a script
# probably deletes them again and again.
_MOST_LOSSES = 3
_BATCHES = "batches"
_REFUSED = (
    "Nothing was paid for it. If the limit of queued tokens is the reason, run again when other batches have ended; "
    "`seedbank seed --no-wait` sends the requests without a batch."
)
_GO_ON = "Fix it and run again; all finished work is kept."


@dataclass(frozen=True, slots=True)
class SeedOptions:
    """The options of `seedbank seed`.

    documents: a glob on document ids. stages: with all stages that they need. workers: the number of processes that do the runs
    over documents; 1 for this one alone.
    """

    stages: tuple[str, ...] = ()
    documents: str = ""
    run: RunOptions = field(default_factory=RunOptions)
    allow_removals: bool = False
    rebuild_sink: bool = False
    rebind: bool = False
    verify: bool = False
    workers: int = 1


def seed(session: Session, options: SeedOptions, observer: SeedObserver | None = None) -> SeedReport:
    """Do what the plan says. Raises ConfigurationError, StoreError. Failures of documents and tables are only reported."""
    return _Seed(session, options, observer).run()


class _Seed:
    def __init__(self, session: Session, options: SeedOptions, observer: SeedObserver | None) -> None:
        self._session = session
        self._options = options
        self._observer: SeedObserver = observer or SilentSeed()
        self._runner = session.runner(options.run, self._observer)
        stages = selected_stages(session.pipeline, options.stages)
        self._left = LeftToDo(session, self._runner, stages, options.stages, options.documents)
        self._report = SeedReport()
        self._canceled = False
        self._failed_runs = 0
        self._losses = 0
        self._out_of_memory = False
        self._workers: WorkerPool | None = None

    def run(self) -> SeedReport:
        """See `seed`."""
        started = time.perf_counter()
        session = self._session
        session.home.check(session.settings.corpus, rebind=self._options.rebind)
        session.home.check_not_erasing()
        self._look_at_batches()
        plan = self._plan(verify=self._options.verify)
        self._check_selection(plan)
        if self._gone(plan) and not self._options.allow_removals:
            check_removals(session, plan)
        # The home is bound only after documents were found. Bound to a wrong folder, it would refuse the right one.
        session.home.bind(session.settings.corpus, rebind=self._options.rebind)
        session.keep_prompts()
        if self._options.rebuild_sink:
            # This comes after the checks, since a refusal says that nothing was changed.
            session.store.check_writable()
            self._drop_tables()
            plan = self._plan()
        if any(planned.computing for planned in plan.stages.values()) and (remote := session.remote) is not None:
            pull(remote)
            plan = self._plan()
        left = self._left
        todo = left.documents(plan, left.stages) or left.clusters(plan) or left.corpus(plan)
        if self._gone(plan) or todo or not self._in_sync(plan):
            session.store.check_writable()
            known = session.known_documents()
            estimates = estimate(
                session.pipeline, session.store, plan, self._left.selected_stages, self._left.selected(plan)
            )
            self._observer.planned(plan, estimates)
            self._check_affordable(plan, estimates)
            try:
                with (
                    Draining(self._runner.stopping),
                    session.home.running(),
                    sharing(session.settings, session.store, session.remote) as self._report.shared,
                ):
                    plan = self._execute(plan)
            except (StoreError, ConfigurationError) as error:
                # Writing Dagster's records or the home's marks failed. What the stages did before is still reported.
                if not isinstance(error, StoreUnavailableError) and not is_disk_failure(error):
                    raise
                self._note_failure(error)
                plan = self._plan()
            self._report.added = len(session.known_documents() - known)
            if self._report.runs:
                note_unvisited(self._runner, plan, self._left.selected_stages, set(self._left.selected(plan)))
        else:
            # A batch may end although no file changes.
            self._report.corpus_stamp = "" if plan.waiting() else plan.scan.stamp
        publish_after_seed(session, self._report, self._left.faults, plan, halted=self._halted())
        account(self._report, session, self._runner, self._left, plan, self._options.stages, canceled=self._canceled)
        self._report.seconds = time.perf_counter() - started
        return self._report

    def _look_at_batches(self) -> None:
        """Take in the batches that have ended; with --no-wait, end the others first. A server that fails is reported."""
        open_batches = self._session.open_batches
        if not self._session.store.batches.open():
            return
        try:
            with Draining(self._runner.stopping):
                left = open_batches.end(self._runner.stopping.is_set) if self._options.run.no_wait else []
                ended = open_batches.look()
        except DocumentError as error:
            self._left.faults[_BATCHES] = FailureReport("", _BATCHES, error.reason, error.remedy)
            return
        for batch in left:
            reason = f"batch {batch.batch_id} was canceled, and the provider has not ended it yet."
            self._left.faults[f"batch {batch.batch_id}"] = FailureReport("", _BATCHES, reason, "Run again later.")
        for batch in ended:
            if batch.remote_state == "failed":
                reason = f"the provider refused batch {batch.batch_id}: {batch.detail or 'it gives no reason'}."
                self._left.faults[f"batch {batch.batch_id}"] = FailureReport("", _BATCHES, reason, _REFUSED)

    def _note_failure(self, error: StoreError | ConfigurationError) -> None:
        """Report what ended the seed as a whole, unless a stage has reported just that."""
        reason, remedy = (error.reason, error.remedy) if isinstance(error, StoreError) else (str(error), "")
        if self._out_of_memory:
            return  # If memory runs out, a database reports a fault of its disk.
        if not any(fault.reason.startswith(reason) for fault in self._left.faults.values()):
            self._left.faults[""] = FailureReport("", "", reason, remedy or _GO_ON)

    def _warm_up(self, plan: Plan) -> None:
        """Let resources of stages that compute something start while this process loads Dagster."""
        pipeline = self._session.pipeline
        needed = [planned.stage for planned in plan.stages.values() if planned.computing]
        used = {id(resource): resource for stage in needed for resource in pipeline.used_by(stage).values()}
        for resource in used.values():
            if isinstance(resource, WarmsUp):
                resource.warm_up()

    def _execute(self, plan: Plan) -> Plan:
        self._warm_up(plan)
        from seed_assets.orchestration.dagster_runs import DagsterRuns, translated

        with translated(self._runner):
            runs = DagsterRuns(self._session.settings, self._runner, self._options.workers)
            if self._options.workers > 1:
                from seed_assets.spreading.worker_pool import WorkerPool

                settings, workers = self._session.settings, self._options.workers
                self._workers = WorkerPool(settings, self._runner, self._observer, workers)
            try:
                return self._run_everything(runs, plan)
            except KeyboardInterrupt:
                self._canceled = True
                return self._plan()
            finally:
                if self._workers is not None:
                    self._workers.close()
                runs.close()

    def _run_everything(self, runs: "DagsterRuns", plan: Plan) -> Plan:
        home, partitions = self._session.home, runs.partitions
        in_sync = self._in_sync(plan)
        records = SeedRecords(runs, self._left, plan, in_sync=in_sync, whole=self._is_whole())
        # Any process that changes Dagster's records meanwhile replaces the token.
        token = f"a seed is under way: {uuid4()}"
        home.record_in_sync(token)
        runs.close_dead_runs()
        if self._gone(plan):
            self._remove(partitions, self._gone(plan))
            plan = self._plan()
        if not self._options.documents:
            # A document that failed until it was removed never had a ref, but it has a partition.
            partitions.remove(plan.scan.gone(set(partitions.order())))
        # Files that cannot be read as documents come last, so that the others form one range.
        partitions.add(sorted(plan.documents, key=plan.scan.problems.__contains__))
        plan = self._run_steps(runs, records, plan)
        if not self._halted():
            self._check(runs, plan)
        if self._is_whole() and not self._halted() and not self._runner.over_budget:
            home.record_in_sync(plan.digest(), instead_of=token)
        return plan

    def _check(self, runs: "DagsterRuns", plan: Plan) -> None:
        """Run the quick checks, so that Dagster shows what they found of what was just made."""
        from seed_assets.checking.check_run import quick_findings

        runs.record_findings(quick_findings(self._runner, plan))

    def _run_steps(self, runs: "DagsterRuns", records: SeedRecords, plan: Plan) -> Plan:
        """Do all the runs that the plan asks for, and plan again after each pass."""
        phases = Phases(self._session.pipeline, self._left, records, runs.partitions)
        losses, alone = 0, False
        while not self._halted() and (
            following := phases.next(plan, repeat=self._losses > losses or alone is not self._is_alone())
        ):
            losses, alone, failed_before = self._losses, self._is_alone(), self._failed_runs
            if following.todo:
                runs.partitions.add(sorted(following.todo))  # Somebody may have deleted some meanwhile.
            maintenance = {name: self._maintenance_key(name) for name in following.stages if name in plan.maintenance}
            for group in following.groups:
                for run, finished in self._finished(runs, records, group):
                    self._look_at(runs, run, finished)
            records.run_failed = self._failed_runs > failed_before
            plan, earlier = self._plan(), plan
            if following.step is not Step.RECORDS and not self._halted():
                self._note_unending(following.stages, maintenance, earlier, plan, undisturbed=not records.run_failed)
        return plan

    def _note_unending(
        self, stages: Sequence[str], maintenance: Mapping[str, str], before: Plan, after: Plan, *, undisturbed: bool
    ) -> None:
        """Note the work of these stages that is left although the runs did it. maintenance: stage -> its key before the runs."""
        unending = self._left.unending
        values = [name for name in stages if name not in maintenance]
        unending.look(values, before, after, self._runner.tallies, undisturbed=undisturbed)
        for name, key in maintenance.items():
            reason = after.maintenance.get(name, UPSTREAM)
            # A run cannot do work that waits for a stage before it.
            waits = reason in (UPSTREAM, "")
            if undisturbed and not waits and reason == before.maintenance[name] and self._maintenance_key(name) == key:
                unending.add(name, "", reason)

    def _maintenance_key(self, name: str) -> str:
        pipeline = self._session.pipeline
        return maintenance_action(pipeline, self._session.store, pipeline.stages[name]).key

    def _is_alone(self) -> bool:
        """Whether this process does all runs itself from now on, since the others have spent their shares of the budget."""
        return self._workers is not None and self._workers.shares_spent

    def _finished(
        self, runs: "DagsterRuns", records: SeedRecords, group: Iterable[Run]
    ) -> "Iterator[tuple[Run, FinishedRun]]":
        """Do these runs, here or in other processes; each as soon as it has ended."""
        if self._workers is not None and not self._is_alone() and len(group := list(group)) > 1:
            records.visited.update(*(run.documents for run in group))
            for run, finished in self._workers.run(group):
                if finished is not None:
                    yield run, finished
                else:  # its process has died, and another one does it again
                    self._failed_runs += 1
                    runs.close_dead_runs()
            return
        for run in group:
            if not self._halted():
                records.visited.update(run.documents)
                yield run, runs.run(run.stages, run.range, JOBS[run.phase])

    def _look_at(self, runs: "DagsterRuns", run: Run, finished: "FinishedRun") -> None:
        members = run.documents
        lost = set(members).difference(runs.partitions.order()) if members and not finished.success else set[str]()
        if lost and self._losses < _MOST_LOSSES:
            # Somebody deleted partitions that the run was using, so Dagster ended the whole run.
            self._losses += 1
            self._failed_runs += 1
            self._report.runs.append(finished.run_id)
            runs.partitions.add(sorted(lost))
        else:
            self._take_note(finished)

    def _take_note(self, finished: "FinishedRun") -> None:
        self._report.runs += filter(None, [finished.run_id])
        self._failed_runs += not finished.success
        self._canceled |= finished.canceled
        for name, message in finished.failed_stages.items():
            fault = self._runner.faults.get(name)
            if isinstance(fault, TableError):
                self._left.faults[name] = FailureReport("", name, fault.reason, fault.remedy)
            elif fault is None and (self._runner.stopped or self._halted() or self._failed_in(name)):
                continue  # It is reported by the exit status, or for each document.
            elif isinstance(fault, StoreError) and fault.remedy:
                self._left.faults[name] = FailureReport("", name, fault.reason, fault.remedy)
            elif fault is None and mentions_memory(message):
                self._out_of_memory = True
                self._left.faults[name] = FailureReport("", name, NO_MEMORY, memory_remedy())
            else:
                self._left.faults[name] = FailureReport("", name, str(fault or message), _GO_ON)

    def _failed_in(self, name: str) -> bool:
        return bool(self._runner.tallies.get(name, Tally()).failed)

    def _remove(self, partitions: "DocumentPartitions", gone: set[str]) -> None:
        try:
            remove_documents(self._session, partitions, gone)
        except TableError as error:
            what = f"removal from {error.table}"  # since a table may have the name of a stage
            self._left.faults[what] = FailureReport("", what, error.reason, error.remedy)
        else:
            self._report.removed = len(gone)

    def _drop_tables(self) -> None:
        session = self._session
        for stage in session.pipeline.stages.values():
            if stage.table:
                from_scratch(partial(self._drop_table, stage))

    def _drop_table(self, stage: Stage) -> None:
        session = self._session
        with table_held(session.store.leases, session.tables, stage.table) as tables:
            tables.drop(stage.table)
            session.store.refs.drop_stage(stage.name)

    def _plan(self, *, verify: bool = False) -> Plan:
        """Make the plan as of now. What this seed has computed again is not planned once more."""
        options = self._runner.options
        visited = {name: tally.visited for name, tally in self._runner.tallies.items()}
        recomputed = {name: visited.get(name, set()) for name in self._left.selected_stages} if options.no_cache else {}
        finder = self._session.pipeline.finder
        recluster = options.recluster and finder is not None and finder.name not in visited
        plan = self._session.plan(
            verify=verify, retry_failed=options.retry_failed, recomputed=recomputed, recluster=recluster
        )
        self._runner.use_scan(plan.scan)
        return plan

    def _gone(self, plan: Plan) -> set[str]:
        # A selection of documents says nothing about the others.
        return set() if self._options.documents else plan.gone

    def _is_whole(self) -> bool:
        """Whether this seed is for all documents and stages."""
        return not self._options.documents and len(self._left.stages) == len(self._session.pipeline.document_stages)

    def _in_sync(self, plan: Plan) -> bool:
        """Whether Dagster's records are known to show what the plan says."""
        return not self._session.home.abandoned() and self._session.home.synced_digest() == plan.digest()

    def _halted(self) -> bool:
        return self._canceled or bool(self._runner.stop_reason()) or self._runner.reuse.unwritable() is not None

    def _check_affordable(self, plan: Plan, estimates: Mapping[str, StageEstimate]) -> None:
        """Raise ConfigurationError, before anything is done, if a key is missing, or a price that the budget needs."""
        if all(planned.todo.get(unit) == UPSTREAM for planned in plan.stages.values() for unit in planned.computing):
            return  # All that is certain is found in the store or its remote, and so may the rest be.
        for name, stage in estimates.items():
            if not stage.compute or self._options.run.cache_only:
                continue
            for endpoint in self._runner.endpoints(self._session.pipeline.stages[name]):
                endpoint.check_ready(priced=self._runner.budget.limited)

    def _check_selection(self, plan: Plan) -> None:
        self._left.selected(plan)
        if not plan.documents and not plan.gone:
            others = plan.scan.skipped.sentence() or "it is empty"
            raise ConfigurationError(
                f"The corpus {self._session.settings.corpus} holds no documents ({others}). "
                f"Supported are {', '.join(suffixes())}."
                + "".join(f" {each}" for each in remedies_for(plan.scan.skipped.by_suffix))
            )
