"""Revising a text with a model. What belongs here: asking for a text without the problems that were found in it.

What does not: finding the problems (judging, model_judging), when a text is revised (revision), which parts of the sources
are shown (source_extracts), prompts (seed_assets/prompts), sending requests (model_stage).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Tokens, Usage
from resources.models.embedder import LocalEmbedder, WordLlamaEmbedder
from resources.models.tokens import usual_tokens
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.material import MOST_SHOWN_TOKENS
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.reuse import Reuse

# Used for estimates only; a usual figure for English text, chosen by judgement.
_TOKENS_PER_WORD = 1.5


class RevisionAnswer(BaseModel):
    """A model's answer; revisions.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)


@dataclass(frozen=True)
class ModelReviser(ModelStage):
    """Asks a model in one request for a text without the problems that were found in it.

    The model is shown the text, the problems, and the sources: whole, or the passages nearest to the text and the problems.

    words: the most words of an answer; a text that is longer may keep its length.
    embedder: finds passages.
    work: the workers that find passages; None means a thread of this process.
    """

    words: int
    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)
    work: TextWork | None = field(default=None, compare=False, repr=False)

    role = "reviser"
    prompt_name = "revisions"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The length of answers, and the embedder's identity under `embedder.`."""
        found = {f"embedder.{name}": value for name, value in self.embedder.identity.items()}
        return {"words": self.words, **found}

    def estimate(self, characters: int) -> Usage:
        """Estimate the cost of revising one text by sources of `characters`."""
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts["text"]))
        answer = int(self.words * _TOKENS_PER_WORD)
        # The request holds the text, and problems that are assumed to be as long.
        asked = around + 2 * answer
        room = max(0, min(MOST_SHOWN_TOKENS, self.model.context_tokens - self.model.max_output_tokens - asked))
        return self.charge(1, Tokens(asked + min(usual_tokens(characters), room), answer))

    async def revise(
        self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse
    ) -> str | None:
        """Revise the text; see Reviser. The result is None, and no request is sent, without a text or words in a source."""
        from seed_assets.core.judging.claims import claims_of
        from seed_assets.core.judging.source_extracts import as_material, find_extracts, room_tokens
        from seed_assets.core.text.words import count_words

        if not text.strip():
            return None
        listed = "\n".join(f"- {' '.join(problem.split())}" for problem in problems)
        values = {"words": self.words, "text": text.strip(), "problems": listed}
        room = room_tokens(self.model, self.prompt.turns("text", **values, passages=""), self.prompt.schema)
        near = [*claims_of(text), *problems]
        extracts = await find_extracts(self.work, near, sources, self.embedder, room)
        if not extracts:
            return None
        turns = self.prompt.turns("text", **values, passages=as_material(extracts))
        return await self.ask(turns, _within(max(self.words, count_words(text))), reuse)


@dataclass(frozen=True)
class ModelClusterReviser(ModelReviser):
    """Revises summaries of clusters. A judged summary is kept for as long as its cluster has the same members: the identity
    names no model or prompt, so that changing one is no reason to judge it again.
    """

    @property
    def identity(self) -> Mapping[str, Part]:
        """Only that a model is used, not which one."""
        return {self.role: "model"}


def _within(words: int) -> Callable[[Any], str]:
    def check(found: Any) -> str:
        from seed_assets.core.text.words import count_words

        text = " ".join(validated(RevisionAnswer, found).text.split())
        if not text:
            raise ValueError("the text is empty")
        if (count := count_words(text)) > words:
            raise ValueError(f"the text has {count} words: it may have at most {words}")
        return text

    return check
