"""One look of a sensor or a schedule at the knowledge base, and the runs that it asks for.

This module decides which runs are asked for, and that the same work is asked for once. What is to be done and which run comes
next is decided in planning, as for `seedbank seed`.

A tick asks for runs only while none is under way, so each plan is of a corpus at rest and no work is asked for twice. What
depends on a first pass (documents beside a failed one, the search index) is asked for by a later tick.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

from io_managers.store.errors import LeaseBusyError
from io_managers.store.holders import Waiting
from resources.ingestions.ingestion_requests import IngestionRequests
from resources.settings.config import Settings
from resources.wording import counted
from seed_assets.engine.maintenance_due import maintenance_action
from seed_assets.graph.pipeline import Phase
from seed_assets.orchestration.document_partitions import DocumentPartitions
from seed_assets.orchestration.job_names import JOBS
from seed_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG
from seed_assets.orchestration.run_records import close_dead_runs, unfinished_runs
from seed_assets.orchestration.ticks.tick_records import RecordsOfTick
from seed_assets.planning.due_work import DueWork
from seed_assets.planning.phases import Phases, Run, Step
from seed_assets.planning.plan import Plan
from seed_assets.planning.work import of_stages
from seed_assets.session.removals import check_removals, remove_documents
from seed_assets.session.session import Session

if TYPE_CHECKING:
    from seed_assets.orchestration.spread_runs import SpreadRuns

TICK_SECONDS = 30
# A file that was changed less than this ago may still be written.
_REST_SECONDS = 10
# If runs leave their work undone, the pause before the next run for it doubles, up to this.
_LONGEST_PAUSE_SECONDS = 3_600
# How long a tick waits for a lease of another process. It is short, since the ticks of a code location run one after the other.
_PATIENCE_SECONDS = 15.0
_WORK_TAG = ".dagster/seedbank_work"
_NOTHING_SEEDED = "Nothing is seeded yet."

WaitingFiles = Mapping[str, Sequence[int]]
"""Document -> size and time of change, of files that a tick left alone because they may still be written."""


class Tick:
    """One tick.

    reason: why it asks for no run. held_up: whether that is because other work is under way. undone: why work is not asked for
    again that an earlier run for the same ingestion left undone; "" if there is none. waiting: documents whose files may still be
    written.
    """

    def __init__(self, session: Session, instance: dg.DagsterInstance, ingestion_tags: Mapping[str, str] = {}) -> None:
        """ingestion_tags: the tags of the runs of the ingestion that this tick is for; without them it is for none."""
        self.reason = ""
        self.held_up = False
        self.undone = ""
        self._ingestion_tags = ingestion_tags
        self.waiting: WaitingFiles = {}
        self._requests: list[dg.RunRequest] = []
        self._session = session
        self._instance = instance
        settings: Settings = session.settings
        self._partitions = DocumentPartitions(
            instance,
            session.store,
            session.home,
            settings.documents_per_run,
            Waiting(patience_seconds=_PATIENCE_SECONDS),
            settings.deployment.workers,
        )
        self._spread = _spread_runs(session, instance)
        self._elsewhere = False

    def documents(self, *, waiting: WaitingFiles | None = None, verify: bool = False) -> list[dg.RunRequest]:
        """Return the runs of documents that are due. waiting: the files that the previous tick left alone."""
        return self._unless_held_up(lambda: self._documents(waiting or {}, verify=verify))

    def _documents(self, waiting: WaitingFiles, *, verify: bool) -> list[dg.RunRequest]:
        session, partitions = self._session, self._partitions
        session.home.check(session.settings.corpus)
        self.waiting = waiting
        if self._is_busy():
            return []
        plan = session.plan(verify=verify)
        if not plan.documents and not plan.gone:
            self.reason = f"The corpus {session.settings.corpus} holds no documents."
            return []
        session.home.bind(session.settings.corpus)
        stages = [stage.name for stage in session.pipeline.of_phase(Phase.DOCUMENTS)]
        self.waiting = _still_written(session, plan, of_stages(plan.todo(), stages), waiting)
        if plan.gone:
            check_removals(session, plan)
            remove_documents(session, partitions, plan.gone)
            self.reason = f"Gone documents that were taken out of the knowledge base: {len(plan.gone)}."
        partitions.remove(plan.scan.gone(set(partitions.order())))
        known = [document for document in plan.documents if document not in self.waiting]
        partitions.add(sorted(known, key=plan.scan.problems.__contains__))
        requests = self._values_elsewhere(plan)
        if not requests:
            rest, unfinished = self._left_here(plan, stages)
            records = RecordsOfTick(session, partitions, known)
            requests = self._next(plan, rest, [Step.DOCUMENTS], records, unfinished)
        if not requests and not self.reason:
            self.reason = (
                f"Files that may still be written: {len(self.waiting)}, such as {min(self.waiting)}. They wait "
                "until they no longer change."
                if self.waiting
                else "Nothing to do: every document is up to date or has failed for good."
            )
        return requests

    def _values_elsewhere(self, plan: Plan) -> list[dg.RunRequest]:
        """Return the runs of documents that workers with homes of their own can do; none if there are no such workers."""
        if self._spread is None:
            return []
        self._elsewhere = True
        records = RecordsOfTick(self._session, self._partitions, [])
        requests = self._next(plan, self._spread.stages, [Step.DOCUMENTS], records)
        self._elsewhere = False
        return requests

    def _left_here(self, plan: Plan, stages: Sequence[str]) -> tuple[list[str], set[str]]:
        """Return those of these stages that are done in this home, and the documents that wait for stages done elsewhere."""
        elsewhere = self._spread.stages if self._spread else []
        return [name for name in stages if name not in elsewhere], set(of_stages(plan.todo(), elsewhere))

    def _next(
        self,
        plan: Plan,
        stages: Sequence[str],
        steps: Sequence[Step],
        records: RecordsOfTick,
        unfinished: AbstractSet[str] = frozenset(),
    ) -> list[dg.RunRequest]:
        """Return the runs of the first of these steps that has any.

        stages: the stages of documents. unfinished: documents that are to be left out.
        """
        session = self._session
        work = DueWork(session.pipeline, session.store, stages, self.waiting.keys() | unfinished)
        phases = Phases(session.pipeline, work, records, self._partitions, steps)
        while following := phases.next(plan):
            # One group per tick, since finding the ranges of the next group may move partitions.
            for run in next(following.groups, ()):
                self._request(plan, following.step, run)
            if self._requests:
                break
            phases.leave(following.step)
        return self._requests

    def following(self, graph: BaseAssetGraph | None) -> list[dg.RunRequest]:
        """Return the runs of the first step after the documents that has anything to do.

        graph: the graph of all assets, by which Dagster says what is stale.
        """
        return self._unless_held_up(lambda: self._following(graph))

    def checks(self) -> list[dg.RunRequest]:
        """Return the run of all checks."""
        if self._session.home.bound_corpus() is None:
            self.reason = _NOTHING_SEEDED
        return [] if self.reason or self._is_busy() else [dg.RunRequest()]

    def _following(self, graph: BaseAssetGraph | None) -> list[dg.RunRequest]:
        session = self._session
        if session.home.bound_corpus() is None:
            self.reason = _NOTHING_SEEDED
            return []
        if self._is_busy():
            return []
        plan, partitions = session.plan(), self._partitions
        stages = [stage.name for stage in session.pipeline.placing_stages]
        known = [d for d in partitions.order() if d in plan.scan.documents]
        records = RecordsOfTick(session, partitions, known, self._instance, graph)
        requests = self._next(plan, stages, [Step.CLUSTERS, Step.CORPUS, Step.PLACES], records)
        if requests or self.reason:
            return requests
        if not plan.placed:
            self.reason = "Documents are still to be seeded; what is made of all of them waits for that."
            return []
        synced = session.home.synced_digest()
        if synced != plan.digest() and not partitions.shown_otherwise(plan, list(plan.document_stages), known):
            requests = self._next(plan, stages, [Step.RECORDS], records)
            if requests or self.reason:
                return requests
            session.home.record_in_sync(plan.digest(), instead_of=synced)
        self.reason = "Nothing to do: it is current with the documents."
        return []

    def everything(
        self, graph: BaseAssetGraph | None, waiting: WaitingFiles, *, verify: bool = False
    ) -> list[dg.RunRequest]:
        """Return the runs that come next to bring everything up to date: those of documents before those of what follows."""
        requests = self.documents(waiting=waiting, verify=verify)
        if requests or self.held_up or self.waiting:
            return requests
        self.reason = ""  # it was about the documents alone
        return self.following(graph)

    def _snapshot(self) -> list[str]:
        """Return digests of what is published for documents, since the same stages over other documents are other work."""
        pipeline, store = self._session.pipeline, self._session.store
        return [maintenance_action(pipeline, store, stage).key for stage in pipeline.maintenance_stages]

    def _unless_held_up(self, look: Callable[[], list[dg.RunRequest]]) -> list[dg.RunRequest]:
        """Return the runs that `look` asks for; none, with the reason, if another process holds a lease that it needs."""
        try:
            return look()
        except LeaseBusyError as error:
            self.held_up = True
            self.reason = f"{error} The next tick looks again."
            return []

    def _is_busy(self) -> bool:
        home = self._session.home
        close_dead_runs(self._instance, home)
        if home.abandoned():
            # This comes first: as long as the marks are there, the next seed compares the records in any case.
            home.record_out_of_sync()
            home.clear_abandoned()
        runs = unfinished_runs(self._instance)
        elsewhere = home.running_elsewhere()
        if runs:
            self.reason = (
                f"Runs under way or queued: {len(runs)}, such as {runs[0].run_id}. The next tick looks again."
                f"{f' At work is {elsewhere}' if elsewhere else ''}"
            )
        elif elsewhere:
            self.reason = f"A seed is under way in {elsewhere} The next tick looks again."
        elif erasing := home.erasing_elsewhere():
            self.reason = f"Documents are being erased from the home by {erasing} The next tick looks again."
        elif not self._ingestion_tags and (open_ones := self._open_ingestions()):
            self.reason = f"The ingestion {open_ones[0]} is under way, and its own ticks ask for its runs."
        elif self._spread:
            self.reason = self._spread.take_in()
        self.held_up = bool(self.reason)
        return self.held_up

    def _open_ingestions(self) -> list[str]:
        """Return the ids of the ingestions that have not ended; none if the sensor that carries them out is switched off."""
        requests = IngestionRequests(self._session.home.ingestions)
        return [one.ingestion_id for one in requests.open()] if requests.is_watched() else []

    def _request(self, plan: Plan, step: Step, run: Run) -> None:
        """Ask for a run. A digest of its work is in a tag, so that the same work is not asked for twice at once."""
        work: list[Any]
        match step:
            case Step.DOCUMENTS | Step.PLACES:
                versions = [self._session.pipeline.stages[name].version for name in run.stages]
                sources = plan.scan.documents
                planned = [
                    [d, sources[d].content_digest if d in sources else "", list(run.todo.get(d, ()))]
                    for d in run.members
                ]
                work = [run.stages, versions, planned]
            case Step.CLUSTERS:
                todo = [[name, sorted(plan.stages[name].todo.items())] for name in run.stages]
                work = [todo, self._snapshot()]
            case Step.CORPUS:
                work = [run.stages, self._snapshot()]
            case Step.RECORDS:
                work = ["shown", run.stages, self._snapshot()]
        self._ask(sha256(json.dumps(work).encode()).hexdigest()[:32], run)

    def _ask(self, work: str, run: Run) -> None:
        """Ask for a run, unless runs for the same work did not help and it is too early to try again."""
        before = dg.RunsFilter(tags={_WORK_TAG: work})
        tried = self._instance.get_runs_count(before)
        if tried and self._ingestion_tags:
            # An ingestion that was asked for is meant to be tried now, and once.
            own = dg.RunsFilter(tags={_WORK_TAG: work, **self._ingestion_tags})
            if last := next(iter(self._instance.get_run_records(own, limit=1)), None):
                self.undone = self.reason = (
                    f"A run has left work undone; the log of the run {last.dagster_run.run_id} in Dagster says why."
                )
                return
        elif tried:
            (last,) = self._instance.get_run_records(before, limit=1)
            pause = min(TICK_SECONDS * 2**tried, _LONGEST_PAUSE_SECONDS)
            since = time.time() - last.update_timestamp.timestamp()
            # If the clock was put back, the time lies in the future, which is no reason to wait.
            if 0 <= since < pause:
                self.reason = (
                    f"{counted(tried, 'run')} left this work undone, and the last of them, {last.dagster_run.run_id}, says why; "
                    f"it is tried again in {pause - since:.0f} s."
                )
                return
        tags = {RANGE_START_TAG: run.range[0], RANGE_END_TAG: run.range[1]} if run.range else {}
        if self._spread and self._elsewhere:
            tags |= self._spread.tags(run.members)
        self._requests.append(
            dg.RunRequest(
                # Each try needs a key of its own: Dagster silently drops a request with a key that it knows.
                run_key=f"{work}:{tried + 1}",
                job_name=JOBS[run.phase],
                asset_selection=[dg.AssetKey(stage) for stage in run.stages],
                tags={**tags, **self._ingestion_tags, _WORK_TAG: work},
            )
        )


def _spread_runs(session: Session, instance: dg.DagsterInstance) -> "SpreadRuns | None":
    """The runs of workers with homes of their own; None if the settings name no broker from which they take runs."""
    if not session.settings.deployment.broker_url.get_secret_value():
        return None
    from seed_assets.orchestration.spread_runs import SpreadRuns

    return SpreadRuns(session, instance)


def _still_written(
    session: Session, plan: Plan, todo: Mapping[str, Sequence[str]], waiting: WaitingFiles
) -> dict[str, Sequence[int]]:
    """The documents to be visited whose files changed just now, and differ from what the previous tick saw.

    A time of change that lies in the future, as after a clock was put back, counts as just now: such a file is taken
    when two ticks have seen the same of it.
    """
    now = time.time()
    found: dict[str, Sequence[int]] = {}
    for document in todo:
        source = plan.scan.documents.get(document)
        if source is None:
            continue
        try:
            written = session.corpus.written_at(source)
        except OSError:  # removed meanwhile; the next tick finds that
            found[document] = (0, 0)
            continue
        if written is None:
            continue
        seen = list(written)
        if now - written[1] / 1e9 < _REST_SECONDS and list(waiting.get(document, ())) != seen:
            found[document] = seen
    return found
