"""The sink stage `lance_categories`: the table `categories`."""

from collections import Counter
from typing import Any

from seed_assets.core.clusters.corpus_views import CategorizedConcepts
from seed_assets.graph.stage import Units, sink_stage


@sink_stage(version="1", table="categories", units=Units.CORPUS)
def lance_categories(_: str, content_digest: str, categories: CategorizedConcepts) -> list[dict[str, Any]]:
    """Not partitioned: the table `categories`, with one row per group of concepts; all rows are replaced together."""
    documents = Counter(category for found in categories.documents.values() for category in found)
    return [
        {
            "category_id": category.category_id,
            "name": category.name,
            "concepts": list(category.concepts),
            "n_documents": documents[category.category_id],
            "content_digest": content_digest,
        }
        for category in categories.categories.categories
    ]
