"""How far the values of two records agree, field by field. What belongs here: the levels of agreement. What does not: what a
level says about a pair (record_weights), and which pairs are compared (record_pairs).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.entities.gazetteer import gazetteer
from seed_assets.core.entities.name_types import PERSON
from seed_assets.core.entities.records.letter_pairs import LetterPairs
from seed_assets.core.entities.records.record_kinds import Fields, RecordKind
from seed_assets.core.text.unicode_forms import normal_form
from seed_assets.core.text.words import MARKS

MISSING, SAME, CLOSE, NEAR, FAR = range(5)
"""The levels: a value is missing, they are the same, they differ as by a typing error, as by several, or in general."""
LEVELS = 5
GIVEN, LAST = "\0given name", "\0last name"
"""The fields in which the parts of a person's name are compared."""

# Two values are close or near if they have so large a share of their pairs of letters in common (Dice's coefficient): one wrong
# letter of seven leaves 0.75, two leave 0.5; the same letters in another order are close. A given name with fewer letters is
# another one if one letter is.
_CLOSE, _NEAR, _FEWEST_LETTERS = 0.7, 0.4, 5
# Titles are long, and those of one subject have many letters in common: close ones may differ in so many, near ones in twice
# as many. A letter takes two pairs of letters.
_WRONG_LETTERS = 3
# A value that so many records have is no typing error.
_KNOWN = 3
# The most fields of a kind that are compared, those that are filled most often; and the characters of a value. By judgement.
_MOST_FIELDS, _MOST_CHARACTERS = 40, 300
_CHUNK = 50_000
_SIGNS = re.compile(rf"[^\w{MARKS}]+|_")

Levels = NDArray[np.int8]
Numbers = NDArray[np.int64]
Words = Mapping[str, Sequence[str]]
"""The words of a record by field."""


def _value_words(value: str) -> list[str]:
    """The words and numbers of a value, in the form in which they are compared."""
    value = value[:_MOST_CHARACTERS]
    if value.isascii() and value.isalnum():
        return [value.casefold()]
    return _SIGNS.sub(" ", (value if value.isascii() else normal_form("NFKC", value)).casefold()).split()


@dataclass(frozen=True, slots=True)
class Compared:
    """The fields that are compared, in order.

    name: those of a name; of a person's name the given name. personal: groups of fields that tell apart who belongs together
    otherwise, such as a family. shareable: the groups that two of them can have in common. unique: those that they cannot.
    """

    names: tuple[str, ...]
    name: tuple[int, ...]
    personal: tuple[tuple[int, ...], ...]
    shareable: tuple[tuple[int, ...], ...]
    unique: tuple[tuple[int, ...], ...]


