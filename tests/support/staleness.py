"""What Dagster calls stale, asset by asset and partition by partition, as its page asks for it.

What belongs here: asking. What does not: what it should be (the tests).
"""

from collections.abc import Iterable

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver

from event_log.home import open_instance
from seed_assets.orchestration.code_location import build_definitions
from seed_assets.orchestration.corpus_records import _Loading
from tests.support.pipelines import World

Unfresh = dict[tuple[str, str], str]
"""(asset, partition) -> STALE or MISSING, and why, of all that is not fresh."""


def not_fresh(world: World, documents: Iterable[str] | None = None) -> Unfresh:
    """What Dagster does not call fresh: of all assets and all their partitions, or of these documents and the rest."""
    with pytest.MonkeyPatch.context() as patch, world.session() as session:
        patch.setenv("SEEDBANK_HOME", str(world.home))
        graph = build_definitions(session.settings, session.runner()).resolve_asset_graph()
        with open_instance() as instance:
            return _not_fresh(instance, graph, documents)


def _not_fresh(instance: dg.DagsterInstance, graph: BaseAssetGraph, documents: Iterable[str] | None) -> Unfresh:
    resolver = CachingStaleStatusResolver(instance, graph, _Loading(instance))
    found: Unfresh = {}
    for node in graph.asset_nodes:
        keys = [None] if node.partitions_def is None else _keys(instance, node.partitions_def, documents)
        for key in keys:
            status = resolver.get_status(node.key, key)
            if status.value != "FRESH":
                causes = [f"{c.reason} {c.dependency}" for c in resolver.get_stale_causes(node.key, key)]
                found[node.key.to_user_string(), key or ""] = "; ".join([status.value, *causes])
    return found


def _keys(
    instance: dg.DagsterInstance, partitions: dg.PartitionsDefinition, documents: Iterable[str] | None
) -> list[str]:
    keys = partitions.get_partition_keys(dynamic_partitions_store=instance)
    if documents is None or not isinstance(partitions, dg.DynamicPartitionsDefinition):
        return list(keys)
    return [key for key in keys if key in set(documents)]
