"""What speaks for a claim in its sources, and what against it. What belongs here: how like a claim the sources are, and
whether its numbers, names and negations stand where the rest of it does. What does not: what follows (judging), finding
the details in a text (numerals, proper_names, negations), passages (passages).

A detail is in its place where a window of sentences with it has about as much of the claim's other wording as the best
window of all; what is missing from the sources, or only found far from what the claim is about, is out of place. The more
of a claim stands in one sentence, the less may be missing where the detail is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resources.embedder import LocalEmbedder
from seed_assets.core.copies import CopiedText
from seed_assets.core.edits import changed
from seed_assets.core.negations import negated, negations_in
from seed_assets.core.numerals import numbers_in
from seed_assets.core.passages import Passage, Passages
from seed_assets.core.proper_names import Names
from seed_assets.core.stopwords import stop_words
from seed_assets.core.textrank import terms
from seed_assets.core.verdicts import SourceText
from seed_assets.core.words import WORD

Mask = NDArray[np.bool_]
Shares = NDArray[np.float64]

_COMPARED = 24
_WORDING = 0.6
# Empty slots between two sources, so that no window reaches into another.
_GAP = 8
_DECIMALS = 6

_CLOSE, _VERBATIM = 0.6, 0.85
_NAME, _NUMBER, _NEGATION, _PLAIN = 0.4, 0.5, 0.7, 0.4
_STRICT = 0.97


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found on a claim.

    likeness: of the sources' best place to it, by wording and by meaning, 0 to 1. close: the most of its wording that one
    sentence has, 0 to 1. place: of the sentence, in `Evidence.passages.sentences`; None where none has any of its words.
    misplaced: numbers and names that are out of place, as the claim has them in lower case or as amounts. opposed: that
    the claim negates what the sources do not, or the other way round.
    """

    likeness: float
    close: float
    place: int | None
    misplaced: tuple[str, ...]
    opposed: bool


