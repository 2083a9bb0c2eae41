"""A trim takes what was superseded, and Dagster gives the answers that it gave before."""

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events import (
    AssetMaterializationPlannedData,
    AssetObservationData,
    DagsterEvent,
    StepMaterializationData,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.loader import LoadingContextForTest
from dagster._core.scheduler.instigation import TickData, TickStatus
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.storage.runs.schema import RunTagsTable
from dagster._core.test_utils import create_run_for_test, freeze_time
from dagster._utils.caching_instance_queryer import CachingInstanceQueryer
from sqlalchemy import func, select, update

from event_log import trim as trimming
from event_log.history_rows import Storages
from event_log.trim import Trimmed, trim
from resources.settings.config import PROJECT_ROOT
from tests.support.event_logs import new_database

pytestmark = pytest.mark.integration

Type = dg.DagsterEventType
DOCUMENTS = dg.DynamicPartitionsDefinition(name="documents")
KEYS = ("a.md", "b.md", "c.md", "d.md")
DAY = 86_400.0
KEEP = timedelta(days=30)
NOW = time.time()

# What each asset is made from. `index` has one value; `joined` is made, a document, from the pieces of all documents.
PARENTS = {
    "text": ["feed"],
    "pieces": ["text"],
    "joined": ["pieces"],
    "index": ["pieces", "text"],
    "report": ["index"],
}
PARTITIONED = ("feed", "text", "pieces", "joined")
CHECK = dg.AssetCheckKey(dg.AssetKey("pieces"), "whole")


def _graph() -> tuple[dg.Definitions, BaseAssetGraph]:
    def asset(name: str) -> dg.AssetsDefinition:
        mapping = {"joined": dg.AllPartitionMapping()}.get(name)
        partitions = DOCUMENTS if name in PARTITIONED else None
        deps = [dg.AssetDep(parent, partition_mapping=mapping) for parent in PARENTS[name]]
        return dg.asset(name=name, deps=deps, partitions_def=partitions, code_version="1")(lambda: None)

    @dg.asset_check(asset="pieces", name="whole")
    def whole() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster warns of itself
        feed = dg.observable_source_asset(name="feed", partitions_def=DOCUMENTS)(lambda: None)
        definitions = dg.Definitions(assets=[feed, *map(asset, PARENTS)], asset_checks=[whole])
        return definitions, definitions.resolve_asset_graph()


DEFINITIONS, GRAPH = _graph()


class History:
    """Events as Dagster would store them, at times that are given: a real run cannot lie in the past."""

    def __init__(self, instance: dg.DagsterInstance, start: float = NOW - 100 * DAY) -> None:
        self.instance = instance
        self.clock = start
        self.delay: Callable[[], float] = lambda: 0.0
        self._empty = self._empty_database()

    def _empty_database(self) -> bytes | None:
        """To begin a run's file with: to make its tables takes Dagster longer than all the rest of these tests."""
        storage = self.instance.event_log_storage
        if not isinstance(storage, SqliteEventLogStorage):
            return None
        with closing(sqlite3.connect(storage.path_for_shard("index"))) as index:
            return index.serialize()

    def event(self, kind: Type, data: Any, run_id: str = "") -> None:
        self.instance.handle_new_event(self._entry(kind, data, run_id))

    def _entry(self, kind: Type, data: Any, run_id: str) -> EventLogEntry:
        self.clock += 1
        event = DagsterEvent(kind.value, "job", event_specific_data=data)
        happened = self.clock - self.delay()
        return EventLogEntry(None, "info", "", run_id, happened, job_name="job", dagster_event=event)

    def _batch(self, kind: Type, all_data: Sequence[Any], run_id: str) -> None:
        if all_data:
            self.instance.event_log_storage.store_event_batch([self._entry(kind, data, run_id) for data in all_data])

    def begin(self, planned: Mapping[str, Sequence[str | None]], **options: Any) -> str:
        """A run that has planned these partitions of these assets."""
        run_id = create_run_for_test(self.instance, "job", status=DagsterRunStatus.STARTED, **options).run_id
        if self._empty:
            assert isinstance(self.instance.event_log_storage, SqliteEventLogStorage)
            Path(self.instance.event_log_storage.path_for_shard(run_id)).write_bytes(self._empty)
        self.event(Type.RUN_START, None, run_id)
        data = [
            AssetMaterializationPlannedData(dg.AssetKey(asset), partition)
            for asset, partitions in planned.items()
            for partition in partitions
        ]
        self._batch(Type.ASSET_MATERIALIZATION_PLANNED, data, run_id)
        return run_id

    def pointers(self, asset: str) -> dict[str, str]:
        """Those that a step of the asset reads before it starts."""
        tags = {"dagster/code_version": "1"}
        for parent in PARENTS.get(asset, []):
            key = dg.AssetKey(parent)
            records = self.instance.get_asset_records([key])
            newest = records[0].asset_entry.last_materialization_record if records else None
            newest = newest or next(iter(self.instance.fetch_observations(key, limit=1).records), None)
            version = (newest.event_log_entry.tags or {}).get("dagster/data_version", "none") if newest else "NULL"
            tags[f"dagster/input_data_version/{parent}"] = version
            tags[f"dagster/input_event_pointer/{parent}"] = str(newest.storage_id) if newest else "NULL"
        return tags

    def materialize(
        self,
        run_id: str,
        asset: str,
        partitions: Sequence[str | None],
        version: str,
        tags: dict[str, str] | None = None,
    ) -> None:
        tags = {**(self.pointers(asset) if tags is None else tags), "dagster/data_version": version}
        made = [
            dg.AssetMaterialization(asset, partition=partition, tags=tags, metadata={"at": self.clock})
            for partition in partitions
        ]
        self._batch(Type.ASSET_MATERIALIZATION, [StepMaterializationData(one, []) for one in made], run_id)

    def end(self, run_id: str, how: Type = Type.RUN_SUCCESS) -> str:
        self.event(how, None, run_id)
        return run_id

    def run(self, assets: Sequence[str], partitions: Sequence[str] = KEYS, version: str = "v", **options: Any) -> str:
        """A run that succeeds."""
        by_asset = {asset: partitions if asset in PARTITIONED else [None] for asset in assets}
        run_id = self.begin(by_asset, **options)
        for asset in assets:
            self.materialize(run_id, asset, by_asset[asset], version)
        return self.end(run_id)

    def tick(self, status: TickStatus) -> None:
        self.clock += 1
        data = TickData("origin", "a sensor", InstigatorType.SENSOR, status, self.clock, [], selector_id="selector")
        self.instance.create_tick(data)

    def at_random(self, rng: random.Random, steps: int) -> None:
        """Runs that succeed, fail, are canceled, overlap and never end, and whatever else is recorded beside them."""
        self.instance.add_dynamic_partitions("documents", list(KEYS))
        open_runs: list[tuple[str, dict[str, Any]]] = []
        ended: list[str] = []
        pause = rng.choice([0, 2 * DAY, 6 * DAY])
        # events lie in memory for a while before they are stored, some longer than others
        longest = rng.choice([0, 0, 9])
        self.delay = lambda: longest * rng.random()
        for _ in range(steps):
            self.clock = min(self.clock + pause * rng.random(), NOW - 1000)
            match rng.choice("brrrrreeefoOcwtqdsB"):
                case "b":
                    open_runs.append(self._begin_at_random(rng, ended))
                case "r":
                    run_id, planned = self._begin_at_random(rng, ended)
                    self._go_on_at_random(rng, run_id, planned)
                    ended.append(self.end(run_id, rng.choice([Type.RUN_SUCCESS, Type.RUN_SUCCESS, Type.RUN_FAILURE])))
                case "e" if open_runs:
                    run_id, planned = open_runs[rng.randrange(len(open_runs))]
                    self._go_on_at_random(rng, run_id, planned)
                    if rng.random() < 0.6:
                        open_runs.remove((run_id, planned))
                        ended.append(self.end(run_id, rng.choice([Type.RUN_SUCCESS, Type.RUN_CANCELED])))
                case "f":
                    # without a run, and without a data version
                    name = rng.choice(list(PARENTS))
                    partition = rng.choice(KEYS) if name in PARTITIONED else None
                    made = dg.AssetMaterialization(name, partition=partition)
                    self.event(Type.ASSET_MATERIALIZATION, StepMaterializationData(made, []))
                case "o" | "O":
                    version = {"dagster/data_version": rng.choice("xyz")} if rng.random() < 0.9 else {}
                    seen = dg.AssetObservation("feed", partition=rng.choice(KEYS), tags=version)
                    self.event(Type.ASSET_OBSERVATION, AssetObservationData(seen))
                case "c":
                    self._check_at_random(rng, ended)
                case "w" if rng.random() < 0.5:
                    with freeze_time(self.clock):
                        self.instance.wipe_assets([dg.AssetKey(rng.choice(list(PARENTS)))])
                case "t":
                    self.tick(rng.choice([TickStatus.SKIPPED, TickStatus.SUCCESS, TickStatus.STARTED]))
                case "q":
                    for name in PARTITIONED:
                        get_and_update_asset_status_cache_value(self.instance, dg.AssetKey(name), DOCUMENTS)
                case "d":
                    self.instance.delete_dynamic_partition("documents", rng.choice(KEYS))
                case "s":
                    self.instance.add_dynamic_partitions("documents", [rng.choice(KEYS)])
                case "B" if ended:
                    self.instance.delete_run(rng.choice(ended))
                case _:
                    pass

    def _begin_at_random(self, rng: random.Random, ended: list[str]) -> tuple[str, dict[str, Any]]:
        assets = [name for name in PARENTS if rng.random() < 0.6] or ["text"]
        partitions = sorted(rng.sample(KEYS, rng.randint(1, len(KEYS))))
        tags = {}
        if rng.random() < 0.1:
            tags["dagster/run_key"] = str(rng.random())
        if rng.random() < 0.2:
            tags["dagster/sensor_name"] = rng.choice("mn")
        if len(partitions) == 1:
            tags["dagster/partition"] = partitions[0]
        repeated = next((run for run in ended if rng.random() < 0.1 and self.instance.has_run(run)), None)
        if repeated:
            first = self.instance.get_run_by_id(repeated)
            root = (first.root_run_id if first else None) or repeated
            if self.instance.has_run(root):
                tags |= {"dagster/parent_run_id": repeated, "dagster/root_run_id": root}
        by_asset = {asset: partitions if asset in PARTITIONED else [None] for asset in assets}
        return self.begin(by_asset, tags=tags), by_asset

    def _go_on_at_random(self, rng: random.Random, run_id: str, planned: dict[str, Any]) -> None:
        for asset, partitions in planned.items():
            tags = self.pointers(asset)
            if rng.random() < 0.3:
                self._check_at_random(rng, [run_id])
            made = [partition for partition in partitions if rng.random() < 0.85]
            self.materialize(run_id, asset, made, rng.choice("xy"), tags)
            if rng.random() < 0.15:
                break

    def _check_at_random(self, rng: random.Random, runs: list[str]) -> None:
        run_id = rng.choice(runs) if runs and rng.random() < 0.8 else ""
        records = self.instance.get_asset_records([CHECK.asset_key])
        newest = records[0].asset_entry.last_materialization_record if records else None
        target = newest and AssetCheckEvaluationTargetMaterializationData(
            storage_id=newest.storage_id, run_id=newest.run_id, timestamp=newest.timestamp
        )
        check_rows = self.instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=1_000)
        if run_id and run_id not in {row.run_id for row in check_rows}:
            planned = AssetCheckEvaluationPlanned(asset_key=CHECK.asset_key, check_name=CHECK.name)
            self.event(Type.ASSET_CHECK_EVALUATION_PLANNED, planned, run_id)
        if rng.random() < 0.7:
            evaluation = dg.AssetCheckEvaluation(
                asset_key=CHECK.asset_key,
                check_name=CHECK.name,
                passed=rng.random() < 0.5,
                metadata={},
                target_materialization_data=target or None,
                severity=dg.AssetCheckSeverity.WARN,
            )
            self.event(Type.ASSET_CHECK_EVALUATION, evaluation, run_id)


