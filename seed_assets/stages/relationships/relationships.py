"""The stage `relationships`: how the entities of all documents are related."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from resources.wording import counted
from seed_assets.core.entity_graph.graph import graph_of_related
from seed_assets.core.maps.graph_picture import draw_graph
from seed_assets.core.relationships.merging import Merger, MergeRules, Relationships
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Units, value_stage
from seed_assets.stages.relationships.relationship_checks import ENDS
from seed_assets.stages.relationships.relationship_inputs import AllRelations

_SHOWN = 200


def _preview(found: Relationships) -> str:
    named = sum(one.is_named for one in found.relationships)
    return f"{counted(len(found.relationships), 'relationship')}, {named:,} of them named by a model"


def _shown(found: Relationships) -> Mapping[str, Any]:
    kinds = Counter(one.type for one in found.relationships)
    first = sorted(found.relationships, key=lambda one: (not one.is_named, -one.documents, -one.strength))[:_SHOWN]
    names = found.names
    rows = [(names[one.source], one.type, names[one.target], one.documents, round(one.strength, 2)) for one in first]
    return {
        **({"graph": draw_graph(graph_of_related(found))} if found.relationships else {}),
        "types": ", ".join(f"{kind} {count}" for kind, count in kinds.most_common(20)),
        "relationships": ShownTable(("source", "relation", "target", "documents", "strength"), rows),
    }


def _left_out(found: Relationships) -> Sequence[str]:
    if not found.left_out:
        return []
    left_out = counted(found.left_out, "weaker relationship")
    return [f"The bound leaves out {left_out}. Raise `entities.most_relationships` to keep more."]


@value_stage(version="1", preview=_preview, units=Units.CORPUS, show=_shown, checks=(ENDS,), warnings=_left_out)
async def relationships(all_relations: Annotated[Merger, AllRelations()], *, merge_rules: MergeRules) -> Relationships:
    """Not partitioned: the relationships between the entities of all documents, each with the passages that show it.

    The relations of documents are put together if their ends are the same entities and if they have the same type. They are put
    together again when the relations of any document or the entities change, which asks no model.
    """
    return await asyncio.to_thread(all_relations.merged, merge_rules)
