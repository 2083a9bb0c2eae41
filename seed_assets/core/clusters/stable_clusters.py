"""Clusterings that stay stable while documents come and go. What belongs here: continuing a clustering, the bounds on size,
ids, and the assignment of each document. What does not: comparing documents (topic_space, set_clustering), groups in a graph
(communities), and deciding which group a document belongs to (placing).

While at most a given share of the documents came or went, existing documents keep their clusters. Beyond that share,
everything is clustered from scratch, and a cluster that is mostly the same as a previous one gets its id.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clusters import Cluster, Clustering, Placement
from seed_assets.core.clusters.communities import Labels, by_first_row, find_communities, split_large
from seed_assets.core.clusters.placing import Nodes, assign_by_vote, dissolve_small, find_outliers, votes

# The numbers were chosen by judgement.
# A cluster keeps its id if its overlap with the previous one (shared members / all members of both) exceeds this share.
_SAME = 0.25
# Another cluster is listed for a document if it has at least this share of the votes; at most three are listed.
_LEANS = 0.1
_MOST_OTHERS = 3


def cluster_from_scratch(
    cluster_type: str,
    document_ids: Sequence[str],
    nodes: Nodes,
    rules: ClusterRules,
    previous: Clustering | None,
) -> Clustering:
    """Cluster these documents from scratch.

    document_ids: sorted, in the order of `nodes.node_of`.
    previous: the clustering whose ids are reused, or None.
    """
    labels = np.full(len(nodes.sizes), -1, np.int32)
    if len(labels):
        found = find_communities(nodes.graph, nodes.rows, nodes.meaning, rules.seed, nodes.sizes, rules.min_size)
        found[find_outliers(nodes, found, found)] = -1
        labels = _bounded(nodes, by_first_row(found), rules)
    return _clustering(cluster_type, document_ids, nodes, labels, rules, previous, len(document_ids), 0.0)


def drift_since(previous: Clustering, document_ids: Collection[str], changed: Collection[str]) -> float:
    """Return the share of documents that came, went or changed since everything was clustered from scratch, 0 to 1.

    changed: ids of documents that changed; each counts once.
    """
    moved = len(previous.placements.keys() ^ set(document_ids)) + len(set(changed))
    return round(min(1.0, previous.drift + moved / max(1, previous.settled)), 6)


def continue_clustering(
    document_ids: Sequence[str],
    nodes: Nodes,
    rules: ClusterRules,
    previous: Clustering,
    changed: Collection[str],
    drift: float,
) -> Clustering:
    """Continue the previous clustering: remove documents that are gone, and assign new and changed ones."""
    numbers = {one.cluster_id: at for at, one in enumerate(previous.clusters)}
    stood: dict[int, Counter[int]] = {}
    for document_id, node in zip(document_ids, nodes.node_of.tolist(), strict=True):
        placement = previous.placements.get(document_id)
        if node >= 0 and placement is not None and document_id not in changed:
            stood.setdefault(node, Counter())[numbers.get(placement.cluster_id, -1)] += 1
    labels = np.full(len(nodes.sizes), -1, np.int32)
    known = np.zeros(len(nodes.sizes), np.bool_)
    for node, counts in stood.items():
        known[node] = True
        labels[node] = min(counts, key=lambda group: (-counts[group], group))
    labels = assign_by_vote(nodes, labels, np.flatnonzero(~known), 0)
    labels = _bounded(nodes, by_first_row(labels), rules)
    return _clustering(previous.cluster_type, document_ids, nodes, labels, rules, previous, previous.settled, drift)


def _bounded(nodes: Nodes, labels: Labels, rules: ClusterRules) -> Labels:
    """Apply the bounds on size; large groups are split first, since their parts may be too small."""
    if rules.max_size:
        labels = split_large(nodes.graph, nodes.meaning, labels, nodes.sizes, rules.max_size, rules.seed)
    return by_first_row(dissolve_small(nodes, labels, rules.min_size, rules.max_size))


def _clustering(
    cluster_type: str,
    document_ids: Sequence[str],
    nodes: Nodes,
    labels: Labels,
    rules: ClusterRules,
    previous: Clustering | None,
    settled: int,
    drift: float,
) -> Clustering:
    groups = _groups(document_ids, nodes, labels, rules)
    members = [tuple(document_ids[int(at)] for at in group) for group in groups]
    ids, next_number = match_ids(cluster_type, members, previous)
    placements = _placements(document_ids, nodes, groups, ids, rules.nearest)
    order = sorted(range(len(groups)), key=lambda at: int(ids[at].rpartition("/")[2]))
    before = {one.cluster_id: one for one in previous.clusters} if previous else {}
    return Clustering(
        cluster_type=cluster_type,
        clusters=tuple(_with_kept_summary(Cluster(ids[at], members[at]), before, rules, placements) for at in order),
        placements=placements,
        next_number=next_number,
        settled=settled,
        drift=drift,
        kept=_kept(placements, previous),
    )


def _with_kept_summary(
    cluster: Cluster, before: Mapping[str, Cluster], rules: ClusterRules, documents: Collection[str]
) -> Cluster:
    """Note which earlier members a cluster's summary stays of, if `rules.resummarize_share` allows it.

    A summary is not kept if a document that it is of does not exist any more: it should not say what nobody can look up, and
    it could not be written again.

    before: the previous clusters by their ids.
    """
    if not rules.resummarize_share or cluster.cluster_id not in before:
        return cluster
    of = before[cluster.cluster_id].summary_members
    kept = Cluster(cluster.cluster_id, cluster.members, of)
    same = of == cluster.members or not all(one in documents for one in of)
    return cluster if same or kept.changed_share > rules.resummarize_share else kept


def _groups(document_ids: Sequence[str], nodes: Nodes, labels: Labels, rules: ClusterRules) -> list[NDArray[np.intp]]:
    """Return the positions of the members of each group; a node with too many documents is cut into equal shares."""
    of_document = np.where(nodes.node_of >= 0, labels[nodes.node_of] if len(labels) else -1, -1)
    groups: list[NDArray[np.intp]] = []
    for label in range(int(labels.max(initial=-1)) + 1):
        members = np.flatnonzero(of_document == label)
        shares = -(-len(members) // rules.max_size) if rules.max_size else 1
        groups += [part for part in np.array_split(members, shares) if len(part) >= rules.min_size]
    return groups


def match_ids(
    cluster_type: str, groups: Sequence[tuple[str, ...]], previous: Clustering | None
) -> tuple[list[str], int]:
    """Return the ids of the groups and the next free number.

    Groups and previous clusters are matched so that their total overlap is as large as possible. A group gets the id of its
    cluster if more than a quarter of the members of both are in both; otherwise it gets a new number, larger groups first.
    """
    before = previous.clusters if previous else ()
    number_of = {document: at for at, one in enumerate(before) for document in one.members}
    shared = np.zeros((len(groups), len(before)))
    for at, group in enumerate(groups):
        for document in group:
            if document in number_of:
                shared[at, number_of[document]] += 1
    ids = [""] * len(groups)
    for at, old in _pairs(shared, [len(group) for group in groups], [len(one.members) for one in before]):
        ids[at] = before[old].cluster_id
    next_number = previous.next_number if previous else 1
    for at in sorted((at for at, one in enumerate(ids) if not one), key=lambda at: (-len(groups[at]), groups[at])):
        ids[at] = f"{cluster_type}/{next_number}"
        next_number += 1
    return ids, next_number


def _pairs(shared: NDArray[np.float64], sizes: Sequence[int], before: Sequence[int]) -> list[tuple[int, int]]:
    if not shared.size:
        return []
    overlap = np.round(shared / (np.array(sizes)[:, None] + np.array(before)[None, :] - shared), 9)
    overlap[overlap <= _SAME] = 0.0
    rows, columns = np.nonzero(overlap)
    if len(np.unique(rows)) < len(rows) or len(np.unique(columns)) < len(columns):
        # Importing it takes half a second, and it is needed only if clusters were divided or put together.
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(-overlap)
    return [(row, column) for row, column in zip(rows.tolist(), columns.tolist(), strict=True) if overlap[row, column]]


def _placements(
    document_ids: Sequence[str],
    nodes: Nodes,
    groups: Sequence[NDArray[np.intp]],
    ids: Sequence[str],
    nearest: int,
) -> dict[str, Placement]:
    group_of = np.full(len(document_ids), -1, np.int32)
    for at, members in enumerate(groups):
        group_of[members] = at
    documents: list[list[int]] = [[] for _ in nodes.sizes]
    for document, node in enumerate(nodes.node_of.tolist()):
        if node >= 0:
            documents[node].append(document)
    of_node = np.array([group_of[held[0]] for held in documents], np.int32)
    cast = votes(nodes.graph, of_node, len(groups))
    totals = np.maximum(np.round(nodes.graph.sum(axis=1), 6), 1e-6)
    placements: dict[str, Placement] = {}
    for document, node in enumerate(nodes.node_of.tolist()):
        group = int(group_of[document])
        if node < 0:
            placements[document_ids[document]] = Placement("", 0.0)
            continue
        span = slice(cast.indptr[node], cast.indptr[node + 1])
        shares: dict[int, float] = dict(
            zip(cast.indices[span].tolist(), np.round(cast.data[span] / totals[node], 3).tolist(), strict=True)
        )
        alone = 1.0 if group >= 0 and not shares else 0.0
        others = sorted((-share, ids[at]) for at, share in shares.items() if at != group and share >= _LEANS)
        placements[document_ids[document]] = Placement(
            ids[group] if group >= 0 else "",
            min(1.0, shares.get(group, alone)) if group >= 0 else 0.0,
            tuple((name, -share) for share, name in others[:_MOST_OTHERS]),
            tuple(_nearest(document, node, documents, nodes, document_ids, nearest)),
        )
    return placements


def _nearest(
    document: int,
    node: int,
    documents: Sequence[Sequence[int]],
    nodes: Nodes,
    document_ids: Sequence[str],
    count: int,
) -> Iterator[tuple[str, float]]:
    """Yield the documents that share the node, then those of the nearest nodes, with their similarities."""
    same = ((other, 1.0) for other in documents[node] if other != document)
    near = (
        (other, min(1.0, round(cosine, 4)))
        for row, cosine in zip(
            nodes.neighbours.rows[node].tolist(), nodes.neighbours.cosines[node].tolist(), strict=True
        )
        if row >= 0
        for other in documents[row]
    )
    for other, cosine in islice(chain(same, near), count):
        yield document_ids[int(other)], cosine


def _kept(placements: Mapping[str, Placement], previous: Clustering | None) -> float:
    before = previous.placements if previous else {}
    stayed = [
        placements[one].cluster_id == placement.cluster_id for one, placement in before.items() if one in placements
    ]
    return round(sum(stayed) / len(stayed), 4) if stayed else 1.0