# What Dagster answers


def answers(instance: dg.DagsterInstance, since: int) -> dict[str, Any]:
    """All that is current, and what has changed since an event, by its id."""
    context = LoadingContextForTest(instance)
    stale = CachingStaleStatusResolver(instance, GRAPH, context)
    queryer = CachingInstanceQueryer(instance, GRAPH, context)
    storage = instance.event_log_storage
    found: dict[str, Any] = {"partitions": instance.get_dynamic_partitions("documents")}
    for name in ("feed", *PARENTS):
        key = dg.AssetKey(name)
        record = next(iter(instance.get_asset_records([key])), None)
        entry = record.asset_entry if record else None
        found[f"{name}: record"] = entry and (entry.last_materialization_record, entry.last_run_id, entry.asset_details)
        found[f"{name}: planned"] = storage.get_latest_planned_materialization_info(key)
        for kind in (Type.ASSET_MATERIALIZATION, Type.ASSET_OBSERVATION):
            found[f"{name}: newest {kind}"] = (
                instance.get_latest_storage_id_by_partition(key, kind),
                storage.get_latest_tags_by_partition(key, kind, ["dagster/data_version"]),
            )
        found[f"{name}: tags"] = {
            record.storage_id: instance.get_event_tags_for_asset(key, filter_event_id=record.storage_id)
            for record in instance.fetch_materializations(key, limit=1).records
        }
        if name in PARTITIONED:
            found[f"{name}: status"] = get_and_update_asset_status_cache_value(instance, key, DOCUMENTS)
        elif name != "feed":
            found[f"{name}: status"] = [
                subset(asset_key=key).value
                for subset in (
                    queryer.get_materialized_asset_subset,
                    queryer.get_in_progress_asset_subset,
                    queryer.get_failed_asset_subset,
                )
            ]
            view = AssetGraphView.for_test(DEFINITIONS, instance)
            found[f"{name}: failed"] = asyncio.run(view._compute_execution_failed_unpartitioned(key))
        for partition in KEYS if name in PARTITIONED else [None]:
            wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition] if partition else None)
            found[f"{name} {partition}"] = (
                instance.fetch_materializations(wanted, limit=1).records,
                instance.fetch_observations(wanted, limit=1).records,
                instance.get_latest_data_version_record(key, partition_key=partition),
                storage.get_latest_planned_materialization_info(key, partition),
            )
            if partition is None or partition in found["partitions"]:
                found[f"{name} {partition}: stale"] = (
                    stale.get_current_data_version(key, partition),
                    stale.get_status(key, partition),
                    [repr(cause) for cause in stale.get_stale_causes(key, partition)],
                )
        found[f"{name}: changes"] = (
            instance.get_materialized_partitions(key, after_cursor=since),
            instance.get_materialized_partitions(key, before_cursor=since + 1),
            storage.get_updated_data_version_partitions(key, KEYS, since),
            instance.get_latest_data_version_record(key, before_cursor=since + 1),
        )
    found |= _of_checks(instance)
    for status in (None, TickStatus.SKIPPED, TickStatus.SUCCESS, TickStatus.STARTED):
        found[f"tick {status}"] = instance.get_ticks(
            "origin", "selector", limit=1, statuses=[status] if status else None
        )
    return found


