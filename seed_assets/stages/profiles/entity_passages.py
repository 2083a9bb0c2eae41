"""The stage `entity_passages`: what a document says of each of its entities."""

from collections.abc import Mapping
from typing import Any

from resources.wording import counted
from seed_assets.core.entities.entities import Entities
from seed_assets.core.profiles.passages import EntityPassages, PassageChooser
from seed_assets.core.reading.extraction import ExtractedText
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import value_stage
from seed_assets.stages.profiles.profile_checks import PASSAGES, misplaced_passage


def _shown(found: EntityPassages) -> Mapping[str, Any]:
    best = sorted(found.best, key=lambda one: (-one.score, one.passage))
    rows = [(one.score, found.passages[one.passage].text) for one in best]
    return {"passages": ShownTable(("score", "passage"), rows)}


@value_stage(
    version="1",
    preview=lambda value: counted(len(value.passages), "passage"),
    show=_shown,
    checks=(PASSAGES,),
    problem=lambda value, extracted_text, entities: misplaced_passage(value, extracted_text.text),
)
async def entity_passages(
    extracted_text: ExtractedText, entities: Entities, *, passage_chooser: PassageChooser
) -> EntityPassages:
    """One partition: the passages of one document that say most about each of its entities.

    They are chosen by rules, also if a model writes the profiles. They are chosen again when the text or its entities change.
    """
    return await passage_chooser.choose(extracted_text.text, extracted_text.title, entities)
