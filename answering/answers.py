"""What a question and its answer are made of.

These values are kept in the store, shown by the command and sent by the service. What does not belong here: how an answer is
found (asker) or shown.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from retrieval.filters import NO_FILTERS, Filters


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """An earlier question of a conversation, and the words of its answer."""

    question: str
    answer: str


def said(turns: Iterable[Turn]) -> str:
    """Return the turns of a conversation in words, as models are shown them."""
    return "\n".join(f"Question: {turn.question}\nAnswer: {turn.answer}" for turn in turns)


class Question(msgspec.Struct, frozen=True):
    """A question as it was asked.

    text: the question itself.
    turns: earlier questions of the same conversation with their answers, oldest first; a follow-up question may refer to them.
    limit: the most passages that the answer is made from; 0 for the number in the settings.
    filters: which documents the answer may be made from.
    """

    text: str
    turns: tuple[Turn, ...] = ()
    limit: int = 0
    filters: Filters = NO_FILTERS


class Passage(msgspec.Struct, frozen=True):
    """A passage that an answer may be made of: one chunk of a document.

    document, title: the document's id and title.
    start, end: its place in the document's extracted text, in characters.
    text: that text. header: the header of the table in which the passage begins; "" if there is none.
    page: the number of the page on which it begins, from 1; None for formats without pages.
    page_starts: the offsets in `text` at which further pages begin.
    score: from 0 to 1; comparable only within one retrieval.
    """

    document: str
    title: str
    start: int
    end: int
    text: str
    header: str = ""
    page: int | None = None
    page_starts: tuple[int, ...] = ()
    score: float = 0.0

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page on which a place in `text` begins; None for formats without pages."""
        return None if self.page is None else self.page + sum(start <= offset for start in self.page_starts)


class Citation(msgspec.Struct, frozen=True):
    """A place in a document that supports a sentence of an answer.

    number: its number in the answer, from 1. The same place has one number, however often it is cited.
    document, title, page: as in Passage, for the place itself.
    start, end: the place in the document's extracted text. text: the words there, exactly.
    """

    number: int
    document: str
    title: str
    start: int
    end: int
    text: str
    page: int | None = None


class AnswerSentence(msgspec.Struct, frozen=True):
    """A sentence of an answer.

    text: the sentence, without the numbers of its citations.
    citations: the numbers of the citations that support it, in order.
    supported: whether the cited places say so; a sentence that they do not support is kept and marked.
    """

    text: str
    citations: tuple[int, ...] = ()
    supported: bool = True

    @property
    def marks(self) -> str:
        """The numbers of its citations, as in `[1][2]`."""
        return "".join(f"[{number}]" for number in self.citations)


class Answer(msgspec.Struct, frozen=True):
    """An answer to a question.

    sentences: the sentences; empty if the documents do not say.
    citations: the cited places, by number.
    found: whether the documents say something about it.
    confidence: how likely it is that the documents answer the question, 0 to 1.
    answered_by: the name of the model, or "sentences of the documents" for the offline answer.
    """

    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    found: bool
    confidence: float
    answered_by: str

    @property
    def text(self) -> str:
        """The whole answer in words, each sentence followed by the numbers of its citations, as in `So it is. [1][2]`."""
        return " ".join(
            f"{sentence.text} {cited}" if (cited := sentence.marks) else sentence.text for sentence in self.sentences
        )


class CacheUse(msgspec.Struct, frozen=True):
    """What was found in the store for one reply.

    answer_hit, retrieval_hit: whether the answer and the passages were there.
    embed_hits, embed_misses: vectors of the question that were there, and that were computed.
    """

    answer_hit: bool = False
    retrieval_hit: bool = False
    embed_hits: int = 0
    embed_misses: int = 0


class Reply(msgspec.Struct, frozen=True):
    """An answer with everything around it.

    passages: the passages that the answer was made from, best first.
    usd: what it cost now; 0 if nothing was paid. None if the price of the model is not known.
    requests, input_tokens, output_tokens: how many requests were sent to a model's server for it, and their tokens; 0 if
    everything was kept.
    index_behind: whether the search index did not cover all rows yet; such a reply is not kept.
    sought: what was looked for, if that is not the question as it was asked: a follow-up question, put so that it stands alone.
    """

    question: Question
    answer: Answer
    passages: tuple[Passage, ...]
    cache: CacheUse
    usd: float | None = 0.0
    requests: int = 0
    index_behind: bool = False
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    sought: str = ""


EventKind = Literal["passages", "sentence", "reply"]


class Event(msgspec.Struct, frozen=True):
    """A step on the way to a reply, as it is streamed: first the passages, then each sentence, and last the whole reply."""

    kind: EventKind
    passages: tuple[Passage, ...] = ()
    sentence: AnswerSentence | None = None
    reply: Reply | None = None
