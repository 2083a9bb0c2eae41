"""Answers written by a model. What belongs here: asking it, and looking up what it quotes.

What does not: the offline answer (sentence_answers), the prompt (prompts), and sending requests (core.prompting.model_stage).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from answering.answers import Passage, Question, said
from answering.drafts import Draft, DraftSentence, Place
from answering.passages import joined
from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder, WordLlamaEmbedder
from resources.models.tokens import at_most_tokens
from seed_assets.core.judging.comparison import Comparison
from seed_assets.core.judging.source_extracts import room_tokens, shown_title
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.material import MarkedTexts
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.prompting.prompts import Prompt, load_prompt
from seed_assets.core.text.quotations import QuotedText
from seed_assets.memo.reuse import Reuse

# An upper bound for the marks around a passage, as in source_extracts.
_MARK_TOKENS = 16
_PROMPTS = Path(__file__).with_name("prompts")


class SourceAnswer(BaseModel):
    """A model's quotation."""

    model_config = ConfigDict(extra="forbid")

    passage: int
    quotation: str


class SentenceAnswer(BaseModel):
    """A sentence of a model's answer."""

    model_config = ConfigDict(extra="forbid")

    text: str
    sources: list[SourceAnswer]


class WholeAnswer(BaseModel):
    """A model's answer; answers.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    found: bool
    sentences: list[SentenceAnswer]


@dataclass(frozen=True)
class ModelAnswerer(ModelStage):
    """Asks a model for an answer with a quotation for every sentence; see Answerer.

    A quotation that is not in its passage is left out, and a sentence that no quoted passage supports is kept and marked: to ask
    once more would be paid for, and people see what is marked.

    embedder: compares a sentence with the passages that it cites.
    """

    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)

    role = "answerer"
    prompt_name = "answers"

    @cached_property
    def prompt(self) -> Prompt:
        """The prompt of answers."""
        return load_prompt(self.prompt_name, _PROMPTS)

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The embedder's identity."""
        return {"embedder": dict(self.embedder.identity)}

    async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse) -> Draft:
        """Answer the question from as many of the first passages as fit into one request; see Answerer."""
        which = "conversation" if question.turns else "whole"
        turns = said(question.turns)
        values = {"question": question.text, **({"turns": turns} if turns else {})}
        room = room_tokens(self.model, self.prompt.turns(which, passages="", **values), self.prompt.schema)
        shown = _that_fit(passages, room)
        material = MarkedTexts("passage", joined(shown), [shown_title(passage.title) for passage in shown])
        asked = self.prompt.turns(which, passages=material, **values)
        answer = await self.ask(asked, lambda found: _checked(found, len(shown)), reuse)
        name = str(self.model.identity["model"])
        if not answer.found:
            return Draft((), name)
        return await asyncio.to_thread(drafted, answer, shown, self.embedder, name)


def drafted(answer: WholeAnswer, passages: Sequence[Passage], embedder: LocalEmbedder, name: str) -> Draft:
    """Return a model's answer over these passages as a draft: quotations looked up, sentences compared with what they cite.

    name: of the model.
    """
    texts = [QuotedText(passage.text) for passage in passages]
    return Draft(tuple(_sentence(one, passages, texts, embedder) for one in answer.sentences), name)


def _sentence(
    sentence: SentenceAnswer, passages: Sequence[Passage], texts: Sequence[QuotedText], embedder: LocalEmbedder
) -> DraftSentence:
    text = " ".join(sentence.text.split())
    places = [
        Place(source.passage - 1, *span)
        for source in sentence.sources
        if (span := texts[source.passage - 1].locate(source.quotation)) is not None
    ]
    cited = [passages[number] for number in dict.fromkeys(place.passage for place in places)]
    return DraftSentence(text, tuple(dict.fromkeys(places)), bool(cited) and _supports(cited, text, embedder))


def _supports(cited: Sequence[Passage], text: str, embedder: LocalEmbedder) -> bool:
    sources = [SourceText(str(number), one.title, one.text) for number, one in enumerate(cited)]
    return Comparison(sources, embedder).claims([text])[0].is_supported


def _that_fit(passages: Sequence[Passage], room: int) -> list[Passage]:
    """Return the first passages that fit into so many tokens, and the first one in any case."""
    chosen = list(passages[:1])
    room -= sum(map(_tokens, chosen))
    for passage in passages[1:]:
        room -= _tokens(passage)
        if room < 0:
            break
        chosen.append(passage)
    return chosen


def _tokens(passage: Passage) -> int:
    return at_most_tokens(f"{passage.header}\n{passage.text}") + at_most_tokens(passage.title[:120]) + _MARK_TOKENS


def _checked(found: Any, count: int) -> WholeAnswer:
    answer = validated(WholeAnswer, found)
    for sentence in answer.sentences:
        if not sentence.text.strip():
            raise ValueError("a sentence is empty")
        for source in sentence.sources:
            if not 1 <= source.passage <= count:
                raise ValueError(f"there is no passage {source.passage}: they are numbered 1 to {count}")
    if answer.found and not answer.sentences:
        raise ValueError("`found` is true, but there is no sentence")
    return answer
