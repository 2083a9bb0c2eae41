"""Event logs to compare, Dagster's own and ours, in SQLite and in PostgreSQL; events to store in them; what they tell."""

import os
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.event_api import EventLogCursor
from dagster._core.events import (
    AssetMaterializationPlannedData,
    AssetObservationData,
    EngineEventData,
    StepMaterializationData,
)
from dagster._core.instance import InstanceType
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster._core.storage.runs import InMemoryRunStorage
from dagster_postgres import PostgresEventLogStorage
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from event_log.postgres import BatchedPostgresEventLogStorage
from event_log.sqlite import BatchedSqliteEventLogStorage

SERVER = "root@127.0.0.1:5432"
DATABASES = ("sqlite", "postgres")
PARTITIONS = dg.StaticPartitionsDefinition([f"{number}.md" for number in range(5)])
ASSETS = ("text", "chunks")
CHECK = dg.AssetCheckKey(dg.AssetKey("chunks"), "chunks_are_whole")


@dataclass(frozen=True)
class Database:
    """Where an event log lies. kind: one of DATABASES. address: its folder, or its URL."""

    kind: str
    address: str

    def log(self, *, stock: bool = False, **config: Any) -> EventLogStorage:
        """An event log there, Dagster's own or ours, with its tables."""
        if self.kind == "sqlite":
            return (SqliteEventLogStorage if stock else BatchedSqliteEventLogStorage)(self.address, **config)
        return (PostgresEventLogStorage if stock else BatchedPostgresEventLogStorage)(self.address, **config)

    @contextmanager
    def opened(self, *, stock: bool = False, **config: Any) -> Iterator[dg.DagsterInstance]:
        """An instance whose event log is there, and whose runs are in memory."""
        with dg.DagsterInstance(
            InstanceType.EPHEMERAL,
            local_artifact_storage=TemporaryLocalArtifactStorage(),
            run_storage=InMemoryRunStorage(),
            event_storage=self.log(stock=stock, **config),
            run_coordinator=DefaultRunCoordinator(),
            compute_log_manager=NoOpComputeLogManager(),
            run_launcher=SyncInMemoryRunLauncher(),
        ) as instance:
            yield instance

    def emptied(self, directory: Path) -> "Database":
        """With all tables and no event: in PostgreSQL this one, else a copy of it in a directory that is not there."""
        if self.kind == "sqlite":
            return Database(self.kind, shutil.copytree(self.address, str(directory)))
        tables = ", ".join(table for table in SqlEventLogStorageMetadata.tables if table != "secondary_indexes")
        execute(self.address, f"TRUNCATE {tables} RESTART IDENTITY")
        return self


@contextmanager
def empty_log(kind: str, directory: Path) -> Iterator[Database]:
    """A database with all tables and no event, gone afterwards. Skips the test where it cannot be had."""
    if kind == "sqlite":
        made = Database(kind, str(directory))
        made.log(stock=True).dispose()
        yield made
        return
    with new_database() as url:
        # what a test stores need not outlive a power cut
        made = Database(kind, f"{url}?options=-csynchronous_commit%3Doff")
        made.log(stock=True).dispose()
        yield made


