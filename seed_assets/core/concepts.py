"""What a document is about, in a few phrases. What belongs here: the seam that every extractor fills, and the
offline default, which ranks phrases. What does not: candidates (phrases.py), names of people and places and how they
are related, the stage that asks for concepts.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from resources.embedder import LocalEmbedder
from seed_assets.core.phrases import Phrase, Unit, find_phrases
from seed_assets.reuse import Reuse

Identity = Mapping[str, Part]

# Only so many candidates are compared by meaning; they are the best by counts.
_COMPARED = 300
# The document's direction is taken from at most 20 evenly spaced parts of 1,000 characters.
_PARTS, _PART_CHARACTERS = 20, 1000

# A character of Chinese costs as much here as a word of English.
_READ_CHARACTERS = 500_000

_FREQUENCY, _EARLINESS, _COHESION, _LIKENESS = 0.5, 1.5, 0.2, 0.75
_LEAST_COSINE = 0.01
_SAID = 0.1


# A concept without a kind has the same bytes as before there were kinds.
class Concept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A phrase that says what a document is about.

    name: case-folded, with single spaces. score: 1 for the best, then falling. count: mentions, plural or not.
    start, end: where the name first occurs, in characters: `" ".join(text[start:end].casefold().split())` is it; of a
    concept found by a model, the passage that shows it. kind: term, method, person, ...; "" where nobody has said.
    """

    name: str
    score: float
    count: int
    start: int
    end: int
    kind: str = ""


class Concepts(msgspec.Struct, frozen=True):
    """A document's concepts, best first; none only where the document has no words but stop words and numbers."""

    concepts: tuple[Concept, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, best first."""
        return tuple(concept.name for concept in self.concepts)


class ConceptExtractor(Protocol):
    """Turns a document into its concepts, by counting or by asking a model."""

    @property
    def identity(self) -> Identity:
        """Everything but the document that decides the concepts: part of their action key."""
        ...

    async def extract(self, text: str, title: str, reuse: Reuse) -> Concepts:
        """The concepts of one document; `title` is empty where none is known. Raises DocumentError.

        reuse: through which it asks others, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class StatisticalConceptExtractor:
    """Ranks the document's own phrases by counting and by meaning: no model, no network, the same every time.

    A word weighs by how often and how early it occurs; one that is in the title counts as the first of the text. A
    phrase of one to three words scores the sum of its words' weights, times how firmly they belong together, times
    its cosine to the document. Phrases are taken best first, and a word that is in one already chosen counts a tenth
    in the next, so that fifteen phrases say fifteen things. Where enough phrases are repeated, only those and single
    words are candidates; nowhere is one that occurs once and holds one that is repeated.

    Linear in the length of the text, of which the first 500,000 characters are read (a novel); only the 300 best
    candidates by counts are embedded.
    """

    embedder: LocalEmbedder
    count: int = 15

    @property
    def identity(self) -> Identity:
        """The method, its version, the number of phrases, and the embedder's identity under `embedder.`."""
        own = {"extractor": "statistical", "version": "1", "count": self.count}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def extract(self, text: str, title: str, reuse: Reuse | None = None) -> Concepts:
        """As `extract_sync`, on another thread."""
        return await asyncio.to_thread(self.extract_sync, text, title)

    def extract_sync(self, text: str, title: str) -> Concepts:
        """At most `count` concepts, best first; `title` only guides the choice, every concept is in `text`."""
        text = text[:_READ_CHARACTERS]
        phrases, units = find_phrases(text)
        if not phrases:
            return Concepts(())
        _, title_units = find_phrases(title)
        weights = {
            name: _weight(unit.count, 0.0 if name in title_units else unit.start / len(text))
            for name, unit in units.items()
        }
        candidates = _candidates(phrases, units, weights, self.count)
        scores = self._likeness(candidates, text) * [_cohesion(phrase, units) for phrase in candidates]
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
    phrases = [phrase for phrase in phrases if phrase.count > 1 or not repeated.intersection(_parts(phrase))]

    def by_counts(phrase: Phrase) -> float:
        return -_cohesion(phrase, units) * sum(weights[unit] for unit in phrase.units)

    return sorted(phrases, key=by_counts)[:_COMPARED]


def _chosen(
    candidates: Sequence[Phrase], scores: NDArray[np.float64], weights: Mapping[str, float], count: int
) -> Iterator[Concept]:
    left = dict(zip(candidates, scores.tolist(), strict=True))
    said: set[str] = set()
    best_score = 0.0

    def marginal(phrase: Phrase) -> float:
        return left[phrase] * sum(weights[unit] * (_SAID if unit in said else 1.0) for unit in phrase.units)

    for _ in range(count):
        if not left:
            return
        phrase = max(left, key=marginal)
        score = marginal(phrase)
        best_score = best_score or score
        yield Concept(phrase.name, round(score / best_score, 6), phrase.count, phrase.start, phrase.end)
        said.update(phrase.units)
        left = {other: score for other, score in left.items() if not _is_part(other, phrase)}


def _parts(phrase: Phrase) -> Iterator[tuple[str, ...]]:
    """The units of the phrase less its first, and less its last word."""
    yield phrase.units[1:]
    yield phrase.units[:-1]


def _is_part(other: Phrase, phrase: Phrase) -> bool:
    """Whether `other` is `phrase`, or a part of it that never occurs without it."""
    size = len(other.units)
    return other.count <= phrase.count and any(
        phrase.units[at : at + size] == other.units for at in range(len(phrase.units) - size + 1)
    )


def _weight(count: int, first: float) -> float:
    return count**_FREQUENCY / math.log(2 + 100 * first) ** _EARLINESS


def _cohesion(phrase: Phrase, units: Mapping[str, Unit]) -> float:
    """Near 1 where the phrase's rarest word is hardly ever without it."""
    return min(1.0, phrase.count / min(units[unit].count for unit in phrase.units)) ** _COHESION


def _sample(text: str) -> str:
    if len(text) <= _PARTS * _PART_CHARACTERS:
        return text
    starts = np.linspace(0, len(text) - _PART_CHARACTERS, _PARTS).astype(int)
    return " ".join(text[start : start + _PART_CHARACTERS] for start in starts.tolist())
