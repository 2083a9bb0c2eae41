"""Documents grouped by values that they share. What belongs here: what documents with sets of values are compared by. What
does not: groups in a graph (communities), keeping them stable (stable_clusters), where values come from (concepts,
document_fields).

Two documents are as alike as the values that they share are rare: the cosine of rows of inverse document frequencies. A
value that more than half of the documents have says nothing, and what only one has joins nobody.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters import Clustering
from seed_assets.core.communities import ClusterRules
from seed_assets.core.neighbours import Neighbours, Sparse, neighbour_graph
from seed_assets.core.placing import NEIGHBOURS, Nodes, votes
from seed_assets.core.stable_clusters import cluster, drift_since, keep

_ROWS_A_BLOCK = 512
_DECIMALS = 6
# Of fewer documents a value that most have is all that they share.
_FEW = 8


def cluster_sets(
    cluster_type: str,
    sets: Mapping[str, Collection[str]],
    rules: ClusterRules,
    previous: Clustering | None,
    *,
    anew: bool = False,
) -> Clustering:
    """The groups of documents by their values; the same for documents and values in any order.

    sets: document -> its values; one without values that another has too is an outlier. previous: what the last call
    gave, or None. While no more than `rules.drift` of the documents came, went or have nothing in common any more with
    their cluster, those that are there keep their clusters, and new ones join the one that their neighbours are in, or
    none. Past it, or with `anew`, all is clustered from scratch, and clusters that stay mostly the same keep their ids.
    """
    document_ids = sorted(sets)
    nodes = _nodes([sets[document] for document in document_ids])
    if previous is not None and previous.settled and not anew:
        changed = _changed(document_ids, nodes, previous)
        drift = drift_since(previous, document_ids, changed)
        if drift <= rules.drift:
            return keep(document_ids, nodes, rules, previous, changed, drift)
    return cluster(cluster_type, document_ids, nodes, rules, previous)


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
    """A row a node, of length 1: (nodes, values)."""
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum([len(one) for one in nodes], dtype=np.int64)]).astype(np.int32)
    columns = np.array([column for one in nodes for column in one], np.int32)
    data = weights[columns] if len(columns) else np.zeros(0)
    lengths = np.sqrt(np.bincount(np.repeat(np.arange(len(nodes)), np.diff(starts)), data**2, len(nodes)))
    data = data / np.repeat(lengths, np.diff(starts))
    return csr_array((data.astype(np.float32), columns, starts), shape=(len(nodes), len(weights)))


def _neighbours(rows: Sparse) -> tuple[Neighbours, float]:
    """Of each row those with the greatest cosine, of equals the earlier; and the usual size of a cosine of two rows."""
    size = rows.shape[0]
    found = Neighbours(np.full((size, NEIGHBOURS), -1, np.int32), np.zeros((size, NEIGHBOURS), np.float32))
    transposed = rows.T.tocsc()
    squares = 0.0
    for first in range(0, size, _ROWS_A_BLOCK):
        cosines = (rows[first : first + _ROWS_A_BLOCK] @ transposed).tocsr()
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
    """Documents that had neighbours in their cluster, and have none there any more."""
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
