"""What Dagster's daemon does by itself: it watches the corpus, reads all of it at night, updates what is made from it, checks it.

What belongs here: the sensors and schedules, and when they look. What does not: what one look asks for (tick).
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

import dagster as dg

from seed_assets.orchestration.job_names import CHECKS_JOB, CLUSTERS_JOB, CORPUS_JOB, DOCUMENTS_JOB, PLACING_JOB
from seed_assets.orchestration.ticks.tick import TICK_SECONDS, Tick, WaitingFiles
from seed_assets.session.session import Session

NIGHTLY = "0 3 * * *"
# An hour later, when the runs of `nightly` are probably done.
NIGHTLY_CHECKS = "0 4 * * *"
# How many files are remembered as perhaps still being written, since Dagster stores the list at each tick. With more at once, the
# others are taken when they are old enough.
_MOST_WAITING = 2_000

OpenSession = Callable[[], Session]


def build_automation(open_session: OpenSession, jobs: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The sensors and the schedules over these jobs, by name."""

    @dg.sensor(
        name="watch_corpus",
        job=jobs[DOCUMENTS_JOB],
        minimum_interval_seconds=TICK_SECONDS,
        description="New, changed and removed documents of the corpus, as soon as their files no longer change.",
    )
    def watch_corpus(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        waiting: WaitingFiles = json.loads(context.cursor) if context.cursor else {}
        with opened(open_session) as session:
            tick = Tick(session, context.instance)
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
        with opened(open_session) as session:
            tick = Tick(session, context.instance)
            requests = tick.following(context.repository_def.asset_graph if context.repository_def else None)
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else tick.reason)

    @dg.schedule(
        name="nightly",
        job=jobs[DOCUMENTS_JOB],
        cron_schedule=NIGHTLY,
        description="The same as watch_corpus, once a night, reading every file instead of trusting sizes and times.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> Any:
        with opened(open_session) as session:
            tick = Tick(session, context.instance)
            return tick.documents(verify=True) or dg.SkipReason(tick.reason)

    @dg.schedule(
        name="nightly_checks",
        job=jobs[CHECKS_JOB],
        cron_schedule=NIGHTLY_CHECKS,
        description="All checks of the knowledge base as a whole, once a night.",
    )
    def nightly_checks(context: dg.ScheduleEvaluationContext) -> Any:
        with opened(open_session) as session:
            tick = Tick(session, context.instance)
            return tick.checks() or dg.SkipReason(tick.reason)

    return [watch_corpus, follow_documents], [nightly, nightly_checks]


_one_tick = threading.Lock()


@contextmanager
def opened(open_session: OpenSession) -> Iterator[Session]:
    """A session for one tick. Ticks of a process share its store, so they run one after the other."""
    with _one_tick:
        session = open_session()
        try:
            yield session
        finally:
            session.close()
