"""The sink stage `lance_clusters`: the table `clusters`."""

from typing import Annotated, Any

from seed_assets.core.clusters.cluster_summarizing import ClusterSummary
from seed_assets.core.clusters.clusters import Cluster
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.graph.stage import Units, sink_stage
from seed_assets.stages.clusters.cluster_inputs import Members


@sink_stage(
    version="3",
    changes={
        "2": "The table has the columns `copied` and `confidence`.",
        "3": "The table has the columns `summary_members` and `changed_share`.",
    },
    table="clusters",
    units=Units.CLUSTERS,
    every_unit=True,
)
def lance_clusters(
    cluster_id: str,
    content_digest: str,
    members: Annotated[Cluster, Members()],
    cluster_summaries: ClusterSummary,
    cluster_judgements: Judgement,
) -> list[dict[str, Any]]:
    """One partition: the rows of one cluster type in the table `clusters`, one row per cluster.

    They are written again when a cluster's members, its summary or the verdict change; rows of clusters that no longer exist
    are removed.
    """
    return [
        {
            "cluster_id": cluster_id,
            "cluster_type": cluster_id.rpartition("/")[0],
            "title": cluster_judgements.title,
            "summary": cluster_judgements.summary,
            "concepts": list(cluster_summaries.concepts),
            "size": len(members.members),
            "members": list(members.members),
            "typical": [one for one in cluster_summaries.typical if one in members.members],
            "untypical": [one for one in cluster_summaries.untypical if one in members.members],
            "summary_members": list(members.summary_members),
            "changed_share": members.changed_share,
            "verdict": cluster_judgements.verdict.decision,
            "score": cluster_judgements.verdict.score,
            "copied": cluster_judgements.verdict.copied,
            "confidence": cluster_judgements.verdict.confidence,
            "needs_review": cluster_judgements.needs_review,
            "writer": cluster_summaries.writer,
            "prompt_version": cluster_summaries.prompt_version or None,
            "written_on": cluster_summaries.written_on,
            "content_digest": content_digest,
        }
    ]
