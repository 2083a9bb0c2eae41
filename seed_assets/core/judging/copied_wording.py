"""How much of a claim's wording is copied from its sources, and where a copied piece was changed. What belongs here: sequences
of two to four words that a claim shares with the sources. What does not: claims that are copied as a whole (copies), and the
meaning of words.

Only those sequences of the sources are kept that a claim asks for, so that memory does not grow with the sources.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from seed_assets.core.text.negations import negations_in
from seed_assets.core.text.quotations import folded_words

_Words = tuple[str, ...]
# A copied piece has at least so many words; chosen by judgement.
_PIECE = 3
# Stand before the first and after the last word, so that both have neighbours.
_BEFORE, _AFTER = ["", ""], ["\n", "\n"]
# What remains of "n't" when words are folded.
_CLITIC_NEGATION = "t"


@dataclass(frozen=True, slots=True)
class CopiedWording:
    """How much of a claim's wording is copied.

    trigrams: the share of its sequences of three words that a source has, 0 to 1; of its words if it has fewer than three.
    longest: the words of its longest copied piece, divided by its words.
    density: the squared lengths of its copied pieces, divided by the square of its length: 1 for one piece, near 0 for many.
    bigrams: the share of its pairs of words that a source has.
    exchanged: whether it has another word than a source between the same words, on one side at least two.
    exchanged_within: whether that holds with two words on one side and two on the other.
    negated: whether exactly one negation is added or left out between two words that are together in a source.
    """

    trigrams: float
    longest: float
    density: float
    bigrams: float
    exchanged: bool
    exchanged_within: bool
    negated: bool


def copied_wording(claims: Iterable[str], sources: Iterable[str]) -> dict[str, CopiedWording]:
    """Return how much of each claim's wording is copied from the sources. The order of the sources does not matter."""
    folded = {claim: [*_BEFORE, *folded_words(claim), *_AFTER] for claim in claims}
    wanted = _Sequences.of(folded.values())
    found = _Sequences()
    for source in sources:
        found.add([*_BEFORE, *folded_words(source), *_AFTER], wanted)
    return {claim: found.wording(words) for claim, words in folded.items()}


class _Sequences:
    """Sequences of words by their shape. In `left` and `right`, the third or the second word is left open."""

    def __init__(self) -> None:
        self.words: set[_Words] = set()
        self.pairs: set[_Words] = set()
        self.threes: set[_Words] = set()
        self.left: set[_Words] = set()
        self.right: set[_Words] = set()
        self.around_negation: set[_Words] = set()

    @classmethod
    def of(cls, claims: Iterable[Sequence[str]]) -> "_Sequences":
        """Return the sequences that claims ask for."""
        one = cls()
        for words in claims:
            one.words.update((word,) for word in words)
            # A negation may be left out of the claim, or stand in it.
            one.pairs.update(chain(pairwise(words), zip(words, words[2:], strict=False)))
            one.threes.update(zip(words, words[1:], words[2:], strict=False))
            one.left.update(zip(words, words[1:], words[3:], strict=False))
            one.right.update(zip(words, words[2:], words[3:], strict=False))
        one.around_negation = one.pairs
        return one

    def add(self, words: Sequence[str], wanted: "_Sequences") -> None:
        """Add the wanted sequences of a source."""
        self.words |= wanted.words.intersection((word,) for word in words)
        self.pairs |= wanted.pairs.intersection(pairwise(words))
        self.threes |= wanted.threes.intersection(zip(words, words[1:], words[2:], strict=False))
        self.left |= wanted.left.intersection(zip(words, words[1:], words[3:], strict=False))
        self.right |= wanted.right.intersection(zip(words, words[2:], words[3:], strict=False))
        negations = {word for word in set(words) if _negates(word)}
        self.around_negation |= wanted.around_negation.intersection(
            (words[place - 1], words[place + 1]) for place in range(1, len(words) - 1) if words[place] in negations
        )

    def wording(self, words: Sequence[str]) -> CopiedWording:
        """Return how much of a claim is copied. words: with those before and after it."""
        inner = words[len(_BEFORE) : -len(_AFTER)]
        count = max(1, len(inner))
        pieces = list(_runs([three in self.threes for three in zip(inner, inner[1:], inner[2:], strict=False)]))
        known = sum((word,) in self.words for word in inner) / count
        exchanged = [self._exchanged(words, place) for place in range(2, len(words) - 2)]
        return CopiedWording(
            trigrams=_share(self.threes, zip(inner, inner[1:], inner[2:], strict=False), known),
            longest=max(pieces, default=0) / count,
            density=sum(piece * piece for piece in pieces) / count**2,
            bigrams=_share(self.pairs, pairwise(inner), known),
            exchanged=any(sides > 0 for sides in exchanged),
            exchanged_within=any(sides > 1 for sides in exchanged),
            negated=any(self._negated(words, place) for place in range(2, len(words) - 2)),
        )

    def _exchanged(self, words: Sequence[str], place: int) -> int:
        """Return on how many sides of a word, other than in the sources, the words are those of a source."""
        before, first, _, last, after = words[place - 2 : place + 3]
        if (first, words[place], last) in self.threes:
            return 0
        return ((before, first, last) in self.left) + ((first, last, after) in self.right)

    def _negated(self, words: Sequence[str], place: int) -> bool:
        first, word, last = words[place - 1 : place + 2]
        if _negates(word) and (first, word, last) not in self.threes and (first, last) in self.pairs:
            return True
        return (first, word) not in self.pairs and (first, word) in self.around_negation


def _negates(word: str) -> bool:
    return word == _CLITIC_NEGATION or any(True for _ in negations_in(word))


def _share(known: set[_Words], sequences: Iterable[_Words], otherwise: float) -> float:
    hits = [sequence in known for sequence in sequences]
    return sum(hits) / len(hits) if hits else otherwise


def _runs(copied: Iterable[bool]) -> Iterator[int]:
    """Yield the lengths in words of the pieces that consist of copied sequences."""
    run = 0
    for one in chain(copied, (False,)):
        if one:
            run += 1
        elif run:
            yield run + _PIECE - 1
            run = 0