@contextmanager
def new_database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database, dropped afterwards. Skips the test where there is no server."""
    name = f"seedbank_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    # SQLAlchemy 2.1 takes psycopg 3 where none is named, which Dagster's own storage cannot use
    server = f"postgresql+psycopg2://{SERVER}"
    try:
        execute(f"{server}/test", f"CREATE DATABASE {name}")
    except OperationalError as error:
        pytest.skip(f"needs PostgreSQL on {SERVER}: {' '.join(str(error.orig).split())}")
    try:
        yield f"{server}/{name}"
    finally:
        execute(f"{server}/test", f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: str, statement: str) -> None:
    """One statement, over a connection of its own."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it comes to be true before half a minute is over."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class Events:
    """Events of one run, each a second after the one before."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._time = 1_700_000_000.0

    def materialized(self, asset: str, partition: str | None, **tags: str) -> dg.EventLogEntry:
        """With tags: those of data versions, for instance."""
        found = dg.AssetMaterialization(asset, partition=partition, tags=tags, metadata={"size": 7})
        return self._entry(dg.DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(found), asset)

    def observed(self, asset: str, partition: str, **tags: str) -> dg.EventLogEntry:
        """Without a materialization."""
        found = AssetObservationData(dg.AssetObservation(asset, partition=partition, tags=tags))
        return self._entry(dg.DagsterEventType.ASSET_OBSERVATION, found, asset)

    def planned(self, asset: str, partition: str) -> dg.EventLogEntry:
        """As a run over a range begins with, for each partition."""
        found = AssetMaterializationPlannedData(dg.AssetKey(asset), partition=partition)
        return self._entry(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, found, asset)

    def planned_check(self, *partitions: str) -> dg.EventLogEntry:
        """Return the plan of a check, for all partitions together or for each of these."""
        subset = PARTITIONS.subset_with_partition_keys(partitions) if partitions else None
        found = AssetCheckEvaluationPlanned(asset_key=CHECK.asset_key, check_name=CHECK.name, partitions_subset=subset)
        return self._entry(dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, found, "chunks")

    def said(self, message: str) -> dg.EventLogEntry:
        """What never comes in a batch."""
        return self._entry(dg.DagsterEventType.ENGINE_EVENT, EngineEventData({}), None, message)

    def _entry(self, kind: dg.DagsterEventType, data: Any, step: str | None, message: str = "") -> dg.EventLogEntry:
        self._time += 1
        event = dg.DagsterEvent(kind.value, "a_job", step_key=step, event_specific_data=data, message=message or None)
        return dg.EventLogEntry(
            error_info=None,
            level=10,
            user_message=message,
            run_id=self.run_id,
            timestamp=self._time,
            step_key=step,
            job_name="a_job",
            dagster_event=event,
        )


def of_a_run(run_id: str) -> list[list[dg.EventLogEntry]]:
    """Batches such as a run over a range makes, and some that are harder; those of one event come alone."""
    events = Events(run_id)
    keys = PARTITIONS.get_partition_keys()
    return [
        [events.said("begins")],
        [
            *(events.planned(asset, key) for asset in ASSETS for key in keys),
            events.planned_check(),
        ],
        [events.materialized("text", key, **{"dagster/data_version": f"of {key}"}) for key in keys],
        [events.said("between")],
        # several assets, types and partitions in turn, one of them twice, and a check of some partitions
        [
            events.observed("text", keys[0], **{"dagster/data_version": "seen", "more": "1"}),
            events.materialized("chunks", keys[0], **{"dagster/data_version": "first"}),
            events.materialized("text", keys[1]),
            events.planned("text", keys[1]),
            events.planned_check(*keys[:2]),
            events.materialized("chunks", keys[0], **{"dagster/data_version": "second"}),
        ],
        [events.materialized("chunks", None)],
    ]


def store(log: EventLogStorage, batches: Sequence[Sequence[dg.EventLogEntry]]) -> None:
    """As Dagster does: an event alone is no batch."""
    for batch in batches:
        if len(batch) == 1:
            log.store_event(batch[0])
        else:
            log.store_event_batch(batch)


def one_by_one(batches: Sequence[Sequence[dg.EventLogEntry]]) -> list[list[dg.EventLogEntry]]:
    """The same without batches."""
    return [[event] for batch in batches for event in batch]


def materialize(instance: dg.DagsterInstance, *keys: str) -> str:
    """One run of the asset `document` over a range of documents; its id."""
    documents = dg.DynamicPartitionsDefinition(name="documents")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)

        @dg.asset(partitions_def=documents, backfill_policy=dg.BackfillPolicy.single_run())
        def document() -> None: ...

    instance.add_dynamic_partitions("documents", list(keys))
    range_ = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    result = dg.materialize([document], instance=instance, tags=range_, run_config=quiet)
    assert result.success
    return result.run_id


def answers_of(instance: dg.DagsterInstance, *run_ids: str) -> dict[str, Any]:
    """All that Dagster answers about its events, except when a row was made, nor the row's own number in other tables."""
    log = instance.event_log_storage
    kinds = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION)
    found: dict[str, Any] = {"newest": log.get_maximum_record_id(), "assets": sorted(log.all_asset_keys())}
    for run_id in run_ids:
        found[f"{run_id}: records"] = log.get_records_for_run(run_id).records
        found[f"{run_id}: pages"] = list(_pages(log, run_id))
        found[f"{run_id}: partitions"] = log.get_asset_partitions_for_run(run_id)
        found[f"{run_id}: steps"] = log.get_step_stats_for_run(run_id)
        found[f"{run_id}: counts"] = log.get_stats_for_run(run_id)
    for asset in map(dg.AssetKey, ASSETS):
        [record] = log.get_asset_records([asset]) or [None]
        found[f"{asset}: record"] = record and record.asset_entry
        found[f"{asset}: latest"] = log.get_latest_materialization_events([asset])
        found[f"{asset}: planned"] = log.get_latest_planned_materialization_info(asset)
        found[f"{asset}: tags"] = sorted(map(str, log.get_event_tags_for_asset(asset)))
        found[f"{asset}: materialized"] = log.fetch_materializations(asset, limit=100)
        found[f"{asset}: observed"] = log.fetch_observations(asset, limit=100, ascending=True)
        found[f"{asset}: open"] = log.get_latest_asset_partition_materialization_attempts_without_materializations(
            asset
        )
        for kind in kinds:
            name = f"{asset}: {kind.value}"
            found[f"{name}: ids"] = log.get_latest_storage_id_by_partition(asset, kind)
            found[f"{name}: tags"] = log.get_latest_tags_by_partition(asset, kind, ["dagster/data_version"])
            found[f"{name}: summaries"] = log.get_asset_event_summary_records(kind, asset)
    checks = log.get_asset_check_execution_history(CHECK, limit=100)
    found["checks"] = [(check.run_id, check.status, check.event, check.partition) for check in checks]
    return found


def _pages(log: EventLogStorage, run_id: str) -> Iterator[Sequence[Any]]:
    cursor = None
    while (page := log.get_records_for_run(run_id, cursor, limit=4)).records:
        yield page.records
        cursor = page.cursor
    assert cursor is None or EventLogCursor.parse(cursor).is_id_cursor()
