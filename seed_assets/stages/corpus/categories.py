"""The stage `categories`: groups of concepts."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

from seed_assets.core.clusters.cluster_rules import CategoryRules
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, CategoryMaterial
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Units, value_stage
from seed_assets.stages.corpus.inputs import AllConcepts


def _shown(found: CategorizedConcepts) -> Mapping[str, ShownTable]:
    documents = Counter(one for ids in found.documents.values() for one in ids)
    rows = [
        (c.category_id, documents[c.category_id], c.name, ", ".join(c.concepts)) for c in found.categories.categories
    ]
    return {"categories": ShownTable(("category", "documents", "name", "concepts"), rows)}


@value_stage(
    version="2",
    changes={
        "2": "Categories are what documents share, named by a term that most of them have; nearly all have new numbers."
    },
    preview=lambda value: ", ".join(category.name for category in value.categories.categories),
    units=Units.CORPUS,
    continues=True,
    show=_shown,
)
async def categories(
    concept_lists: Annotated[CategoryMaterial, AllConcepts()], *, category_rules: CategoryRules
) -> CategorizedConcepts:
    """Not partitioned: a few broad groups of the concepts that the same documents have, each with a name and a stable id.

    The groups are made again when the concepts, the text or the vectors of any document change; a group that stays mostly the
    same keeps its id.
    """
    from seed_assets.core.clusters.categories import make_categories

    documents, previous = concept_lists.documents, concept_lists.previous
    found = await asyncio.to_thread(
        make_categories, documents, category_rules, previous.categories if previous else None
    )
    of_concept = {concept: one.category_id for one in found.categories for concept in one.concepts}
    return CategorizedConcepts(
        found,
        {one.document_id: tuple(sorted({of_concept[n] for n in one.concepts if n in of_concept})) for one in documents},
    )
