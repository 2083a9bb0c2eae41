"""The sink stage `lance_clusters`: the table `clusters`."""

from typing import Any

from seed_assets.core.cluster_summarizing import ClusterSummary
from seed_assets.core.clusters import Cluster
from seed_assets.core.verdicts import Judgement
from seed_assets.stage import sink_stage


@sink_stage(version="1", table="clusters", units="clusters", over=("clusters",))
def lance_clusters(
    cluster_id: str,
    content_digest: str,
    members: Cluster,
    cluster_summaries: ClusterSummary,
    cluster_judgements: Judgement,
) -> list[dict[str, Any]]:
    """One partition: the rows of one cluster type in the table `clusters`, a row a cluster.

    Written again when a cluster's members, its summary or the verdict change; clusters that are no more lose their row.
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
            "typical": list(cluster_summaries.typical),
            "untypical": list(cluster_summaries.untypical),
            "verdict": cluster_judgements.verdict.decision,
            "score": cluster_judgements.verdict.score,
            "needs_review": cluster_judgements.needs_review,
            "writer": cluster_summaries.writer,
            "prompt_version": cluster_summaries.prompt_version or None,
            "written_on": cluster_summaries.written_on,
            "content_digest": content_digest,
        }
    ]
