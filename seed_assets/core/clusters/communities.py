"""Groups in a graph of neighbours. What belongs here: finding them, their resolution, and the bounds on their size. What does
not: the graph (neighbours), outliers (placing), and the ids of groups (stable_clusters).

The Leiden algorithm finds communities, whose members then move to the nearest centre. The resolution is chosen by the
silhouette of the members' vectors: the finest grouping whose silhouette is within one standard error of the best.

Sources: Traag, Waltman and van Eck, "From Louvain to Leiden", Scientific Reports 2019; Rousseeuw, "Silhouettes", 1987;
Breiman et al., "Classification and Regression Trees", 1984 (the rule of one standard error).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.neighbours import Sparse, row_blocks

Rows: TypeAlias = NDArray[np.float32] | Sparse
"""One row per node, shape (n, d), of length 1 or all zeros; the cosine of two rows is their dot product."""

Labels = NDArray[np.int32]
"""The group of each row, numbered from 0, or -1 for none; shape (n,)."""


# The numbers were chosen by judgement; docs/benchmarks.md (Clusters) shows the quality and speed that they give.
# The resolutions that Leiden is run with.
_RESOLUTIONS = tuple(np.geomspace(0.5, 12.0, 14).tolist())
# How often members move to the nearest centre.
_MOVES = 2
# With at most 5,000 rows, each resolution is tried three times, since chance matters more with few rows.
_TRIES, _FEW = 3, 5_000
_MOST_THREADS = 4
# At most so many rows are measured for the silhouette.
_MOST_MEASURED = 20_000
# Bounds the memory of one matrix product: 16 MB of float32.
_CELLS_PER_BLOCK = 4_000_000
# To split a group, the resolution is multiplied by 1.6 up to eight times.
_FINER, _MOST_SPLITS = 1.6, 8


def find_communities(
    graph: Sparse, rows: Rows, meaning: Rows, seed: int, weights: NDArray[np.int64], min_size: int
) -> Labels:
    """Return the finest of several groupings whose silhouette is within one standard error of the best.

    If there are few rows, the best of three tries is taken for each resolution.

    graph: the symmetric graph of neighbours, shape (n, n).
    rows: decide which centre a member is nearest to, shape (n, d).
    meaning: the rows by which the silhouette is measured, shape (n, d').
    weights: the number of documents that each row represents, shape (n,).
    min_size: smaller groups count 0 in the silhouette.
    """
    tries = _TRIES if graph.shape[0] <= _FEW else 1

    def best_of_tries(resolution: float) -> tuple[float, float, Labels]:
        tried = [moved_to_centres(rows, leiden(graph, resolution, tries * seed + number)) for number in range(tries)]
        return max(((*silhouette(meaning, labels, weights, min_size), labels) for labels in tried), key=itemgetter(0))

    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:  # Leiden releases Python's global lock
        found = list(pool.map(best_of_tries, _RESOLUTIONS))
    best, error, _ = max(found, key=itemgetter(0))
    return next(labels for width, _, labels in reversed(found) if width >= best - error)


def moved_to_centres(rows: Rows, labels: Labels) -> Labels:
    """Move each member to the group with the nearest centre, twice."""
    for _ in range(_MOVES):
        count = int(labels.max(initial=-1)) + 1
        if count < 2:
            break
        centres = group_sums(rows, labels, count)
        scales = 1 / np.maximum(np.sqrt(squared_lengths(centres)), 1e-6)
        parts = np.array_split(np.arange(len(labels)), -(-len(labels) * count // _CELLS_PER_BLOCK))
        near = [_nearest(_dense(rows[part[0] : part[-1] + 1] @ centres.T), scales) for part in parts]
        labels = by_first_row(np.concatenate(near).astype(np.int32))
    return labels


def _nearest(products: NDArray[np.float32], scales: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the column of the largest rounded product of each row, after multiplying the columns by `scales`."""
    products *= scales
    return np.argmax(np.round(products, 5, out=products), axis=1)


def leiden(graph: Sparse, resolution: float, seed: int) -> Labels:
    """Return Leiden's communities, numbered by their first row; a row without neighbours is a group of its own."""
    import graspologic_native

    size = graph.shape[0]
    if not graph.nnz:
        return np.arange(size, dtype=np.int32)
    native: Any = graspologic_native
    _, communities = native.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float64),
        size,
        resolution=resolution,
        seed=seed,
        iterations=2,
    )
    labels = np.array([communities.get(row, -1) for row in range(size)], np.int32)
    alone = np.flatnonzero(labels < 0)
    labels[alone] = labels.max() + 1 + np.arange(len(alone))
    return by_first_row(labels)


def by_first_row(labels: Labels) -> Labels:
    """Number the groups in the order in which they first occur; -1 stays."""
    names, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(np.where(names < 0, -1, first), kind="stable")
    numbers = np.empty(len(names), np.int32)
    numbers[order] = np.arange(len(names)) - (1 if len(names) and names[0] < 0 else 0)
    return numbers[inverse]


