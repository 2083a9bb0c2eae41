"""What the settings of relationships add to the pipeline. What belongs here: their stages, and what these are made with.

What does not: the stages of entities (entity_stages), and the project's other stages (wiring).
"""

from typing import TYPE_CHECKING

from resources.settings.config import Settings
from seed_assets.core.relationships.merging import MergeRules
from seed_assets.core.relationships.relations import RelationExtractor
from seed_assets.core.relationships.together import TogetherExtractor
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.additions import Additions
from seed_assets.stages.relationships.entity_relations import entity_relations
from seed_assets.stages.relationships.lance_relationships import lance_relationships
from seed_assets.stages.relationships.relationships import relationships

if TYPE_CHECKING:
    from resources.models.model_clients import ModelClients


def relationships_of(settings: Settings, models: "ModelClients | None", work: TextWork) -> Additions:
    """Return the stages of relationships with their resources.

    models: what makes the models that write; None means that only what is mentioned together is found.
    """
    return Additions(
        (entity_relations, relationships, lance_relationships),
        {
            "entity_relations.relation_extractor": _extractor(settings, models, work),
            "relationships.merge_rules": MergeRules(settings.entities.most_relationships),
        },
    )


def _extractor(settings: Settings, models: "ModelClients | None", work: TextWork) -> RelationExtractor:
    if models is None:
        return TogetherExtractor(work)
    from seed_assets.core.relationships.model_relations import ModelRelationExtractor

    rules = settings.entities
    return ModelRelationExtractor(models.chat(rules.model), rules.characters, rules.relationship_types)
