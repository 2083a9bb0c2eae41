"""The stage `categories`: groups of concepts."""

import asyncio
from collections import Counter
from typing import Annotated

from resources.models.embedder import LocalEmbedder
from seed_assets.core.clusters.categories import make_categories
from seed_assets.core.clusters.clustering import ClusterRules
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, ConceptLists
from seed_assets.graph.stage import Units, value_stage
from seed_assets.stages.corpus.inputs import AllConcepts


@value_stage(
    version="1",
    preview=lambda value: ", ".join(category.name for category in value.categories.categories),
    units=Units.CORPUS,
    continues=True,
)
async def categories(
    concept_lists: Annotated[ConceptLists, AllConcepts()],
    *,
    category_rules: ClusterRules,
    local_embedder: LocalEmbedder,
) -> CategorizedConcepts:
    """Not partitioned: the concepts of all documents in groups of similar meaning, each with a name and a stable id.

    The groups are made again when the concepts of any document change; a group that stays mostly the same keeps its id.
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
