"""Answers as they are kept: with places inside of passages, so that an answer stays right when a passage moves in its document.

What belongs here: the draft, and turning it into an answer with places in documents. What does not: how a draft is made
(sentence_answers, model_answers).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from answering.answers import Answer, AnswerSentence, Citation, Passage, Question
from io_managers.store.fingerprint import Part
from seed_assets.memo.reuse import Reuse


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in a passage. passage: its number, from 0. start, end: offsets in the passage's text, in characters."""

    passage: int
    start: int
    end: int


class DraftSentence(msgspec.Struct, frozen=True):
    """A sentence of a draft, the places that it cites, and whether they support it."""

    text: str
    places: tuple[Place, ...]
    supported: bool = True


class Draft(msgspec.Struct, frozen=True):
    """An answer over passages; see Answer. No sentences mean that the passages do not say."""

    sentences: tuple[DraftSentence, ...]
    answered_by: str


class Answerer(Protocol):
    """Answers questions from passages."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides an answer besides the question and the passages; a part of its action key."""
        ...

    async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse) -> Draft:
        """Answer the question from the passages, of which there is at least one. Raises DocumentError."""
        ...


def cited_in(draft: Draft) -> list[int]:
    """Return the numbers of the passages that a draft cites, from 0, each once."""
    return list(dict.fromkeys(place.passage for sentence in draft.sentences for place in sentence.places))


def resolved(draft: Draft, passages: Mapping[int, Passage], probability: float) -> Answer:
    """Return a draft as an answer, with places in documents.

    passages: those that it cites, at least, by their numbers in the draft, where they are now.
    """
    citations: dict[tuple[str, int, int], Citation] = {}
    sentences = []
    for sentence in draft.sentences:
        numbers = []
        for place in sentence.places:
            passage = passages[place.passage]
            start, end = passage.start + place.start, passage.start + place.end
            cited = citations.get((passage.document, start, end))
            if cited is None:
                text = passage.text[place.start : place.end]
                number = len(citations) + 1
                cited = Citation(
                    number, passage.document, passage.title, start, end, text, passage.page_at(place.start)
                )
                citations[passage.document, start, end] = cited
            numbers.append(cited.number)
        sentences.append(AnswerSentence(sentence.text, tuple(dict.fromkeys(numbers)), sentence.supported))
    return Answer(
        tuple(sentences), tuple(citations.values()), bool(sentences), round(probability, 4), draft.answered_by
    )
