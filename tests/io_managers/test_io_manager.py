"""The IO manager with assets that know nothing of this project, in real Dagster runs on a temporary instance."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
import pytest

from io_managers.content_hash import ContentHashIOManager
from io_managers.store.errors import MissingObjectError, StoreError, UnencodableError
from io_managers.store.shared import close_shared_store, shared_store
from io_managers.store.store import Store
from io_managers.store.values import StoredValues

CITIES = dg.StaticPartitionsDefinition(["bern", "oslo", "rome"])
SINGLE_RUN = dg.BackfillPolicy.single_run()
RANGE = {"dagster/asset_partition_range_start": "bern", "dagster/asset_partition_range_end": "rome"}

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::dagster.BetaWarning")]


class Model(pydantic.BaseModel):
    name: str
    size: float


class Struct(msgspec.Struct, frozen=True):
    name: str
    places: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Record:
    name: str


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    directory = tmp_path / "store"
    yield shared_store(directory)
    close_shared_store(directory)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(
    store: Store,
    instance: dg.DagsterInstance,
    *assets: dg.AssetsDefinition,
    tags: Mapping[str, str] | None = None,
    **options: Any,
) -> dg.ExecuteInProcessResult:
    resources = {"io_manager": manager(store)}
    definitions = dg.Definitions(assets=assets, resources=resources, executor=dg.in_process_executor)
    return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, tags=dict(tags or {}), **options
    )


VALUES = {
    "text": "Žluťoučký kůň",
    "bytes": b"\x00\xff",
    "dict": {"a": [1, 2.5, None, True], "b": {"c": "d"}},
    "model": Model(name="x", size=1.5),
    "models": [Model(name="x", size=1.5)],
    "struct": Struct("x", (1, 2)),
    "record": Record("x"),
    "array": np.arange(6, dtype=np.float32).reshape(2, 3),
    "arrow": pa.table({"a": [1, 2]}),
    "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
}


@pytest.mark.parametrize("kind", VALUES)
def test_an_unpartitioned_asset_gets_back_what_another_returned(
    kind: str, store: Store, instance: dg.DagsterInstance
) -> None:
    value = VALUES[kind]
    seen: list[Any] = []
    made_of = list[Model] if kind == "models" else type(value)

    @dg.asset
    def upstream() -> made_of:  # pyright: ignore[reportInvalidTypeForm] - one asset a kind of value
        return value

    def take(upstream: made_of) -> str:  # pyright: ignore[reportInvalidTypeForm]
        seen.append(upstream)
        return "done"

    assert run(store, instance, upstream, dg.asset(name="downstream")(take)).success
    (found,) = seen
    assert type(found) is type(value)
    if kind == "frame":
        pd.testing.assert_frame_equal(found, VALUES["frame"])
    elif kind == "array":
        np.testing.assert_array_equal(found, VALUES["array"])
    else:
        assert found == value


def test_a_value_of_no_known_kind_fails_by_its_type(store: Store, instance: dg.DagsterInstance) -> None:
    @dg.asset
    def upstream() -> Any:
        return object()

    with pytest.raises(UnencodableError, match="object"):
        run(store, instance, upstream)


def test_a_range_of_partitions_goes_out_and_comes_back_by_partition_and_lazily(
    store: Store, instance: dg.DagsterInstance
) -> None:
    seen: list[StoredValues] = []

    @dg.asset(partitions_def=CITIES, backfill_policy=SINGLE_RUN)
    def upstream(context: dg.AssetExecutionContext) -> dict[str, Struct]:
        return {city: Struct(city, (len(city),)) for city in context.partition_keys}

    @dg.asset(partitions_def=CITIES, backfill_policy=SINGLE_RUN)
    def downstream(context: dg.AssetExecutionContext, upstream: StoredValues) -> dict[str, str]:
        seen.append(upstream)
        return {city: value.name.upper() for city, value in upstream.items()}

    assert run(store, instance, upstream, downstream, tags=RANGE).success
    (values,) = seen
    assert sorted(values) == ["bern", "oslo", "rome"]
    assert values["oslo"] == Struct("oslo", (4,))
    assert store.values("downstream", expected=str)["rome"] == "ROME"

    for city, expected in (("bern", "BERN"), ("oslo", "OSLO")):
        event = instance.get_latest_materialization_event(dg.AssetKey("downstream"))
        assert event is not None
        record = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey("downstream"), asset_partitions=[city]), limit=1
        ).records[0]
        metadata = record.asset_materialization.metadata  # pyright: ignore[reportOptionalMemberAccess]
        digest = metadata["content_digest"].value
        assert store.load(str(digest), str) == expected, "each partition's page has its own digest"


def test_one_partition_goes_out_and_comes_back_as_its_value(store: Store, instance: dg.DagsterInstance) -> None:
    seen: list[str] = []

    @dg.asset(partitions_def=CITIES)
    def upstream(context: dg.AssetExecutionContext) -> str:
        return context.partition_key + "!"

    @dg.asset(partitions_def=CITIES)
    def downstream(upstream: str) -> None:
        seen.append(upstream)

    assert run(store, instance, upstream, downstream, partition_key="oslo").success
    assert seen == ["oslo!"]


def test_an_unpartitioned_asset_takes_all_partitions_that_were_ever_recorded(
    store: Store, instance: dg.DagsterInstance
) -> None:
    seen: list[dict[str, str]] = []

    @dg.asset(partitions_def=CITIES)
    def upstream(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    @dg.asset
    def whole(upstream: dict[str, str]) -> None:
        seen.append(dict(upstream))

    for city in ("bern", "rome"):
        run(store, instance, upstream, whole, partition_key=city, asset_selection=[dg.AssetKey("upstream")])
    assert run(store, instance, upstream, whole, asset_selection=[dg.AssetKey("whole")]).success
    assert seen == [{"bern": "bern", "rome": "rome"}], "what was never recorded is absent, not an error"


def test_what_was_recorded_and_is_lost_fails_by_name(store: Store, instance: dg.DagsterInstance) -> None:
    """A lost input must never become an empty, successful run."""

    @dg.asset(partitions_def=CITIES)
    def upstream(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    @dg.asset(partitions_def=CITIES)
    def downstream(upstream: str) -> None:
        raise AssertionError("must not run")

    run(store, instance, upstream, downstream, partition_key="oslo", asset_selection=[dg.AssetKey("upstream")])
    store.database.write(("DELETE FROM objects", [()])).result()
    with pytest.raises(MissingObjectError, match=r"upstream of 'oslo'.*recorded"):
        run(store, instance, upstream, downstream, partition_key="oslo", asset_selection=[dg.AssetKey("downstream")])


def test_an_input_that_was_never_materialized_is_named(store: Store, instance: dg.DagsterInstance) -> None:
    @dg.asset
    def upstream() -> str:
        return ""

    @dg.asset
    def downstream(upstream: str) -> None:
        raise AssertionError("must not run")

    with pytest.raises(StoreError, match="upstream was never materialized"):
        run(store, instance, upstream, downstream, asset_selection=[dg.AssetKey("downstream")])


def test_a_range_that_returns_other_partitions_than_its_own_is_refused(
    store: Store, instance: dg.DagsterInstance
) -> None:
    @dg.asset(partitions_def=CITIES, backfill_policy=SINGLE_RUN)
    def upstream() -> dict[str, str]:
        return {"bern": "b"}

    with pytest.raises(StoreError, match=r"upstream was run for 3 partitions and returned a mapping of 1 keys"):
        run(store, instance, upstream, tags=RANGE)
    assert not store.refs.get("upstream")


def test_equal_values_of_different_partitions_are_stored_once(store: Store, instance: dg.DagsterInstance) -> None:
    @dg.asset(partitions_def=CITIES, backfill_policy=SINGLE_RUN)
    def upstream(context: dg.AssetExecutionContext) -> dict[str, str]:
        return dict.fromkeys(context.partition_keys, "the same")

    run(store, instance, upstream, tags=RANGE)
    assert len(list(store.content.digests())) == 1
    assert len(store.refs.get("upstream")) == 3


def test_the_inner_ops_of_a_graph_asset_may_use_it(store: Store, instance: dg.DagsterInstance) -> None:
    @dg.op
    def one() -> int:
        return 1

    @dg.op
    def add(value: int) -> int:
        return value + 1

    @dg.graph_asset
    def two() -> int:
        return add(one())

    assert run(store, instance, two).output_for_node("two.add") == 2
    assert store.values("two", expected=int)[""] == 2


def version_of(instance: dg.DagsterInstance, asset: str) -> str:
    """The data version of an asset's latest materialization."""
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    return (event.asset_materialization.tags or {})["dagster/data_version"]


