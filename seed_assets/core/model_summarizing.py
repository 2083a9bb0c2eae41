"""Summaries written by a model. What belongs here: one document, whole or in parts.

What does not: the offline default (summarizing), prompts (seed_assets/prompts), asking (model_stage).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.llm import InvalidOutputError
from seed_assets.core.concurrently import all_of
from seed_assets.core.model_stage import ModelStage
from seed_assets.core.structured_output import shaped
from seed_assets.core.summarizing import Summary
from seed_assets.core.text_parts import split_to_fit
from seed_assets.reuse import Reuse, Usage

_TOKENS_A_WORD = 1.5
# Text summarised again and again: each time it is at most a fraction as long.
_MOST_ROUNDS = 6


class SummaryAnswer(BaseModel):
    """What a model answers; summaries.schema.json says the same to it."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(min_length=1)


@dataclass(frozen=True)
class ModelSummarizer(ModelStage):
    """Asks a model for a summary of at most `words` words; what does not fit into one request, part by part."""

    words: int

    role = "summarizer"
    prompt_name = "summaries"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The length."""
        return {"words": self.words}

    def estimate(self, characters: int) -> Usage:
        """See Priced."""
        return self.estimated(characters, int(self.words * _TOKENS_A_WORD))

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """See Summarizer. A document without words has an empty summary, and nobody is asked."""
        if not text.strip():
            return Summary("")
        parts = split_to_fit(text, self.model, self.prompt.turns("whole", title=title))
        if len(parts) == 1:
            return Summary(await self._ask("whole", reuse, title=title, text=text))
        for _ in range(_MOST_ROUNDS):
            total = len(parts)
            found = await all_of(
                self._ask("part", reuse, title=title, text=part, part=place, parts=total)
                for place, part in enumerate(parts, 1)
            )
            joined = "\n\n".join(found)
            if len(joined) >= sum(map(len, parts)):
                break  # to go on would only cost more
            parts = split_to_fit(joined, self.model, self.prompt.turns("combine", title=title))
            if len(parts) == 1:
                return Summary(await self._ask("combine", reuse, title=title, text=joined, parts=total))
        raise InvalidOutputError(
            f"{self.model.endpoint.name} writes summaries of parts that are too long to be put together.",
            "Raise `llm.context_tokens`, or lower `summaries.words`; then it is asked again.",
        )

    async def _ask(self, which: str, reuse: Reuse, **values: str | int) -> str:
        return await self.ask(self.prompt.turns(which, words=self.words, **values), _summary, reuse)


def _summary(found: Any) -> str:
    text = " ".join(shaped(SummaryAnswer, found).summary.split())
    if not text:
        raise ValueError("the summary is empty")
    return text
