"""The sensor that carries out ingestions: it turns requests, which the service recorded in the home, into runs of Dagster.

What belongs here: what a tick does with a request, and what it records about it. What does not: which runs come next (automation
and planning), and the requests themselves (resources.ingestions).

The runs belong to Dagster's daemon, so an ingestion goes on when the process that asked for it has ended. A tick does one step:
it asks for the next runs, or waits for those under way, or records the end.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
from msgspec.structs import replace

from io_managers.store.errors import StoreError
from resources.errors import ConfigurationError, says_without_text
from resources.home.home import Home
from resources.ingestions.ingestion_requests import Ingestion, IngestionFailure, IngestionRequests, IngestionRun
from resources.tables.lance_errors import TableError
from seed_assets.orchestration.automation import OpenSession, opened
from seed_assets.orchestration.job_names import CLUSTERS_JOB, CORPUS_JOB, DOCUMENTS_JOB, PLACING_JOB
from seed_assets.orchestration.run_records import UNFINISHED, close_dead_runs
from seed_assets.orchestration.ticks.tick import Tick, WaitingFiles
from seed_assets.session.session import Session

INGESTION_TAG = "seedbank/ingestion"
"""The tag of the runs of an ingestion, with its id; Dagster's list of runs can be filtered by it."""
INGESTIONS_SENSOR = "ingestions"

_TICK_SECONDS = 10
_MOST_FAILURES = 100


def build_ingestions(home: Home, open_session: OpenSession, jobs: Mapping[str, Any]) -> dg.SensorDefinition:
    """The sensor, over these jobs by name."""
    requests = IngestionRequests(home.ingestions)

    @dg.sensor(
        name=INGESTIONS_SENSOR,
        jobs=[jobs[name] for name in (DOCUMENTS_JOB, CLUSTERS_JOB, CORPUS_JOB, PLACING_JOB)],
        minimum_interval_seconds=_TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Carries out the ingestions that were requested of the service; without a request it does nothing.",
    )
    def ingestions(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        requests.looked()
        waiting_requests = requests.open()
        if not waiting_requests:
            return dg.SensorResult(skip_reason="No ingestion is requested.")
        ingestion, *later = waiting_requests
        for one in later:
            requests.record(
                replace(one, note=f"It waits for the ingestion {ingestion.ingestion_id}.", seen=time.time())
            )
        waiting: WaitingFiles = json.loads(context.cursor) if context.cursor else {}
        with opened(open_session) as session:
            carried_out = _CarriedOut(session, context.instance, requests, ingestion)
            try:
                carried_out.step(context, waiting)
            except (ConfigurationError, StoreError, TableError) as error:
                carried_out.end_with(error)
            except Exception as error:
                # Dagster shows the traceback. Without an end, the next tick would meet the same error, and so on for ever.
                carried_out.end("failed", f"The tick failed: {type(error).__name__}: {error}")
                raise
        return dg.SensorResult(
            run_requests=carried_out.runs,
            skip_reason=None if carried_out.runs else carried_out.note,
            cursor=json.dumps(dict(carried_out.waiting), separators=(",", ":")),
        )

    return ingestions


class _CarriedOut:
    """One ingestion during one tick. runs: what the tick asks for. note: why it asks for nothing."""

    def __init__(
        self, session: Session, instance: dg.DagsterInstance, requests: IngestionRequests, ingestion: Ingestion
    ) -> None:
        self.runs: list[dg.RunRequest] = []
        self.waiting: WaitingFiles = {}
        self._session = session
        self._instance = instance
        self._requests = requests
        self._tags = {INGESTION_TAG: ingestion.ingestion_id}
        self._ingestion = replace(ingestion, seen=time.time(), runs=self._runs_of(ingestion))

    @property
    def note(self) -> str:
        """What the ingestion waits for, or why it ended."""
        return self._ingestion.note

    def step(self, context: dg.SensorEvaluationContext, waiting: WaitingFiles) -> None:
        """Ask for the next runs, stop those under way if the ingestion was cancelled, or record the end."""
        if self._ingestion.state == "cancelling":
            self._cancel()
            return
        tick = Tick(self._session, self._instance, self._tags)
        graph = context.repository_def.asset_graph if context.repository_def else None
        # Files need to be read once, not at each step.
        verify = self._ingestion.verify and not self._ingestion.runs
        runs = tick.everything(graph, waiting, verify=verify)
        self.waiting = tick.waiting
        if runs:
            recorded = self._record(state="running", note=f"Runs were requested: {len(runs)}.")
            # It may have been cancelled since the tick began.
            self.runs = runs if recorded.state == "running" else []
        elif tick.held_up or tick.waiting:
            self._record(note=tick.reason)
        else:
            self._end_of(tick)

    def end(self, state: Any, note: str, failures: list[IngestionFailure] | None = None) -> None:
        """Record the end."""
        failures = failures or []
        self._record(
            state=state,
            note=note,
            ended=time.time(),
            failures=tuple(failures[:_MOST_FAILURES]),
            failed=len(failures),
        )

    def end_with(self, error: ConfigurationError | StoreError | TableError) -> None:
        """Record an end by an error that concerns the whole home."""
        reason, remedy = getattr(error, "reason", str(error)), getattr(error, "remedy", "")
        self.end("failed", str(error), [IngestionFailure(None, "", reason, remedy)])

    def _end_of(self, tick: Tick) -> None:
        plan = self._session.plan()
        failures = [
            IngestionFailure(document or None, stage, error.reason, error.remedy)
            for document, stage, error in plan.failures()
            if not says_without_text(error.reason)
        ]
        if tick.undone or failures:
            counted = f"Failed: {len(failures)}. Everything else is up to date." if failures else ""
            self.end("failed", " ".join(filter(None, (tick.undone, counted))), failures)
        elif not plan.documents:
            self.end("failed", f"The corpus {self._session.settings.corpus} holds no documents.")
        else:
            self.end("succeeded", "The knowledge base is up to date with its documents.")

    def _cancel(self) -> None:
        close_dead_runs(self._instance, self._session.home)
        left = [run for run in self._own_records() if run.dagster_run.status in UNFINISHED]
        for run in left:
            if run.dagster_run.status is not dg.DagsterRunStatus.CANCELING:
                self._instance.run_coordinator.cancel_run(run.dagster_run.run_id)
        if left:
            self._record(note=f"Runs that are asked to stop: {len(left)}.")
        else:
            self.end("cancelled", "Its runs were stopped. What they had finished is kept.")

    def _record(self, **changes: Any) -> Ingestion:
        self._ingestion = replace(self._ingestion, **changes)
        return self._requests.record(self._ingestion)

    def _own_records(self) -> list[dg.RunRecord]:
        return list(reversed(self._instance.get_run_records(dg.RunsFilter(tags=self._tags))))

    def _runs_of(self, ingestion: Ingestion) -> tuple[IngestionRun, ...]:
        """What Dagster's records say of the runs. The steps of a run that has ended are counted once."""
        known = {run.run_id: run for run in ingestion.runs if run.ended is not None}
        found: list[IngestionRun] = []
        for record in self._own_records():
            run = record.dagster_run
            if run.run_id in known:
                found.append(known[run.run_id])
                continue
            steps = self._instance.get_run_stats(run.run_id)
            found.append(
                IngestionRun(
                    run.run_id,
                    run.job_name,
                    run.status.value,
                    record.start_time,
                    record.end_time,
                    steps.steps_succeeded,
                    steps.steps_failed,
                )
            )
        return tuple(found)
