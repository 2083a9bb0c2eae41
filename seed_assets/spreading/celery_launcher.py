"""The run launcher that lets workers on other machines do the runs of documents: dagster.yaml names it.

What belongs here: handing over runs, and what is known of them afterwards. What does not: doing them (remote_run).

Dagster's own launcher for Celery never notices that a worker was killed. This one sees the heartbeat of each run in Dagster's
database (event_log.run_beats): if it has stood still for a minute, run monitoring lets another worker resume the run, as often as
`max_resume_run_attempts` in dagster.yaml says. All other runs are launched as by default, beside the daemon.
"""

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, ResumeRunContext, WorkerStatus

from event_log.run_beats import RunBeats
from io_managers.store.processes import EXPIRY_SECONDS
from resources.settings.config import load_settings
from seed_assets.orchestration.run_records import SPREAD_TAG
from seed_assets.spreading.celery_app import celery_app, send

if TYPE_CHECKING:
    from celery import Celery


class SeedbankCeleryRunLauncher(DefaultRunLauncher):
    """Hands the runs that the sensors have cut for workers to a queue. It has no settings: they are in seedbank.toml."""

    def __init__(self, inst_data: object = None) -> None:
        super().__init__(inst_data)  # pyright: ignore[reportArgumentType] - Dagster gives it and gets it back
        self.clock: Callable[[], float] = time.monotonic
        # Run -> the last beat that was seen, and when, by the clock.
        self._seen: dict[str, tuple[str, float]] = {}

    @cached_property
    def _app(self) -> "Celery":
        return celery_app(load_settings().deployment)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Put the run into the queue, or launch it here."""
        if SPREAD_TAG not in context.dagster_run.tags:
            super().launch_run(context)
            return
        self._send(context.dagster_run, 0)

    @property
    def supports_resume_run(self) -> bool:
        """A run is begun again by another worker, under the same id; what was finished is found."""
        return True

    def resume_run(self, context: ResumeRunContext) -> None:
        """Put the run of a dead worker into the queue again."""
        self._send(context.dagster_run, context.resume_attempt_number or 1)

    def hand_over(self, run_id: str, attempt: int) -> str:
        """Put an attempt of a run into the queue. Returns the name of the queue."""
        send(self._app, run_id, attempt)
        return self._app.conf.task_default_queue

    def _send(self, run: DagsterRun, attempt: int) -> None:
        queue = self.hand_over(run.run_id, attempt)
        self._seen.pop(run.run_id, None)
        self._instance.report_engine_event(f"The run was put into the queue {queue} for a worker.", run, cls=type(self))

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether a run is alive is known."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether this process has seen the heartbeat of a run move within the last minute."""
        if SPREAD_TAG not in run.tags:
            return super().check_run_worker_health(run)
        beat = RunBeats(self._instance).of(run.run_id)
        text, now = beat.text() if beat else "", self.clock()
        before, since = self._seen.get(run.run_id, ("", now))
        if before != text or run.run_id not in self._seen:
            since = now
        self._seen[run.run_id] = text, since
        if now - since < EXPIRY_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        owner = f" on {beat.owner}" if beat else ""
        return CheckRunHealthResult(
            WorkerStatus.FAILED, f"The worker{owner} has given no sign of life for {now - since:.0f} s."
        )

    def terminate(self, run_id: str) -> bool:
        """Cancel a run: its worker sees that within some seconds, and finishes what is in flight."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or SPREAD_TAG not in run.tags:
            return super().terminate(run_id)
        if run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return True
