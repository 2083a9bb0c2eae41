"""The sensor that goes on with documents when the batches that they wait for have ended.

What belongs here: looking at the batches, and asking for the runs of just these documents, whether or not the corpus is watched.
What does not: batches (resources.batches), and which run comes next (planning).
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from resources.errors import ConfigurationError, DocumentError
from seed_assets.graph.pipeline import Phase
from seed_assets.orchestration.automation import OpenSession, opened
from seed_assets.orchestration.job_names import DOCUMENTS_JOB
from seed_assets.orchestration.ticks.tick import Tick
from seed_assets.orchestration.ticks.tick_records import RecordsOfTick
from seed_assets.planning.phases import Step
from seed_assets.planning.work import of_stages
from seed_assets.session.session import Session

# A provider takes minutes to hours, and each look is a request.
_TICK_SECONDS = 60


def build_follow_batches(open_session: OpenSession, jobs: Mapping[str, Any]) -> dg.SensorDefinition:
    """The sensor, over these jobs by name."""

    @dg.sensor(
        name="follow_batches",
        job=jobs[DOCUMENTS_JOB],
        minimum_interval_seconds=_TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Documents that wait for a batch of the provider, as soon as it has ended; without a batch it does nothing.",
    )
    def follow_batches(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with opened(open_session) as session:
            tick = _BatchTick(session, context.instance)
            requests = tick.after_batches()
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else tick.reason)

    return follow_batches


class _BatchTick(Tick):
    """One tick of the sensor."""

    def after_batches(self) -> list[dg.RunRequest]:
        """Return the runs of documents whose batches have ended."""
        return self._unless_held_up(self._after_batches)

    def _after_batches(self) -> list[dg.RunRequest]:
        session = self._session
        batches = session.store.batches
        if not batches.open() and not batches.documents():
            self.reason = "No document waits for a batch."
            return []
        if trouble := look_at_batches(session):
            self.reason = trouble
        if self._is_busy():
            return []
        plan = session.plan()
        stages = [stage.name for stage in session.pipeline.of_phase(Phase.DOCUMENTS)]
        waiting = {unit for units in plan.waiting().values() for unit in units}
        waited, todo = set(batches.documents()), of_stages(plan.todo(), stages)
        due = waited & todo.keys()
        batches.drop_documents(waited - due - waiting)
        # No run may visit what did not wait: whether new and changed files are seeded is the matter of another sensor.
        self.waiting = {document: () for document in todo if document not in due}
        requests = self._next(plan, stages, [Step.DOCUMENTS], RecordsOfTick(session, self._partitions, sorted(due)))
        if not requests and not self.reason:
            self.reason = f"Documents that wait for batches which have not ended: {len(waited & waiting)}."
        return requests


def look_at_batches(session: Session) -> str:
    """Take in the batches that have ended; why that was not possible, or ""."""
    try:
        session.open_batches.look()
    except (DocumentError, ConfigurationError) as error:
        return f"{error} The next tick looks again."
    return ""
