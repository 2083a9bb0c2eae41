"""Summaries of single documents. What belongs here: the protocol of summarizers, and the offline default, which selects
sentences. What does not: sentence boundaries (sentences), centrality (textrank), selection (mmr), and the stage that
requests a summary.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.summaries.openings import needs_another
from seed_assets.core.text.header_block import header_end
from seed_assets.core.text.mmr import choose, spread
from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.text_work import TextWork
from seed_assets.core.text.textrank import centrality, similarities
from seed_assets.core.text.words import MARKS, Span, count_words
from seed_assets.memo.reuse import Reuse

# The numbers were chosen by judgement; docs/benchmarks.md (Quality of the offline default) shows the summaries' quality.
# Shorter sentences are headings and exclamations; longer ones are lists and code without a full stop.
_SHORTEST_WORDS, _LONGEST_WORDS = 8, 60
# The least share of letters and spaces in a sentence; tables, formulas and code have less.
_LEAST_LETTERS = 0.7
# A summary has at most this share of its document's words, but may always have so many words.
_SHARE, _LEAST_WORDS = 0.5, 30
# The graph is quadratic in sentences: 800 take 20 ms and 20 MB. A longer text is first ranked in windows of this size.
_WINDOW = 800

# The part of a document that is read, which is more than any novel has.
_READ_CHARACTERS = 4_000_000

# The weight of a sentence's score against its difference from the sentences chosen before; see mmr.choose.
_RELEVANCE = 0.5
# The weights, relative to centrality, of letters, of a full stop, of a place at the beginning, and of the title's likeness.
_PROSE, _FULL_STOP, _OPENING, _TITLE = 0.3, 0.3, 0.3, 0.5
# What a sentence loses that needs the one before it (see openings). Of the chosen sentences of 20 plots .23 are such instead of
# .37, and ROUGE stays as it is; with more, it falls.
_DEPENDENT = 0.07
# The bonus for the beginning falls to 1/e after so many sentences.
_OPENING_SENTENCES = 5
_LETTER_OR_SPACE = re.compile(rf"[^\W\d_]+|[{MARKS}]+|\s+")
# Two columns on one line: a row of a table without rules, or code with a comment beside it. Blanks may follow a full stop.
_COLUMNS = re.compile(r"[^\s.!?:] {3,}+(?=\S)|\S\t+(?=\S)")
_FULL_STOPS = frozenset(".。｡।۔։።")
_CLOSERS = "\"'”’»›)]}」』）】*_`"


class Summary(msgspec.Struct, frozen=True):
    """A summary of one document.

    text: the summary. An extractive one consists of the document's sentences in their order, each with its white space
        collapsed, joined by spaces. It is empty only if the document has no words.
    sentences: the (start, end) offsets of these sentences in the document, in characters; empty if a model wrote the text.
    """

    text: str
    sentences: tuple[tuple[int, int], ...] = ()


class Summarizer(Protocol):
    """Summarises a document, with sentences of its own or in a model's words."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the summary besides the document; part of its action key."""
        ...

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """Return the summary of one document. Raises DocumentError.

        title: the document's title; "" if none is known.
        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractiveSummarizer:
    """Selects sentences of the document, without a model or a network; it is deterministic.

    The score of a sentence depends on its centrality in the text, on its share of letters and whether it ends in a full
    stop (prose does, code and tables do not), on whether it is among the first, and on its similarity to the title. The
    best sentences that differ from each other are selected, up to `words` words or half of the document's words,
    whichever is fewer.

    Sentences of fewer than 8 or more than 60 words, and those with more signs and digits than prose has, are excluded. If
    the rest would not fill the summary (lists, verse, one long sentence), all sentences are candidates, and long ones
    are cut. Texts of more than 800 sentences are ranked in windows of consecutive sentences of equal length, and the
    best of each window are ranked together, so that the time is proportional to the length of the text. The first
    4 million characters are read.

    embedder: compares sentences by meaning.
    words: the most words of a summary.
    work: the workers that select the sentences; None means a thread of this process.
    """

    embedder: LocalEmbedder
    words: int = 200
    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {
        "2": "Header blocks and rows of tables are left out, and sentences that need the one before them are chosen less often."
    }

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, its length, and the embedder's identity under `embedder.`."""
        own = {"summarizer": "extractive", "version": "2", "words": self.words}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def summarize(self, text: str, title: str, reuse: Reuse | None = None) -> Summary:
        """Do what `summarize_sync` does, in a worker or a thread; see `work`."""
        if self.work is None:
            return await asyncio.to_thread(self.summarize_sync, text, title)
        return await self.work.run("summary", self.words, text[:_READ_CHARACTERS], title)

    def summarize_sync(self, text: str, title: str) -> Summary:
        """Return the best sentences of the document, in their order, with at most `words` words in all."""
        text = text[:_READ_CHARACTERS]
        candidates, budget = _candidates(text, self.words)
        if not candidates:
            return Summary("")
        while len(candidates) > _WINDOW:
            candidates = list(self._best_of_windows(candidates, title))
        scores, similarity = self._rank(candidates, title)
        costs = np.array([candidate.words for candidate in candidates])
        chosen = choose(scores, similarity, costs, budget=budget, relevance=_RELEVANCE)
        if chosen:
            spans = sorted(candidates[index].span for index in chosen)
        else:
            best = candidates[int(scores.argmax())]
            spans = split_long(text, best.span, budget)[:1]
        return Summary(" ".join(_collapsed(text, span) for span in spans), tuple(spans))

    def _best_of_windows(
        self, candidates: Sequence["_CandidateSentence"], title: str
    ) -> Iterator["_CandidateSentence"]:
        windows = -(-len(candidates) // _WINDOW)
        kept = max(1, _WINDOW // windows)
        for bounds in np.array_split(np.arange(len(candidates)), windows):
            window = candidates[bounds[0] : bounds[-1] + 1]
            scores, _ = self._rank(window, title)
            yield from (window[index] for index in sorted(np.argsort(-scores, kind="stable")[:kept]))

    def _rank(
        self, candidates: Sequence["_CandidateSentence"], title: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sentences = [candidate.sentence for candidate in candidates]
        vectors = self.embedder.embed_sync([*sentences, title])
        similarity = similarities(sentences, vectors[:-1])
        scores = spread(centrality(similarity))
        scores += _PROSE * spread(np.array([_letters(sentence) for sentence in sentences]))
        scores += _FULL_STOP * np.array([_ends_in_full_stop(sentence) for sentence in sentences])
        scores += _OPENING * np.exp([-candidate.position / _OPENING_SENTENCES for candidate in candidates])
        scores -= _DEPENDENT * np.array([needs_another(sentence) for sentence in sentences])
        if title.strip():
            scores += _TITLE * spread((vectors[:-1] @ vectors[-1]).astype(np.float64))
        return np.round(spread(scores), 6), similarity


@dataclass(frozen=True, slots=True)
class _CandidateSentence:
    span: Span
    sentence: str
    words: int
    position: int


def _candidates(text: str, words: int) -> tuple[list[_CandidateSentence], int]:
    start = header_end(text)
    sentences = [(span, _collapsed(text, span)) for span in split_sentences(text) if span[0] >= start]
    lengths = [count_words(sentence) for _, sentence in sentences]
    budget = min(words, max(_LEAST_WORDS, int(_SHARE * sum(lengths))))
    usable = [
        span
        for (span, sentence), length in zip(sentences, lengths, strict=True)
        if _is_usual(sentence, length) and _COLUMNS.search(text, *span) is None
    ]
    candidates = _distinct(text, usable)
    if sum(candidate.words for candidate in candidates) < budget:
        pieces = [piece for span, _ in sentences for piece in split_long(text, span, _LONGEST_WORDS)]
        candidates = _distinct(text, pieces)
    return candidates, budget


def _is_usual(sentence: str, words: int) -> bool:
    return _SHORTEST_WORDS <= words <= _LONGEST_WORDS and _letters(sentence) >= _LEAST_LETTERS


def _distinct(text: str, spans: Sequence[Span]) -> list[_CandidateSentence]:
    by_sentence: dict[str, _CandidateSentence] = {}
    for span in spans:
        sentence = _collapsed(text, span)
        if sentence not in by_sentence:
            by_sentence[sentence] = _CandidateSentence(span, sentence, count_words(sentence), len(by_sentence))
    return list(by_sentence.values())


def _collapsed(text: str, span: Span) -> str:
    return " ".join(text[slice(*span)].split())


def _letters(sentence: str) -> float:
    others = len(_LETTER_OR_SPACE.sub("", sentence))
    return 1 - others / len(sentence)


def _ends_in_full_stop(sentence: str) -> bool:
    return sentence.rstrip(_CLOSERS)[-1:] in _FULL_STOPS
