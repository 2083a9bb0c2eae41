"""The stage `document_clusters`: where a document stands in the corpus."""

from seed_assets.core.corpus_views import Placed
from seed_assets.stage import value_stage


def _told(placed: Placed) -> str:
    places = [f"{t}: {found.cluster_id or 'outlier'}" for t, found in placed.placements.items()]
    return "; ".join([*places, f"{len(placed.category_ids)} categories"])


@value_stage(version="1", preview=_told, over=("clusters", "categories"))
async def document_clusters(placement: Placed) -> Placed:
    """One partition: one document's cluster of each type and how firmly it belongs there, others that it leans to, the
    documents nearest to it, whether it is an outlier, and the categories of its concepts.

    Made again when its own place changes, however many other documents come and go.
    """
    return placement
