"""Which rows are the most alike, exactly, and the graph of them. What belongs here: the search and the graph. What does
not: what the rows are of (topic_space, set_clustering), and groups in the graph (communities).

Rows are rounded to multiples of 2^-11 beforehand. The sum of products of two rows of length 1 is then exact in float32
in whatever order it is added up, so that neighbours are the same on any machine and with any number of threads.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sparse: TypeAlias = Any
"""A scipy.sparse.csr_array; scipy has no types."""

_STEPS = 2048.0
_ROWS_A_BLOCK = 2048


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each of n rows its nearest ones. rows: (n, count), -1 where there are fewer; cosines: (n, count), falling."""

    rows: NDArray[np.int32]
    cosines: NDArray[np.float32]


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """The rows at length 1, rounded so that their products are exact; what has hardly any length is a row of zeros."""
    exact = rows.astype(np.float64)
    lengths = np.sqrt((exact * exact).sum(axis=1, keepdims=True))
    np.divide(exact, lengths, out=exact, where=lengths > 1e-6)
    exact[lengths[:, 0] <= 1e-6] = 0.0
    return (np.rint(exact * _STEPS) / _STEPS).astype(np.float32)


def find_neighbours(rows: NDArray[np.float32], count: int) -> Neighbours:
    """Of each row the `count` others with the greatest positive cosine to it; of equals, the earlier ones.

    rows: (n, d), from `unit_rows`.
    """
    found = Neighbours(np.full((len(rows), count), -1, np.int32), np.zeros((len(rows), count), np.float32))
    blocks = [slice(first, first + _ROWS_A_BLOCK) for first in range(0, len(rows), _ROWS_A_BLOCK)]
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
    """Keeps the best of these rows for these queries; rows come in ascending order. cosines: (queries, rows)."""
    best_rows, best = found.rows[queries], found.cosines[queries]
    count = best.shape[1]
    least = np.where(best_rows[:, -1] >= 0, best[:, -1], 0)
    if first_row == 0 and cosines.shape[1] > count:
        # Just below the value of the last that is kept: of those equal to it, the merge takes the earliest.
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
    """Puts the new ones among the best, in place."""
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
    """The symmetric graph of rows that are neighbours: weight is the cosine, half of it where only one has the other.

    neighbours: of each row among all of them.
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