def silhouette(rows: Rows, labels: Labels, weights: NDArray[np.int64], min_size: int) -> tuple[float, float]:
    """Return the mean cosine silhouette (-1 to 1) and its standard error, measured on at most 20,000 evenly spaced rows.

    A row that is alone in its group counts 0, and its group does not count for the other rows. Rows of groups that weigh
    less than `min_size` count 0 as well. The result is 0 if fewer than two groups are left.
    """
    sizes = np.bincount(labels)
    numbers = np.where(sizes > 1, np.cumsum(sizes > 1) - 1, -1).astype(np.int32)
    count = int(numbers.max(initial=-1)) + 1
    if count < 2:
        return 0.0, 0.0
    small = (np.bincount(labels, weights) < min_size)[labels]
    own, sizes = numbers[labels], sizes[sizes > 1]
    sums = group_sums(rows, own, count).T
    every = np.arange(0, len(labels), -(-len(labels) // _MOST_MEASURED))
    widths = np.zeros(len(every))
    measured = np.flatnonzero(own[every] >= 0)
    for part in np.array_split(measured, -(-len(measured) * count // _CELLS_PER_BLOCK)) if len(measured) else ():
        block, group, at = rows[every[part]], own[every[part]], np.arange(len(part))
        near = _dense(block @ sums)
        inner = 1 - (near[at, group] - squared_lengths(block)) / (sizes[group] - 1)
        near[at, group] = -np.inf
        outer = _nearest_other(near, sizes)
        widths[part] = (outer - inner) / np.maximum(np.maximum(outer, inner), 1e-9)
    widths[small[every]] = 0.0
    return round(float(widths.mean()), 5), round(float(widths.std() / np.sqrt(len(widths))), 5)


def _nearest_other(sums: NDArray[np.float32], sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the smallest mean distance of each row to a group.

    sums: the sums of the cosines with the members of each group, shape (n, groups); minus infinity for the own group.
    sizes: the number of members of each group, shape (groups,).
    """
    return np.concatenate([(1 - sums[block] / sizes).min(axis=1) for block in row_blocks(len(sums))])


def group_sums(rows: Rows, labels: Labels, count: int) -> Rows:
    """Return the sum of the rows of each group, shape (count, d), dense or sparse as the rows are."""
    from scipy.sparse import csr_array

    member = np.flatnonzero(labels >= 0)
    ones = np.ones(len(member), np.float32)
    return csr_array((ones, (labels[member], member)), shape=(count, len(labels))) @ rows


def squared_lengths(rows: Rows) -> NDArray[np.float32]:
    """Return the squared length of each row, shape (n,)."""
    found = np.empty(rows.shape[0], np.float32)
    for block in row_blocks(len(found)):
        some = rows[block]
        found[block] = np.asarray((some * some).sum(axis=1)).ravel()
    return found


def _dense(matrix: Any) -> NDArray[np.float32]:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def split_large(
    graph: Sparse, rows: Rows, labels: Labels, weights: NDArray[np.int64], max_size: int, seed: int
) -> Labels:
    """Split groups that weigh more than `max_size`; a row that weighs more by itself becomes a group of its own.

    weights: the number of documents that each row represents, shape (n,).
    """
    labels = labels.copy()
    following = int(labels.max(initial=-1)) + 1
    waiting = list(range(following))
    while waiting:
        group = waiting.pop()
        members = np.flatnonzero(labels == group)
        if len(members) < 2 or weights[members].sum() <= max_size:
            continue
        parts = _split(graph[members][:, members], rows[members], weights[members], max_size, seed)
        labels[members] = np.where(parts == 0, group, following + parts - 1)
        waiting += [group, *range(following, following + int(parts.max()))]
        following += int(parts.max())
    return by_first_row(labels)


def _split(graph: Sparse, rows: Rows, weights: NDArray[np.int64], max_size: int, seed: int) -> Labels:
    """Split a group into two or more parts: communities of useful size if there are any, otherwise equal shares.

    Equal shares are cut in the order of similarity to the row that is farthest from the centre.
    """
    size = len(weights)
    total = int(weights.sum())
    resolution = 0.5
    for _ in range(_MOST_SPLITS):
        parts = leiden(graph, resolution, seed)
        sizes = np.sort(np.bincount(parts, weights))
        if len(sizes) > 1 and sizes[-2] * 4 >= min(max_size, total / 2):
            return parts
        resolution *= _FINER
    centre = group_sums(rows, np.zeros(size, np.int32), 1)
    pole = int(np.argmin(np.round(_dense(rows @ centre.T)[:, 0], 4)))
    order = np.lexsort((np.arange(size), -np.round(_dense(rows @ rows[[pole]].T)[:, 0], 4)))
    shares = min(size, -(-total // max_size))
    parts = np.empty(size, np.int32)
    before = np.cumsum(weights[order]) - weights[order]
    parts[order] = np.minimum(before * shares // total, shares - 1)
    if len(np.unique(parts)) < 2:
        parts[order[-1]] += 1
    return by_first_row(parts)
