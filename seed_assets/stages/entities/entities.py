"""The stage `entities`: who and what a document speaks of."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from resources.wording import counted
from seed_assets.core.entities.entities import Entities, EntityExtractor
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.entities.entity_checks import STANDING
from seed_assets.stages.entities.validity import misplaced

# So many names stand in the preview of a document.
_NAMED = 10


def _preview(found: Entities) -> str:
    often = sorted(found.entities, key=lambda entity: -len(entity.mentions))
    named = ", ".join(entity.name for entity in often[:_NAMED])
    return f"{counted(len(found.entities), 'entity', 'entities')}: {named}" if named else "no entities"


def _shown(found: Entities) -> Mapping[str, Any]:
    kinds = Counter(entity.type for entity in found.entities)
    often = sorted(found.entities, key=lambda entity: -len(entity.mentions))
    rows = [(one.name, one.type, len(one.mentions), ", ".join(one.aliases)) for one in often]
    return {
        "types": ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()),
        "entities": ShownTable(("entity", "type", "mentions", "aliases"), rows),
    }


@value_stage(
    version="1",
    preview=_preview,
    checks=(STANDING,),
    show=_shown,
    problem=lambda value, extracted_text: misplaced(value, extracted_text.text),
)
async def entities(extracted_text: ExtractedText, *, entity_extractor: EntityExtractor, reuse: Reuse) -> Entities:
    """One partition: the entities of one document, each with its type, its names and the places of its mentions.

    Offline they are found by rules, in some tens of milliseconds per document. A model is asked about each piece of the text by a
    request of its own, so that an edit asks about the changed pieces; a name that does not stand in the text is left out.
    They are found again when the text, the model, its parameters, the prompt, the types or the list of known names change.
    """
    return await entity_extractor.extract(extracted_text.text, extracted_text.title, reuse)
