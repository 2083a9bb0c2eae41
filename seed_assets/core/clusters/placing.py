"""Assigning documents to groups. What belongs here: how strongly each document belongs to which group, which ones are
outliers, and where members go when a group is dissolved. What does not: finding groups (communities), and their ids
(stable_clusters).

Neighbours vote: a document belongs to a group as strongly as its neighbours, weighted by cosine, are in it. It is an outlier
if it is no more similar to the group as a whole than two random documents are to each other, or if the similarity to its
nearest neighbours is less than half of what is usual in the corpus.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.communities import Labels, Rows, group_sums, squared_lengths
from seed_assets.core.clusters.neighbours import Neighbours, Sparse, find_neighbours, neighbour_graph, row_blocks

# The numbers of this module were chosen by judgement.
NEIGHBOURS = 15
"""How many nearest neighbours of each node the graph contains."""
# A node is an outlier if the mean cosine of its 5 nearest neighbours is less than half of the median over all nodes.
_NEAREST = 5
_ALOOF = 0.5


@dataclass(frozen=True, slots=True)
class Nodes:
    """The n nodes that are grouped. Documents that look the same to the method share a node; empty ones have none.

    node_of: the node of each document, or -1, shape (documents,).
    sizes: the number of documents of each node, shape (n,).
    rows: the vectors that are compared, shape (n, d).
    meaning: the vectors by which silhouettes are measured, shape (n, d').
    neighbours: the nearest neighbours of each node.
    graph: the graph of neighbours, shape (n, n).
    spread: the root mean square of the cosines of two nodes.
    """

    node_of: NDArray[np.int32]
    sizes: NDArray[np.int64]
    rows: Rows
    meaning: Rows
    neighbours: Neighbours
    graph: Sparse
    spread: float


def group_equal_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the node of each row (equal rows share one; -1 for zeros), and the first row of each node."""
    numbers: dict[bytes, int] = {}
    first: list[int] = []
    node_of = np.full(len(rows), -1, np.int32)
    for at in np.flatnonzero(rows.any(axis=1)).tolist():
        node = numbers.setdefault(hashlib.sha256(rows[at]).digest(), len(numbers))
        if node == len(first):
            first.append(at)
        node_of[at] = node
    return node_of, np.array(first, np.intp)


def dense_nodes(both: NDArray[np.float32], meaning: NDArray[np.float32], spread: float) -> Nodes:
    """Return the nodes of the documents' coordinates.

    both: the rows that are compared, from `unit_rows`, shape (documents, d).
    meaning: the rows by which silhouettes are measured, shape (documents, d').
    spread: see Nodes.
    """
    node_of, first = group_equal_rows(both)
    neighbours = find_neighbours(both[first], NEIGHBOURS)
    return Nodes(
        node_of,
        np.bincount(node_of[node_of >= 0], minlength=len(first)),
        both[first],
        meaning[first],
        neighbours,
        neighbour_graph(neighbours),
        spread,
    )


def votes(graph: Sparse, labels: Labels, count: int) -> Sparse:
    """Return the total weight of each node's neighbours in each group, shape (n, count)."""
    from scipy.sparse import csr_array

    member = np.flatnonzero(labels >= 0)
    groups = csr_array((np.ones(len(member)), (member, labels[member])), shape=(len(labels), count))
    cast: Sparse = graph @ groups
    cast.sort_indices()
    cast.data = np.round(cast.data, 6)
    return cast


def find_outliers(nodes: Nodes, labels: Labels, standing: Labels) -> NDArray[np.bool_]:
    """Return which nodes do not belong to their group, shape (n,).

    labels: the group that each node is to be in.
    standing: the current groups, with which a node is compared; -1 for nodes that are in no group yet.
    """
    count = int(max(labels.max(initial=-1), standing.max(initial=-1))) + 1
    if not count:
        return np.ones(len(labels), np.bool_)
    sums = group_sums(nodes.rows, standing, count)
    among = (standing == labels) & (labels >= 0)
    cosines = np.empty(len(labels), np.float32)
    for block in row_blocks(len(labels)):
        rows = nodes.rows[block]
        own = sums[np.maximum(labels[block], 0)] - rows * among[block, None].astype(np.float32)
        lengths = np.sqrt(squared_lengths(own))
        cosines[block] = np.asarray((rows * own).sum(axis=1)).ravel() / np.maximum(lengths, 1e-6)
    companions = np.bincount(standing[standing >= 0], minlength=count)[np.maximum(labels, 0)] - among
    apart = (companions > 0) & (np.round(cosines, 4) < nodes.spread)
    return apart | _aloof(nodes) | (labels < 0)


def _aloof(nodes: Nodes) -> NDArray[np.bool_]:
    near = nodes.neighbours.cosines[:, :_NEAREST].mean(axis=1, dtype=np.float64)
    if len(near) <= NEIGHBOURS:
        return np.zeros(len(near), np.bool_)
    return (near < round(_ALOOF * float(np.median(near)), 6)) & (nodes.sizes == 1)


def dissolve_small(nodes: Nodes, labels: Labels, min_size: int, max_size: int) -> Labels:
    """Dissolve groups of fewer than `min_size` documents. Their members join the groups of their neighbours if these have
    room and the members belong there; otherwise they become outliers.
    """
    labels = labels.copy()
    member = np.flatnonzero(labels >= 0)
    weight = np.bincount(labels[member], nodes.sizes[member])
    homeless = member[weight[labels[member]] < min_size]
    labels[homeless] = -1
    return assign_by_vote(nodes, labels, homeless, max_size)


def assign_by_vote(nodes: Nodes, labels: Labels, homeless: NDArray[np.intp], max_size: int) -> Labels:
    """Assign each homeless node to the group that most of its neighbours (by weight) are in, if it belongs there.

    max_size: the most documents of a group, 0 for no bound; a node stays without a group if its group is full.
    """
    count = int(labels.max(initial=-1)) + 1
    if not count or not len(homeless):
        return labels
    weight = np.bincount(labels[labels >= 0], nodes.sizes[labels >= 0], minlength=count).astype(np.int64)
    cast = votes(nodes.graph[homeless], labels, count)
    wanted = np.full(len(labels), -1, np.int32)
    most = np.zeros(len(homeless))
    for at, (first, last) in enumerate(pairwise(cast.indptr.tolist())):
        if first < last:
            best = first + int(np.argmax(cast.data[first:last]))
            wanted[homeless[at]], most[at] = cast.indices[best], cast.data[best]
    out = find_outliers(nodes, wanted, labels)
    placed = labels.copy()
    for at in np.argsort(-most, kind="stable").tolist():
        node = homeless[at]
        group = wanted[node]
        if out[node] or (max_size and weight[group] + nodes.sizes[node] > max_size):
            continue
        placed[node] = group
        weight[group] += nodes.sizes[node]
    return placed
