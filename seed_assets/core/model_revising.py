"""Texts mended by a model. What belongs here: asking for a text without what was found wrong in it.

What does not: what is wrong (judging, model_judging), when a text is sent back (revision), what of the sources is shown
(source_extracts), prompts (seed_assets/prompts), asking (model_stage).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.embedder import LocalEmbedder, WordLlamaEmbedder
from resources.llm import Tokens
from resources.tokens import usual_tokens
from seed_assets.core.claims import claims_of
from seed_assets.core.model_stage import ModelStage
from seed_assets.core.source_extracts import MOST_SHOWN_TOKENS, extracts_for, marked, room_tokens, unmarked
from seed_assets.core.structured_output import shaped
from seed_assets.core.verdicts import SourceText
from seed_assets.core.words import count_words
from seed_assets.reuse import Reuse, Usage

_TOKENS_A_WORD = 1.5


class RevisionAnswer(BaseModel):
    """What a model answers; revisions.schema.json says the same to it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)


@dataclass(frozen=True)
class ModelReviser(ModelStage):
    """Asks a model for a text without what was found wrong in it, in one request.

    It is shown the text, the problems, and the sources whole or the passages nearest to both. Its answer has at most `words`
    words, or as many as the text has if that is longer. embedder: finds passages.
    """

    words: int
    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)

    role = "reviser"
    prompt_name = "revisions"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The length, and the embedder's identity under `embedder.`."""
        found = {f"embedder.{name}": value for name, value in self.embedder.identity.items()}
        return {"words": self.words, **found}

    def estimate(self, characters: int) -> Usage:
        """What mending one text by sources of so many characters will cost, about."""
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts["text"]))
        answer = int(self.words * _TOKENS_A_WORD)
        # The text, and as much of problems.
        asked = around + 2 * answer
        room = max(0, min(MOST_SHOWN_TOKENS, self.model.context_tokens - self.model.max_output_tokens - asked))
        return self.charge(1, Tokens(asked + min(usual_tokens(characters), room), answer))

    async def revise(
        self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse
    ) -> str | None:
        """See Writer. None where no source has words, or there is no text: nobody is asked."""
        if not text.strip():
            return None
        listed = "\n".join(f"- {unmarked(' '.join(problem.split()))}" for problem in problems)
        values = {"words": self.words, "text": unmarked(text.strip()), "problems": listed}
        room = room_tokens(self.model, self.prompt.turns("text", **values, passages=""), self.prompt.schema)
        near = [*claims_of(text), *problems]
        extracts = await asyncio.to_thread(extracts_for, near, sources, self.embedder, room)
        if not extracts:
            return None
        turns = self.prompt.turns("text", **values, passages=marked(extracts))
        return await self.ask(turns, _within(max(self.words, count_words(text))), reuse)


@dataclass(frozen=True)
class ModelClusterReviser(ModelReviser):
    """Mends what is said of clusters, which is kept for as long as they have the same members: another model or prompt is
    no reason to judge it again.
    """

    @property
    def identity(self) -> Mapping[str, Part]:
        """That a model writes."""
        return {self.role: "model"}


def _within(words: int) -> Callable[[Any], str]:
    def check(found: Any) -> str:
        text = " ".join(shaped(RevisionAnswer, found).text.split())
        if not text:
            raise ValueError("the text is empty")
        if (count := count_words(text)) > words:
            raise ValueError(f"the text has {count} words: it may have at most {words}")
        return text

    return check
