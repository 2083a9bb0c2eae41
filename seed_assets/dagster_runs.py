"""Runs of the implicit asset job, in this process, over ranges of documents.

What belongs here: Dagster's instance, partitions and runs, as `seedbank seed` needs them. What does not: which
documents and stages are to be run (seeding).
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from event_log.home import explain, open_instance, warning
from event_log.partition_changes import partitions_held
from io_managers.store.errors import StoreError, StoreUnavailableError
from resources.config import Settings
from resources.home import Home
from seed_assets.definitions import build_definitions
from seed_assets.document_partitions import DocumentPartitions
from seed_assets.interrupts import Draining
from seed_assets.partitions import RANGE_END_TAG, RANGE_START_TAG
from seed_assets.run_records import close_dead_runs, process_tags
from seed_assets.runner import INTERRUPTED, Runner

logger = logging.getLogger(__name__)

# The name that Dagster gives to the source of a step's failure where the step was interrupted.
_INTERRUPT = "INTERRUPT"


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """How a run ended. failed_stages: with Dagster's message, whatever stopped each."""

    run_id: str
    success: bool
    canceled: bool
    failed_stages: dict[str, str]


@contextmanager
def translated(runner: Runner | None = None) -> Iterator[None]:
    """Errors of Dagster's databases inside leave as StoreUnavailableError; where a stage met one first, as that one."""
    try:
        yield
    except Exception as error:
        told = explain(error)
        if told is None:
            raise
        for fault in runner.faults.values() if runner else ():
            if isinstance(fault, StoreError):
                raise fault from error
        raise StoreUnavailableError(told) from error


class DagsterRuns:
    """The project's Dagster instance, and runs in it that go through one runner."""

    def __init__(self, settings: Settings, runner: Runner) -> None:
        # The instance's storages find the home by environment, as in any other process of this project.
        os.environ["SEEDBANK_HOME"] = str(settings.home)
        self._runner = runner
        self._instance = open_instance()
        if told := warning(self._instance):
            logger.warning(told)
        self.partitions = DocumentPartitions(
            self._instance, runner.store.leases, Home(settings.home), settings.documents_per_run
        )
        self._job = build_definitions(settings, runner).resolve_implicit_global_asset_job_def()

    def close_dead_runs(self) -> list[str]:
        """Mark runs whose process is gone as failed; their ids."""
        return close_dead_runs(self._instance)

    def run(self, stages: Sequence[str], range_: tuple[str, str] | None) -> FinishedRun:
        """Materialize stages over a range of documents, or unpartitioned ones without."""
        run_id = str(uuid4())
        tags = process_tags(run_id)
        if range_ is not None:
            tags |= {RANGE_START_TAG: range_[0], RANGE_END_TAG: range_[1]}
        failed: dict[str, str] = {}
        with self._recorded(run_id), Draining(self._runner.stopping), partitions_held(self._instance):
            result = self._job.execute_in_process(
                instance=self._instance,
                asset_selection=[dg.AssetKey(stage) for stage in stages],
                raise_on_error=False,
                # What Dagster would print is in its event log; people see the seed's own table.
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                tags=tags,
                run_id=run_id,
            )
        for event in result.get_step_failure_events():
            data = event.step_failure_data
            if data.error_source is None or data.error_source.name != _INTERRUPT:
                told = data.user_failure_data.description if data.user_failure_data else None
                failed[event.step_key or ""] = told or _innermost(data.error) or "it failed"
        canceled = not result.success and not failed and self._runner.stopping.is_set()
        if canceled:
            self._cancel(run_id)
        elif not result.success and (reason := self._runner.stop_reason()):
            # As a failure it would be one of every document that was not begun.
            self._cancel(run_id, reason)
        elif not result.success and not failed:
            failure = next((e for e in result.all_events if e.is_run_failure), None)
            failed[""] = (failure.message if failure else None) or "the run failed before its first step"
        return FinishedRun(run_id, result.success, canceled, failed)

    @contextmanager
    def _recorded(self, run_id: str) -> Iterator[None]:
        """Whatever ends the body, the run does not stay open in Dagster's records."""
        try:
            yield
        except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as error:
            self._cancel(run_id)
            raise KeyboardInterrupt from error

    def _cancel(self, run_id: str, reason: str = INTERRUPTED) -> None:
        run = self._instance.get_run_by_id(run_id)
        # Dagster calls a run a failure that was interrupted between two steps.
        if run is not None and run.status is not dg.DagsterRunStatus.CANCELED:
            self._instance.report_run_canceled(run, f"Stopped: {reason}. What was finished is kept.")

    def close(self) -> None:
        """Let go of the instance."""
        self._instance.dispose()


def _innermost(error: SerializableErrorInfo | None) -> str:
    """The message of what went wrong, without what Dagster wraps around it."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else ""