class RecordValues:
    """The values of records of one kind, by numbers. It compares many pairs at once, in time that grows with their number."""

    def __init__(self, kind: RecordKind, records: Sequence[Words]) -> None:
        self.compared = _fields(kind, records)
        numbers: dict[str, int] = {}
        columns = {name: at for at, name in enumerate(self.compared.names)}
        are_words: list[bool] = []
        self._ids: Numbers = np.full((len(records), len(columns)), -1, np.int64)
        for row, record in enumerate(records):
            for name, words in record.items():
                if name in columns:
                    number = numbers.setdefault("".join(words), len(numbers))
                    self._ids[row, columns[name]] = number
                    if number == len(are_words):
                        are_words.append(len(words) == 1)
        self._values = list(numbers)
        self._is_word = np.array(are_words, bool)
        self._lengths = np.array([len(value) for value in self._values], np.int64)
        first = gazetteer().first_names if kind.type == PERSON else frozenset[str]()
        self._is_first = np.array([value in first for value in self._values], bool)
        self._given, self._last = columns.get(GIVEN, -1), columns.get(LAST, -1)
        self._titles = [] if kind.type == PERSON else [columns[name] for name in kind.name if name in columns]
        self._counts = np.zeros(self._ids.shape, np.int64)
        for column in range(len(columns)):
            ids = self._ids[:, column]
            counts = np.bincount(ids[ids >= 0], minlength=len(numbers))
            self._counts[:, column] = np.where(ids >= 0, counts[ids], 0) if len(numbers) else 0
        self._pairs = LetterPairs(self._values)

    def levels(self, ones: Numbers, others: Numbers) -> tuple[Levels, NDArray[np.float64]]:
        """Return the level of each field of each pair, and how likely a record chosen at random has the value that both have.

        ones, others: the rows of the records of each pair. Both results have one row per pair and one column per field; where
        values are not the same, the second one is 1.
        """
        shape = (len(ones), self._ids.shape[1])
        levels, chances = np.zeros(shape, np.int8), np.ones(shape)
        for start in range(0, len(ones), _CHUNK):
            part = slice(start, start + _CHUNK)
            levels[part], chances[part] = self._levels(ones[part], others[part])
        return levels, chances

    def _levels(self, ones: Numbers, others: Numbers) -> tuple[Levels, NDArray[np.float64]]:
        first, second = self._ids[ones], self._ids[others].copy()
        counts, other_counts = self._counts[ones], self._counts[others].copy()
        if self._given >= 0 and self._last >= 0:
            self._exchange(first, second, other_counts)
        levels = np.zeros(first.shape, np.int8)
        both = (first >= 0) & (second >= 0)
        levels[both & (first == second)] = SAME
        rows, columns = np.nonzero(both & (first != second))
        a, b = first[rows, columns], second[rows, columns]
        likeness = self._pairs.likeness(a, b)
        shortest = np.minimum(self._lengths[a], self._lengths[b])
        wrong = np.where(np.isin(columns, self._titles), 2 * _WRONG_LETTERS / shortest, 1.0)
        close, near = np.maximum(_CLOSE, 1 - wrong), np.maximum(_NEAR, 1 - 2 * wrong)
        level = np.select([likeness >= close, likeness >= near], [CLOSE, NEAR], FAR)
        rarer = np.minimum(counts, other_counts)
        level[(rarer[rows, columns] >= _KNOWN) & self._is_word[a] & self._is_word[b]] = FAR
        at = np.nonzero(columns == self._given)[0]
        level[at] = self._given_levels(a[at], b[at], level[at])
        levels[rows, columns] = level
        return levels, self._chances(levels, first, rarer)

    def _given_levels(self, ones: Numbers, others: Numbers, levels: Levels) -> Levels:
        """The levels of given names that differ: short or common ones are other names, unless one is a part of the other."""
        shortest = np.minimum(self._lengths[ones], self._lengths[others])
        begins = np.array(
            [
                self._values[a].startswith(self._values[b]) or self._values[b].startswith(self._values[a])
                for a, b in zip(ones.tolist(), others.tolist(), strict=True)
            ],
            bool,
        )
        known = self._is_first[ones] & self._is_first[others]
        short = (shortest < _FEWEST_LETTERS) & (levels == NEAR)
        found = np.where(begins, CLOSE, np.where(short, FAR, levels))
        return np.where(begins & (shortest == 1), MISSING, np.where(known, FAR, found)).astype(np.int8)

    def _exchange(self, first: Numbers, second: Numbers, counts: Numbers) -> None:
        """Compare a given name with a last name where these are alike, and the names in their places are not."""
        given, last = self._given, self._last
        straight = np.maximum(
            self._pairs.likeness(first[:, given], second[:, given]),
            self._pairs.likeness(first[:, last], second[:, last]),
        )
        across = self._pairs.likeness(first[:, given], second[:, last]) + self._pairs.likeness(
            first[:, last], second[:, given]
        )
        swapped = np.nonzero((straight < _NEAR) & (across >= _CLOSE))[0]
        for table in (second, counts):
            table[swapped[:, None], [given, last]] = table[swapped[:, None], [last, given]]

    def _chances(self, levels: Levels, ids: Numbers, counts: Numbers) -> NDArray[np.float64]:
        """How likely it is that a record has the common value by chance, from the other records that have it.

        So that few records do not make every value a rare one, there is one more record with the value among as many as there are
        values of its length, at most a thousand.
        """
        lengths = np.where(ids >= 0, self._lengths[ids] if len(self._values) else 1, 1)
        values = 10.0 ** np.minimum(lengths, 3)
        chances = (np.maximum(counts - 2, 0) + 1) / (max(len(self._ids) - 2, 0) + values)
        return np.where(levels == SAME, chances, 1.0)


def record_words(kind: RecordKind, record: Fields) -> Words:
    """Return the words of a record's values by the names of the fields in which they are compared; empty ones are left out."""
    left = {name: value for name, value in record if name not in kind.ignored}
    names = [left.pop(name, "") for name in kind.name]
    if kind.type == PERSON:
        given, last = (names[0], " ".join(names[1:])) if len(names) > 1 else _parts(names[0])
        left |= {GIVEN: given, LAST: last}
    else:
        left |= dict(zip(kind.name, names, strict=True))
    return {name: words for name, value in left.items() if (words := _value_words(value))}


def _parts(name: str) -> tuple[str, str]:
    """The given names and the last name of a person: "Ada Lovelace" or "Lovelace, Ada"."""
    last, comma, given = name.partition(",")
    if comma:
        return given, last
    *given_names, last = name.split() or [""]
    return " ".join(given_names), last


def _fields(kind: RecordKind, filled: Sequence[Words]) -> Compared:
    counts: dict[str, int] = {}
    for values in filled:
        for name in values:
            counts[name] = counts.get(name, 0) + 1
    own = (GIVEN, LAST) if kind.type == PERSON else kind.name
    kept = [name for name in dict.fromkeys((*own, *kind.stable, *kind.unique)) if name in counts]
    kept += sorted(counts.keys() - set(kept), key=lambda name: (-counts[name], name))[: _MOST_FIELDS - len(kept)]
    at = {name: place for place, name in enumerate(kept)}
    named = (GIVEN,) if kind.type == PERSON else kind.name
    shareable = (named, *((name,) for name in kind.stable if name not in kind.name + kind.unique))
    unique = tuple((name,) for name in kind.unique if name not in kind.name)

    def places(groups: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...]:
        found = (tuple(at[name] for name in group if name in at) for group in groups)
        return tuple(group for group in found if group)

    shared, alone = places(shareable), places(unique)
    return Compared(tuple(kept), shared[0] if named[0] in at else (), (*shared, *alone), shared, alone)
