"""How likely two entities of different documents are to be one. What belongs here: what their names and contexts say about
a pair. What does not: which pairs are looked at (candidates), and putting entities together (grouping).
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from seed_assets.core.entities.gazetteer import listed
from seed_assets.core.entities.name_types import OTHER, PERSON, PLACE
from seed_assets.core.entities.normal_names import acronyms
from seed_assets.core.entities.resolution.local_entities import LocalEntity
from seed_assets.core.entities.resolution.record_likeness import RecordLikeness

EVEN = 0.5
"""The score from which on a pair is one entity."""
UNDECIDED = 0.12
"""A score that is nearer than this to EVEN is a guess, which a model is asked about if there is one."""

# How likely two of one name are to be one before anything is known of their contexts. A person's name of two words is
# shared by many. Chosen with half of the documents that benchmarks.entities makes, and reported on the other half.
_SEVERAL_WORDS, _ONE_WORD, _PLACE_WORD = 0.9, 0.7, 0.85
_LONG_PERSON, _PERSON, _LAST_NAME = 0.85, 0.3, 0.2
# The same for names that are not equal.
_LONGER, _ACRONYM, _INITIAL, _SPELLING = 0.5, 0.42, 0.3, 0.25
# The weight of a common context, and what another type takes away.
_CONTEXT, _OTHER_TYPE = 2.0, 0.25
_SUFFIXES: Final = listed("jr sr junior senior ii iii iv")
_DIGITS = re.compile(r"\d+")
_FULL = 3


def same_name(one: LocalEntity, other: LocalEntity) -> bool:
    """Whether the two have a name in common."""
    return not set(one.keys).isdisjoint(other.keys)


@lru_cache(65_536)
def _parts(normal: str) -> tuple[tuple[str, ...], frozenset[str], frozenset[str]]:
    """The words of a name without its suffix, the suffix, and its numbers."""
    words = tuple(normal.split())
    suffix = frozenset(words[1:]) & _SUFFIXES
    return tuple(word for word in words if word not in suffix), suffix, frozenset(_DIGITS.findall(normal))


def never(one: LocalEntity, other: LocalEntity) -> bool:
    """Whether names forbid that the two are one: other numbers, Jr and Sr, other middle names.

    Middle names of two records may differ by a typing error, so their fields decide.
    """
    are_records = bool(one.fields and other.fields)
    return names_forbid(one.normal, other.normal, PERSON in (one.type, other.type) and not are_records)


def names_forbid(normal: str, other: str, is_person: bool) -> bool:
    """Do what `never` does for two normal names."""
    words, suffix, numbers = _parts(normal)
    others, other_suffix, other_numbers = _parts(other)
    if numbers != other_numbers and ((numbers and other_numbers) or len(words) == len(others)):
        return True
    if suffix and other_suffix and suffix != other_suffix:
        return True
    if is_person and len(words) >= _FULL and len(others) >= _FULL and (words[0], words[-1]) == (others[0], others[-1]):
        return not all(a.startswith(b) or b.startswith(a) for a, b in zip(words[1:-1], others[1:-1], strict=False))
    return False


class Likeness:
    """Scores pairs of entities of one corpus."""

    def __init__(self, documents: Mapping[str, int], count: int, records: RecordLikeness) -> None:
        """documents: how many documents have each piece of context; count: the number of all documents."""
        self._records = records
        self._weights = {piece: math.log((1 + count) / (1 + many)) ** 2 + 1e-9 for piece, many in documents.items()}
        self._sums: dict[str, float] = {}

    def score(self, one: LocalEntity, other: LocalEntity) -> float:
        """Return how likely the two are to be one, from 0 to 1; what names forbid is 0."""
        if never(one, other):
            return 0.0
        if one.fields and other.fields:
            return self._records.score(one, other)
        score = _prior(one, other) + _CONTEXT * self.context(one, other)
        if one.type != other.type and OTHER not in (one.type, other.type):
            score -= _OTHER_TYPE * (2 if PERSON in (one.type, other.type) else 1)
        return min(1.0, max(0.0, round(score, 3)))

    def context(self, one: LocalEntity, other: LocalEntity) -> float:
        """Return what the contexts have in common, 0 to 1: the cosine of their pieces, weighted by how few documents have
        them.
        """
        common = (one.context & other.context).difference(one.keys, other.keys)
        if not common:
            return 0.0
        return sum(self._weights[piece] for piece in common) / math.sqrt(self._sum(one) * self._sum(other))

    def _sum(self, entity: LocalEntity) -> float:
        found = self._sums.get(entity.digest)
        if found is None:
            found = self._sums[entity.digest] = sum(self._weights[piece] for piece in entity.context)
        return found


def _prior(one: LocalEntity, other: LocalEntity) -> float:
    words, others = one.normal.split(), other.normal.split()
    is_person = PERSON in (one.type, other.type)
    if same_name(one, other):
        size = min(len(words), len(others))
        if not is_person:
            place = PLACE in (one.type, other.type)
            return _SEVERAL_WORDS if size > 1 else _PLACE_WORD if place else _ONE_WORD
        if size == 1:
            return _LAST_NAME
        return _LONG_PERSON if size >= _FULL else _PERSON
    if is_person and words[0] == others[0] and words[-1] == others[-1]:
        return _LONGER
    if any(short in acronyms(long) for short, long in ((one.key, other.normal), (other.key, one.normal))):
        return _ACRONYM
    if is_person and words[-1] == others[-1] and words[0][:1] == others[0][:1] and 1 in (len(words[0]), len(others[0])):
        return _INITIAL
    return _SPELLING
