"""Summaries of one document. What belongs here: the seam that every summarizer fills, and the offline default, which
chooses sentences. What does not: sentence boundaries (sentences.py), centrality (textrank.py), choosing (mmr.py), the
stage that asks for a summary.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from resources.embedder import LocalEmbedder
from seed_assets.core.mmr import choose, spread
from seed_assets.core.sentences import Span, split_long, split_sentences
from seed_assets.core.textrank import centrality, similarities
from seed_assets.core.words import MARKS, count_words
from seed_assets.reuse import Reuse

Identity = Mapping[str, Part]

# Shorter ones are headings and exclamations, longer ones lists and code that a full stop never ended.
_SHORTEST_WORDS, _LONGEST_WORDS = 8, 60
# A summary as long as its document is none; below this a document is its own summary.
# Less are letters in tables, formulas and code.
_LEAST_LETTERS = 0.7
_SHARE, _LEAST_WORDS = 0.5, 30
# The graph is quadratic in sentences: 800 take 20 ms and 20 MB; a longer text is ranked in windows first.
_WINDOW = 800

_READ_CHARACTERS = 4_000_000

_RELEVANCE = 0.5
_PROSE, _FULL_STOP, _OPENING, _TITLE = 0.3, 0.3, 0.3, 0.5
_OPENING_SENTENCES = 5
_LETTER_OR_SPACE = re.compile(rf"[^\W\d_]+|[{MARKS}]+|\s+")
_FULL_STOPS = frozenset(".。｡।۔։።")
_CLOSERS = "\"'”’»›)]}」』）】*_`"


class Summary(msgspec.Struct, frozen=True):
    """A summary's text and, where it is made of the document's sentences, their character offsets into it.

    An extractive `text` is the sentences in the document's order, each with its white space collapsed, joined by
    spaces; both are empty only where the document has no words.
    """

    text: str
    sentences: tuple[tuple[int, int], ...] = ()


class Summarizer(Protocol):
    """Turns a document into its summary, from its sentences or in a model's words."""

    @property
    def identity(self) -> Identity:
        """Everything but the document that decides the summary: part of its action key."""
        ...

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """The summary of one document; `title` is empty where none is known. Raises DocumentError.

        reuse: through which it asks others, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractiveSummarizer:
    """Chooses the document's own sentences: no model, no network, the same sentences every time.

    A sentence scores by its centrality in the text, by how much of it is letters and whether it ends in a full stop
    (prose rather than code or tables), by being among the first, and by its likeness to the title. The best that
    are unlike each other are taken up to `words` words, or half of the document's if that is fewer.

    Sentences outside 8 to 60 words, and those with more signs and digits than prose has, are left out, unless the
    rest would not fill the summary (lists, verse, one long sentence): then all are candidates, the long ones in
    pieces. Texts of more than 800 sentences are ranked in windows of consecutive sentences, of equal length, and the
    best of each are ranked against each other, so that time grows with the length of the text and not with its
    square. The first 4 million characters are read (more than any novel).
    """

    embedder: LocalEmbedder
    words: int = 200

    @property
    def identity(self) -> Identity:
        """The method, its version, its length, and the embedder's identity under `embedder.`."""
        own = {"summarizer": "extractive", "version": "1", "words": self.words}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def summarize(self, text: str, title: str, reuse: Reuse | None = None) -> Summary:
        """As `summarize_sync`, on another thread."""
        return await asyncio.to_thread(self.summarize_sync, text, title)

    def summarize_sync(self, text: str, title: str) -> Summary:
        """At most `words` words of the document's own sentences, in their order."""
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

    def _best_of_windows(self, candidates: Sequence["_Candidate"], title: str) -> Iterator["_Candidate"]:
        windows = -(-len(candidates) // _WINDOW)
        kept = max(1, _WINDOW // windows)
        for bounds in np.array_split(np.arange(len(candidates)), windows):
            window = candidates[bounds[0] : bounds[-1] + 1]
            scores, _ = self._rank(window, title)
            yield from (window[index] for index in sorted(np.argsort(-scores, kind="stable")[:kept]))

    def _rank(self, candidates: Sequence["_Candidate"], title: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sentences = [candidate.sentence for candidate in candidates]
        vectors = self.embedder.embed_sync([*sentences, title])
        similarity = similarities(sentences, vectors[:-1])
        scores = spread(centrality(similarity))
        scores += _PROSE * spread(np.array([_letters(sentence) for sentence in sentences]))
        scores += _FULL_STOP * np.array([_ends_in_full_stop(sentence) for sentence in sentences])
        scores += _OPENING * np.exp([-candidate.position / _OPENING_SENTENCES for candidate in candidates])
        if title.strip():
            scores += _TITLE * spread((vectors[:-1] @ vectors[-1]).astype(np.float64))
        return np.round(spread(scores), 6), similarity


@dataclass(frozen=True, slots=True)
class _Candidate:
    span: Span
    sentence: str
    words: int
    position: int


def _candidates(text: str, words: int) -> tuple[list[_Candidate], int]:
    sentences = [(span, _collapsed(text, span)) for span in split_sentences(text)]
    lengths = [count_words(sentence) for _, sentence in sentences]
    budget = min(words, max(_LEAST_WORDS, int(_SHARE * sum(lengths))))
    usable = [span for (span, sentence), length in zip(sentences, lengths, strict=True) if _is_usual(sentence, length)]
    candidates = _distinct(text, usable)
    if sum(candidate.words for candidate in candidates) < budget:
        pieces = [piece for span, _ in sentences for piece in split_long(text, span, _LONGEST_WORDS)]
        candidates = _distinct(text, pieces)
    return candidates, budget


def _is_usual(sentence: str, words: int) -> bool:
    return _SHORTEST_WORDS <= words <= _LONGEST_WORDS and _letters(sentence) >= _LEAST_LETTERS


def _distinct(text: str, spans: Sequence[Span]) -> list[_Candidate]:
    by_sentence: dict[str, _Candidate] = {}
    for span in spans:
        sentence = _collapsed(text, span)
        if sentence not in by_sentence:
            by_sentence[sentence] = _Candidate(span, sentence, count_words(sentence), len(by_sentence))
    return list(by_sentence.values())


def _collapsed(text: str, span: Span) -> str:
    return " ".join(text[slice(*span)].split())


def _letters(sentence: str) -> float:
    others = len(_LETTER_OR_SPACE.sub("", sentence))
    return 1 - others / len(sentence)


def _ends_in_full_stop(sentence: str) -> bool:
    return sentence.rstrip(_CLOSERS)[-1:] in _FULL_STOPS
