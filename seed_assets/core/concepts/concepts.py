"""Concepts: the few phrases that say what a document is about. What belongs here: the protocol of extractors, and the offline
default, which ranks phrases. What does not: candidate phrases (phrases), named entities and their relations, and the stage
that requests concepts.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.text.header_block import header_end
from seed_assets.core.text.phrases import Phrase, Unit, find_phrases
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.reuse import Reuse

# The numbers were chosen by judgement; docs/benchmarks.md (Quality of the offline default) shows the quality they give.
# So many candidates are compared by meaning: those that are best by their counts.
_COMPARED = 300
# The vector of a document is computed from at most 20 evenly spaced parts of 1,000 characters.
_PARTS, _PART_CHARACTERS = 20, 1000

# The part of a document that is read. A character of Chinese takes as much time here as a word of English.
_READ_CHARACTERS = 500_000

# The exponents with which a word's frequency and earliness, and a phrase's cohesion and likeness, enter its score.
_FREQUENCY, _EARLINESS, _COHESION, _LIKENESS = 0.5, 1.5, 0.2, 0.6
# Cosines are at least this large, so that no score is zero.
_LEAST_COSINE = 0.01
# The factor for words that occur in a phrase chosen before. With .1 and a likeness of .75, keyphrases are as good, and the
# phrases of 212 PEPs name .732 of the stems of their titles instead of .750.
_SAID = 0.02
# The score of a phrase that is no candidate any more; scores of candidates are never negative.
_GONE = -1.0


# Defaults are omitted, so that a concept without a kind has the same bytes as before the field `kind` existed.
class Concept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A phrase that says what a document is about.

    name: the phrase, case-folded, with single spaces.
    score: 1 for the best concept, smaller for the others.
    count: the number of mentions, in singular and plural.
    start, end: where the name first occurs, in characters: the name is `" ".join(text[start:end].casefold().split())`. If a
        model found the concept, they are the passage that is evidence for it.
    kind: "term", "method", "person", ...; "" if it is not known.
    """

    name: str
    score: float
    count: int
    start: int
    end: int
    kind: str = ""


class Concepts(msgspec.Struct, frozen=True):
    """The concepts of a document.

    concepts: best first. It is empty only if the document has no words besides stop words and numbers.
    """

    concepts: tuple[Concept, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the concepts, best first."""
        return tuple(concept.name for concept in self.concepts)


class ConceptExtractor(Protocol):
    """Finds the concepts of a document, by counting or by asking a model."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the concepts besides the document; part of their action key."""
        ...

    async def extract(self, text: str, title: str, reuse: Reuse) -> Concepts:
        """Find the concepts of one document. Raises DocumentError.

        title: the document's title; "" if none is known.
        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class StatisticalConceptExtractor:
    """Ranks the document's own phrases by counts and by meaning, without a model or a network; it is deterministic.

    The weight of a word depends on how often and how early it occurs; a word of the title counts as the first of the text.
    The score of a phrase of one to four words is the sum of its words' weights, times their cohesion, times the phrase's
    similarity to the document. The best phrases are chosen one after the other, and a word of an earlier phrase counts only
    a fiftieth in a later one, so that each phrase adds something new. If enough phrases are repeated, only repeated phrases
    and single words are candidates. A phrase that occurs once and contains a repeated phrase is never a candidate.

    The time is linear in the length of the text, of which the first 500,000 characters (a novel) are read; only the 300
    best candidates by counts are embedded.

    embedder: compares phrases with the document.
    count: the most concepts of a document.
    work: the workers that find the concepts; None means a thread of this process.
    """

    embedder: LocalEmbedder
    count: int = 15
    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {
        "2": "Concepts are whole noun phrases in English and German, and none comes from a header block."
    }

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, the number of phrases, and the embedder's identity under `embedder.`."""
        own = {"extractor": "statistical", "version": "2", "count": self.count}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def extract(self, text: str, title: str, reuse: Reuse | None = None) -> Concepts:
        """Do what `extract_sync` does, in a worker or a thread; see `work`."""
        if self.work is None:
            return await asyncio.to_thread(self.extract_sync, text, title)
        return await self.work.run("concepts", self.count, text[:_READ_CHARACTERS], title)

    def extract_sync(self, text: str, title: str) -> Concepts:
        """Find at most `count` concepts, best first; `title` only guides the choice, and every concept is in `text`."""
        text = text[:_READ_CHARACTERS]
        start = header_end(text)
        phrases, units = find_phrases(text, start)
        if not phrases:
            return Concepts(())
        _, title_units = find_phrases(title)
        weights = {
            name: _weight(unit.count, 0.0 if name in title_units else (unit.start - start) / (len(text) - start))
            for name, unit in units.items()
        }
        candidates = _candidates(phrases, units, weights, self.count)
        scores = self._likeness(candidates, text[start:]) * [_cohesion(phrase, units) for phrase in candidates]
        return Concepts(tuple(_chosen(candidates, scores, weights, self.count)))

    def _likeness(self, candidates: Sequence[Phrase], text: str) -> NDArray[np.float64]:
        vectors = self.embedder.embed_sync([*(phrase.name for phrase in candidates), _sample(text)])
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
) -> Iterator[Concept]:
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
        yield Concept(phrase.name, round(score / best_score, 6), phrase.count, phrase.start, phrase.end)
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
