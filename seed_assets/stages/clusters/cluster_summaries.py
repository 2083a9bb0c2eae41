"""The stage `cluster_summaries`: the title and summary of each cluster."""

from typing import Annotated

from seed_assets.core.clusters.cluster_members import ClusterMaterial
from seed_assets.core.clusters.cluster_summarizing import ClusterSummarizer, ClusterSummary
from seed_assets.graph.stage import Units, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.clusters.cluster_inputs import AboutCluster


@value_stage(
    version="1",
    preview=lambda value: f"{value.title}: {value.summary}",
    units=Units.CLUSTERS,
    reuse="inputs",
    show=lambda value: {"title": value.title, "summary": value.summary, "typical members": ", ".join(value.typical)},
)
async def cluster_summaries(
    cluster: Annotated[ClusterMaterial, AboutCluster()], *, cluster_writer: ClusterSummarizer, reuse: Reuse
) -> ClusterSummary:
    """One partition: title, summary, distinguishing concepts, typical and untypical members of each cluster of a type.

    A summary is kept for as long as a cluster has the same members; another model or prompt is used only for new and changed
    clusters (`cluster_summaries.members_by` decides whether edits of members count). Offline it consists of sentences of the
    members and of the concepts that distinguish them. With a model, there is one request per cluster.
    """
    return await cluster_writer.write(cluster, reuse)
