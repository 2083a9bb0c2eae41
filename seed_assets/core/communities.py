"""Groups in a graph of neighbours. What belongs here: finding them, how fine they are, the bounds on their size. What does
not: the graph (neighbours), who belongs to no group and what groups are called (clustering, stable_clusters).

Groups are communities found by Leiden, whose members then move to the nearest centre; how fine they are is decided by the
silhouette of the members' vectors: as fine as can be told apart from the best.

Sources: Traag, Waltman and van Eck, "From Louvain to Leiden", Scientific Reports 2019; Rousseeuw, "Silhouettes", 1987;
Breiman et al., "Classification and Regression Trees", 1984 (the rule of one standard error).
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Part
from seed_assets.core.neighbours import Sparse

METHOD = "leiden-2"
"""Version of how groups are found; raise it when the same documents may be grouped differently."""

Rows: TypeAlias = NDArray[np.float32] | Sparse
"""One row a node, (n, d), of length 1 or zero; the cosine of two is their product."""

Labels = NDArray[np.int32]
"""The group of each row, numbered from 0; -1 for none."""


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """How clusters are made. smallest, largest: documents in a cluster, at least and at most (0: no bound). seed: of all
    that is left to chance. drift: share of documents that may come or go before all is clustered from scratch. nearest:
    how many nearest documents are kept of each.

    Raises ValueError for bounds that no cluster can keep.
    """

    smallest: int
    largest: int
    seed: int = 0
    drift: float = 0.10
    nearest: int = 5

    def __post_init__(self) -> None:
        if self.smallest < 1 or self.largest < 0 or 0 < self.largest < self.smallest:
            raise ValueError(f"No cluster has at least {self.smallest} and at most {self.largest} documents.")

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything but the documents that decides a clustering: part of its action key."""
        return {
            "method": METHOD,
            "smallest": self.smallest,
            "largest": self.largest,
            "seed": self.seed,
            "drift": self.drift,
            "nearest": self.nearest,
        }


_RESOLUTIONS = tuple(np.geomspace(0.5, 12.0, 14).tolist())
_MOVES = 2
_TRIES, _FEW = 3, 5_000
_MOST_THREADS = 4
_MOST_MEASURED = 20_000
_CELLS_A_BLOCK = 4_000_000
_FINER, _MOST_SPLITS = 1.6, 8


def find_communities(
    graph: Sparse, rows: Rows, meaning: Rows, seed: int, weights: NDArray[np.int64], smallest: int
) -> Labels:
    """The groups, of all degrees of fineness tried, that are the finest whose silhouette is no worse than the best.

    graph: symmetric, (n, n). rows: what is near what. meaning: what the silhouette is measured by. No worse: within a
    standard error. Of few rows the best of some tries is taken for each degree: chance has the more say, the fewer.
    weights: how many documents each row stands for, (n,); a group of fewer than `smallest` is none to the silhouette.
    """
    tries = _TRIES if graph.shape[0] <= _FEW else 1

    def best_of_tries(resolution: float) -> tuple[float, float, Labels]:
        tried = [_moved(rows, leiden(graph, resolution, tries * seed + number)) for number in range(tries)]
        return max(((*silhouette(meaning, labels, weights, smallest), labels) for labels in tried), key=itemgetter(0))

    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:  # Leiden holds no lock of Python's
        found = list(pool.map(best_of_tries, _RESOLUTIONS))
    best, error, _ = max(found, key=itemgetter(0))
    return next(labels for width, _, labels in reversed(found) if width >= best - error)


