"""The stage `clusters`: groups of documents that belong together."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from io_managers.store.codecs import encode
from io_managers.store.fingerprint import Action, KeyTemplate, content_digest
from seed_assets.core.clustering import ClusterRules, TopicBasis, cluster_topics
from seed_assets.core.clusters import TOPIC, Clustering
from seed_assets.core.corpus_views import ClusteringMaterial
from seed_assets.core.set_clustering import cluster_sets
from seed_assets.reuse import Reuse
from seed_assets.stage import value_stage

# Where a clustering's documents were put, so that those which come later are put in the same place.
_BASIS = KeyTemplate("topic_basis", {"version": "1"})


def _shown(found: Clustering) -> Mapping[str, Any]:
    documents = len(found.placements)
    noise = sum(not placement.cluster_id for placement in found.placements.values())
    sizes = sorted((len(cluster.members) for cluster in found.clusters), reverse=True)
    return {
        "clusters": len(found.clusters),
        "documents": documents,
        "share_of_outliers": round(noise / documents, 4) if documents else 0.0,
        "sizes": ", ".join(map(str, sizes[:100])),
        "share_kept": round(found.kept, 4),
        "drift": round(found.drift, 4),
    }


@value_stage(
    version="1",
    preview=lambda value: f"{len(value.clusters)} clusters of {len(value.placements)} documents",
    units="cluster_types",
    over=("extracted_text", "embeddings", "concepts"),
    continues=True,
    show=_shown,
)
async def clusters(material: ClusteringMaterial, *, cluster_rules: ClusterRules, reuse: Reuse) -> Clustering:
    """One partition: the clusters of one cluster type, and where every document stands among them.

    `topic` is made of what texts mean, `concept` of the concepts that documents share, `field:<name>` of what a field of
    theirs says. Made again when documents come, go or change. As long as few do, those that are there keep their clusters,
    and new ones are put where they belong; past a bound, and with `seedbank seed --recluster`, all are clustered from
    scratch, and a cluster that stays itself keeps its number.
    """
    if material.cluster_type != TOPIC:
        return await asyncio.to_thread(
            cluster_sets,
            material.cluster_type,
            material.sets,
            cluster_rules,
            material.previous,
            anew=material.anew,
        )
    basis = await _kept_basis(material.previous_digest, reuse)
    found, basis = await asyncio.to_thread(
        cluster_topics, material.documents, cluster_rules, material.previous, basis, anew=material.anew
    )

    async def keep(_: Sequence[Action]) -> list[tuple[Any, str]]:
        return [(basis, "")]

    await reuse.records([_basis_of(content_digest(encode(found).data))], keep)
    return found


async def _kept_basis(clustering_digest: str, reuse: Reuse) -> TopicBasis | None:
    """That of the clustering before; None where there is none any more."""
    action = _basis_of(clustering_digest)
    if action.key not in reuse.finished([action.key]):
        return None

    async def gone(_: Sequence[Action]) -> list[tuple[Any, str]]:
        # Lost between one look and the next: all is clustered from scratch.
        return [(None, "")]

    (basis,) = await reuse.values([action], gone, TopicBasis | None)
    return basis


def _basis_of(clustering_digest: str) -> Action:
    return _BASIS.action({"clustering": clustering_digest})
