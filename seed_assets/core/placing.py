"""Where documents stand among groups. What belongs here: how firmly each belongs to which group, who belongs to none, and
who goes where when a group is dissolved. What does not: finding groups (communities), their ids (stable_clusters).

Neighbours vote: a document belongs to a group as firmly as its neighbours, by their cosines, are in it. It belongs to none
where it is no more like the group as a whole than two documents drawn at random are like each other, or where even its
nearest neighbours are not half as near to it as is usual in the corpus.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.communities import Labels, Rows, group_sums, squared_lengths
from seed_assets.core.neighbours import Neighbours, Sparse, find_neighbours, neighbour_graph

NEIGHBOURS = 15
_NEAREST = 5
_ALOOF = 0.5


@dataclass(frozen=True, slots=True)
class Nodes:
    """What is grouped. Documents that are the same to the method are one node; those that say nothing are none.

    node_of: (documents,), -1 for none. sizes: documents of each node, (n,). rows: (n, d). meaning: (n, d'), what
    silhouettes are measured by. spread: the usual size of a cosine of two nodes.
    """

    node_of: NDArray[np.int32]
    sizes: NDArray[np.int64]
    rows: Rows
    meaning: Rows
    neighbours: Neighbours
    graph: Sparse
    spread: float


def alike(rows: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The node of each row, -1 for zeros; and the first row of each node."""
    numbers: dict[bytes, int] = {}
    first: list[int] = []
    node_of = np.full(len(rows), -1, np.int32)
    for at in np.flatnonzero(rows.any(axis=1)).tolist():
        node = numbers.setdefault(rows[at].tobytes(), len(numbers))
        if node == len(first):
            first.append(at)
        node_of[at] = node
    return node_of, np.array(first, np.intp)


def dense_nodes(both: NDArray[np.float32], meaning: NDArray[np.float32], spread: float) -> Nodes:
    """Nodes of rows from `unit_rows`, (documents, d), and of the part of them that silhouettes are measured by."""
    node_of, first = alike(both)
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
    """The weight of each node's neighbours in each group, (n, count)."""
    from scipy.sparse import csr_array

    member = np.flatnonzero(labels >= 0)
    groups = csr_array((np.ones(len(member)), (member, labels[member])), shape=(len(labels), count))
    cast: Sparse = graph @ groups
    cast.sort_indices()
    cast.data = np.round(cast.data, 6)
    return cast


def outlying(nodes: Nodes, labels: Labels, standing: Labels) -> NDArray[np.bool_]:
    """Which nodes do not belong to the group that `labels` gives them, (n,).

    standing: the groups as they are, by which a group as a whole is judged: -1 for nodes that are not in it yet.
    """
    count = int(max(labels.max(initial=-1), standing.max(initial=-1))) + 1
    if not count:
        return np.ones(len(labels), np.bool_)
    sums = group_sums(nodes.rows, standing, count)
    among = (standing == labels) & (labels >= 0)
    own = sums[np.maximum(labels, 0)] - nodes.rows * among[:, None].astype(np.float32)
    lengths = np.sqrt(squared_lengths(own))
    cosines = np.asarray((nodes.rows * own).sum(axis=1)).ravel() / np.maximum(lengths, 1e-6)
    companions = np.bincount(standing[standing >= 0], minlength=count)[np.maximum(labels, 0)] - among
    apart = (companions > 0) & (np.round(cosines, 4) < nodes.spread)
    return apart | _aloof(nodes) | (labels < 0)


def _aloof(nodes: Nodes) -> NDArray[np.bool_]:
    near = nodes.neighbours.cosines[:, :_NEAREST].mean(axis=1, dtype=np.float64)
    if len(near) <= NEIGHBOURS:
        return np.zeros(len(near), np.bool_)
    return (near < round(_ALOOF * float(np.median(near)), 6)) & (nodes.sizes == 1)


def dissolve_small(nodes: Nodes, labels: Labels, smallest: int, largest: int) -> Labels:
    """The groups of at least `smallest` documents; members of others go where their neighbours are, where there is room
    and they belong there, else to none.
    """
    labels = labels.copy()
    member = np.flatnonzero(labels >= 0)
    weight = np.bincount(labels[member], nodes.sizes[member])
    homeless = member[weight[labels[member]] < smallest]
    labels[homeless] = -1
    return by_vote(nodes, labels, homeless, largest)


def by_vote(nodes: Nodes, labels: Labels, homeless: NDArray[np.intp], largest: int) -> Labels:
    """The groups, with those of the homeless nodes that belong to one in the one that most of their neighbours are in.

    largest: 0 for no bound; where a group has no room for it, a node goes to none.
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
    out = outlying(nodes, wanted, labels)
    placed = labels.copy()
    for at in np.argsort(-most, kind="stable").tolist():
        node = homeless[at]
        group = wanted[node]
        if out[node] or (largest and weight[group] + nodes.sizes[node] > largest):
            continue
        placed[node] = group
        weight[group] += nodes.sizes[node]
    return placed
