"""The evidence for and against a claim in its sources. What belongs here: how similar the sources are to a claim, and
whether its numbers, names and negations stand near the rest of its wording. What does not: the decision (judging), finding
numbers, names and negations (numerals, proper_names, negations), near copies (edits), the search for passages (passages).

A number or a name is in its place if the sentences near it contain a good part of the claim's other wording, compared with
the sentences that contain most of it. A detail is misplaced if no source has it, or has it only far from such sentences.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from resources.models.embedder import LocalEmbedder
from seed_assets.core.judging.edits import changed
from seed_assets.core.judging.passages import SourcePassage, SourcePassages, in_order
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.text.negations import negations_in
from seed_assets.core.text.numerals import numbers_in
from seed_assets.core.text.proper_names import ProperNames
from seed_assets.core.text.stopwords import stop_words
from seed_assets.core.text.textrank import terms
from seed_assets.core.text.words import WORD

Mask = NDArray[np.bool_]
"""One truth value per slot: shape (slots,). Each sentence has a slot, with empty slots between two sources."""
Shares = NDArray[np.float64]
"""One share from 0 to 1 per slot: shape (slots,)."""

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


@dataclass(frozen=True, slots=True)
class ClaimEvidence:
    """The evidence found for one claim.

    likeness: how similar the most similar part of the sources is, by wording and meaning, 0 to 1.
    close: the largest share of the claim's wording, without numbers and names, that one sentence contains, 0 to 1.
    nearest: that sentence; None if no sentence contains a word of the claim.
    doubts: numbers (as amounts), names (in lower case) and negations that the sources do not support, each once.
    """

    likeness: float
    close: float
    nearest: SourcePassage | None
    doubts: tuple[str, ...]


class Evidence:
    """The sentences of some sources, against which claims are weighed. It is not thread-safe.

    The order of the sources does not matter.
    """

    def __init__(self, sources: Iterable[SourceText], embedder: LocalEmbedder) -> None:
        self.passages = SourcePassages(in_order(sources), embedder)
        sentences = self.passages.sentences
        self._names = ProperNames(sentence.text for sentence in sentences)
        self._stopped = stop_words(
            match.group() for sentence in sentences for match in WORD.finditer(sentence.text.casefold())
        )
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
            return ClaimEvidence(0.0, 0.0, None, ())
        doubts: dict[str, None] = {}
        details: set[str] = set()
        for detail, own, places in self._details(claim):
            details |= own
            where = _NUMBER if detail[0].isdigit() else _NAME
            if self._is_misplaced(self._mask(places), shares, shares.wanted - own, where):
                doubts[detail] = None
        single = shares.of(shares.wanted - details or shares.wanted, 0)
        best = int(single.argmax())
        nearest = int(np.searchsorted(self._slots, best)) if single[best] > 0 else None
        if nearest is not None and (edit := changed(claim, self.passages.sentences[nearest].text)):
            doubts[edit] = None
        if negation := self._misplaced_negation(claim, shares):
            doubts[negation] = None
        meaning = max(match.meaning for match in self.passages.matches(claim, _COMPARED))
        likeness = _WORDING * float(shares.of(shares.wanted, 1).max()) + (1 - _WORDING) * meaning
        shown = self.passages.passage(nearest, nearest) if nearest is not None else None
        return ClaimEvidence(round(likeness, _DECIMALS), float(single[best]), shown, tuple(doubts))

    def _details(self, claim: str) -> Iterable[tuple[str, set[str], Sequence[int]]]:
        """Yield each number and name of a claim with its terms and the places of the sentences that contain it."""
        for number in numbers_in(claim):
            yield number.value, set(terms(claim[number.start : number.end])), self._numbers.get(number.value, ())
        for name in self._names.within(claim):
            own = set(terms(name))
            yield name, own, sorted({place for term in own for place in self.passages.places(term)})

    def _is_misplaced(self, where: Mask, shares: "_Shares", others: set[str], place: _Place) -> bool:
        if not where.any():
            return True
        return bool(others) and _ratio(shares.of(others, place.window), _dilated(where, place.around)) < place.least

    def _misplaced_negation(self, claim: str, shares: "_Shares") -> str:
        spans = list(negations_in(claim))
        if not spans or _ratio(shares.of(shares.wanted, _NEGATION.window), self._negative) >= _NEGATION.least:
            return ""
        return claim[slice(*spans[0])].casefold()

    def _shares(self, claim: str) -> "_Shares | None":
        words = [match.group() for match in WORD.finditer(claim.casefold())]
        content = set(terms(" ".join([word for word in words if word not in self._stopped] or words)))
        if not content or not self._size:
            return None
        masks = {term: self._mask(self.passages.places(term)) for term in content}
        return _Shares(masks, {term: self.passages.weight(term) for term in content})

    def _mask(self, places: Iterable[int]) -> Mask:
        mask = np.zeros(self._size, dtype=bool)
        mask[self._slots[list(places)]] = True
        return mask


class _Shares:
    """How much of a claim's wording each part of the sources contains."""

    def __init__(self, masks: Mapping[str, Mask], weights: Mapping[str, float]) -> None:
        self.wanted = set(masks)
        """The terms of the claim."""
        self._masks, self._weights = masks, weights
        self._found: dict[tuple[tuple[str, ...], int], Shares] = {}

    def of(self, wanted: Iterable[str], window: int) -> Shares:
        """Return for each slot the share of the terms that are at most `window` slots away; rare terms weigh more."""
        key = (tuple(sorted(wanted)), window)
        if key not in self._found:
            found = np.zeros(len(self._masks[key[0][0]]))
            for term in key[0]:
                found += self._weights[term] * _dilated(self._masks[term], window)
            self._found[key] = np.round(found / sum(self._weights[term] for term in key[0]), _DECIMALS)
        return self._found[key]


def _ratio(shares: Shares, where: Mask) -> float:
    """Return the best share within the mask, divided by the best share anywhere."""
    best = float(shares.max())
    if not best:
        return 1.0
    return float(shares[where].max()) / best if where.any() else 0.0


def _dilated(mask: Mask, distance: int) -> Mask:
    """Return the mask extended by `distance` slots on each side of each slot in it."""
    wide = mask.copy()
    for step in range(1, min(distance, len(mask) - 1) + 1):
        wide[step:] |= mask[:-step]
        wide[:-step] |= mask[step:]
    return wide
