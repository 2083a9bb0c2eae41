"""Exact nearest neighbours of rows, and the graph of neighbours. What belongs here: the search and the graph. What does not:
making the rows (topic_space, set_clustering), and groups in the graph (communities).

Rows are rounded to multiples of 2^-11 first. The dot product of two unit rows is then exact in float32 in any order of
addition, so that neighbours are the same on every machine and with any number of threads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sparse: TypeAlias = Any
"""A scipy.sparse.csr_array; scipy has no type annotations."""

# 2^11 steps: products are multiples of 2^-22, and their sum is at most about 1, which float32's 24 bits hold exactly.
_STEPS = 2048.0
# The rows that are compared at a time, so that a block of cosines takes 16 MB; chosen by judgement.
_ROWS_PER_BLOCK = 2048
# The rows of which copies are made at a time: in float64, 512 rows of 356 numbers take 1.5 MB; chosen by judgement.
_ROWS_COPIED = 512


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest neighbours of each of n rows, nearest first.

    rows: the neighbours of each row, shape (n, count); -1 if there are fewer.
    cosines: their cosines, shape (n, count).
    """

    rows: NDArray[np.int32]
    cosines: NDArray[np.float32]


def rounded_unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale rows to length 1 and round them so that products are exact; rows of almost no length become zeros."""
    found = np.empty(rows.shape, np.float32)
    for block in row_blocks(len(rows)):
        exact = rows[block].astype(np.float64)
        lengths = np.sqrt((exact * exact).sum(axis=1, keepdims=True))
        np.divide(exact, lengths, out=exact, where=lengths > 1e-6)
        exact[lengths[:, 0] <= 1e-6] = 0.0
        found[block] = np.rint(exact * _STEPS) / _STEPS
    return found


def row_blocks(size: int) -> Iterator[slice]:
    """Yield slices of all rows, each so short that copies of its rows take little memory."""
    return (slice(first, first + _ROWS_COPIED) for first in range(0, size, _ROWS_COPIED))


def unit_values(values: NDArray[np.float64], counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """The values of sparse rows, scaled so that each row has length 1. counts: how many values each row has."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return values / np.sqrt(np.bincount(rows, values**2, len(counts)))[rows]


def find_neighbours(rows: NDArray[np.float32], count: int) -> Neighbours:
    """Find for each row the `count` other rows with the largest positive cosines; ties go to earlier rows.

    rows: the result of `rounded_unit_rows`, shape (n, d).
    """
    found = Neighbours(np.full((len(rows), count), -1, np.int32), np.zeros((len(rows), count), np.float32))
    blocks = [slice(first, first + _ROWS_PER_BLOCK) for first in range(0, len(rows), _ROWS_PER_BLOCK)]
    for number, block in enumerate(blocks):
        for other in blocks[number:]:
            cosines = rows[block] @ rows[other].T
            if other is block:
                np.fill_diagonal(cosines, 0.0)
            else:
                _search(cosines.T, other, block.start, found)
            _search(cosines, block, other.start, found)
    return found


def _search(cosines: NDArray[np.float32], queries: slice, first_row: int, found: Neighbours) -> None:
    """Merge a block of rows into the neighbours found so far; blocks come in ascending order of their rows.

    cosines: shape (queries, rows).
    """
    best_rows, best = found.rows[queries], found.cosines[queries]
    count = best.shape[1]
    least = np.where(best_rows[:, -1] >= 0, best[:, -1], 0)
    if first_row == 0 and cosines.shape[1] > count:
        # The bound is just below the last cosine that can be kept, so that the merge chooses the earliest of equal ones.
        kept = np.partition(cosines, -count, axis=1)[:, -count]
        least = np.maximum(np.nextafter(kept, np.float32(-1)), 0)
    if cosines.flags.c_contiguous:
        at_query, at_row = np.divmod(np.flatnonzero(cosines > least[:, None]), cosines.shape[1])
    else:
        at_row, at_query = np.divmod(np.flatnonzero(least < cosines.T), cosines.shape[0])
    _merge(best_rows, best, at_query, at_row + first_row, cosines[at_query, at_row])


def _merge(
    best_rows: NDArray[np.int32],
    best: NDArray[np.float32],
    queries: NDArray[np.intp],
    rows: NDArray[np.intp],
    cosines: NDArray[np.float32],
) -> None:
    """Insert new candidates into the neighbours found so far, in place."""
    if not len(queries):
        return
    touched = np.unique(queries)
    there = best_rows[touched] >= 0
    all_queries = np.concatenate([touched[np.nonzero(there)[0]], queries])
    all_rows = np.concatenate([best_rows[touched][there], rows])
    all_cosines = np.concatenate([best[touched][there], cosines])
    order = np.lexsort((all_rows, -all_cosines, all_queries))
    all_queries, all_rows, all_cosines = all_queries[order], all_rows[order], all_cosines[order]
    rank = np.arange(len(all_queries)) - np.searchsorted(all_queries, all_queries)
    kept = rank < best_rows.shape[1]
    best_rows[all_queries[kept], rank[kept]] = all_rows[kept]
    best[all_queries[kept], rank[kept]] = all_cosines[kept]


def neighbour_graph(neighbours: Neighbours) -> Sparse:
    """Return the symmetric graph of neighbours. The weight is the cosine, halved if only one row has the other as neighbour.

    neighbours: the neighbours of every row.
    """
    from scipy.sparse import coo_array

    size, count = neighbours.rows.shape
    there = neighbours.rows.ravel() >= 0
    ends = (np.repeat(np.arange(size, dtype=np.int32), count)[there], neighbours.rows.ravel()[there])
    weights = neighbours.cosines.ravel()[there].astype(np.float64)
    directed = coo_array((weights, ends), shape=(size, size)).tocsr()
    graph = ((directed + directed.T) * 0.5).tocsr()
    graph.sort_indices()
    return graph
