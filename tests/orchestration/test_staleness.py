"""Dagster calls stale what is made from something older, and nothing besides: after any run, or after the next seed.

What belongs here: Dagster's staleness of every asset and partition, side by side with what a seed would do. What does not:
whether a partition is shown as materialised or failed (test_truth), and the page's own answers (test_daemon).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver

from event_log import home as event_log_home
from event_log import staleness
from event_log.staleness import BEHIND_ALL_EVENTS, NOT_COMPARED
from io_managers import partition_events
from io_managers.partition_events import InputVersion, PartitionVersion, set_partition_versions
from seed_assets.orchestration import step_results
from seed_assets.orchestration.corpus_records import _Loading
from seed_assets.planning import plan as plans
from tests.conftest import DOCUMENTS
from tests.event_log.test_event_log_settings import of_postgres, written
from tests.orchestration.test_truth import expected, run_from_elsewhere, shown
from tests.support.event_logs import new_database
from tests.support.pipelines import ALONE, OF_CORPUS, World, essay
from tests.support.staleness import not_fresh

pytestmark = pytest.mark.integration

NOTE = "reefs/fish.txt"


def test_nothing_is_stale_after_a_seed_and_after_runs_from_elsewhere_in_which_nothing_changed(world: World) -> None:
    """One data version for a whole run made everything after it stale when a part of it was visited, for good."""
    assert not_fresh(world) == {}

    for stage in ("extracted_text", "embeddings", "concepts", "judgements"):
        assert run_from_elsewhere(world, [stage], NOTE)
    assert run_from_elsewhere(world, ["clusters"], "topic")

    assert not_fresh(world) == {}
    assert world.seed().calls == {}
    assert not_fresh(world) == {}
    assert world.seed().report.runs == []


def test_an_edit_makes_stale_what_follows_from_it_and_a_seed_ends_that(world: World) -> None:
    world.write(NOTE, essay("anemones"))
    assert run_from_elsewhere(world, ["extracted_text"], NOTE)

    stale = set(not_fresh(world))

    of_the_note = {(stage, NOTE) for stage in ("chunks", "summaries", "concepts", "judgements", "lance_documents")}
    assert stale == of_the_note | {("clusters", "topic"), ("categories", "")}
    seeded = world.seed()
    assert "extracted_text" not in seeded.calls
    assert not_fresh(world) == {}
    assert world.seed().report.runs == []


def test_what_is_kept_from_an_earlier_version_is_not_stale_nor_is_it_when_the_setting_is_taken_back(
    world: World,
) -> None:
    """A kept document was called stale for good, and one that was read meanwhile stayed stale after the setting was gone."""
    world.raise_version("extracted_text")
    reading = {("extracted_text", document) for document in DOCUMENTS}
    assert set(not_fresh(world)) == reading
    world.settings = {"extraction": {"when_version_changes": "keep"}}
    assert not_fresh(world) == {}
    world.write(NOTE, essay("anemones"))
    assert world.seed().computed["extracted_text"] == 1
    assert not_fresh(world) == {}

    world.settings = {}
    assert not_fresh(world).keys() <= reading - {("extracted_text", NOTE)}
    assert world.seed().computed["extracted_text"] == len(DOCUMENTS) - 1
    assert not_fresh(world) == {}


def test_the_same_holds_with_records_in_postgresql(
    empty_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = empty_world
    with new_database() as url:
        monkeypatch.setenv("RECORDS", url)
        directory = written(tmp_path / "postgres", of_postgres({"env": "RECORDS"}))
        monkeypatch.setattr(event_log_home, "PROJECT_ROOT", directory)
        world.seed()
        assert run_from_elsewhere(world, ["extracted_text"], NOTE)
        assert not_fresh(world) == {}

        world.write(NOTE, essay("anemones"))
        assert run_from_elsewhere(world, ["extracted_text"], NOTE)
        of_the_note = {(stage, NOTE) for stage in ("chunks", "summaries", "concepts", "judgements", "lance_documents")}
        assert set(not_fresh(world)) == of_the_note | {("clusters", "topic"), ("categories", "")}

        world.seed()
        assert not_fresh(world) == {}
        assert world.seed().report.runs == []


def test_a_document_that_was_changed_back_is_not_stale(world: World) -> None:
    before = (world.corpus / NOTE).read_bytes()
    world.write(NOTE, essay("anemones"))
    assert run_from_elsewhere(world, ["extracted_text"], NOTE)
    world.write(NOTE, before)
    assert run_from_elsewhere(world, ["extracted_text"], NOTE)

    assert not_fresh(world) == {}
    assert world.plan().todo() == {}


def test_new_changed_removed_and_unreadable_documents_leave_nothing_stale(world: World) -> None:
    world.write("reefs/new.txt", essay("lobsters"))
    world.write("bread/flour.md", essay("rye"))
    world.write("rails/points.md", b"")
    (world.corpus / NOTE).unlink()

    world.seed()

    # What the broken document said before is still there, and nothing newer to compare it with.
    assert not_fresh(world) == {}
    assert shown(world)["rails/points.md"]["chunks"] == "materialized"
    world.write("rails/points.md", essay("levers"))
    world.seed()
    assert not_fresh(world) == {}
    assert shown(world) == expected(world)


def test_clusters_that_changed_elsewhere_leave_nothing_stale_after_the_next_seed(world: World) -> None:
    for document in DOCUMENTS[:3]:
        world.write(document, essay("dough and yeast"))
        for stage in ALONE:
            assert run_from_elsewhere(world, [stage], document)
    for cluster_type in ("topic", "concept"):
        assert run_from_elsewhere(world, ["clusters"], cluster_type)
    assert run_from_elsewhere(world, ["categories"], "")

    world.seed()

    assert not_fresh(world) == {}
    assert world.seed().report.runs == []


def test_records_of_a_release_with_one_version_a_run_are_made_true_by_one_seed_that_computes_nothing(
    empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = empty_world
    with monkeypatch.context() as before:
        before.setattr(step_results, "set_partition_versions", lambda *_: False)
        before.setattr(plans, "_SHOWN_SINCE", b"")
        world.seed()
        assert run_from_elsewhere(world, ["extracted_text"], NOTE)
        assert ("chunks", NOTE) in not_fresh(world)

    seeded = world.seed()

    assert seeded.calls == {}
    assert not seeded.corpus_calls.keys() & set(OF_CORPUS)
    assert not_fresh(world) == {}
    assert world.seed().report.runs == []


# One asset made of two others, in a Dagster of its own.

BETA = pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")

KEYS = ["a.md", "b.md"]
PARTITIONS = dg.StaticPartitionsDefinition(KEYS)
MARK = InputVersion(NOT_COMPARED, BEHIND_ALL_EVENTS)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    staleness.pass_over_not_compared()
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def assets(of_whole: str, versions: dict[str, str], inputs: dict[str, InputVersion]) -> list[dg.AssetsDefinition]:
    """`parts` and `whole`, and `made` of both. versions: of the partitions of `parts`."""

    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def parts(context: dg.AssetExecutionContext) -> None:
        set_partition_versions(context, {key: PartitionVersion(value) for key, value in versions.items()})

    @dg.asset
    def whole() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(data_version=dg.DataVersion(of_whole))

    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run(), deps=[parts, whole])
    def made(context: dg.AssetExecutionContext) -> None:
        set_partition_versions(context, {key: PartitionVersion(f"made of {key}", inputs) for key in KEYS})

    return [parts, whole, made]


def make(instance: dg.DagsterInstance, definitions: list[dg.AssetsDefinition], *names: str) -> None:
    tags = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
    for name in names:
        own = {} if name == "whole" else tags
        assert dg.materialize(definitions, instance=instance, selection=[name], tags=own).success


def stale(instance: dg.DagsterInstance, definitions: list[dg.AssetsDefinition]) -> list[str]:
    graph = dg.Definitions(assets=definitions).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, _Loading(instance))
    return [key for key in KEYS if resolver.get_status(dg.AssetKey("made"), key).value == "STALE"]


FIRST = {"a.md": "one", "b.md": "one"}


@BETA
def test_only_the_partition_whose_own_version_changed_is_stale(instance: dg.DagsterInstance) -> None:
    make(instance, assets("w", FIRST, {}), "parts", "whole", "made")
    changed = assets("w", {"a.md": "one", "b.md": "two"}, {})
    make(instance, changed, "parts")
    assert stale(instance, changed) == ["b.md"]


@BETA
def test_an_input_that_dagster_is_not_to_compare_makes_nothing_stale(instance: dg.DagsterInstance) -> None:
    inputs = {"parts": MARK, "whole": MARK}
    make(instance, assets("w", FIRST, inputs), "parts", "whole", "made")
    changed = assets("another", {"a.md": "two", "b.md": "two"}, inputs)
    make(instance, changed, "parts", "whole")
    assert stale(instance, changed) == []


@BETA
def test_every_other_input_without_partitions_is_compared(instance: dg.DagsterInstance) -> None:
    make(instance, assets("w", FIRST, {"parts": MARK}), "parts", "whole", "made")
    changed = assets("another", FIRST, {"parts": MARK})
    make(instance, changed, "whole")
    assert stale(instance, changed) == KEYS


@BETA
def test_a_dagster_without_the_private_way_gives_all_partitions_the_version_of_the_step(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = partition_events._private
    gone = "_get_output_asset_events"
    monkeypatch.setattr(partition_events, "_private", lambda m, name: None if name == gone else find(m, name))
    tried: list[bool] = []

    @dg.asset(partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def parts(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        tried.append(set_partition_versions(context, {key: PartitionVersion(key) for key in KEYS}))
        return dg.MaterializeResult(data_version=dg.DataVersion("of all"))

    make(instance, [parts], "parts")

    assert tried == [False]
    records = instance.fetch_materializations(dg.AssetKey("parts"), limit=2).records
    versions = [
        (record.asset_materialization.tags or {})["dagster/data_version"]
        for record in records
        if record.asset_materialization
    ]
    assert versions == ["of all", "of all"]


def test_the_version_of_a_partition_is_the_digest_of_its_result(world: World, tmp_path: Path) -> None:
    with world.session() as session:
        refs = session.store.refs.get("summaries")
    versions = world_versions(world, "summaries")
    assert versions == {document: ref.content_digest for document, ref in refs.items()}
    assert len(set(versions.values())) == len(DOCUMENTS)


def world_versions(world: World, stage: str) -> dict[str, str]:
    from event_log.home import open_instance

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBANK_HOME", str(world.home))
        with open_instance() as instance:
            tags = instance.event_log_storage.get_latest_tags_by_partition(
                dg.AssetKey(stage), dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
            )
    return {partition: own["dagster/data_version"] for partition, own in tags.items()}
