"""Where in its sources a claim could have come from. What belongs here: cutting sources into passages and finding the best
few for a claim. What does not: whether they show it (judging, model_judging), the search over the tables (retrieval).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resources.embedder import LocalEmbedder
from seed_assets.core.sentences import split_long, split_sentences
from seed_assets.core.textrank import terms
from seed_assets.core.verdicts import SourceText

_LONGEST_WORDS = 60
# Sentences on each side of one: who "she" is stands in the sentence before.
_AROUND = 1
# So many of the best by words are compared by meaning.
_COMPARED = 24
_WORDING = 0.6
_DECIMALS = 6
# Long documents repeat themselves; a novel has 400,000 characters.
_READ_CHARACTERS = 4_000_000
# BM25: a word that a sentence has twice says little more, and long sentences have more words by chance.
_SATURATION, _LENGTH = 1.2, 0.5


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences of a source. text: `source[start:end]`, as it stands there; offsets in characters."""

    document_id: str
    title: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a source, or a piece of at most 60 words of a long one.

    source, start, end: which source and where in it. text: with its white space collapsed.
    """

    source: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A sentence, by its place in `Passages.sentences`, as it compares to a claim.

    wording: share of the claim's wording that is in it, rare words counting more; meaning: cosine; both 0 to 1.
    """

    place: int
    wording: float
    meaning: float

    @property
    def score(self) -> float:
        """Both in one."""
        return round(_WORDING * self.wording + (1 - _WORDING) * self.meaning, _DECIMALS)


def in_order(sources: Iterable[SourceText]) -> list[SourceText]:
    """The sources, each once, in an order that theirs does not decide."""
    return sorted(set(sources), key=lambda source: (source.document_id, source.title, source.text))


class Passages:
    """The sentences of one or several sources, to be asked about claims. Not for several threads at once.

    A claim is compared by words with every sentence, and by meaning with the best by words only, whose vectors are kept
    for the next claim. The first 4 million characters of a source are read.
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

    def best(self, claim: str, count: int) -> list[Passage]:
        """At most `count` passages that are likeliest to show the claim or its contrary, best first, apart from each other.

        A passage is a sentence with the one before and the one after it, of the same source. None of sources without a
        sentence.
        """
        taken: set[int] = set()
        found: list[Passage] = []
        for match in self.matches(claim, _COMPARED):
            if len(found) == count:
                break
            if match.place in taken:
                continue
            around = [place for place in self.around(match.place, _AROUND) if place not in taken]
            # What is left between two passages may be on both sides of one that was taken.
            while around[0] < match.place and set(range(around[0], match.place)) - set(around):
                around.pop(0)
            while around[-1] > match.place and set(range(match.place, around[-1])) - set(around):
                around.pop()
            taken.update(around)
            found.append(self.passage(around[0], around[-1]))
        return found

    def passage(self, first: int, last: int) -> Passage:
        """From one sentence to another of the same source, by their places."""
        source = self.sources[self.sentences[first].source]
        start, end = self.sentences[first].start, self.sentences[last].end
        return Passage(source.document_id, source.title, source.text[start:end], start, end)

    def around(self, place: int, distance: int) -> range:
        """The places of a sentence and of those at most so far from it in the same source."""
        first = last = place
        for _ in range(distance):
            if first and self.sentences[first - 1].source == self.sentences[place].source:
                first -= 1
            if last + 1 < len(self.sentences) and self.sentences[last + 1].source == self.sentences[place].source:
                last += 1
        return range(first, last + 1)

    def matches(self, claim: str, count: int) -> list[Match]:
        """The sentences most like a claim, at most `count`, best first; of equals the first in the sources."""
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
        """The places of the sentences that have a term, in order."""
        return [place for place, _ in self._with.get(term, ())]

    def weight(self, term: str) -> float:
        """How rare a term is in the sources, above 0."""
        return math.log(1 + (len(self.sentences) + 0.5) / (len(self._with.get(term, ())) + 0.5))

    def _wording(self, claim: str) -> dict[int, tuple[float, float]]:
        """By place, BM25 and the share of the claim's wording."""
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
