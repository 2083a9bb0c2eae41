"""Runs of Dagster in this process, as `seedbank seed` needs them.

This module opens Dagster's instance and runs stages over ranges. Which runs are needed is decided in planning.phases.
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
from io_managers.store.holders import Waiting
from resources.home.home import Home
from resources.settings.config import Settings
from seed_assets.checking.check_run import Check
from seed_assets.engine.interrupts import Draining
from seed_assets.engine.runner import INTERRUPTED, Runner
from seed_assets.graph.declared_checks import Finding
from seed_assets.orchestration.asset_checks import record_findings
from seed_assets.orchestration.code_location import build_definitions
from seed_assets.orchestration.corpus_records import corpus_out_of_sync
from seed_assets.orchestration.document_partitions import DocumentPartitions
from seed_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG
from seed_assets.orchestration.run_records import STARTED_BY_SEED, close_dead_runs, process_tags
from seed_assets.planning.phases import OutOfSync
from seed_assets.planning.plan import Plan

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
    """Raise errors of Dagster's databases as StoreUnavailableError, or as the StoreError that a stage met first."""
    try:
        yield
    except Exception as error:
        reason = explain(error)
        if reason is None:
            raise
        for fault in runner.faults.values() if runner else ():
            if isinstance(fault, StoreError):
                raise fault from error
        raise StoreUnavailableError(reason) from error


class DagsterRuns:
    """The project's Dagster instance, and runs in it that go through one runner."""

    def __init__(self, settings: Settings, runner: Runner, workers: int = 1) -> None:
        """workers: how many runs over documents are done at once, here or in other processes."""
        # The instance's storages read the home from the environment, as in every process of this project.
        os.environ["SEEDBANK_HOME"] = str(settings.home)
        self._runner = runner
        self._instance = open_instance()
        if text := warning(self._instance):
            logger.warning(text)
        self._home = Home(settings.home)
        self.partitions = DocumentPartitions(
            self._instance,
            runner.store,
            self._home,
            settings.documents_per_run,
            Waiting(stopped=runner.stopping.is_set),
            workers,
        )
        self._definitions = build_definitions(settings, runner)
        self._jobs: dict[str, dg.JobDefinition] = {}

    def close_dead_runs(self) -> list[str]:
        """Mark runs whose process is gone as failed; their ids."""
        return close_dead_runs(self._instance, self._home)

    def corpus_out_of_sync(self, plan: Plan) -> OutOfSync:
        """The stages of cluster types and of the corpus that are current, but that Dagster does not show as current."""
        graph = self._definitions.resolve_asset_graph()
        return corpus_out_of_sync(self._instance, graph, self._runner.pipeline, plan)

    def run(self, stages: Sequence[str], range_: tuple[str, str] | None, job: str = "") -> FinishedRun:
        """Materialize stages over a range of documents or cluster types, or unpartitioned ones without.

        job: the one that the run is of, and that has these stages; "" for none, where stages are of several.
        """
        run_id = str(uuid4())
        tags = process_tags(run_id) | STARTED_BY_SEED
        if range_ is not None:
            tags |= {RANGE_START_TAG: range_[0], RANGE_END_TAG: range_[1]}
        failed: dict[str, str] = {}
        self._runner.stopped = ""
        with self._recorded(run_id), Draining(self._runner.stopping), partitions_held(self._instance):
            result = self._resolved(job).execute_in_process(
                instance=self._instance,
                asset_selection=[dg.AssetKey(stage) for stage in stages],
                raise_on_error=False,
                # Dagster's output is in its event log; people see the table of the seed.
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                tags=tags,
                run_id=run_id,
            )
        for event in result.get_step_failure_events():
            data = event.step_failure_data
            if data.error_source is None or data.error_source.name != _INTERRUPT:
                description = data.user_failure_data.description if data.user_failure_data else None
                failed[event.step_key or ""] = description or _innermost(data.error) or "it failed"
        canceled = not result.success and not failed and self._runner.stopping.is_set()
        if canceled:
            self._cancel(run_id)
        elif not result.success and (reason := self._runner.stopped or self._runner.stop_reason()):
            # As a failure, Dagster would show it for every document that was not begun.
            self._cancel(run_id, reason)
        elif not result.success and not failed:
            failure = next((e for e in result.all_events if e.is_run_failure), None)
            failed[""] = (failure.message if failure else None) or "the run failed before its first step"
        return FinishedRun(run_id, result.success, canceled, failed)

    def record_findings(self, found: Sequence[tuple[Check, Finding]]) -> None:
        """Let Dagster show what checks found; see asset_checks."""
        record_findings(self._instance, found)

    def _resolved(self, job: str) -> dg.JobDefinition:
        if job not in self._jobs:
            found = self._definitions
            self._jobs[job] = found.resolve_job_def(job) if job else found.resolve_implicit_global_asset_job_def()
        return self._jobs[job]

    @contextmanager
    def _recorded(self, run_id: str) -> Iterator[None]:
        """Record the end of the run in Dagster, whatever ends the body."""
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
        """Close the instance."""
        self._instance.dispose()


def _innermost(error: SerializableErrorInfo | None) -> str:
    """The message of what went wrong, without what Dagster wraps around it."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else ""
