"""Each partition of a range run keeps its own record, by the private ways and by the public ones beside them."""

import warnings
from collections.abc import Callable, Iterator, Mapping

import dagster as dg
import pytest

from io_managers import partition_events
from io_managers.partition_events import (
    Note,
    PartitionRecord,
    PartitionVersion,
    add_partition_metadata,
    emit_materializations,
    emit_notes,
    set_partition_versions,
)

pytestmark = pytest.mark.integration

ANYTHING = dg.DagsterType(lambda _context, _value: True, name="Anything")
DOCUMENTS = dg.DynamicPartitionsDefinition(name="documents")
KEYS = ["a.md", "b é.md", "c/d.md", "e.md"]
RANGE = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}

Body = Callable[..., dg.MaterializeResult]
OnOutput = Callable[[dg.OutputContext], None]


class Values(dg.IOManager):
    """Keeps values in memory, and calls what a test gives for the moment that an output is handled."""

    def __init__(self, on_output: OnOutput | None = None) -> None:
        self.stored: dict[tuple[dg.AssetKey, str], str] = {}
        self.on_output = on_output

    def handle_output(self, context: dg.OutputContext, obj: Mapping[str, str]) -> None:
        for key, value in obj.items():
            self.stored[context.asset_key, key] = value
        if self.on_output:
            self.on_output(context)

    def load_input(self, context: dg.InputContext) -> Mapping[str, str]:
        return {key: self.stored[context.asset_key, key] for key in context.asset_partition_keys}


def values_of(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        value={key: key.upper() for key in context.partition_keys}, data_version=dg.DataVersion("all")
    )


def asset(name: str, body: Body, upstream: list[str] | None = None) -> dg.AssetsDefinition:
    def compute(context: dg.AssetExecutionContext, **_inputs: object) -> dg.MaterializeResult:
        return body(context)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.asset(
            name=name,
            ins={key: dg.AssetIn(dagster_type=ANYTHING) for key in upstream or []},
            dagster_type=ANYTHING,
            partitions_def=DOCUMENTS,
            backfill_policy=dg.BackfillPolicy.single_run(),
        )(compute)


def run(
    instance: dg.DagsterInstance, *assets: dg.AssetsDefinition, on_output: OnOutput | None = None
) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(
        assets=assets, resources={"io_manager": Values(on_output)}, executor=dg.in_process_executor
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False, tags=RANGE)


def latest(instance: dg.DagsterInstance, name: str, partition: str) -> dg.AssetMaterialization | None:
    found = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(name), asset_partitions=[partition]), limit=1
    )
    return found.records[0].asset_materialization if found.records else None


def metadata_of(instance: dg.DagsterInstance, name: str, partition: str) -> dict[str, object]:
    event = latest(instance, name, partition)
    assert event is not None
    return {key: value.value for key, value in event.metadata.items()}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions("documents", KEYS)
        yield ephemeral


def without(monkeypatch: pytest.MonkeyPatch, *gone: str) -> None:
    """As a Dagster that has not these private names."""
    find = partition_events._private
    monkeypatch.setattr(partition_events, "_private", lambda module, name: None if name in gone else find(module, name))


