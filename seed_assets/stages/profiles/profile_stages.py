"""What the settings of profiles add to the pipeline. What belongs here: their stages, and what these are made with.

What does not: the stages of entities (entity_stages), and the project's other stages (wiring).
"""

from typing import TYPE_CHECKING, Any

from resources.models.embedder import LocalEmbedder
from resources.settings.config import Settings
from seed_assets.core.judging.judging import SimilarityJudge, Thresholds
from seed_assets.core.judging.revision import NoReviser
from seed_assets.core.profiles.passages import PassageChooser
from seed_assets.core.profiles.profiles import ExtractiveProfileWriter, ProfileBounds
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.additions import Additions
from seed_assets.stages.profiles.entity_passages import entity_passages
from seed_assets.stages.profiles.entity_profile_judgements import entity_profile_judgements
from seed_assets.stages.profiles.entity_profiles import entity_profiles
from seed_assets.stages.profiles.lance_entity_profiles import lance_entity_profiles
from seed_assets.stages.profiles.profile_inputs import BestPassages

if TYPE_CHECKING:
    from resources.models.model_clients import ModelClients


def profiles_of(
    settings: Settings, models: "ModelClients | None", judging_model: str, local: LocalEmbedder, work: TextWork
) -> Additions:
    """Return the stages of profiles with their resources.

    models: what makes the models that write; None means that profiles consist of sentences of the documents. judging_model: the
    name of the model that judges. local: compares profiles with their passages.
    """
    rules = settings.entities
    bounds = ProfileBounds(rules.profile_mentions, rules.most_profiles, rules.profile_passages)
    stages = (
        entity_passages,
        entity_profiles.with_inputs(BestPassages(bounds)),
        entity_profile_judgements,
        lance_entity_profiles,
    )
    thresholds = Thresholds(settings.judge.accept, settings.judge.reject)
    if models is None:
        writer: Any = ExtractiveProfileWriter(rules.profile_words)
        judge: Any = SimilarityJudge(local, thresholds, work)
        reviser: Any = NoReviser()
    else:
        from seed_assets.core.profiles.model_profiles import (
            ModelProfileJudge,
            ModelProfileReviser,
            ModelProfileWriter,
        )

        chat = models.chat(rules.model)
        writer = ModelProfileWriter(chat, rules.profile_words, bounds)
        judge = ModelProfileJudge(models.chat(judging_model), thresholds, local, work, bounds)
        reviser = ModelProfileReviser(chat, rules.profile_words, local, work, bounds)
    resources = {
        "entity_passages.passage_chooser": PassageChooser(work),
        "entity_profiles.profile_writer": writer,
        "entity_profile_judgements.profile_judge": judge,
        "entity_profile_judgements.profile_reviser": reviser,
    }
    return Additions(stages, resources)
