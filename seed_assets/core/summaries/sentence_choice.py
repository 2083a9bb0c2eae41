"""The sentences that say best what a document says. What belongs here: scoring the sentences of a text, and which of them are
candidates. What does not: sentence boundaries (sentences), centrality (textrank), selection (mmr), and the summary (summarizing).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resources.models.embedder import LocalEmbedder
from seed_assets.core.summaries.openings import needs_another
from seed_assets.core.text.header_block import header_end
from seed_assets.core.text.mmr import choose, spread
from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.textrank import centrality, similarities
from seed_assets.core.text.words import MARKS, Span, count_words

# The numbers were chosen by judgement; docs/benchmarks.md (Quality of the offline default) shows the summaries' quality.
# Shorter sentences are headings and exclamations; longer ones are lists and code without a full stop.
_SHORTEST_WORDS, _LONGEST_WORDS = 8, 60
# The least share of letters and spaces in a sentence; tables, formulas and code have less.
_LEAST_LETTERS = 0.7
# A summary has at most this share of its document's words, but may always have so many words.
_SHARE, _LEAST_WORDS = 0.5, 30
# The graph is quadratic in sentences: 800 take 20 ms and 20 MB. A longer text is first ranked in windows of this size.
_WINDOW = 800

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


@dataclass(frozen=True, slots=True)
class _CandidateSentence:
    span: Span
    sentence: str
    words: int
    position: int


def best_sentences(text: str, title: str, words: int, embedder: LocalEmbedder) -> list[Span]:
    """Return the (start, end) offsets of the best sentences of a text, in their order, with at most `words` words in all."""
    candidates, budget = _candidates(text, words)
    if not candidates:
        return []
    while len(candidates) > _WINDOW:
        candidates = list(_best_of_windows(candidates, title, embedder))
    scores, similarity = _rank(candidates, title, embedder)
    costs = np.array([candidate.words for candidate in candidates])
    chosen = choose(scores, similarity, costs, budget=budget, relevance=_RELEVANCE)
    if chosen:
        return sorted(candidates[index].span for index in chosen)
    best = candidates[int(scores.argmax())]
    return split_long(text, best.span, budget)[:1]


def _best_of_windows(
    candidates: Sequence[_CandidateSentence], title: str, embedder: LocalEmbedder
) -> Iterator[_CandidateSentence]:
    windows = -(-len(candidates) // _WINDOW)
    kept = max(1, _WINDOW // windows)
    for bounds in np.array_split(np.arange(len(candidates)), windows):
        window = candidates[bounds[0] : bounds[-1] + 1]
        scores, _ = _rank(window, title, embedder)
        yield from (window[index] for index in sorted(np.argsort(-scores, kind="stable")[:kept]))


def _rank(
    candidates: Sequence[_CandidateSentence], title: str, embedder: LocalEmbedder
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sentences = [candidate.sentence for candidate in candidates]
    vectors = embedder.embed_sync([*sentences, title])
    similarity = similarities(sentences, vectors[:-1])
    scores = spread(centrality(similarity))
    scores += _PROSE * spread(np.array([_letters(sentence) for sentence in sentences]))
    scores += _FULL_STOP * np.array([_ends_in_full_stop(sentence) for sentence in sentences])
    scores += _OPENING * np.exp([-candidate.position / _OPENING_SENTENCES for candidate in candidates])
    scores -= _DEPENDENT * np.array([needs_another(sentence) for sentence in sentences])
    if title.strip():
        scores += _TITLE * spread((vectors[:-1] @ vectors[-1]).astype(np.float64))
    return np.round(spread(scores), 6), similarity


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
