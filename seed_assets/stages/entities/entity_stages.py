"""What the settings of entities add to the pipeline. What belongs here: the stages of entities, and what they are made with under
given settings. What does not: the project's other stages (wiring).
"""

from typing import TYPE_CHECKING, Any

from resources.settings.config import Settings
from seed_assets.core.entities.entities import RuleEntityExtractor
from seed_assets.core.entities.known_list import KnownNames
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.additions import Additions
from seed_assets.stages.entities.entities import entities

if TYPE_CHECKING:
    from resources.models.model_clients import ModelClients


def entities_of(settings: Settings, models: "ModelClients | None", work: TextWork) -> Additions:
    """Return the stages of entities with their resources; nothing if entities are not enabled.

    models: what makes the models that write; None means that rules find the entities.
    """
    if not settings.entities.enabled:
        return Additions()
    return Additions((entities,), {"entities.entity_extractor": _extractor(settings, models, work)})


def _extractor(settings: Settings, models: "ModelClients | None", work: TextWork) -> Any:
    rules = settings.entities
    known = KnownNames(rules.known_path, rules.types)
    if models is None:
        return RuleEntityExtractor(rules.types, known, work)
    from seed_assets.core.entities.model_entities import ModelEntityExtractor

    return ModelEntityExtractor(models.chat(rules.model), rules.characters, rules.types, known)
