"""Dagster's records of cluster types and of the corpus as a whole, compared with the plan.

This module finds what is current but shown as stale, failed or missing. The same for documents, of which there are many, is
in document_partitions; when such stages are visited is decided in planning.phases.
"""

from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContext
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from seed_assets.graph.pipeline import Phase, Pipeline
from seed_assets.orchestration.partitions import cluster_types
from seed_assets.planning.phases import OutOfSync
from seed_assets.planning.plan import Plan


def corpus_out_of_sync(
    instance: dg.DagsterInstance, graph: BaseAssetGraph, pipeline: Pipeline, plan: Plan
) -> OutOfSync:
    """The stages of cluster types and of the corpus that are current, but that Dagster does not show as current.

    A stage is left out if one of its units failed, and so is every stage after it: a visit would fail again.
    """
    resolver = CachingStaleStatusResolver(instance, graph, _Loading(instance))
    of_clusters = {stage.name for stage in pipeline.of_phase(Phase.CLUSTERS)}
    failed = pipeline.downstream(
        {name for name, stage in plan.stages.items() if stage.failures and name in of_clusters}
    )
    wrong: set[str] = set()
    types = list(pipeline.cluster_types)
    for name in of_clusters - failed:
        shown = instance.get_status_by_partition(dg.AssetKey(name), types, cluster_types(types)) or {}
        for cluster_type in types:
            if plan.stages[name].has_work(cluster_type):
                continue
            status = resolver.get_status(dg.AssetKey(name), cluster_type)
            # A cluster type without clusters has no results of clusters, and nothing is missing.
            nothing = status == StaleStatus.MISSING and not plan.stages[name].has_units(cluster_type)
            if shown.get(cluster_type) == AssetPartitionStatus.FAILED or not (status == StaleStatus.FRESH or nothing):
                wrong.add(name)
    visited = pipeline.downstream(wrong) & of_clusters - failed
    todo = {*plan.of_corpus(), *plan.maintenance}
    of_corpus = [
        stage.name
        for stage in pipeline.of_phase(Phase.CORPUS)
        if stage.name not in todo
        and not (stage.name in plan.stages and plan.stages[stage.name].states.get("") != "current")
        and resolver.get_status(dg.AssetKey(stage.name)) != StaleStatus.FRESH
    ]
    return OutOfSync([name for name in pipeline.stages if name in visited], of_corpus)


class _Loading(LoadingContext):
    """What Dagster keeps in memory while it answers one question."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._loaders: dict[type, Any] = {}

    @property
    def instance(self) -> dg.DagsterInstance:
        """The instance whose records are read."""
        return self._instance

    @property
    def loaders(self) -> dict[type, Any]:
        """What has been read so far."""
        return self._loaders
