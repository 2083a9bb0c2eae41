"""The stage `document_clusters`: the assignment of a document to clusters and categories."""

from typing import Annotated

from resources.wording import counted
from seed_assets.core.clusters.corpus_views import Placed
from seed_assets.graph.stage import value_stage
from seed_assets.stages.clusters.inputs import Place


def _preview(placed: Placed) -> str:
    places = [f"{t}: {found.cluster_id or 'outlier'}" for t, found in placed.placements.items()]
    return "; ".join([*places, counted(len(placed.category_ids), "category", "categories")])


@value_stage(version="1", preview=_preview)
async def document_clusters(placement: Annotated[Placed, Place()]) -> Placed:
    """One partition: one document's cluster in each cluster type and how firmly it belongs there, other clusters that it is
    close to, the documents nearest to it, whether it is an outlier, and the categories of its concepts.

    It is updated only when this document's own assignment changes.
    """
    return placement
