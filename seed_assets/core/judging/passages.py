"""Passages of the sources that a claim could come from. What belongs here: cutting sources into passages and finding the
best ones for a claim. What does not: whether they support it (judging, model_judging), and search over the tables
(retrieval).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resources.models.embedder import LocalEmbedder
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.textrank import terms

# The numbers of this module were chosen by judgement unless a source is named.
# A longer sentence is cut into pieces.
_LONGEST_WORDS = 60
# Sentences on each side that belong to a passage: who "she" is stands in the sentence before.
_AROUND = 1
# So many of the sentences that are most similar by wording are also compared by meaning.
_COMPARED = 24
# The weight of wording in a match's score; meaning has the rest.
_WORDING = 0.6
# Results are rounded, because the last bits of a sum differ between machines.
_DECIMALS = 6
# The part of a source that is read; a novel has about 400,000 characters.
_READ_CHARACTERS = 4_000_000
# BM25's k1 and b (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009): a word that occurs twice counts
# little more than once, and long sentences have more words by chance. k1 is usual; b was chosen below the usual 0.75.
_SATURATION, _LENGTH = 1.2, 0.5


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """Consecutive sentences of a source.

    text: the source's text from `start` to `end` (offsets in characters), unchanged.
    """

    document_id: str
    title: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a source, or a piece of at most 60 words of a long one.

    source: the index of the source.
    start, end: offsets in the source, in characters.
    text: the sentence with its white space collapsed.
    """

    source: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """How similar a sentence is to a claim.

    place: the index of the sentence in `SourcePassages.sentences`.
    wording: the share of the claim's wording that it contains, 0 to 1; rare words weigh more.
    meaning: the cosine of both vectors, 0 to 1.
    """

    place: int
    wording: float
    meaning: float

    @property
    def score(self) -> float:
        """The weighted mean of wording and meaning, 0 to 1."""
        return round(_WORDING * self.wording + (1 - _WORDING) * self.meaning, _DECIMALS)


def in_order(sources: Iterable[SourceText]) -> list[SourceText]:
    """Return each distinct source once, sorted, so that the order of `sources` does not matter."""
    return sorted(set(sources), key=lambda source: (source.document_id, source.title, source.text))


class SourcePassages:
    """The sentences of one or several sources, in which passages for claims are found. It is not thread-safe.

    A claim is compared by wording with every sentence, and by meaning only with those that are most similar by wording;
    their vectors are kept for the next claim. The first 4 million characters of a source are read.
    """

    def __init__(self, sources: Sequence[SourceText], embedder: LocalEmbedder) -> None:
        self.sources = tuple(sources)
        self.sentences = [
            Sentence(number, *piece, " ".join(source.text[slice(*piece)].split()))
            for number, source in enumerate(self.sources)
            for span in split_sentences(source.text[:_READ_CHARACTERS])
            for piece in split_long(source.text, span, _LONGEST_WORDS)
        ]
        self._embedder = embedder
        self._vectors: dict[int, NDArray[np.float32]] = {}
        self._with: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths: list[int] = []
        for place, sentence in enumerate(self.sentences):
            counts = terms(sentence.text)
            lengths.append(counts.total())
            for term, count in counts.items():
                self._with[term].append((place, count))
        mean = sum(lengths) / len(lengths) if lengths else 1.0
        self._lengths = [1 - _LENGTH + _LENGTH * length / (mean or 1.0) for length in lengths]

    def best(self, claim: str, count: int) -> list[SourcePassage]:
        """Return at most `count` passages that most likely support or contradict the claim, best first, without overlap.

        A passage is a sentence with the one before and the one after it in the same source. The list is empty if no source
        has a sentence.
        """
        taken: set[int] = set()
        found: list[SourcePassage] = []
        for match in self.matches(claim, _COMPARED):
            if len(found) == count:
                break
            if match.place in taken:
                continue
            around = [place for place in self.around(match.place, _AROUND) if place not in taken]
            # Sentences that are not yet taken may lie beyond one that is: only those next to the match are kept.
            while around[0] < match.place and set(range(around[0], match.place)) - set(around):
                around.pop(0)
            while around[-1] > match.place and set(range(match.place, around[-1])) - set(around):
                around.pop()
            taken.update(around)
            found.append(self.passage(around[0], around[-1]))
        return found

    def passage(self, first: int, last: int) -> SourcePassage:
        """Return the passage from the sentence at `first` to the one at `last`, both of the same source."""
        source = self.sources[self.sentences[first].source]
        start, end = self.sentences[first].start, self.sentences[last].end
        return SourcePassage(source.document_id, source.title, source.text[start:end], start, end)

    def around(self, place: int, distance: int) -> range:
        """Return the places of a sentence and of all sentences of its source that are at most `distance` away."""
        first = last = place
        for _ in range(distance):
            if first and self.sentences[first - 1].source == self.sentences[place].source:
                first -= 1
            if last + 1 < len(self.sentences) and self.sentences[last + 1].source == self.sentences[place].source:
                last += 1
        return range(first, last + 1)

    def matches(self, claim: str, count: int) -> list[Match]:
        """Return the `count` sentences most similar to a claim, best first; ties go to the earlier sentence."""
        wording = self._wording(claim)
        places = sorted(wording, key=lambda place: (-wording[place][0], place))[:_COMPARED]
        if not places:
            places = list(range(len(self.sentences)))[:: max(1, len(self.sentences) // _COMPARED)][:_COMPARED]
        meaning = self._meaning(claim, places)
        found = [
            Match(place, wording[place][1] if place in wording else 0.0, cosine)
            for place, cosine in zip(places, meaning, strict=True)
        ]
        return sorted(found, key=lambda match: (-match.score, match.place))[:count]

    def places(self, term: str) -> list[int]:
        """Return the places of the sentences that contain a term, in order."""
        return [place for place, _ in self._with.get(term, ())]

    def weight(self, term: str) -> float:
        """Return the weight of a term (above 0): the rarer it is in the sources, the larger the weight."""
        return math.log(1 + (len(self.sentences) + 0.5) / (len(self._with.get(term, ())) + 0.5))

    def _wording(self, claim: str) -> dict[int, tuple[float, float]]:
        """Return the BM25 score and the share of the claim's wording, by the place of the sentence."""
        wanted = {term: self.weight(term) for term in sorted(terms(claim))}
        total = sum(wanted.values()) or 1.0
        scores: dict[int, float] = defaultdict(float)
        shares: dict[int, float] = defaultdict(float)
        for term, weight in wanted.items():
            for place, times in self._with.get(term, ()):
                scores[place] += weight * times * (_SATURATION + 1) / (times + _SATURATION * self._lengths[place])
                shares[place] += weight
        return {place: (round(scores[place], _DECIMALS), round(shares[place] / total, _DECIMALS)) for place in scores}

    def _meaning(self, claim: str, places: Sequence[int]) -> list[float]:
        missing = [place for place in places if place not in self._vectors]
        vectors = self._embedder.embed_sync([claim, *(self.sentences[place].text for place in missing)])
        self._vectors.update(zip(missing, vectors[1:], strict=True))
        cosines = [float(self._vectors[place] @ vectors[0]) for place in places]
        return [round(min(1.0, max(0.0, cosine)), _DECIMALS) for cosine in cosines]