def test_an_equal_value_keeps_the_data_version(store: Store, instance: dg.DagsterInstance) -> None:
    """Guards against assets that Dagster calls stale because their input was made once more, with the same result."""
    values = iter([["a"], ["a"], ["b"]])

    @dg.asset
    def upstream() -> list[str]:
        return next(values)

    versions: list[str] = []
    for _ in range(3):
        assert run(store, instance, upstream).success
        versions.append(version_of(instance, "upstream"))
    assert versions[0] == versions[1] != versions[2]
    assert versions[2] == store.refs.get("upstream")[""].content_digest


def test_each_partition_has_the_version_of_its_own_value(store: Store, instance: dg.DagsterInstance) -> None:
    @dg.asset(partitions_def=CITIES, backfill_policy=SINGLE_RUN)
    def upstream(context: dg.AssetExecutionContext) -> dict[str, int]:
        return {city: len(city) for city in context.partition_keys}

    result = run(store, instance, upstream, tags=RANGE)
    made = {m.partition: m for m in result.asset_materializations_for_node("upstream")}
    digests = {city: store.refs.get("upstream")[city].content_digest for city in ("bern", "oslo", "rome")}
    assert {city: (m.tags or {})["dagster/data_version"] for city, m in made.items() if city} == digests
    assert made["bern"].metadata["content_digest"].value == digests["bern"]
    assert made["bern"].metadata["unchanged"].value is False