def _of_checks(instance: dg.DagsterInstance) -> dict[str, Any]:
    storage = instance.event_log_storage
    found: dict[str, Any] = {
        "check": storage.get_latest_asset_check_execution_by_key([CHECK]),
        "check: summary": storage.get_asset_check_summary_records([CHECK]),
        "check: partitions": storage.get_asset_check_partition_info([CHECK]),
    }
    if execution := found["check"].get(CHECK):
        found["check: status"] = asyncio.run(execution.resolve_status(LoadingContextForTest(instance)))
        found["check: of the newest"] = asyncio.run(
            execution.targets_latest_materialization(LoadingContextForTest(instance))
        )
    return found


def cached_status(instance: dg.DagsterInstance) -> dict[str, str | None]:
    with Storages.of(instance).index() as connection:
        query = select(AssetKeyTable.c.asset_key, AssetKeyTable.c.cached_status_data)
        return {row.asset_key: row.cached_status_data for row in connection.execute(query)}


def set_cached_status(instance: dg.DagsterInstance, cached: Mapping[str, str | None]) -> None:
    with Storages.of(instance).index() as connection:
        for asset, value in cached.items():
            statement = update(AssetKeyTable).where(AssetKeyTable.c.asset_key == asset)
            connection.execute(statement.values(cached_status_data=value))


