"""The stage `categories`: groups of concepts."""

import asyncio
from collections import Counter

from resources.embedder import LocalEmbedder
from seed_assets.core.categories import make_categories
from seed_assets.core.clustering import ClusterRules
from seed_assets.core.corpus_views import CategorizedConcepts, ConceptLists
from seed_assets.stage import value_stage


@value_stage(
    version="1",
    preview=lambda value: ", ".join(category.name for category in value.categories.categories),
    units="corpus",
    over=("concepts",),
    continues=True,
)
async def categories(
    concept_lists: ConceptLists, *, category_rules: ClusterRules, local_embedder: LocalEmbedder
) -> CategorizedConcepts:
    """Not partitioned: concepts of all documents in groups of like meaning, each with a name and an id that stays.

    Made again when any document's concepts change; a group that stays itself keeps its id.
    """
    lists, previous = concept_lists.lists, concept_lists.previous
    counts = Counter(name for names in lists.values() for name in set(names))
    found = await asyncio.to_thread(
        make_categories, counts, local_embedder.embed_sync, category_rules, previous.categories if previous else None
    )
    of_concept = {concept: one.category_id for one in found.categories for concept in one.concepts}
    return CategorizedConcepts(
        found, {d: tuple(sorted({of_concept[n] for n in names if n in of_concept})) for d, names in lists.items()}
    )
