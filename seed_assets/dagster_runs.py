"""Runs of the implicit asset job, in this process, over ranges of documents.

What belongs here: Dagster's instance, partitions and runs, as `seedbank seed` needs them. What does not: which
documents and stages are to be run (seeding).
"""

import os
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from event_log.home import open_instance
from io_managers.store.errors import StoreError, StoreUnavailableError
from resources.config import Settings
from resources.home import Home, is_alive, this_process
from seed_assets.definitions import build_definitions
from seed_assets.interrupts import Draining
from seed_assets.partitions import DOCUMENTS, RANGE_END_TAG, RANGE_START_TAG
from seed_assets.ranges import cover, in_the_way
from seed_assets.runner import Runner

# Whoever changes the partitions holds this lease: adding one that another process adds at the same time is an error.
_LEASE = "partitions"
_PROCESS_TAG = "seedbank/process"
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
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
def translated(home: Home, runner: Runner) -> Iterator[None]:
    """Errors of Dagster's databases inside leave as StoreUnavailableError; where a stage met one first, as that one."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, OSError) as error:
        if isinstance(error, OSError) and not str(error.filename).startswith(str(home.dagster)):
            raise
        for fault in runner.faults.values():
            if isinstance(fault, StoreError):
                raise fault from error
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailableError(
            f"Dagster's records in {home.dagster} cannot be used: {cause}. See that the disk has space and that the folder is "
            "writable for this user, then run again: all finished work is kept. If it is damaged, delete the folder: it "
            "only tells of past runs."
        ) from error


class DagsterRuns:
    """The project's Dagster instance, and runs in it that go through one runner."""

    def __init__(self, settings: Settings, runner: Runner) -> None:
        # The instance's storages find the home by environment, as in any other process of this project.
        os.environ["SEEDBANK_HOME"] = str(settings.home)
        self._settings = settings
        self._home = Home(settings.home)
        self._stopping = runner.stopping
        self._leases = runner.store.leases
        self._instance = open_instance()
        self._job = build_definitions(settings, runner).resolve_implicit_global_asset_job_def()

    def close_dead_runs(self) -> list[str]:
        """Mark runs of `seedbank seed` whose process is gone as failed; their ids."""
        closed: list[str] = []
        for run in self._instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
            process = run.tags.get(_PROCESS_TAG)
            if process is not None and not is_alive(process):
                self._instance.report_run_failed(
                    run, "The process of this run ended without a word. What it had finished is kept."
                )
                closed.append(run.run_id)
        return closed

    def add_documents(self, documents: Sequence[str]) -> None:
        """Give each of these documents a partition, at the end of the order, where it has none."""
        with self._leases.hold(_LEASE):
            self._add(documents)

    def remove_documents(self, documents: AbstractSet[str]) -> None:
        """Take the partitions of these documents away."""
        with self._leases.hold(_LEASE):
            self._remove(documents)

    def documents(self) -> list[str]:
        """All documents that have a partition, in Dagster's order, whoever added it."""
        return self._order()

    def ranges(self, wanted: AbstractSet[str], avoid: AbstractSet[str]) -> list[tuple[str, str]]:
        """The ranges that cover `wanted` without any of `avoid`.

        Failed documents that would split a range are moved to the end of the order, unless another run may be using it:
        a range cannot skip a key.
        """
        with self._leases.hold(_LEASE):
            order = self._order()
            moved = in_the_way(order, wanted, avoid)
            if moved and not self._in_use():
                self._remove(set(moved))
                self._add(moved)
                order = self._order()
        return cover(order, wanted, avoid, self._settings.documents_per_run)

    def _in_use(self) -> bool:
        """Whether somebody else may have found ranges in the order as it is, or be about to run them."""
        runs = self._instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED), limit=1)
        return bool(runs) or self._home.others_running()

    def _add(self, documents: Sequence[str]) -> None:
        known = set(self._order())
        missing = [document for document in documents if document not in known]
        if missing:
            self._instance.add_dynamic_partitions(DOCUMENTS.name or "", missing)

    def _remove(self, documents: AbstractSet[str]) -> None:
        for document in documents & set(self._order()):
            self._instance.delete_dynamic_partition(DOCUMENTS.name or "", document)

    def members(self, first: str, last: str) -> list[str]:
        """The documents of a range."""
        order = self._order()
        return order[order.index(first) : order.index(last) + 1]

    def run(self, stages: Sequence[str], range_: tuple[str, str] | None) -> FinishedRun:
        """Materialize stages over a range of documents, or unpartitioned ones without."""
        tags = {_PROCESS_TAG: this_process()}
        if range_ is not None:
            tags |= {RANGE_START_TAG: range_[0], RANGE_END_TAG: range_[1]}
        run_id = str(uuid4())
        failed: dict[str, str] = {}
        with self._recorded(run_id), Draining(self._stopping):
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
        canceled = not result.success and not failed and self._stopping.is_set()
        if canceled:
            self._cancel(run_id)
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

    def _cancel(self, run_id: str) -> None:
        run = self._instance.get_run_by_id(run_id)
        # Dagster calls a run a failure that was interrupted between two steps.
        if run is not None and run.status is not dg.DagsterRunStatus.CANCELED:
            self._instance.report_run_canceled(run, "Interrupted: what was finished is kept.")

    def close(self) -> None:
        """Let go of the instance."""
        self._instance.dispose()

    def _order(self) -> list[str]:
        return list(self._instance.get_dynamic_partitions(DOCUMENTS.name or ""))


def _innermost(error: SerializableErrorInfo | None) -> str:
    """The message of what went wrong, without what Dagster wraps around it."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else ""
