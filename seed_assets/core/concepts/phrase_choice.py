"""The phrases that say best what a document is about. What belongs here: scoring phrases, and choosing different ones. What
does not: candidate phrases (phrases), and concepts (concepts).
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from resources.models.embedder import LocalEmbedder
from seed_assets.core.text.header_block import header_end
from seed_assets.core.text.phrases import Phrase, Unit, find_phrases

# The numbers were chosen by judgement; docs/benchmarks.md (Quality of the offline default) shows the quality they give.
# So many candidates are compared by meaning: those that are best by their counts.
_COMPARED = 300
# The vector of a document is computed from at most 20 evenly spaced parts of 1,000 characters.
_PARTS, _PART_CHARACTERS = 20, 1000

# The exponents with which a word's frequency and earliness, and a phrase's cohesion and likeness, enter its score.
_FREQUENCY, _EARLINESS, _COHESION, _LIKENESS = 0.5, 1.5, 0.2, 0.6
# Cosines are at least this large, so that no score is zero.
_LEAST_COSINE = 0.01
# The factor for words that occur in a phrase chosen before. With .1 and a likeness of .75, keyphrases are as good, and the
# phrases of 212 PEPs name .732 of the stems of their titles instead of .750.
_SAID = 0.02
# The score of a phrase that is no candidate any more; scores of candidates are never negative.
_GONE = -1.0


def best_phrases(text: str, title: str, count: int, embedder: LocalEmbedder) -> list[tuple[Phrase, float]]:
    """Return at most `count` phrases of a text, best first, with their scores: 1 for the best, smaller for the others.

    title: it only guides the choice; every phrase is in `text`.
    """
    start = header_end(text)
    phrases, units = find_phrases(text, start)
    if not phrases:
        return []
    _, title_units = find_phrases(title)
    weights = {
        name: _weight(unit.count, 0.0 if name in title_units else (unit.start - start) / (len(text) - start))
        for name, unit in units.items()
    }
    candidates = _candidates(phrases, units, weights, count)
    scores = _likeness(candidates, text[start:], embedder) * [_cohesion(phrase, units) for phrase in candidates]
    return list(_chosen(candidates, scores, weights, count))


def _likeness(candidates: Sequence[Phrase], text: str, embedder: LocalEmbedder) -> NDArray[np.float64]:
    vectors = embedder.embed_sync([*(phrase.name for phrase in candidates), _sample(text)])
    cosines = np.round((vectors[:-1] @ vectors[-1]).astype(np.float64), 6)
    return np.maximum(cosines, _LEAST_COSINE) ** _LIKENESS


def _candidates(
    phrases: Sequence[Phrase], units: Mapping[str, Unit], weights: Mapping[str, float], count: int
) -> list[Phrase]:
    if sum(phrase.count > 1 and len(phrase.units) > 1 for phrase in phrases) >= count:
        phrases = [phrase for phrase in phrases if phrase.count > 1 or len(phrase.units) == 1]
    repeated = {phrase.units for phrase in phrases if phrase.count > 1 and len(phrase.units) > 1}
    phrases = [phrase for phrase in phrases if phrase.count > 1 or not repeated.intersection(_parts(phrase, 2))]

    def by_counts(phrase: Phrase) -> float:
        return -_cohesion(phrase, units) * sum(weights[unit] for unit in phrase.units)

    return sorted(phrases, key=by_counts)[:_COMPARED]


def _chosen(
    candidates: Sequence[Phrase], scores: NDArray[np.float64], weights: Mapping[str, float], count: int
) -> Iterator[tuple[Phrase, float]]:
    left_weights = dict(weights)
    with_unit: dict[str, set[int]] = {}
    for at, phrase in enumerate(candidates):
        for unit in phrase.units:
            with_unit.setdefault(unit, set()).add(at)

    def marginal(at: int) -> float:
        return float(scores[at]) * sum(left_weights[unit] for unit in candidates[at].units)

    marginals = [marginal(at) for at in range(len(candidates))]
    best_score = 0.0
    for _ in range(min(count, len(candidates))):
        score = max(marginals)
        if score < 0:
            return
        phrase = candidates[marginals.index(score)]
        best_score = best_score or score
        yield phrase, round(score / best_score, 6)
        for unit in phrase.units:
            left_weights[unit] = weights[unit] * _SAID
        parts = set(_parts(phrase, 1))
        # Only phrases with a word in common with this one have another score now, or are a part of it.
        for at in set[int]().union(*(with_unit[unit] for unit in phrase.units)):
            other = candidates[at]
            # A part that never occurs without the phrase adds nothing; nor does the phrase itself.
            gone = marginals[at] < 0 or (other.count <= phrase.count and other.units in parts)
            marginals[at] = _GONE if gone else marginal(at)


def _parts(phrase: Phrase, shortest: int) -> Iterator[tuple[str, ...]]:
    """Yield the units of the phrase, and of each part of it that has at least so many words, in any place."""
    size = len(phrase.units)
    for first in range(size):
        for end in range(first + shortest, size + 1):
            yield phrase.units[first:end]


def _weight(count: int, first: float) -> float:
    return count**_FREQUENCY / math.log(2 + 100 * first) ** _EARLINESS


def _cohesion(phrase: Phrase, units: Mapping[str, Unit]) -> float:
    """Return a factor that is near 1 if the phrase's rarest word almost only occurs in this phrase."""
    return min(1.0, phrase.count / min(units[unit].count for unit in phrase.units)) ** _COHESION


def _sample(text: str) -> str:
    if len(text) <= _PARTS * _PART_CHARACTERS:
        return text
    starts = np.linspace(0, len(text) - _PART_CHARACTERS, _PARTS).astype(int)
    return " ".join(text[start : start + _PART_CHARACTERS] for start in starts.tolist())