def all_answers(instance: dg.DagsterInstance, cached: Mapping[str, str | None], since: int) -> Any:
    """With the partitions' status as it was cached, and with all of it read again."""
    set_cached_status(instance, cached)
    with_cache = answers(instance, since)
    set_cached_status(instance, dict.fromkeys(cached))
    return with_cache, answers(instance, since)


def whole_runs(instance: dg.DagsterInstance, keep: timedelta) -> dict[str, Any]:
    """The runs that must stay whole, with all that is recorded of them."""
    cutoff = NOW - keep.total_seconds()
    return {
        record.dagster_run.run_id: (
            record.dagster_run,
            instance.get_records_for_run(record.dagster_run.run_id).records,
            instance.get_run_stats(record.dagster_run.run_id),
        )
        for record in instance.get_run_records()
        if not record.dagster_run.is_finished or record.update_timestamp.timestamp() > cutoff
    }


def assets_of_runs(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What a repetition of each run would begin with; reading a run's group fails where a part of it is gone."""
    kinds = (Type.ASSET_MATERIALIZATION, Type.ASSET_MATERIALIZATION_PLANNED, Type.ASSET_CHECK_EVALUATION)
    return {
        run.run_id: (instance.get_run_group(run.run_id) is not None, [_assets(instance, run.run_id, k) for k in kinds])
        for run in instance.get_runs()
    }


def _assets(instance: dg.DagsterInstance, run_id: str, kind: Type) -> Any:
    return set(instance.get_asset_keys_for_run(run_id, of_type=kind)), len(
        instance.all_logs(run_id, of_type=kind) if kind is Type.ASSET_CHECK_EVALUATION else []
    )


def rows(instance: dg.DagsterInstance) -> int:
    with Storages.of(instance).index() as connection:
        return connection.scalar(select(func.count()).select_from(SqlEventLogStorageTable)) or 0


def ids(instance: dg.DagsterInstance, asset: str, kind: Type = Type.ASSET_MATERIALIZATION) -> list[int]:
    with Storages.of(instance).index() as connection:
        columns = SqlEventLogStorageTable.c
        query = select(columns.id).where(
            columns.asset_key == dg.AssetKey(asset).to_string(), columns.dagster_event_type == kind.value
        )
        return sorted(connection.execute(query).scalars())


# Instances


@contextmanager
def sqlite_instance(directory: Path) -> Iterator[dg.DagsterInstance]:
    storage = {
        "module": "event_log.sqlite",
        "class": "BatchedSqliteEventLogStorage",
        "config": {"base_dir": str(directory / "history" / "runs")},
    }
    overrides = {"telemetry": {"enabled": False}, "event_log_storage": storage}
    with dg.DagsterInstance.local_temp(str(directory), overrides=overrides) as instance:
        yield instance


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with sqlite_instance(tmp_path) as made:
        made.add_dynamic_partitions("documents", list(KEYS))
        yield made


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    psycopg2 = pytest.importorskip("psycopg2", reason="the extra `postgres` is not installed")
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(new_database())
        except psycopg2.OperationalError as error:
            pytest.skip(f"no PostgreSQL: {error}")
        yield url


@pytest.fixture
def postgres(postgres_url: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    storage = {"module": "event_log.postgres", "class": "PostgresStorage", "config": {"postgres_url": postgres_url}}
    overrides = {"telemetry": {"enabled": False}, "storage": {"custom": storage}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as made:
        made.wipe()
        made.wipe_all_schedules()
        yield made


# What must hold


def _check(instance: dg.DagsterInstance, keep: timedelta) -> Trimmed:
    """Trim; everything that Dagster says of the present is as before, and a second trim finds nothing."""
    with Storages.of(instance).index() as connection:
        columns = SqlEventLogStorageTable.c
        old = func.max(columns.id).filter(columns.timestamp < dg_time(NOW - keep.total_seconds()))
        since = connection.scalar(select(old)) or 0
    cached = cached_status(instance)
    before = all_answers(instance, cached, since)
    whole, of_runs, events = whole_runs(instance, keep), assets_of_runs(instance), rows(instance)

    would = trim(instance, GRAPH, keep, dry_run=True)
    assert rows(instance) == events
    did = trim(instance, GRAPH, keep)

    assert all_answers(instance, cached, since) == before
    assert whole_runs(instance, keep) == whole
    left = assets_of_runs(instance)
    assert left == {run_id: of_runs[run_id] for run_id in left}
    assert len(of_runs) - len(left) == did.runs
    assert _counts(would) == _counts(did)
    assert would.bytes_after == would.bytes_before == did.bytes_before
    assert set(_counts(trim(instance, GRAPH, keep))) == {0}
    return did


def _trimmed(instance: dg.DagsterInstance, keep: timedelta = timedelta(0)) -> Trimmed:
    """The same in short."""
    before = answers(instance, 0)
    did = trim(instance, GRAPH, keep)
    assert answers(instance, 0) == before
    return did


def dg_time(timestamp: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(timestamp, UTC).replace(tzinfo=None)


def _counts(trimmed: Trimmed) -> tuple[int, ...]:
    return trimmed.events, trimmed.copies, trimmed.checks, trimmed.ticks, trimmed.runs, trimmed.leftovers


@pytest.mark.parametrize("seed", range(4))
def test_dagster_answers_as_before_whatever_has_happened(instance: dg.DagsterInstance, seed: int) -> None:
    """A status, a version or a run that changes by a trim is work done again, or left undone."""
    rng = random.Random(seed)
    History(instance).at_random(rng, 30)
    _check(instance, rng.choice([timedelta(0), KEEP, timedelta(days=80)]))


@pytest.mark.parametrize("seed", range(3))
def test_so_it_does_in_postgres(postgres: dg.DagsterInstance, seed: int) -> None:
    """There all events are in one table, and no run has a file with copies."""
    rng = random.Random(seed)
    History(postgres).at_random(rng, 30)
    _check(postgres, rng.choice([timedelta(0), KEEP]))


def test_one_visit_is_left_of_many(instance: dg.DagsterInstance) -> None:
    """That is what keeps the history from growing."""
    history = History(instance)
    runs = [history.run(["text", "pieces", "index"], version=str(visit)) for visit in range(3)]
    did = _trimmed(instance)
    assert [run.run_id for run in instance.get_runs()] == [runs[-1]]
    assert did.runs == 2
    assert did.events == 2 * 2 * (4 + 4 + 1)
    # one of each asset and type stays in the run's file
    assert did.copies == 2 * (3 + 3 + 0)
    assert len(ids(instance, "text")) == len(ids(instance, "text", Type.ASSET_MATERIALIZATION_PLANNED)) == len(KEYS)
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    assert {Path(path).stem for path in os.listdir(storage._base_dir) if path.endswith(".db")} == {"index", runs[-1]}
    assert did.bytes_after < did.bytes_before
    with Storages.of(instance).runs() as connection:
        assert not connection.execute(select(RunTagsTable.c.id).where(RunTagsTable.c.run_id.in_(runs[:-1]))).all()


def test_what_was_superseded_within_the_time_stays(instance: dg.DagsterInstance) -> None:
    """A sensor or an automation that last looked on that day compares with it."""
    history = History(instance, NOW - 90 * DAY)
    first, second = history.run(["text"], version="1"), history.run(["text"], version="2")
    history.clock = NOW - 10 * DAY
    third = history.run(["text"], version="3")
    assert _trimmed(instance, KEEP).runs == 1
    assert {run.run_id for run in instance.get_runs()} == {second, third}
    assert not instance.has_run(first)


def test_a_version_stays_that_staleness_compares_with(instance: dg.DagsterInstance) -> None:
    """Dagster takes a missing version for another one: what is current would be made again."""
    history = History(instance)
    history.run(["text", "pieces"], version="1")
    compared = ids(instance, "text")
    history.run(["text"], version="2")
    between = ids(instance, "text")[len(KEYS) :]
    history.run(["text"], version="1")
    _trimmed(instance)
    left = ids(instance, "text")
    assert set(compared) < set(left)
    assert not set(between) & set(left)
    pieces = CachingStaleStatusResolver(instance, GRAPH, LoadingContextForTest(instance))
    assert pieces.get_status(dg.AssetKey("pieces"), KEYS[0]) is StaleStatus.FRESH


def test_no_version_stays_that_is_one_of_too_many_to_compare(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that is made from ten thousand documents would keep a second event of each."""
    for module in ("event_log.superseded_events", "dagster._core.definitions.data_version"):
        monkeypatch.setattr(f"{module}.SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD", len(KEYS))
    history = History(instance)
    history.run(["text", "pieces", "index"], version="1")
    history.run(["text", "pieces"], version="2")
    _trimmed(instance)
    # the first run stays for the index that it made, and with it the last event of what else it made
    assert len(ids(instance, "text")) == len(ids(instance, "pieces")) == len(KEYS) + 1


def test_an_asset_that_a_failed_run_made_is_not_called_failed(instance: dg.DagsterInstance) -> None:
    """Dagster looks for what the last planned run made, though another run has made it since."""
    history = History(instance)
    run_id = history.begin({"report": [None], "index": [None]})
    history.materialize(run_id, "report", [None], "1")
    history.end(run_id, Type.RUN_FAILURE)
    made = dg.AssetMaterialization("report")
    for _ in range(3):
        history.event(Type.ASSET_MATERIALIZATION, StepMaterializationData(made, []))
    assert _trimmed(instance).events == 2


def test_an_event_from_before_a_wipe_takes_no_place(instance: dg.DagsterInstance) -> None:
    """A batch that was in memory during the wipe is stored after newer events, and Dagster passes over it."""
    history = History(instance)
    slow = history.begin({"text": KEYS})
    with freeze_time(history.clock + 1000):
        instance.wipe_assets([dg.AssetKey("text")])
    history.clock += 2000
    history.run(["text"], version="after")
    current = ids(instance, "text")
    history.delay = lambda: 1500
    history.materialize(slow, "text", KEYS, "before")
    history.delay = lambda: 0
    history.end(slow)
    _trimmed(instance)
    assert set(current) <= set(ids(instance, "text"))


def test_runs_that_go_on_or_may_be_asked_for_again_stay(instance: dg.DagsterInstance) -> None:
    """A sensor that finds no run with a key starts another; a backfill looks for its own materializations."""
    history = History(instance)
    unfinished = history.begin({"text": KEYS})
    history.materialize(unfinished, "text", KEYS[:2], "0")
    keyed = history.run(["text"], tags={"dagster/run_key": "k"})
    backfill = PartitionBackfill("backfill", BulkActionStatus.REQUESTED, False, {}, history.clock)
    instance.add_backfill(backfill)
    of_backfill = history.run(["text"], tags={"dagster/backfill": "backfill"})
    logs = {run_id: instance.all_logs(run_id) for run_id in (unfinished, of_backfill)}
    last = [history.run(["text"], version=str(visit)) for visit in range(2)][-1]
    _trimmed(instance)
    assert {run.run_id for run in instance.get_runs()} == {unfinished, keyed, of_backfill, last}
    assert {run_id: instance.all_logs(run_id) for run_id in logs} == logs
    assert len(ids(instance, "text")) == 2 + 1 + len(KEYS) + len(KEYS)


def test_no_id_of_an_event_is_given_twice(instance: dg.DagsterInstance) -> None:
    """A cursor that stands at the newest event would pass over the next one."""
    history = History(instance)
    first = history.begin({"text": KEYS})
    history.materialize(first, "text", KEYS, "1")
    history.run(["text"], version="2")
    history.end(first)
    newest = instance.event_log_storage.get_maximum_record_id()
    _trimmed(instance)
    assert instance.event_log_storage.get_maximum_record_id() == newest


def test_logs_go_with_their_run_and_leftovers_too(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Dagster leaves the file and the logs of a run that is deleted in the UI."""
    history = History(instance)
    runs = [history.run(["text"], version=str(visit)) for visit in range(3)]
    logs = tmp_path / "storage"
    for name in (*runs, "a_repository"):
        (logs / name / "compute_logs").mkdir(parents=True)
        (logs / name / "compute_logs" / "text.out").write_text("said")
    assert isinstance(instance.event_log_storage, SqliteEventLogStorage)
    deleted = Path(instance.event_log_storage.path_for_shard(runs[0]))
    instance.delete_run(runs[0])
    assert deleted.exists()
    did = _trimmed(instance)
    assert (did.runs, did.leftovers) == (1, 2)
    assert not deleted.exists()
    assert {path.name for path in logs.iterdir()} == {runs[2], "a_repository"}


# Whatever happens meanwhile


class StopError(Exception):
    """Raised only by this test."""


def test_it_may_stop_after_any_step(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trim of a large history takes a while, and Ctrl-C is at hand."""
    history = History(instance)
    for visit in range(3):
        history.run(["text", "pieces", "index"], version=str(visit))
        history.tick(TickStatus.SKIPPED)
    before = answers(instance, 0)
    slices = trimming._slices

    def stopping(items: Sequence[Any], size: int = 0) -> Iterator[Sequence[Any]]:
        for part in slices(items, 7):
            yield part
            raise StopError

    stops = 0
    while True:
        with monkeypatch.context() as patched:
            patched.setattr(trimming, "_slices", stopping)
            try:
                trim(instance, GRAPH, timedelta(0))
            except StopError:
                stops += 1
                assert answers(instance, 0) == before
                continue
        break
    assert stops > 5
    assert set(_counts(trim(instance, GRAPH, timedelta(0)))) == {0}
    assert len(ids(instance, "text")) == len(KEYS)


KILLED = """
import sys
from datetime import timedelta
from pathlib import Path
from event_log import trim
from tests.event_log.test_trim import GRAPH, sqlite_instance
trim._SLICE = 1
trim._slices.__defaults__ = (1,)
with sqlite_instance(Path(sys.argv[1])) as instance:
    print("now", flush=True)
    trim.trim(instance, GRAPH, timedelta(0))
"""


@pytest.mark.slow
def test_it_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    """No half of a step is ever seen."""
    with sqlite_instance(tmp_path) as instance:
        instance.add_dynamic_partitions("documents", list(KEYS))
        history = History(instance)
        for visit in range(5):
            history.run(["text", "pieces", "index"], version=str(visit))
        before = answers(instance, 0)
    for seconds in (0.05, 0.2):
        program = [sys.executable, "-c", KILLED, str(tmp_path)]
        with subprocess.Popen(program, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as killed:
            assert killed.stdout is not None
            assert killed.stdout.readline() == "now\n"
            time.sleep(seconds)
            killed.kill()
        with sqlite_instance(tmp_path) as instance:
            assert answers(instance, 0) == before
    with sqlite_instance(tmp_path) as instance:
        trim(instance, GRAPH, timedelta(0))
        assert answers(instance, 0) == before
        assert len(instance.get_runs()) == 1
        assert set(_counts(trim(instance, GRAPH, timedelta(0)))) == {0}


def test_runs_go_on_beside_it(tmp_path: Path) -> None:
    """A daemon does not ask whether somebody trims."""
    runs: list[str] = []
    with sqlite_instance(tmp_path) as instance:
        instance.add_dynamic_partitions("documents", list(KEYS))

    def others() -> None:
        with sqlite_instance(tmp_path) as instance:
            history = History(instance, NOW - 50 * DAY)
            runs.extend(history.run(["text", "pieces", "index"], version=str(visit)) for visit in range(6))
            runs.append(history.begin({"text": KEYS}))
            history.materialize(runs[-1], "text", KEYS[:1], "last")

    with sqlite_instance(tmp_path) as instance, ThreadPoolExecutor(1) as pool:
        working = pool.submit(others)
        while not working.done():
            trim(instance, GRAPH, timedelta(0))
        working.result()
        did = _trimmed(instance)
        assert did.bytes_free == 0
        assert [run.run_id for run in instance.get_runs()] == runs[:-3:-1]
        status = instance.get_status_by_partition(dg.AssetKey("text"), KEYS, DOCUMENTS)
        assert [value.value for value in (status or {}).values() if value] == ["MATERIALIZED"] + ["IN_PROGRESS"] * 3
        assert len(instance.all_logs(runs[-1])) == 1 + len(KEYS) + 1


def test_no_long_transaction_holds_up_a_run(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """To make a file one that shrinks is to write all of it again: not while a run is in progress."""
    assert isinstance(instance.event_log_storage, SqliteEventLogStorage)
    index = Path(instance.event_log_storage.path_for_shard("index"))

    def state() -> tuple[int, int]:
        with closing(sqlite3.connect(index)) as database:
            return tuple(database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("auto_vacuum", "freelist_count"))

    monkeypatch.setattr(trimming, "_REWRITTEN_AT_ONCE", 0)
    history = History(instance)
    for visit in range(4):
        history.run(["text", "pieces", "index"], version=str(visit))
    unfinished = history.begin({"report": [None]})
    assert trim(instance, GRAPH, timedelta(0)).bytes_free > 0
    assert state()[0] == 0
    history.end(unfinished)
    assert trim(instance, GRAPH, timedelta(0)).bytes_free == 0
    assert state() == (2, 0)
    for visit in range(4):
        history.run(["text", "pieces", "index"], version=str(visit))
    history.begin({"report": [None]})
    did = trim(instance, GRAPH, timedelta(0))
    assert state() == (2, 0)
    assert did.bytes_after < did.bytes_before
