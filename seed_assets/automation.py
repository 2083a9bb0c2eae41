"""What Dagster's daemon does by itself: watch the corpus, look through all of it at night, follow with what is made once.

What belongs here: when something is asked for, and that it is asked for once. What does not: what is to be done (the
planner's, as for `seedbank seed`) and doing it (the runs that are asked for).

A tick asks for runs only when none is under way, so each plan is of a corpus at rest and no work is asked for twice. What
depends on a first pass (documents beside one that failed, the search index) is asked for by the tick after it.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from typing import Any

import dagster as dg

from resources.config import Settings
from seed_assets.document_partitions import DocumentPartitions
from seed_assets.partitions import RANGE_END_TAG, RANGE_START_TAG
from seed_assets.planner import UPSTREAM, Plan, upkeep_action
from seed_assets.removals import check_removals, remove_documents
from seed_assets.run_records import close_dead_runs, unfinished_runs
from seed_assets.session import Session
from seed_assets.work import Visit, blocked, remembered, visits, with_untold

DOCUMENTS_JOB = "seed_documents"
CLUSTERS_JOB = "seed_clusters"
CORPUS_JOB = "seed_corpus"
PLACING_JOB = "place_documents"
CHECKS_JOB = "checks"
TICK_SECONDS = 30
NIGHTLY = "0 3 * * *"
# A file that was changed less than this ago may still be written.
_REST_SECONDS = 10
# How many files are remembered as still being written; with more at once, the rest waits until it is old enough.
_MOST_WAITING = 2_000
# Work that a run was asked for and that is still to be done is asked for again later and later.
_LONGEST_PAUSE_SECONDS = 3_600
_WORK_TAG = ".dagster/seedbank_work"

Waiting = Mapping[str, Sequence[int]]
"""Document -> size and time of change, of files that a tick left alone because they may still be written."""
OpenSession = Callable[[], Session]


def build_automation(open_session: OpenSession, jobs: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The sensors and the schedules over these jobs, by name."""

    @dg.sensor(
        name="watch_corpus",
        job=jobs[DOCUMENTS_JOB],
        minimum_interval_seconds=TICK_SECONDS,
        description="New, changed and removed documents of the corpus folder, as soon as their files are at rest.",
    )
    def watch_corpus(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        waiting: Waiting = json.loads(context.cursor) if context.cursor else {}
        with _opened(open_session) as session:
            tick = _Tick(session, context.instance)
            requests = tick.documents(waiting=waiting)
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else tick.reason,
            cursor=json.dumps(dict(islice(tick.waiting.items(), _MOST_WAITING)), separators=(",", ":")),
        )

    @dg.sensor(
        name="follow_documents",
        jobs=[jobs[name] for name in (CLUSTERS_JOB, CORPUS_JOB, PLACING_JOB)],
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="What follows after documents have changed, one step a tick: clusters with their summaries and judges, "
        "what is made once for all documents, where each document stands.",
    )
    def follow_documents(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with _opened(open_session) as session:
            tick = _Tick(session, context.instance)
            requests = tick.following()
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else tick.reason)

    @dg.schedule(
        name="nightly",
        job=jobs[DOCUMENTS_JOB],
        cron_schedule=NIGHTLY,
        description="The same as watch_corpus, once a night, reading every file instead of trusting sizes and times.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> Any:
        with _opened(open_session) as session:
            tick = _Tick(session, context.instance)
            return tick.documents(verify=True) or dg.SkipReason(tick.reason)

    return [watch_corpus, follow_documents], [nightly]


_one_tick = threading.Lock()


@contextmanager
def _opened(open_session: OpenSession) -> Iterator[Session]:
    """A session for one tick; ticks of a process, which share its store, come one after the other."""
    with _one_tick:
        session = open_session()
        try:
            yield session
        finally:
            session.close()


class _Tick:
    """One look at what is to be done. reason: why nothing is asked for. waiting: files that may still be written."""

    def __init__(self, session: Session, instance: dg.DagsterInstance) -> None:
        self.reason = ""
        self.waiting: Waiting = {}
        self._session = session
        self._instance = instance
        settings: Settings = session.settings
        self._partitions = DocumentPartitions(instance, session.store.leases, session.home, settings.documents_per_run)

    def documents(self, *, waiting: Waiting | None = None, verify: bool = False) -> list[dg.RunRequest]:
        """The runs of document assets that are due. waiting: what the tick before left alone."""
        session, partitions = self._session, self._partitions
        session.home.check(session.settings.corpus)
        self.waiting = waiting or {}
        if self._is_busy():
            return []
        plan = session.plan(verify=verify)
        if not plan.documents and not plan.gone:
            self.reason = f"The corpus folder {session.settings.corpus} holds no documents."
            return []
        session.home.bind(session.settings.corpus)
        placing = {stage.name for stage in session.pipeline.placing_stages}
        stages = [name for name in plan.document_stages if name not in placing]
        todo = _of_stages(plan.todo(), stages)
        self.waiting = _still_written(session, plan, todo, waiting or {})
        todo = {document: names for document, names in todo.items() if document not in self.waiting}
        if plan.gone:
            check_removals(session, plan)
            remove_documents(session, partitions, plan.gone)
            self.reason = f"Gone documents that were taken out of the knowledge base: {len(plan.gone)}."
        partitions.remove(plan.scan.gone(set(partitions.order())))
        known = [document for document in plan.documents if document not in self.waiting]
        partitions.add(sorted(known, key=plan.scan.problems.__contains__))
        requests = self._document_requests(plan, todo, stages, known)
        if not requests and not self.reason:
            self.reason = (
                f"Files that may still be written: {len(self.waiting)}, {min(self.waiting)} for one; left until they rest."
                if self.waiting
                else "Nothing to do: every document is up to date or has failed for good."
            )
        return requests

    def _document_requests(
        self,
        plan: Plan,
        todo: Mapping[str, Sequence[str]],
        stages: Sequence[str],
        known: Sequence[str],
        job: str | None = None,
    ) -> list[dg.RunRequest]:
        """The runs in which these documents are visited in these stages, and those that Dagster shows otherwise."""
        session, partitions = self._session, self._partitions
        out_of_reach = blocked(session.pipeline, remembered(session.pipeline, plan, stages))
        agreed = session.home.agreement() == plan.digest()
        untold = {} if agreed else partitions.shown_otherwise(plan, stages, known)
        possible = {d: [name for name in names if name not in out_of_reach.get(d, ())] for d, names in todo.items()}
        left, told_failed = with_untold(
            {document: names for document, names in possible.items() if names}, untold, out_of_reach, stages
        )
        requests: list[dg.RunRequest] = []
        # One group a tick: finding the ranges of the next may move partitions.
        visit = next(visits(left, out_of_reach), None)
        if visit is not None:
            for range_ in partitions.ranges(set(visit.stages), visit.avoid | self.waiting.keys()):
                requests += self._request(plan, visit, range_, stages, job)
        elif told_failed:
            for range_ in partitions.ranges_of_only(set(told_failed)):
                requests += self._request(plan, Visit(told_failed, frozenset()), range_, stages, job)
        return requests

    def following(self) -> list[dg.RunRequest]:
        """The runs of what is made of all documents, if it is due: the first of the steps that has anything to do."""
        session = self._session
        if session.home.bound_corpus() is None:
            self.reason = "Nothing is seeded yet."
            return []
        if self._is_busy():
            return []
        plan = session.plan()
        requests = self._clusters(plan) or self._corpus_level(plan)
        known = [d for d in self._partitions.order() if d in plan.scan.documents]
        if not requests and plan.placed:
            stages = [stage.name for stage in session.pipeline.placing_stages]
            requests = self._document_requests(plan, _of_stages(plan.todo(), stages), stages, known, PLACING_JOB)
        if requests or self.reason:
            return requests
        if not plan.placed:
            self.reason = "Documents are still to be seeded; what is made of all of them waits for that."
            return []
        if session.home.agreement() != plan.digest() and not self._partitions.shown_otherwise(
            plan, list(plan.document_stages), known
        ):
            session.home.agree(plan.digest())
        self.reason = "Nothing to do: it is current with the documents."
        return []

    def _clusters(self, plan: Plan) -> list[dg.RunRequest]:
        """What can be done now is asked for before what has failed: a step that fails takes those after it along."""
        due = plan.clustering()
        failed = {
            unit
            for name in {name for names in due.values() for name in names}
            for unit, state in plan.stages[name].states.items()
            if state in ("failed", "blocked")
        }
        fresh = {t: [n for n in names if plan.stages[n].has_work(t, failed)] for t, names in due.items()}
        due = {t: names for t, names in fresh.items() if names} or due
        if not due:
            return []
        types = list(due)
        stages = [name for name in plan.stages if any(name in names for names in due.values())]
        keys = [[name, sorted(plan.stages[name].todo.items())] for name in stages]
        tags = {RANGE_START_TAG: types[0], RANGE_END_TAG: types[-1]}
        return self._ask(_digest([keys, self._snapshot()]), stages, tags, CLUSTERS_JOB)

    def _corpus_level(self, plan: Plan) -> list[dg.RunRequest]:
        pipeline, store = self._session.pipeline, self._session.store
        upkeep = [n for n in plan.upkeep if any(store.refs.get(upstream) for upstream in pipeline.stages[n].over)]
        due = [*plan.of_corpus(), *(name for name in upkeep if plan.upkeep[name] != UPSTREAM)]
        if not due:
            return []
        return self._ask(_digest([due, self._snapshot()]), due, {}, CORPUS_JOB)

    def _snapshot(self) -> list[str]:
        """Of what is published of documents: what is asked for again over other documents is other work."""
        pipeline, store = self._session.pipeline, self._session.store
        return [upkeep_action(pipeline, store, stage).key for stage in pipeline.upkeep_stages]

    def _is_busy(self) -> bool:
        close_dead_runs(self._instance)
        runs = unfinished_runs(self._instance)
        if runs:
            self.reason = f"Runs under way or queued: {len(runs)}, {runs[0].run_id} for one; the next tick looks again."
        elif self._session.home.others_running():
            self.reason = "A seed is under way in another process; the next tick looks again."
        return bool(self.reason)

    def _request(
        self, plan: Plan, visit: Visit, range_: tuple[str, str], order: Sequence[str], job: str | None = None
    ) -> list[dg.RunRequest]:
        members = self._partitions.members(*range_)
        stages = visit.needed(members, order)
        planned = []
        for document in members:
            source = plan.scan.documents.get(document)
            planned.append([document, source.content_digest if source else "", list(visit.stages.get(document, ()))])
        versions = [self._session.pipeline.stages[name].version for name in stages]
        tags = {RANGE_START_TAG: range_[0], RANGE_END_TAG: range_[1]}
        return self._ask(_digest([stages, versions, planned]), stages, tags, job)

    def _ask(
        self, work: str, stages: Sequence[str], tags: Mapping[str, str], job: str | None = None
    ) -> list[dg.RunRequest]:
        """One run for this work, unless it was asked for and did not help, and it is too early to ask again."""
        before = dg.RunsFilter(tags={_WORK_TAG: work})
        tried = self._instance.get_runs_count(before)
        if tried:
            (last,) = self._instance.get_run_records(before, limit=1)
            pause = min(TICK_SECONDS * 2**tried, _LONGEST_PAUSE_SECONDS)
            since = time.time() - last.update_timestamp.timestamp()
            # It lies in the future where the clock was put back: that is no reason to wait until then.
            if 0 <= since < pause:
                self.reason = (
                    f"{tried} runs have left this work undone, {last.dagster_run.run_id} the last of them, which says why; "
                    f"it is tried again in {pause - since:.0f} s."
                )
                return []
        return [
            dg.RunRequest(
                # The same work asked for once more needs a key of its own: Dagster drops one that it knows in silence.
                run_key=f"{work}:{tried + 1}",
                job_name=job,
                asset_selection=[dg.AssetKey(stage) for stage in stages],
                tags={**tags, _WORK_TAG: work},
            )
        ]


def _of_stages(todo: Mapping[str, Sequence[str]], stages: Sequence[str]) -> dict[str, Sequence[str]]:
    """The part of a plan's work that is in these stages."""
    left = {document: [name for name in names if name in stages] for document, names in todo.items()}
    return {document: names for document, names in left.items() if names}


def _still_written(
    session: Session, plan: Plan, todo: Mapping[str, Sequence[str]], waiting: Waiting
) -> dict[str, Sequence[int]]:
    """Those of the documents to be visited whose files changed just now, and were not so at the tick before.

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
            status = source.path.stat()
        except OSError:  # gone meanwhile: the next tick sees to it
            found[document] = (0, 0)
            continue
        seen = [status.st_size, status.st_mtime_ns]
        if now - status.st_mtime < _REST_SECONDS and list(waiting.get(document, ())) != seen:
            found[document] = seen
    return found


def _digest(value: Any) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()[:32]
