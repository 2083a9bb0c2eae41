"""Clustering documents by the values that they share. What belongs here: comparing documents by their sets of values. What
does not: groups in a graph (communities), keeping them stable (stable_clusters), and the source of values (concepts,
document_fields).

The similarity of two documents is the cosine of their rows of inverse document frequencies, so that rare shared values count
more. Values that more than half of the documents have are ignored, and so are values of a single document.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.clusters.neighbours import Neighbours, Sparse, neighbour_graph, unit_values
from seed_assets.core.clusters.placing import NEIGHBOURS, Nodes, votes
from seed_assets.core.clusters.stable_clusters import cluster_from_scratch, continue_clustering, drift_since

# The numbers were chosen by judgement.
# The rows that are compared at a time, so that the memory is bounded.
_ROWS_PER_BLOCK = 128
# Cosines are rounded, because their last bits must not decide ties.
_DECIMALS = 6
# With fewer documents, values that most of them have are not ignored: they may be all that the documents share.
_FEW = 8


def cluster_sets(
    cluster_type: str,
    sets: Mapping[str, Collection[str]],
    rules: ClusterRules,
    previous: Clustering | None,
    *,
    from_scratch: bool = False,
) -> Clustering:
    """Cluster documents by their values.

    While at most a share `rules.drift` of the documents came, went or lost everything in common with their cluster,
    existing documents keep their clusters, and new ones join the cluster of their neighbours, or none. Beyond that share,
    or with `from_scratch`, everything is clustered from scratch, and clusters that stay mostly the same keep their ids.

    sets: document id -> its values, in any order; a document that shares no value with another is an outlier.
    previous: the result of the last call, or None.
    """
    document_ids = sorted(sets)
    nodes = _nodes([sets[document] for document in document_ids])
    if previous is not None and previous.settled and not from_scratch:
        changed = _changed(document_ids, nodes, previous)
        drift = drift_since(previous, document_ids, changed)
        if drift <= rules.drift:
            return continue_clustering(document_ids, nodes, rules, previous, changed, drift)
    return cluster_from_scratch(cluster_type, document_ids, nodes, rules, previous)


def _nodes(sets: Sequence[Collection[str]]) -> Nodes:
    held = Counter(value for values in sets for value in set(values))
    most = len(sets) // 2 if len(sets) >= _FEW else len(sets)
    columns = {value: at for at, value in enumerate(sorted(v for v, count in held.items() if 2 <= count <= most))}
    kept = [tuple(sorted(columns[value] for value in set(values) if value in columns)) for values in sets]
    numbers: dict[tuple[int, ...], int] = {}
    node_of = np.array([numbers.setdefault(one, len(numbers)) if one else -1 for one in kept], np.int32)
    names = sorted(columns, key=lambda value: columns[value])
    weights = np.log1p(len(sets) / np.array([held[name] for name in names], np.float64))
    rows = _rows(list(numbers), weights)
    neighbours, spread = _neighbours(rows)
    return Nodes(
        node_of,
        np.bincount(node_of[node_of >= 0], minlength=len(numbers)),
        rows,
        rows,
        neighbours,
        neighbour_graph(neighbours),
        spread,
    )


def _rows(nodes: Sequence[tuple[int, ...]], weights: NDArray[np.float64]) -> Sparse:
    """Return one unit row per node, shape (nodes, values)."""
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum([len(one) for one in nodes], dtype=np.int64)]).astype(np.int32)
    columns = np.array([column for one in nodes for column in one], np.int32)
    data = weights[columns] if len(columns) else np.zeros(0)
    data = unit_values(data, np.diff(starts))
    return csr_array((data.astype(np.float32), columns, starts), shape=(len(nodes), len(weights)))


def _neighbours(rows: Sparse) -> tuple[Neighbours, float]:
    """Return the nearest neighbours of each row (ties go to earlier rows), and the root mean square of all cosines."""
    size = rows.shape[0]
    found = Neighbours(np.full((size, NEIGHBOURS), -1, np.int32), np.zeros((size, NEIGHBOURS), np.float32))
    transposed = rows.T.tocsr()
    squares = 0.0
    for first in range(0, size, _ROWS_PER_BLOCK):
        cosines = (rows[first : first + _ROWS_PER_BLOCK] @ transposed).tocsr()
        for at in range(cosines.shape[0]):
            span = slice(cosines.indptr[at], cosines.indptr[at + 1])
            others = cosines.indices[span] != first + at
            columns, values = cosines.indices[span][others], np.round(cosines.data[span][others], _DECIMALS)
            squares += float((values.astype(np.float64) ** 2).sum())
            best = np.lexsort((columns, -values))[:NEIGHBOURS]
            found.rows[first + at, : len(best)] = columns[best]
            found.cosines[first + at, : len(best)] = values[best]
    pairs = max(1, size * (size - 1))
    return found, round(float(np.sqrt(squares / pairs)), 4)


def _changed(document_ids: Sequence[str], nodes: Nodes, previous: Clustering) -> set[str]:
    """Return the documents that had neighbours in their cluster but no longer have any there."""
    numbers = {one.cluster_id: at for at, one in enumerate(previous.clusters)}
    labels = np.full(len(nodes.sizes), -1, np.int32)
    for document, node in zip(document_ids, nodes.node_of.tolist(), strict=True):
        placement = previous.placements.get(document)
        if node >= 0 and labels[node] < 0 and placement is not None:
            labels[node] = numbers.get(placement.cluster_id, -1)
    cast = votes(nodes.graph, labels, len(numbers))
    changed: set[str] = set()
    for document, node in zip(document_ids, nodes.node_of.tolist(), strict=True):
        placement = previous.placements.get(document)
        if placement is None or not placement.cluster_id or not placement.strength:
            continue
        own = numbers[placement.cluster_id]
        if node < 0 or (nodes.sizes[node] == 1 and own not in cast.indices[cast.indptr[node] : cast.indptr[node + 1]]):
            changed.add(document)
    return changed
