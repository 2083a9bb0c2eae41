"""Events stored in batches are the events that Dagster's own storage would hold, and lie in the home."""

import sqlite3
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef

from event_log.home import HomeArtifacts, HomeComputeLogs, HomeStorage, open_instance
from event_log.sqlite import BatchedSqliteEventLogStorage
from resources.config import PROJECT_ROOT

DOCUMENTS = dg.DynamicPartitionsDefinition(name="documents")
KEYS = [f"{number}.md" for number in range(7)]
RANGE = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Nothing(dg.IOManager):
    """Keeps no value: these tests are of events."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        context.add_output_metadata({"stored": True})

    def load_input(self, context: dg.InputContext) -> Mapping[str, str]:
        return {}


def asset(name: str, upstream: list[str] | None = None) -> dg.AssetsDefinition:
    def compute(context: dg.AssetExecutionContext, **_inputs: object) -> dg.MaterializeResult:
        return dg.MaterializeResult(value=1, data_version=dg.DataVersion(f"sha256:{name}"))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        anything = dg.DagsterType(lambda _context, _value: True, name=f"{name}_value")
        return dg.asset(
            name=name,
            ins={key: dg.AssetIn() for key in upstream or []},
            dagster_type=anything,
            partitions_def=DOCUMENTS,
            backfill_policy=dg.BackfillPolicy.single_run(),
        )(compute)


@dg.asset_check(asset="chunks", blocking=False)
def chunks_are_whole() -> dg.AssetCheckResult:
    """A check is planned in the same batch as the partitions."""
    return dg.AssetCheckResult(passed=True)


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(
        assets=[asset("text"), asset("chunks", ["text"])],
        asset_checks=[chunks_are_whole],
        resources={"io_manager": Nothing()},
        executor=dg.in_process_executor,
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False, tags=RANGE, run_config=QUIET)


def open_log(directory: Path, module: str, storage: str) -> dg.DagsterInstance:
    directory.mkdir()
    instance = dg.DagsterInstance.local_temp(
        str(directory),
        overrides={
            "telemetry": {"enabled": False},
            "compute_logs": {
                "module": "dagster._core.storage.noop_compute_log_manager",
                "class": "NoOpComputeLogManager",
                "config": {},
            },
            "event_log_storage": {
                "module": module,
                "class": storage,
                "config": {"base_dir": str(directory / "events")},
            },
        },
    )
    instance.add_dynamic_partitions("documents", KEYS)
    return instance


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_log(tmp_path / "batched", "event_log.sqlite", "BatchedSqliteEventLogStorage") as batched:
        yield batched


@pytest.fixture(autouse=True)
def batches(monkeypatch: pytest.MonkeyPatch) -> None:
    # 4 is less than the partitions of a step: a step's events are more than one batch
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "4")


def rows(directory: Path, shard: str, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(directory / "events" / f"{shard}.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


EVENTS = "SELECT dagster_event_type, step_key, asset_key, partition FROM event_logs ORDER BY id"
INDEXED = f"{EVENTS[:-12]} WHERE dagster_event_type LIKE 'ASSET_%' ORDER BY id"
TAGS = """SELECT e.dagster_event_type, e.asset_key, e.partition, t.key FROM asset_event_tags t
          JOIN event_logs e ON e.id = t.event_id AND e.asset_key = t.asset_key ORDER BY e.id, t.key"""
CHECKS = "SELECT asset_key, check_name, execution_status FROM asset_check_executions"


def recorded(directory: Path, run_id: str) -> dict[str, list[tuple[object, ...]]]:
    return {
        "run": rows(directory, run_id, EVENTS),
        "index": rows(directory, "index", INDEXED),
        "tags": rows(directory, "index", TAGS),
        "checks": rows(directory, "index", CHECKS),
    }


def status(instance: dg.DagsterInstance, name: str) -> dict[str, str]:
    found = instance.get_status_by_partition(dg.AssetKey(name), KEYS, DOCUMENTS)
    assert found is not None
    return {key: "" if value is None else value.value for key, value in found.items()}


def stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[object, ...]]]:
    """What Dagster's own storage records of the same run."""
    with monkeypatch.context() as unbatched:
        unbatched.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
        with open_log(tmp_path / "stock", "dagster._core.storage.event_log", "SqliteEventLogStorage") as own:
            result = run(own)
            assert result.success
            return recorded(tmp_path / "stock", result.run_id)


