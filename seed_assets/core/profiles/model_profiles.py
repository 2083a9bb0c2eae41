"""Profiles written and judged by models. What belongs here: the question, what an answer must be, and what all profiles cost.

What does not: the offline default (profiles), judging (core.judging), prompts (seed_assets/prompts), sending (model_stage).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Tokens, Usage
from resources.models.tokens import usual_tokens
from seed_assets.core.judging.model_judging import ModelJudge
from seed_assets.core.judging.model_revising import ModelClusterReviser
from seed_assets.core.profiles.profiles import ProfileBounds, ProfileMaterial, WrittenProfile
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.material import MarkedTexts
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.text.words import count_words
from seed_assets.memo.reuse import Reuse

# The numbers were chosen by judgement. Used for estimates: tokens per word, and the usual characters of a passage.
_TOKENS_PER_WORD, _PASSAGE_CHARACTERS = 1.5, 180
# A description may be longer than it should be by this factor.
_TOLERANCE = 1.5
# So many characters of a name are shown; some texts have names as long as pages.
_NAME_CHARACTERS = 200


class ProfileAnswer(BaseModel):
    """A model's answer; profiles.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    description: str = Field(min_length=1)


@dataclass(frozen=True)
class ModelProfileWriter(ModelStage):
    """Asks a model for a description, in one request per entity, which holds its best passages and nothing else of the corpus.

    words: the most words of a description. bounds: which entities are described. kind: see ProfileWriter.
    """

    words: int = 60
    bounds: ProfileBounds = field(default_factory=ProfileBounds)
    kind: Literal["extractive", "model"] = "model"

    role = "writer"
    prompt_name = "profiles"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The most words of a description."""
        return {"words": self.words}

    def estimate(self, characters: int) -> Usage:
        """Estimate the most that all profiles cost, of documents with so many characters in all; see Priced."""
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts["entity"]))
        asked = around + usual_tokens(self.bounds.passages * _PASSAGE_CHARACTERS)
        most = self.bounds.profiles(characters)
        return self.charge(most, Tokens(most * asked, int(most * self.words * _TOKENS_PER_WORD)))

    async def write(self, material: ProfileMaterial, reuse: Reuse) -> WrittenProfile:
        """Describe an entity; see ProfileWriter."""
        turns = self.prompt.turns(
            "entity",
            name=material.name[:_NAME_CHARACTERS],
            type=material.type,
            words=self.words,
            passages=MarkedTexts("passage", [source.text for source in material.sources]),
        )
        description = await self.ask(turns, _within(int(self.words * _TOLERANCE)), reuse)
        model = str(self.model.identity["model"])
        return WrittenProfile(description, model, self.prompt.version, self.answered_on(turns, reuse))


@dataclass(frozen=True)
class ModelProfileJudge(ModelJudge):
    """A judge of profiles, which knows what judging all of them can cost.

    bounds: see ModelProfileWriter.
    """

    bounds: ProfileBounds = field(default_factory=ProfileBounds)

    def estimate(self, characters: int) -> Usage:
        """Estimate the most that judging all profiles costs, of documents with so many characters in all; see Priced."""
        one = super().estimate(self.bounds.passages * _PASSAGE_CHARACTERS)
        return _times(self, one, self.bounds.profiles(characters))


@dataclass(frozen=True)
class ModelProfileReviser(ModelClusterReviser):
    """A reviser of profiles, which knows what revising all of them can cost.

    bounds: see ModelProfileWriter.
    """

    bounds: ProfileBounds = field(default_factory=ProfileBounds)

    def estimate(self, characters: int) -> Usage:
        """Estimate the most that revising all profiles costs, of documents with so many characters in all; see Priced."""
        one = super().estimate(self.bounds.passages * _PASSAGE_CHARACTERS)
        return _times(self, one, self.bounds.profiles(characters))


def _times(asked: ModelStage, one: Usage, count: int) -> Usage:
    return asked.charge(one.requests * count, Tokens(one.input_tokens * count, one.output_tokens * count))


def _within(words: int) -> Callable[[Any], str]:
    def check(found: Any) -> str:
        text = " ".join(validated(ProfileAnswer, found).description.split())
        if not text:
            raise ValueError("the description is empty")
        if (count := count_words(text)) > words:
            raise ValueError(f"the description has {count} words: it may have at most {words}")
        return text

    return check
