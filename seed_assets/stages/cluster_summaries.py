"""The stage `cluster_summaries`: what the members of a cluster have in common."""

from seed_assets.core.cluster_members import ClusterMaterial
from seed_assets.core.cluster_summarizing import ClusterSummary, ClusterWriter
from seed_assets.reuse import Reuse
from seed_assets.stage import value_stage


@value_stage(
    version="1",
    preview=lambda value: f"{value.title}: {value.summary}",
    units="clusters",
    over=("clusters", "extracted_text", "concepts", "judgements"),
    reuse="inputs",
)
async def cluster_summaries(cluster: ClusterMaterial, *, cluster_writer: ClusterWriter, reuse: Reuse) -> ClusterSummary:
    """One partition: title, summary, distinguishing concepts, typical and untypical members of each cluster of a type.

    Kept for as long as a cluster has the same members: another model or prompt writes those of new and changed clusters
    alone (`cluster_summaries.members_by` says whether edits of members count). Offline it is made of their sentences and of
    the concepts that set them apart; else a model writes it, in one request a cluster.
    """
    return await cluster_writer.write(cluster, reuse)
