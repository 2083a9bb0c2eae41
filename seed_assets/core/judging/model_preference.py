"""Comparing two texts with a model. What belongs here: asking which of two texts is the better account of the same sources.

What does not: judging one text claim by claim (model_judging), which parts of the sources are shown (source_extracts), which
texts are compared (seed_assets.comparing), prompts (seed_assets/prompts), sending requests (model_stage).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder, WordLlamaEmbedder
from seed_assets.core.judging.claims import claims_of
from seed_assets.core.judging.source_extracts import as_material, find_extracts, room_tokens
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse


class PreferenceAnswer(BaseModel):
    """A model's answer; preferences.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    better: Literal["first", "second", "tie"]


@dataclass(frozen=True, slots=True)
class Preference:
    """Which of two texts a model prefers.

    better: "first", "second", or "tie" if it calls neither better, or prefers another text when the order is swapped. swayed:
    whether its two answers contradict each other. reasons: what it said in each order, first in the order of the texts.
    """

    better: Literal["first", "second", "tie"]
    swayed: bool
    reasons: tuple[str, str]


@dataclass(frozen=True)
class ModelPreference(ModelStage):
    """Asks a model which of two texts is better, twice: in both orders, since models prefer texts by their position.

    embedder: finds passages of sources that are too long for one request.
    work: the workers that find passages; None means a thread of this process.
    """

    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)
    work: TextWork | None = field(default=None, compare=False, repr=False)

    role = "preference"
    prompt_name = "preferences"

    @property
    def name(self) -> str:
        """The name of the model."""
        return str(self.model.identity["model"])

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The embedder's identity under `embedder.`."""
        return {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def prefer(self, first: str, second: str, sources: Sequence[SourceText], reuse: Reuse) -> Preference | None:
        """Return which of two texts is the better account of the sources; None, without a request, if no source has words.

        Raises DocumentError, StoppedError.
        """
        near = [*claims_of(first), *claims_of(second)]
        around = self.prompt.turns("pair", first=first, second=second, passages="")
        extracts = await find_extracts(
            self.work, near, sources, self.embedder, room_tokens(self.model, around, self.prompt.schema)
        )
        if not extracts:
            return None
        passages = as_material(extracts)
        forward, backward = await all_of(
            self.ask(self.prompt.turns("pair", first=one, second=other, passages=passages), _answer, reuse)
            for one, other in ((first, second), (second, first))
        )
        swapped = {"first": "second", "second": "first", "tie": "tie"}[backward.better]
        better = forward.better if forward.better == swapped else "tie"
        swayed = forward.better != swapped and "tie" not in (forward.better, swapped)
        return Preference(better, swayed, (forward.reason, backward.reason))


def _answer(found: Any) -> PreferenceAnswer:
    answer = validated(PreferenceAnswer, found)
    if not answer.reason.strip():
        raise ValueError("the reason is empty")
    return answer
