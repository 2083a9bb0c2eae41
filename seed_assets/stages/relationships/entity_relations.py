"""The stage `entity_relations`: how the entities of a document are related."""

from collections.abc import Mapping
from typing import Any

from resources.wording import counted
from seed_assets.core.entities.entities import Entities
from seed_assets.core.reading.extraction import ExtractedText
from seed_assets.core.relationships.relations import TOGETHER, RelationExtractor, Relations
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.relationships.relationship_checks import EVIDENCE, unfounded

_SHOWN = 50


def _preview(found: Relations) -> str:
    named = sum(one.type != TOGETHER for one in found.relations)
    if named:
        return counted(named, "relation")
    return f"{counted(len(found.relations), 'pair')} mentioned together" if found.relations else "no relations"


def _shown(found: Relations) -> Mapping[str, Any]:
    strongest = sorted(found.relations, key=lambda one: (-one.strength, one.start))[:_SHOWN]
    names = dict(found.names)
    rows = [(names[one.source], one.type, names[one.target], round(one.strength, 2), one.evidence) for one in strongest]
    return {"relations": ShownTable(("from", "relation", "to", "strength", "evidence"), rows)}


@value_stage(
    version="1",
    preview=_preview,
    show=_shown,
    checks=(EVIDENCE,),
    problem=lambda value, extracted_text, entities: unfounded(value, extracted_text.text, entities),
)
async def entity_relations(
    extracted_text: ExtractedText, entities: Entities, *, relation_extractor: RelationExtractor, reuse: Reuse
) -> Relations:
    """One partition: the relations between the entities of one document, each with the passage that shows it.

    Offline these are the pairs that are mentioned together most closely, without a type. A model is asked about each piece of the
    text by a request of its own, so that an edit asks about the changed pieces; a relation whose ends or whose evidence the text
    does not have is left out. They are found again when the text, its entities, the model, its parameters, the prompt or the
    wanted types change.
    """
    return await relation_extractor.extract(extracted_text.text, extracted_text.title, entities, reuse)