def previews(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    add_partition_metadata(context, {key: {"preview": f"of {key}", "n": 1} for key in context.partition_keys})
    add_partition_metadata(context, {KEYS[1]: {"n": 2}})
    return dg.MaterializeResult(value={key: key for key in context.partition_keys}, metadata={"all": True})


def digests(context: dg.OutputContext) -> None:
    add_partition_metadata(context, {key: {"digest": f"sha256:{key}"} for key in context.asset_partition_keys})


def test_each_partition_keeps_what_the_body_and_the_io_manager_said_of_it(instance: dg.DagsterInstance) -> None:
    """A table of all documents on each document's page, or the last one's metadata on all of them."""
    assert run(instance, asset("text", previews), on_output=digests).success
    for key in KEYS:
        n = 2 if key == KEYS[1] else 1
        expected = {"preview": f"of {key}", "n": n, "all": True, "digest": f"sha256:{key}"}
        assert metadata_of(instance, "text", key) == expected


@pytest.mark.parametrize("last", KEYS)
def test_the_partition_whose_version_is_given_last_is_recorded_last(instance: dg.DagsterInstance, last: str) -> None:
    """Dagster shows the metadata of the newest event as the asset's; it records partitions in an accidental order."""

    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        order = [*(key for key in KEYS if key != last), last]
        assert set_partition_versions(context, {key: PartitionVersion(f"sha256:{key}") for key in order})
        return values_of(context)

    assert run(instance, asset("text", body)).success
    events = instance.fetch_materializations(dg.AssetKey("text"), limit=10).records
    assert events[0].partition_key == last
    assert sorted(str(event.partition_key) for event in events) == sorted(KEYS)


def test_the_range_is_not_read_again_for_each_partition(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Dagster that lost the private names is slow without a word: 584 s for 10,000 documents. This says so."""

    def public(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("the public way was taken")

    monkeypatch.setattr(dg.AssetExecutionContext, "add_asset_metadata", public)
    monkeypatch.setattr(dg.OutputContext, "log_event", public)
    assert run(instance, asset("text", previews), on_output=digests).success
    assert metadata_of(instance, "text", KEYS[3])["digest"] == f"sha256:{KEYS[3]}"


def test_a_body_records_the_same_without_the_private_names(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Dagster release that renames its accumulator must cost time, not metadata."""
    without(monkeypatch, "AssetMetadataHandle")
    assert run(instance, asset("text", previews)).success
    assert metadata_of(instance, "text", KEYS[0]) == {"preview": f"of {KEYS[0]}", "n": 1, "all": True}
    assert metadata_of(instance, "text", KEYS[1]) == {"preview": f"of {KEYS[1]}", "n": 2, "all": True}


def test_an_io_manager_records_observations_without_the_private_names(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An IO manager has no public way to a materialisation's metadata; what it says must still be on the page."""
    without(monkeypatch, "AssetMetadataHandle")
    assert run(instance, asset("text", values_of), on_output=digests).success
    seen = instance.fetch_observations(dg.AssetKey("text"), limit=10).records
    said = {record.partition_key: record.asset_observation for record in seen}
    assert set(said) == set(KEYS)
    for key, observation in said.items():
        assert observation is not None
        assert observation.metadata["digest"].value == f"sha256:{key}"


def one_fails(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    good = [key for key in context.partition_keys if key != KEYS[2]]
    emit_materializations(
        context, {key: PartitionRecord({"preview": key}, PartitionVersion(f"sha256:{key}")) for key in good}
    )
    raise dg.Failure("1 of 4 documents failed", allow_retries=False)


def status_of(instance: dg.DagsterInstance, name: str) -> dict[str, str]:
    statuses = instance.get_status_by_partition(dg.AssetKey(name), KEYS, DOCUMENTS)
    assert statuses is not None
    return {key: "" if status is None else status.value for key, status in statuses.items()}


BATCH, INPUTS = "DagsterEventBatchMetadata", "_get_input_provenance_data"
EXPECTED = {key: "FAILED" if key == KEYS[2] else "MATERIALIZED" for key in KEYS}


@pytest.mark.parametrize("gone", [(), (BATCH,), (INPUTS,), (BATCH, INPUTS)])
def test_a_failed_step_marks_what_succeeded_and_only_that(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, gone: tuple[str, ...]
) -> None:
    """One bad document among many made all of them look failed, and their results look lost."""
    without(monkeypatch, *gone)
    result = run(instance, asset("text", values_of), asset("chunks", one_fails, ["text"]))
    assert not result.success
    assert [event.step_key for event in result.get_step_failure_events()] == ["chunks"]
    assert status_of(instance, "chunks") == EXPECTED
    for key in KEYS:
        event = latest(instance, "chunks", key)
        assert (event is None) == (key == KEYS[2])
        if event is None:
            continue
        assert event.metadata["preview"].value == key
        assert event.tags is not None
        assert event.tags["dagster/data_version"] == f"sha256:{key}"
        assert event.tags["dagster/data_version_is_user_provided"] == "true"
        assert ("dagster/input_event_pointer/text" in event.tags) == (INPUTS not in gone)


def test_the_records_of_a_failing_step_are_sent_to_the_event_log_as_one_batch(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written one by one they cost an event log that can store batches what it would cost one that cannot."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "100")
    sizes: list[int] = []
    store = instance.event_log_storage.store_event_batch

    def count(events: list[dg.EventLogEntry]) -> None:
        if all(event.step_key == "chunks" and event.asset_materialization for event in events):
            sizes.append(len(events))
        store(events)

    monkeypatch.setattr(instance.event_log_storage, "store_event_batch", count)
    run(instance, asset("text", values_of), asset("chunks", one_fails, ["text"]))
    assert sizes == [len(KEYS) - 1]
    assert status_of(instance, "chunks") == EXPECTED


def test_each_note_has_a_moment_of_its_own(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's list of events shows one of each run and millisecond: of two documents that failed, one was not there."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "100")

    def all_fail(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        emit_notes(context, {key: Note(f"no {key}", {"failed_because": key}) for key in context.partition_keys})
        raise dg.Failure("4 of 4 documents failed", allow_retries=False)

    run(instance, asset("text", all_fail))

    notes = instance.fetch_observations(dg.AssetKey("text"), limit=10).records
    assert {note.partition_key for note in notes} == set(KEYS)
    assert len({int(note.timestamp * 1000) for note in notes}) == len(KEYS)


def test_a_partition_that_was_never_asked_for_is_not_recorded(instance: dg.DagsterInstance) -> None:
    """Metadata for a document outside the run must not make a materialisation of it."""

    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        add_partition_metadata(context, {"never": {"preview": "x"}})
        return values_of(context)

    assert run(instance, asset("text", body)).success
    assert latest(instance, "text", "never") is None
