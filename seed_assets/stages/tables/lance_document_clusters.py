"""The sink stage `lance_document_clusters`: the table `document_clusters`."""

from typing import Any

from seed_assets.core.clusters.corpus_views import Placed
from seed_assets.graph.stage import sink_stage


@sink_stage(version="1", table="document_clusters")
def lance_document_clusters(document_id: str, content_digest: str, document_clusters: Placed) -> list[dict[str, Any]]:
    """One partition: the rows of one document in the table `document_clusters`, one row per cluster type.

    They are written again when its assignment changes, for all documents of a run in one commit.
    """
    return [
        {
            "placement_id": f"{document_id}#{cluster_type}",
            "document_id": document_id,
            "cluster_type": cluster_type,
            "cluster_id": placement.cluster_id or None,
            "strength": placement.strength,
            "is_outlier": not placement.cluster_id,
            "other_cluster_ids": [cluster_id for cluster_id, _ in placement.others],
            "other_strengths": [strength for _, strength in placement.others],
            "nearest_document_ids": [nearest for nearest, _ in placement.nearest],
            "nearest_similarities": [similarity for _, similarity in placement.nearest],
            "category_ids": list(document_clusters.category_ids),
            "content_digest": content_digest,
        }
        for cluster_type, placement in document_clusters.placements.items()
    ]