class Evidence:
    """The sentences of some sources, for weighing claims. Not for several threads at once."""

    def __init__(self, sources: Sequence[SourceText], embedder: LocalEmbedder) -> None:
        self.passages = Passages(sources, embedder)
        self._texts = [CopiedText(source.text) for source in sources]
        sentences = self.passages.sentences
        self._names = Names(sentence.text for sentence in sentences)
        self._stopped = stop_words(
            match.group() for sentence in sentences for match in WORD.finditer(sentence.text.casefold())
        )
        self._slots = np.array([place + sentence.source * _GAP for place, sentence in enumerate(sentences)], dtype=int)
        self._size = int(self._slots[-1]) + 1 if sentences else 0
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._negations: dict[str, list[int]] = defaultdict(list)
        negative: list[int] = []
        for place, sentence in enumerate(sentences):
            for number in numbers_in(sentence.text):
                self._numbers[number.value].append(place)
            if any(negations_in(sentence.text)):
                negative.append(place)
        self._negative = self._mask(negative)

    def quoted(self, claim: str) -> Passage | None:
        """The passage that a claim is copied from, None where it is not copied; see CopiedText."""
        for source, text in zip(self.passages.sources, self._texts, strict=True):
            place = text.locate(claim)
            if place is not None:
                return Passage(source.document_id, source.title, source.text[slice(*place)], *place)
        return None

    def weigh(self, claim: str) -> Finding:
        """What the sources have on a claim."""
        content = self._content(claim)
        if not self._size or not content:
            return Finding(0.0, 0.0, None, (), False)
        masks = {term: self._mask(self.passages.places(term)) for term in sorted(content)}
        weights = {term: self.passages.weight(term) for term in masks}
        shares = _Shares(masks, weights)
        matches = self.passages.matches(claim, _COMPARED)
        meaning = max(match.meaning for match in matches)
        likeness = _WORDING * float(shares.of(masks, 1).max()) + (1 - _WORDING) * meaning
        misplaced: list[str] = []
        wording = list(masks)
        details: set[str] = set()
        for number in numbers_in(claim):
            own = set(terms(claim[number.start : number.end]))
            details |= own
            if self._is_misplaced(
                self._mask(self._numbers.get(number.value, ())), shares, content - own, (2, 1), _NUMBER
            ):
                misplaced.append(number.value)
        for name in self._names.within(claim):
            own = set(terms(name))
            details |= own
            if self._is_misplaced(self._mask(self._having(own)), shares, content - own, (1, 3), _NAME):
                misplaced.append(name)
        single = shares.of(content - details or content, 0)
        close = round(float(single.max()), _DECIMALS)
        best = int(np.argmax(np.round(single, _DECIMALS)))
        if edit := changed(claim, self.passages.sentences[int(np.searchsorted(self._slots, best))].text):
            misplaced.append(edit.casefold())
        opposed = self._is_opposed(claim, content, shares)
        whole = shares.of(wording, 0)
        best = int(np.argmax(np.round(whole, _DECIMALS)))
        place = int(np.searchsorted(self._slots, best)) if whole[best] > 0 else None
        return Finding(round(likeness, _DECIMALS), close, place, tuple(misplaced), opposed)

    def _is_misplaced(
        self, where: Mask, shares: "_Shares", others: set[str], reach: tuple[int, int], least: float
    ) -> bool:
        if not where.any():
            return True
        if not others:
            return False
        window, around = reach
        if _ratio(shares.of(others, window), _dilated(where, around)) < least:
            return True
        single = shares.of(others, 0)
        strictness = _between(float(single.max()), _CLOSE, _VERBATIM)
        return _ratio(single, _dilated(where, 1)) < strictness * _STRICT

    def _is_opposed(self, claim: str, content: set[str], shares: "_Shares") -> bool:
        about = set(terms(negated(claim))) & content
        single = shares.of(content, 0)
        if any(negations_in(claim)):
            both = single + (shares.of(about, 0) * shares.total(about) / shares.total(content) if about else 0.0)
            return _ratio(both, self._negative) < _NEGATION
        strictness = _between(float(single.max()), _CLOSE, _VERBATIM)
        return _ratio(single, ~self._negative) < max(_PLAIN, strictness * _STRICT)

    def _content(self, claim: str) -> set[str]:
        folded = claim.casefold()
        words = [match.group() for match in WORD.finditer(folded)]
        kept = [word for word in words if word not in self._stopped] or words
        return set(terms(" ".join(kept)))

    def _having(self, own: Iterable[str]) -> list[int]:
        return sorted({place for term in own for place in self.passages.places(term)})

    def _mask(self, places: Sequence[int]) -> Mask:
        mask = np.zeros(self._size, dtype=bool)
        if places:
            mask[self._slots[list(places)]] = True
        return mask


class _Shares:
    def __init__(self, masks: dict[str, Mask], weights: dict[str, float]) -> None:
        self._masks, self._weights = masks, weights
        self._found: dict[tuple[tuple[str, ...], int], Shares] = {}

    def total(self, wanted: Iterable[str]) -> float:
        return sum(self._weights[term] for term in sorted(wanted))

    def of(self, wanted: Iterable[str], window: int) -> Shares:
        """By slot, the share of the wanted terms that are at most `window` slots away, rare ones counting more."""
        key = (tuple(sorted(wanted)), window)
        if key not in self._found:
            found = sum(self._weights[term] * _dilated(self._masks[term], window) for term in key[0])
            self._found[key] = np.round(np.asarray(found, dtype=np.float64) / self.total(key[0]), _DECIMALS)
        return self._found[key]


def _ratio(shares: Shares, where: Mask) -> float:
    best = float(shares.max())
    return float(shares[where].max()) / best if best and where.any() else float(not best)


def _between(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _dilated(mask: Mask, distance: int) -> Mask:
    if not distance or not len(mask):
        return mask
    wide = mask.copy()
    for step in range(1, min(distance, len(mask) - 1) + 1):
        wide[step:] |= mask[:-step]
        wide[:-step] |= mask[step:]
    return wide