def test_a_batched_run_leaves_the_rows_of_an_unbatched_one(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event, a tag or a planned check left out shows in the UI as a partition that never ran or never ends."""
    result = run(instance)
    assert result.success
    found = recorded(tmp_path / "batched", result.run_id)
    assert found == stock(tmp_path, monkeypatch)
    assert Counter(row[0] for row in found["index"])["ASSET_MATERIALIZATION"] == 2 * len(KEYS)
    assert found["checks"] == [('["chunks"]', "chunks_are_whole", "SUCCEEDED")]
    assert status(instance, "chunks") == dict.fromkeys(KEYS, "MATERIALIZED")
    record = instance.get_asset_records([dg.AssetKey("chunks")])[0].asset_entry
    assert record.last_run_id == result.run_id
    assert record.last_materialization is not None
    assert record.last_materialization_record is not None
    newest = rows(
        tmp_path / "batched",
        "index",
        "SELECT max(id) FROM event_logs WHERE asset_key='[\"chunks\"]' AND dagster_event_type='ASSET_MATERIALIZATION'",
    )
    assert record.last_materialization_record.storage_id == newest[0][0]


@pytest.mark.parametrize("broken", ["_store_asset_event_tags", "_store_asset_event", "store_asset_check_event"])
def test_a_batch_that_fails_half_way_leaves_no_event_twice(
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    broken: str,
) -> None:
    """Dagster stores the events of a failed batch again, one by one."""
    expected = stock(tmp_path, monkeypatch)
    storing = getattr(BatchedSqliteEventLogStorage, broken)
    batch = BatchedSqliteEventLogStorage._store_in_index
    within: list[bool] = []

    def in_batch(self: BatchedSqliteEventLogStorage, *args: object) -> None:
        within.append(True)
        try:
            batch(self, *args)  # pyright: ignore[reportArgumentType]
        finally:
            within.pop()

    def fail_in_batch(self: BatchedSqliteEventLogStorage, *args: object) -> None:
        storing(self, *args)
        if within:
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(BatchedSqliteEventLogStorage, "_store_in_index", in_batch)
    monkeypatch.setattr(BatchedSqliteEventLogStorage, broken, fail_in_batch)
    result = run(instance)
    assert result.success
    assert "Falling back" in capfd.readouterr().err
    found = recorded(tmp_path / "batched", result.run_id)
    assert {name: Counter(found[name]) for name in found} == {name: Counter(expected[name]) for name in expected}


def test_two_writers_at_once_keep_each_event_with_its_own_tags(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Ids that are guessed instead of asked for put one run's data versions on the other's events."""
    directory, rounds = tmp_path / "batched", 20
    result = run(instance)
    written = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)

    def write(stage: str) -> None:
        storage = BatchedSqliteEventLogStorage(str(directory / "events"))
        storage.register_instance(instance)
        events = [event._replace(run_id=f"run-of-{stage}") for event in written if event.step_key == stage]
        for _ in range(rounds):
            storage.store_event_batch(events)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["text", "chunks"]))
    tagged = rows(
        directory,
        "index",
        "SELECT e.run_id, t.value, count(*), count(DISTINCT e.id) FROM asset_event_tags t "
        "JOIN event_logs e ON e.id = t.event_id WHERE t.key = 'dagster/data_version' AND e.run_id LIKE 'run-of-%' "
        "GROUP BY 1, 2 ORDER BY 1",
    )
    each = rounds * len(KEYS)
    assert tagged == [
        ("run-of-chunks", "sha256:chunks", each, each),
        ("run-of-text", "sha256:text", each, each),
    ]


def test_dagster_keeps_all_in_the_home_whoever_starts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare `dagster dev` took a temporary directory for its runs, and `seedbank status` knew nothing of them."""
    home = tmp_path / "home"
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setenv("SEEDBANK_HOME", str(home))
    bare = InstanceRef.from_dir(str(elsewhere), config_dir=str(PROJECT_ROOT))  # as the CLI without DAGSTER_HOME
    with dg.DagsterInstance.from_ref(bare) as instance:
        assert isinstance(instance.get_ref().storage, HomeStorage)
        assert isinstance(instance._local_artifact_storage, HomeArtifacts)
        assert isinstance(instance.compute_log_manager, HomeComputeLogs)
        assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)
        assert not instance.telemetry_enabled
        instance.add_dynamic_partitions("documents", KEYS)
        assert run(instance).success
    assert not list(elsewhere.iterdir())
    with open_instance() as ours:
        assert list(ours.get_dynamic_partitions("documents")) == KEYS
        assert status(ours, "chunks") == dict.fromkeys(KEYS, "MATERIALIZED")
    assert {path.name for path in home.iterdir()} == {"dagster"}


def test_a_command_that_shows_its_own_progress_keeps_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With output captured by Dagster, a progress table is written to a file."""
    monkeypatch.setenv("SEEDBANK_HOME", str(tmp_path / "home"))

    with open_instance() as instance:
        instance.add_dynamic_partitions("documents", KEYS)
        assert run(instance).success
    assert not (tmp_path / "home" / "dagster" / "compute_logs").exists()
    assert not capfd.readouterr().err