def test_keys_of_two_dimensions_are_partitions_like_others(store: Store, instance: dg.DagsterInstance) -> None:
    both = dg.MultiPartitionsDefinition({"city": CITIES, "kind": dg.StaticPartitionsDefinition(["x", "y"])})

    @dg.asset(partitions_def=both)
    def upstream(context: dg.AssetExecutionContext) -> str:
        return str(context.partition_key)

    key = dg.MultiPartitionKey({"city": "oslo", "kind": "y"})
    assert run(store, instance, upstream, partition_key=key).success
    assert store.values("upstream", [str(key)])[str(key)] == str(key)


def test_the_first_partition_takes_nothing_from_the_one_before(store: Store, instance: dg.DagsterInstance) -> None:
    """Guards an asset that depends on its own previous partition, which the first one does not have."""
    days = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-04")
    before = dg.AssetIn(partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))

    @dg.asset(partitions_def=days, ins={"total": before}, backfill_policy=dg.BackfillPolicy.multi_run())
    def total(total: int | None) -> int:
        return (total or 0) + 1

    for day in ("2026-01-01", "2026-01-02"):
        assert run(store, instance, total, partition_key=day).success
    assert dict(store.values("total", ["2026-01-01", "2026-01-02"])) == {"2026-01-01": 1, "2026-01-02": 2}


def test_an_asset_without_partitions_takes_a_mapping_even_of_one(store: Store, instance: dg.DagsterInstance) -> None:
    """Guards against an input whose form changes with the number of partitions."""
    seen: list[Any] = []

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["only"]))
    def upstream() -> int:
        return 1

    @dg.asset
    def downstream(upstream: dict[str, int]) -> int:
        seen.append(upstream)
        return len(upstream)

    assert dg.materialize(
        [upstream], instance=instance, partition_key="only", resources={"io_manager": manager(store)}
    ).success
    assert dg.materialize(
        [upstream, downstream], selection=[downstream], instance=instance, resources={"io_manager": manager(store)}
    ).success
    assert seen == [{"only": 1}]


def test_a_value_is_loaded_outside_of_a_run(store: Store, instance: dg.DagsterInstance) -> None:
    """As in a notebook, and in somebody's unit test of the IO manager alone."""

    @dg.asset
    def upstream() -> Record:
        return Record("x")

    assert run(store, instance, upstream).success
    definitions = dg.Definitions(assets=[upstream], resources={"io_manager": manager(store)})
    assert definitions.load_asset_value("upstream", instance=instance) == Record("x")
    manager(store).handle_output(dg.build_output_context(asset_key="alone", run_id="a run"), 5)
    assert manager(store).load_input(dg.build_input_context(asset_key="alone")) == 5


def manager(store: Store) -> ContentHashIOManager:
    return ContentHashIOManager(store_directory=str(store.directory))
