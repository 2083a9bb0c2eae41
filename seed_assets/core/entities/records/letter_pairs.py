"""How alike the spellings of values are. What belongs here: the measure, for many pairs at once. What does not: what a likeness
means (record_values).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

# For fewer pairs a table takes longer than the pairs.
_FEW = 100

Numbers = NDArray[np.int64]


class LetterPairs:
    """Compares values by the pairs of letters that they have in common: Dice's coefficient ("Measures of the amount of ecologic
    association", 1945).
    """

    def __init__(self, values: Sequence[str]) -> None:
        """values: not empty; they are compared by their numbers in this sequence."""
        self._values = values
        self._numbers: dict[str, int] = {}
        self._of: dict[int, NDArray[np.int32]] = {}

    def likeness(self, ones: Numbers, others: Numbers) -> NDArray[np.float64]:
        """Return how alike the two values of each pair are, 0 to 1: 1 for the same letters in any order.

        ones, others: the numbers of the values; -1 for a missing one, which is like no other.
        """
        found = np.zeros(len(ones))
        present = np.nonzero((ones >= 0) & (others >= 0))[0]
        if len(present) < _FEW:
            pairs = zip(ones[present].tolist(), others[present].tolist(), strict=True)
            found[present] = [self._alike(*pair) for pair in pairs]
            return found
        different, places = np.unique(ones[present] * len(self._values) + others[present], return_inverse=True)
        a, b = np.divmod(different, len(self._values))
        used, rows = np.unique(np.concatenate((a, b)), return_inverse=True)
        table = self._table(used.tolist())
        first, second = rows[: len(a)], rows[len(a) :]
        common = np.asarray(table[first].multiply(table[second]).sum(axis=1)).ravel()
        sizes = np.diff(table.indptr)
        alike = 2 * common / (sizes[first] + sizes[second])
        letters = np.unique(["".join(sorted(self._values[number])) for number in used], return_inverse=True)[1]
        found[present] = np.where(letters[first] == letters[second], 1.0, alike)[places]
        return found

    def _alike(self, one: int, other: int) -> float:
        a, b = _pairs(self._values[one]), _pairs(self._values[other])
        return 1.0 if sorted(self._values[one]) == sorted(self._values[other]) else 2 * len(a & b) / (len(a) + len(b))

    def _table(self, used: Sequence[int]) -> csr_matrix:
        """One row for each of the values, with a 1 for each of its pairs of letters."""
        for number in used:
            if number not in self._of:
                pairs = [self._numbers.setdefault(pair, len(self._numbers)) for pair in _pairs(self._values[number])]
                self._of[number] = np.array(sorted(pairs), np.int32)
        rows = [self._of[number] for number in used]
        starts = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
        columns = np.concatenate(rows)
        return csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(len(rows), len(self._numbers)))


def _pairs(value: str) -> set[str]:
    """The pairs of letters of a value, its ends included."""
    padded = f"\0{value}\0"
    return {padded[at : at + 2] for at in range(len(padded) - 1)}
