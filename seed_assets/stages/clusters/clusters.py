"""The stage `clusters`: groups of similar documents."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from io_managers.store.codecs.codecs import encode
from io_managers.store.fingerprint import Action, KeyTemplate, content_digest
from resources.wording import counted
from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clusters import TOPIC, Clustering
from seed_assets.core.clusters.corpus_views import ClusteringMaterial
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Finds, Units, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.clusters.checks import SHARE_OF_OUTLIERS, SIZES, STABLE
from seed_assets.stages.clusters.inputs import Material

if TYPE_CHECKING:
    from seed_assets.core.clusters.topic_space import TopicBasis

# The basis of a clustering's coordinates, in which documents that come later are placed.
_BASIS = KeyTemplate("topic_basis", {"version": "1"})
# So many members of a cluster are named on the page of its type (a judgement).
_NAMED_MEMBERS = 20


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
        **_kept_summaries(found),
        "members": _members(found),
    }


def _members(found: Clustering) -> ShownTable:
    """Return the clusters with their members, the largest first."""
    clusters = sorted(found.clusters, key=lambda cluster: -len(cluster.members))
    rows = [(one.cluster_id, len(one.members), ", ".join(one.members[:_NAMED_MEMBERS])) for one in clusters]
    return ShownTable(("cluster", "documents", "members"), rows)


def _kept_summaries(found: Clustering) -> Mapping[str, Any]:
    """How many clusters keep a summary of earlier members, and how many of these changed at most; nothing if none does."""
    shares = [cluster.changed_share for cluster in found.clusters if cluster.summarized]
    return {"summaries_of_earlier_members": len(shares), "changed_at_most": max(shares)} if shares else {}


def cluster_sizes(found: Clustering) -> Mapping[str, int]:
    """Return cluster id -> number of members."""
    return {cluster.cluster_id: len(cluster.members) for cluster in found.clusters}


@value_stage(
    version="1",
    preview=lambda value: f"{counted(len(value.clusters), 'cluster')} of {counted(len(value.placements), 'document')}",
    units=Units.CLUSTER_TYPES,
    continues=True,
    finds=Finds(cluster_sizes),
    checks=(SIZES, SHARE_OF_OUTLIERS, STABLE),
    show=_shown,
)
async def clusters(
    material: Annotated[ClusteringMaterial, Material()], *, cluster_rules: ClusterRules, reuse: Reuse
) -> Clustering:
    """One partition: the clusters of one cluster type, and the assignment of every document.

    `topic` groups documents by the meaning of their texts, `concept` by the concepts that they share, and `field:<name>` by
    the values of a field. The clusters are updated when documents come, go or change. While few documents do, existing ones
    keep their clusters, and new ones are assigned to them. Beyond a bound, and with `seedbank seed --recluster`, everything
    is clustered from scratch, and a cluster that stays mostly the same keeps its id.
    """
    if material.cluster_type != TOPIC:
        from seed_assets.core.clusters.set_clustering import cluster_sets

        return await asyncio.to_thread(
            cluster_sets,
            material.cluster_type,
            material.sets,
            cluster_rules,
            material.previous,
            from_scratch=material.from_scratch,
        )
    from seed_assets.core.clusters.clustering import cluster_topics

    basis = await _kept_basis(material.previous_digest, reuse)
    found, basis = await asyncio.to_thread(
        cluster_topics, material.documents, cluster_rules, material.previous, basis, from_scratch=material.from_scratch
    )

    async def keep(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
        return [(basis, "")]

    await reuse.records([_basis_of(content_digest(encode(found).data))], keep)
    return found


async def _kept_basis(clustering_digest: str, reuse: Reuse) -> "TopicBasis | None":
    """Return the basis of the previous clustering; None if it is not in the store."""
    from seed_assets.core.clusters.topic_space import TopicBasis

    action = _basis_of(clustering_digest)
    if action.key not in reuse.finished([action.key]):
        return None

    async def gone(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
        # The basis was lost after the check above, so everything is clustered from scratch.
        return [(None, "")]

    (basis,) = await reuse.values([action], gone, TopicBasis | None)
    return basis


def _basis_of(clustering_digest: str) -> Action:
    return _BASIS.action({"clustering": clustering_digest})