def _moved(rows: Rows, labels: Labels) -> Labels:
    """The groups, with each member in the one whose centre is nearest, where there are several."""
    for _ in range(_MOVES):
        count = int(labels.max(initial=-1)) + 1
        if count < 2:
            break
        centres = group_sums(rows, labels, count)
        scales = 1 / np.maximum(np.sqrt(squared_lengths(centres)), 1e-6)
        parts = np.array_split(np.arange(len(labels)), -(-len(labels) * count // _CELLS_A_BLOCK))
        near = [np.argmax(np.round(_dense(rows[part] @ centres.T) * scales, 5), axis=1) for part in parts]
        labels = by_first_row(np.concatenate(near).astype(np.int32))
    return labels


def leiden(graph: Sparse, resolution: float, seed: int) -> Labels:
    """Leiden's communities, numbered by their first row; a row without a neighbour is a group of its own."""
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
    """The same groups, numbered in the order in which they first occur; -1 stays."""
    names, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(np.where(names < 0, -1, first), kind="stable")
    numbers = np.empty(len(names), np.int32)
    numbers[order] = np.arange(len(names)) - (1 if len(names) and names[0] < 0 else 0)
    return numbers[inverse]


def silhouette(rows: Rows, labels: Labels, weights: NDArray[np.int64], smallest: int) -> tuple[float, float]:
    """The mean cosine silhouette, -1 to 1, of evenly spaced rows (at most 20,000), and its standard error.

    One alone counts 0, and is no group to the others; 0 where fewer than two groups are left. In a group that weighs less
    than `smallest` each counts 0.
    """
    sizes = np.bincount(labels)
    numbers = np.where(sizes > 1, np.cumsum(sizes > 1) - 1, -1).astype(np.int32)
    count = int(numbers.max(initial=-1)) + 1
    if count < 2:
        return 0.0, 0.0
    small = (np.bincount(labels, weights) < smallest)[labels]
    own, sizes = numbers[labels], sizes[sizes > 1]
    sums = group_sums(rows, own, count).T
    every = np.arange(0, len(labels), -(-len(labels) // _MOST_MEASURED))
    widths = np.zeros(len(every))
    measured = np.flatnonzero(own[every] >= 0)
    for part in np.array_split(measured, -(-len(measured) * count // _CELLS_A_BLOCK)) if len(measured) else ():
        block, group, at = rows[every[part]], own[every[part]], np.arange(len(part))
        near = _dense(block @ sums)
        inner = 1 - (near[at, group] - squared_lengths(block)) / (sizes[group] - 1)
        means = 1 - near / sizes
        means[at, group] = np.inf
        outer = means.min(axis=1)
        widths[part] = (outer - inner) / np.maximum(np.maximum(outer, inner), 1e-9)
    widths[small[every]] = 0.0
    return round(float(widths.mean()), 5), round(float(widths.std() / np.sqrt(len(widths))), 5)


def group_sums(rows: Rows, labels: Labels, count: int) -> Rows:
    """The sum of the rows of each group, (count, d), dense or sparse as the rows are."""
    from scipy.sparse import csr_array

    member = np.flatnonzero(labels >= 0)
    ones = np.ones(len(member), np.float32)
    return csr_array((ones, (labels[member], member)), shape=(count, len(labels))) @ rows


def squared_lengths(rows: Rows) -> NDArray[np.float32]:
    """Of each row, (n,)."""
    return np.asarray((rows * rows).sum(axis=1)).ravel()


def _dense(matrix: Any) -> NDArray[np.float32]:
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def split_large(
    graph: Sparse, rows: Rows, labels: Labels, weights: NDArray[np.int64], largest: int, seed: int
) -> Labels:
    """The groups, those whose rows weigh more than `largest` in several; a row that weighs more by itself is alone.

    weights: how many documents each row stands for, (n,).
    """
    labels = labels.copy()
    following = int(labels.max(initial=-1)) + 1
    waiting = list(range(following))
    while waiting:
        group = waiting.pop()
        members = np.flatnonzero(labels == group)
        if len(members) < 2 or weights[members].sum() <= largest:
            continue
        parts = _split(graph[members][:, members], rows[members], weights[members], largest, seed)
        labels[members] = np.where(parts == 0, group, following + parts - 1)
        waiting += [group, *range(following, following + int(parts.max()))]
        following += int(parts.max())
    return by_first_row(labels)


def _split(graph: Sparse, rows: Rows, weights: NDArray[np.int64], largest: int, seed: int) -> Labels:
    """At least two parts: communities where there are any to speak of, else equal shares from one pole to the other."""
    size = len(weights)
    total = int(weights.sum())
    resolution = 0.5
    for _ in range(_MOST_SPLITS):
        parts = leiden(graph, resolution, seed)
        sizes = np.sort(np.bincount(parts, weights))
        if len(sizes) > 1 and sizes[-2] * 4 >= min(largest, total / 2):
            return parts
        resolution *= _FINER
    centre = group_sums(rows, np.zeros(size, np.int32), 1)
    pole = int(np.argmin(np.round(_dense(rows @ centre.T)[:, 0], 4)))
    order = np.lexsort((np.arange(size), -np.round(_dense(rows @ rows[[pole]].T)[:, 0], 4)))
    shares = min(size, -(-total // largest))
    parts = np.empty(size, np.int32)
    before = np.cumsum(weights[order]) - weights[order]
    parts[order] = np.minimum(before * shares // total, shares - 1)
    if len(np.unique(parts)) < 2:
        parts[order[-1]] += 1
    return by_first_row(parts)
