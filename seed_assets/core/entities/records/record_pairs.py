"""Which records are compared. What belongs here: finding pairs that have something rare in common, in time that grows with the
number of records. What does not: comparing them (record_values).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from seed_assets.core.entities.records.record_values import Numbers, Words

# A word that more records have finds too many pairs; and each record is compared with so many others, those with which it has the
# rarest words in common. Chosen with the first part of Febrl's records.
_MOST_SHARING, _MOST_COMPARED = 60, 10
_ROWS = 2_000


def record_pairs(records: Sequence[Words], new: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Return the rows of the records of each pair that is worth comparing, the smaller row first, each pair once, in order.

    Words count in whichever field they stand, so fields in the wrong order do not hide a pair.

    new: which records are new; every pair has at least one of them.
    """
    numbers: dict[str, int] = {}
    starts, columns = [0], list[int]()
    for record in records:
        # In the order of the record, so that sums of weights are the same in every process.
        said = dict.fromkeys(word for words in record.values() for word in (*words, "".join(words)))
        columns += [numbers.setdefault(word, len(numbers)) for word in said]
        starts.append(len(columns))
    counts = np.bincount(columns, minlength=len(numbers)) if columns else np.zeros(0, np.int64)
    rare = np.where((counts > 1) & (counts <= _MOST_SHARING), np.log((1 + len(records)) / np.maximum(counts, 1)), 0.0)
    table = csr_matrix(
        (np.sqrt(rare)[np.array(columns, np.int64)], columns, starts), shape=(len(records), max(1, len(numbers)))
    )
    table.eliminate_zeros()
    return _best(table, np.nonzero(new)[0])


def _best(table: csr_matrix, rows: Numbers) -> tuple[Numbers, Numbers]:
    turned = table.T.tocsr()
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        common = (table[part] @ turned).tocsr()
        common.sort_indices()
        for at, row in enumerate(part):
            span = slice(common.indptr[at], common.indptr[at + 1])
            others, weights = common.indices[span], common.data[span]
            keep = others != row
            others, weights = others[keep], weights[keep]
            if len(others) > _MOST_COMPARED:
                others = others[np.lexsort((others, -weights))[:_MOST_COMPARED]]
            found.append(np.stack((np.minimum(others, row), np.maximum(others, row))))
    pairs = np.concatenate(found, axis=1) if found else np.zeros((2, 0), np.int64)
    pairs = np.unique(pairs.astype(np.int64), axis=1)
    return pairs[0], pairs[1]
