"""The evidence for and against a claim in its sources. What belongs here: how similar the sources are to a claim, and
whether its numbers, names and negations stand near the rest of its wording. What does not: the decision (judging), finding
numbers, names and negations (numerals, proper_names, negations), near copies (edits), the search for passages (passages).

A number or a name is in its place if the sentences near it contain a good part of the claim's other wording, compared with
the sentences that contain most of it. A detail is misplaced if no source has it, or has it only far from such sentences.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from resources.models.embedder import LocalEmbedder
from seed_assets.core.judging.edits import changed
from seed_assets.core.judging.opposition import SourceWords
from seed_assets.core.judging.passages import SourcePassage, SourcePassages, in_order
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.judging.wording_shares import Mask, WordingShares, dilated, ratio
from seed_assets.core.text.negations import negations_in
from seed_assets.core.text.numerals import numbers_in
from seed_assets.core.text.proper_names import ProperNames
from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.textrank import terms
from seed_assets.core.text.words import WORD

# The numbers of this module were chosen by judgement; docs/benchmarks.md (Judges) shows how the judge performs with them.
# So many passages are compared by meaning; as in passages.
_COMPARED = 24
# The weight of wording in the likeness; meaning has the rest.
_WORDING = 0.6
# Results are rounded, because the last bits of a sum differ between machines.
_DECIMALS = 6
# Empty slots between two sources, so that no window reaches from one into another.
_GAP = 8


class _Place(NamedTuple):
    """How near to the rest of the claim a detail must stand.

    window: sentences on each side whose wording counts together with a sentence's own.
    around: sentences on each side of a detail that are searched for the rest of the claim.
    least: the share of the best window's score that a window near the detail must reach.
    """

    window: int
    around: int
    least: float


# A person is often named some sentences before the sentence about them; a number stands next to what it counts.
_NAME = _Place(window=1, around=3, least=0.25)
_NUMBER = _Place(window=2, around=1, least=0.4)
_NEGATION = _Place(window=0, around=0, least=0.65)
# Sentences on each side whose wording counts for a word or its opposite.
_OPPOSITE_WINDOW = 1


class _Detail(NamedTuple):
    """A number (as an amount) or a word of a name, with its terms and the sentences that contain it."""

    text: str
    terms: set[str]
    places: Sequence[int]
    place: _Place


@dataclass(frozen=True, slots=True)
class ClaimEvidence:
    """The evidence found for one claim.

    likeness: how similar the most similar part of the sources is, by wording and meaning, 0 to 1.
    meaning: the cosine of the sentence that is most similar in meaning, 0 to 1.
    novel: the share of the claim's wording that no source has, 0 to 1; rare words weigh more.
    close: the largest share of the claim's wording, without numbers and names, that one sentence contains, 0 to 1.
    nearest: that sentence; None if no sentence contains a word of the claim.
    numbers, names: how many of its numbers and of the words of its names are not in their place.
    edited: whether the nearest sentence is the same but for a number, a name or a negation.
    negated: whether the claim has a negation that such sentences of the sources have not.
    opposed: how much better a sentence with the opposite of a word of the claim fits than one with the word, 0 to 1.
    prefixed: whether it has a negated word, such as "unsuccessful", that no source has.
    doubts: the numbers (as amounts), names (in lower case), negations and opposed words behind these, each once.
    """

    likeness: float = 0.0
    meaning: float = 0.0
    novel: float = 1.0
    close: float = 0.0
    nearest: SourcePassage | None = None
    numbers: int = 0
    names: int = 0
    edited: bool = False
    negated: bool = False
    opposed: float = 0.0
    prefixed: bool = False
    doubts: tuple[str, ...] = ()


class Evidence:
    """The sentences of some sources, against which claims are weighed. It is not thread-safe.

    The order of the sources does not matter.
    """

    def __init__(self, sources: Iterable[SourceText], embedder: LocalEmbedder) -> None:
        self.passages = SourcePassages(in_order(sources), embedder)
        sentences = self.passages.sentences
        words = [[match.group() for match in WORD.finditer(one.text.casefold())] for one in sentences]
        self._names = ProperNames(sentence.text for sentence in sentences)
        self._stopped = stop_words(chain.from_iterable(words))
        self._words = SourceWords(words)
        self._slots = np.array([place + sentence.source * _GAP for place, sentence in enumerate(sentences)], dtype=int)
        self._size = int(self._slots[-1]) + 1 if sentences else 0
        numbers: dict[str, list[int]] = defaultdict(list)
        for place, sentence in enumerate(sentences):
            for number in numbers_in(sentence.text):
                numbers[number.value].append(place)
        self._numbers = dict(numbers)
        self._negative = self._mask(place for place, one in enumerate(sentences) if any(negations_in(one.text)))

    def weigh(self, claim: str) -> ClaimEvidence:
        """Return the evidence for and against a claim."""
        shares = self._shares(claim)
        if shares is None:
            return ClaimEvidence()
        details = [*self._details(claim)]
        wrong = [detail for detail in details if self._is_misplaced(detail, shares)]
        rest = shares.wanted.difference(*(detail.terms for detail in details))
        single = shares.of(rest or shares.wanted, 0)
        best = int(single.argmax())
        nearest = int(np.searchsorted(self._slots, best)) if single[best] > 0 else None
        edit = "" if nearest is None else changed(claim, self.passages.sentences[nearest].text)
        negation = self._misplaced_negation(claim, shares)
        opposed, opposite = self._opposed(claim, shares)
        prefixed = self._words.unknown_negated(claim)
        doubts = [*(detail.text for detail in wrong), edit, negation, opposite, prefixed]
        meaning = max(match.meaning for match in self.passages.matches(claim, _COMPARED))
        likeness = _WORDING * float(shares.of(shares.wanted, 1).max()) + (1 - _WORDING) * meaning
        return ClaimEvidence(
            likeness=round(likeness, _DECIMALS),
            meaning=meaning,
            novel=self._novel(shares),
            close=float(single[best]),
            nearest=None if nearest is None else self.passages.passage(nearest, nearest),
            numbers=sum(detail.place is _NUMBER for detail in wrong),
            names=sum(detail.place is _NAME for detail in wrong),
            edited=bool(edit),
            negated=bool(negation),
            opposed=opposed,
            prefixed=bool(prefixed),
            doubts=tuple(dict.fromkeys(filter(None, doubts))),
        )

    def _details(self, claim: str) -> Iterator[_Detail]:
        for number in numbers_in(claim):
            own = set(terms(claim[number.start : number.end]))
            yield _Detail(number.value, own, self._numbers.get(number.value, ()), _NUMBER)
        for name in self._names.within(claim):
            own = set(terms(name))
            yield _Detail(name, own, sorted({at for term in own for at in self.passages.places(term)}), _NAME)

    def _is_misplaced(self, detail: _Detail, shares: WordingShares) -> bool:
        where, others = self._mask(detail.places), shares.wanted - detail.terms
        if not where.any():
            return True
        place = detail.place
        return bool(others) and ratio(shares.of(others, place.window), dilated(where, place.around)) < place.least

    def _misplaced_negation(self, claim: str, shares: WordingShares) -> str:
        spans = list(negations_in(claim))
        if not spans or ratio(shares.of(shares.wanted, _NEGATION.window), self._negative) >= _NEGATION.least:
            return ""
        return claim[slice(*spans[0])].casefold()

    def _opposed(self, claim: str, shares: WordingShares) -> tuple[float, str]:
        """Return how much better sentences with an opposite fit than those with the word itself, and the word."""
        most, worst = 0.0, ""
        for word, own, opposite in self._words.opposites_in(claim):
            others = shares.wanted.difference(terms(word))
            if not others:
                continue
            near = shares.of(others, _OPPOSITE_WINDOW)
            fits = [ratio(near, self._mask(places)) if places else 0.0 for places in (own, opposite)]
            against = (fits[1] - fits[0]) * float(near.max())
            if against > most:
                most, worst = against, word
        return round(most, _DECIMALS), worst

    def _novel(self, shares: WordingShares) -> float:
        weights = {term: self.passages.weight(term) for term in sorted(shares.wanted)}
        missing = sum(weight for term, weight in weights.items() if not self.passages.places(term))
        return round(missing / sum(weights.values()), _DECIMALS)

    def _shares(self, claim: str) -> WordingShares | None:
        words = [match.group() for match in WORD.finditer(claim.casefold())]
        content = set(terms(" ".join([word for word in words if word not in self._stopped] or words)))
        if not content or not self._size:
            return None
        masks = {term: self._mask(self.passages.places(term)) for term in content}
        return WordingShares(masks, {term: self.passages.weight(term) for term in content})

    def _mask(self, places: Iterable[int]) -> Mask:
        mask = np.zeros(self._size, dtype=bool)
        mask[self._slots[list(places)]] = True
        return mask
