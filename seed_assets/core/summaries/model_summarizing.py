"""Summaries of documents written by a model. What belongs here: summarizing one document, whole or in parts.

What does not: the offline default (summarizing), prompts (seed_assets/prompts), sending requests (model_stage).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import InvalidOutputError, Usage
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

# Both were chosen by judgement. For estimates: tokens per word of a summary, as is usual for English text.
_TOKENS_PER_WORD = 1.5
# The summaries of parts are summarised at most so many times; each time they are a fraction as long.
_MOST_ROUNDS = 6


class SummaryAnswer(BaseModel):
    """A model's answer; summaries.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(min_length=1)


@dataclass(frozen=True)
class ModelSummarizer(ModelStage):
    """Asks a model for a summary; a document that does not fit into one request is summarised part by part.

    words: the most words of a summary.
    work: the workers that cut a text into parts; None means a thread of this process.
    """

    words: int
    work: TextWork | None = field(default=None, compare=False, repr=False)

    role = "summarizer"
    prompt_name = "summaries"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The most words of a summary."""
        return {"words": self.words}

    def estimate(self, characters: int) -> Usage:
        """Estimate the cost of summarising a document of `characters`; see Priced."""
        return self.estimated(characters, int(self.words * _TOKENS_PER_WORD))

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """Summarise one document; see Summarizer. A blank document has an empty summary, without a request."""
        if not text.strip():
            return Summary("")
        from seed_assets.core.text.text_parts import split_for_model

        parts = await split_for_model(self.work, text, self.model, self.prompt.turns("whole", title=title))
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
                break  # the text no longer gets shorter, so another round would only cost more
            parts = await split_for_model(self.work, joined, self.model, self.prompt.turns("combine", title=title))
            if len(parts) == 1:
                return Summary(await self._ask("combine", reuse, title=title, text=joined, parts=total))
        raise InvalidOutputError(
            f"{self.model.endpoint.name} writes summaries of parts that are too long to be put together.",
            "Raise `llm.context_tokens` or lower `summaries.words`; the next run then asks again.",
        )

    def example_answer(self, value: Summary, text: str) -> Any:
        """The answer with this summary; None if it is empty or copied from the text; see GivesExamples."""
        from seed_assets.core.judging.copies import CopiedText

        copied = not value.text or CopiedText(text).locate(value.text) is not None
        return None if copied else {"summary": value.text}

    async def _ask(self, which: str, reuse: Reuse, **values: str | int) -> str:
        return await self.ask(self.prompt.turns(which, words=self.words, **values), _summary, reuse)


def _summary(found: Any) -> str:
    text = " ".join(validated(SummaryAnswer, found).summary.split())
    if not text:
        raise ValueError("the summary is empty")
    return text
