"""What the settings of entities add to the pipeline. What belongs here: the stages of entities, and what they are made with under
given settings. What does not: the project's other stages (wiring).
"""

from typing import TYPE_CHECKING, Any

from resources.home.home import Home
from resources.settings.config import Settings
from seed_assets.core.entities.entities import RuleEntityExtractor
from seed_assets.core.entities.known_list import KnownNames
from seed_assets.core.entities.records.record_kinds import RecordKind
from seed_assets.core.entities.resolution.canonical import ResolutionRules
from seed_assets.core.entities.resolution.decisions_file import EntityDecisions
from seed_assets.core.entities.resolution.pair_judging import ModelPairJudge, NoPairJudge, PairJudge
from seed_assets.core.reading.field_values import field_name
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.additions import Additions
from seed_assets.stages.entities.canonical_entities import canonical_entities
from seed_assets.stages.entities.entities import entities
from seed_assets.stages.entities.entity_tables import lance_entities, lance_mentions

if TYPE_CHECKING:
    from resources.models.model_clients import ModelClients


def entities_of(settings: Settings, models: "ModelClients | None", work: TextWork) -> Additions:
    """Return the stages of entities with their resources.

    models: what makes the models that write; None means that rules find the entities.
    """
    return Additions(
        (entities, canonical_entities, lance_entities, lance_mentions),
        {
            "entities.entity_extractor": _extractor(settings, models, work),
            "canonical_entities.resolution_rules": ResolutionRules(settings.entities.largest, _record_kinds(settings)),
            "canonical_entities.pair_judge": _pair_judge(settings, models),
            "canonical_entities.entity_decisions": EntityDecisions(Home(settings.home).entity_decisions),
        },
    )


def _pair_judge(settings: Settings, models: "ModelClients | None") -> PairJudge:
    if models is None or not settings.entities.most_pairs_asked:
        return NoPairJudge()
    return ModelPairJudge(models.chat(settings.entities.model), settings.entities.most_pairs_asked)


def _extractor(settings: Settings, models: "ModelClients | None", work: TextWork) -> Any:
    rules = settings.entities
    known, records = KnownNames(rules.known_path, rules.types), _record_kinds(settings)
    if models is None:
        return RuleEntityExtractor(rules.types, known, records, work)
    from seed_assets.core.entities.model_entities import ModelEntityExtractor

    return ModelEntityExtractor(models.chat(rules.model), rules.characters, rules.types, known, records)


def _record_kinds(settings: Settings) -> tuple[RecordKind, ...]:
    return tuple(
        RecordKind(kind, *(tuple(map(field_name, names)) for names in (one.name, one.stable, one.unique, one.ignored)))
        for kind, one in settings.entities.records.items()
    )
