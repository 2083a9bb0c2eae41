"""How likely the records of one kind are to be one, by their rows. What belongs here: which pairs are compared, and which the
model is estimated with. What does not: the model (record_weights), and entities (resolution.record_likeness).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from seed_assets.core.entities.records.record_kinds import Fields, RecordKind
from seed_assets.core.entities.records.record_pairs import record_pairs
from seed_assets.core.entities.records.record_values import Numbers, RecordValues, record_words
from seed_assets.core.entities.records.record_weights import Chances, estimate

# The model is estimated with the pairs of so many records, and with so many pairs of two at random: enough for shares of a
# thousandth, and the same work however many records there are.
_SAMPLE, _RANDOM, _MOST_SHIFTS = 5_000, 20_000, 10
# So many pairs are compared at once, which bounds the memory.
_AT_ONCE = 100_000
_DECIMALS = 3
# In a larger group of records that are connected, others than the pairs that are worth a look are compared one by one.
_LIKELY, _MOST_AROUND = 0.5, 40


class KindLikeness:
    """Scores pairs of records of one kind."""

    def __init__(self, kind: RecordKind, records: Sequence[Fields], new: Sequence[bool]) -> None:
        """records: at least two, in an order that says nothing of them. new: which of them are new."""
        is_new, self._count = np.array(new), len(records)
        is_sampled = np.arange(self._count) < _SAMPLE
        words = [record_words(kind, record) for record in records]
        ones, others = record_pairs(words, is_new | is_sampled)
        self._values = RecordValues(kind, words)
        sample = is_sampled[ones] | is_sampled[others]
        self._weights = estimate(
            self._values.compared,
            self._count,
            self._values.levels(ones[sample], others[sample]),
            self._values.levels(*_at_random(self._count)),
        )
        looked = is_new[ones] | is_new[others]
        self._ones, self._others = ones[looked], others[looked]
        self._scores = self._scored(self._ones, self._others)
        self._numbers = self._ones * self._count + self._others
        self._further = self._around()

    def score(self, row: int, other: int) -> float:
        """Return how likely two records are to be one, 0 to 1."""
        row, other = min(row, other), max(row, other)
        number = row * self._count + other
        at = int(np.searchsorted(self._numbers, number))
        if at < len(self._numbers) and self._numbers[at] == number:
            return float(self._scores[at])
        found = self._further.get(number)
        if found is None:
            found = self._further[number] = float(self._scored(np.array([row]), np.array([other]))[0])
        return found

    def pairs(self, least: float) -> Iterator[tuple[int, int]]:
        """Yield the pairs of records, one of them new, that have something rare in common and at least this score."""
        found = np.nonzero(self._scores >= least)[0]
        yield from zip(self._ones[found].tolist(), self._others[found].tolist(), strict=True)

    def _around(self) -> dict[int, float]:
        """The scores of pairs that are not worth a look alone, but are between records that others connect: all at once."""
        likely = self._scores >= _LIKELY
        edges = csr_matrix(
            (np.ones(likely.sum()), (self._ones[likely], self._others[likely])), shape=(self._count, self._count)
        )
        parts = connected_components(edges, directed=False)[1]
        order = np.argsort(parts, kind="stable")
        groups = np.split(order, np.nonzero(np.diff(parts[order]))[0] + 1)
        pairs = [pair for group in groups if 2 < len(group) <= _MOST_AROUND for pair in combinations(group.tolist(), 2)]
        ones, others = np.array(pairs, np.int64).reshape(-1, 2).T
        left = ~np.isin(ones * self._count + others, self._numbers)
        ones, others = ones[left], others[left]
        return dict(zip((ones * self._count + others).tolist(), self._scored(ones, others).tolist(), strict=True))

    def _scored(self, ones: Numbers, others: Numbers) -> Chances:
        found = np.zeros(len(ones))
        for start in range(0, len(ones), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            found[part] = self._weights.probabilities(*self._values.levels(ones[part], others[part]))
        return found.round(_DECIMALS)


def _at_random(count: int) -> tuple[Numbers, Numbers]:
    """The rows of pairs of records; since their order says nothing of them, neighbours are two at random."""
    shifts = range(1, min(_MOST_SHIFTS, max(1, _RANDOM // count), count - 1) + 1)
    rows = np.arange(count)
    return np.tile(rows, len(shifts)), np.concatenate([(rows + shift) % count for shift in shifts])
