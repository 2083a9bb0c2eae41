"""Concepts in groups of like meaning. What belongs here: making and naming the groups. What does not: finding concepts
(concepts), groups among vectors (communities), ids that stay (stable_clusters).

A group is named by its most central concept. The most frequent concepts form the groups; those beyond them, which are
mostly of one document, join a group where they are as near its middle as its members are.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters import Categories, Category, Cluster, Clustering, Placement
from seed_assets.core.communities import ClusterRules
from seed_assets.core.neighbours import unit_rows
from seed_assets.core.placing import dense_nodes
from seed_assets.core.stable_clusters import cluster
from seed_assets.core.topic_space import centred, mean_of, spread_of

CATEGORY = "category"

_MOST_FORMING = 20_000
_MOST_EMBEDDED = 8_192
# Which member, counted from the one that is farthest from the middle, as a share of all: who joins must be as near.
_LEAST_NEAR = 0.25


def make_categories(
    concepts: Mapping[str, int],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    rules: ClusterRules,
    previous: Categories | None,
) -> Categories:
    """The groups of these concepts, by number; a group that is mostly one of the previous ones keeps its id.

    concepts: each with the number of documents that have it. embed: gives a row a text, shape (n, d), of any length.
    `rules.drift` and `rules.nearest` decide nothing here. Raises ValueError where a concept has no document.
    """
    if any(count < 1 for count in concepts.values()):
        raise ValueError("A concept is one of at least one document.")
    by_frequency = sorted(concepts, key=lambda name: (-concepts[name], name))
    forming, joining = sorted(by_frequency[:_MOST_FORMING]), by_frequency[_MOST_FORMING:]
    vectors = _embedded(forming, embed)
    mean = mean_of(vectors)
    rows = centred(vectors, mean)
    found = cluster(CATEGORY, forming, dense_nodes(rows, rows, spread_of(rows)), rules, _as_clustering(previous))
    at = {name: row for row, name in enumerate(forming)}
    members = [np.array([at[name] for name in one.members], np.intp) for one in found.clusters]
    counts = np.array([concepts[name] for name in forming], np.float64)
    centres = _centres(rows, members, counts)
    joined = _joined(joining, embed, mean, rows, members, centres)
    return Categories(
        tuple(
            Category(
                one.cluster_id,
                forming[_most_central(rows, own, centre, counts)],
                tuple(sorted((*one.members, *joined.get(number, ())))),
            )
            for number, (one, own, centre) in enumerate(zip(found.clusters, members, centres, strict=True))
        ),
        found.next_number,
    )


def _embedded(names: Sequence[str], embed: Callable[[Sequence[str]], NDArray[np.float32]]) -> NDArray[np.float32]:
    """At length 1, in the order of the names."""
    parts = [embed(names[first : first + _MOST_EMBEDDED]) for first in range(0, len(names), _MOST_EMBEDDED)]
    return unit_rows(np.nan_to_num(np.vstack(parts))) if parts else np.zeros((0, 1), np.float32)


def _as_clustering(previous: Categories | None) -> Clustering | None:
    """What ids are matched to."""
    if previous is None:
        return None
    clusters = tuple(Cluster(one.category_id, one.concepts) for one in previous.categories)
    placements = {concept: Placement(one.cluster_id, 1.0) for one in clusters for concept in one.members}
    return Clustering(CATEGORY, clusters, placements, previous.next_number, len(placements))


def _centres(
    rows: NDArray[np.float32], members: Sequence[NDArray[np.intp]], counts: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The direction of each group, its concepts weighing as much as the logarithm of their documents."""
    weights = 1.0 + np.log(counts)
    sums = [(rows[own].astype(np.float64) * weights[own, None]).sum(axis=0) for own in members]
    return unit_rows(np.stack(sums)) if sums else np.zeros((0, rows.shape[1]), np.float32)


def _most_central(
    rows: NDArray[np.float32], own: NDArray[np.intp], centre: NDArray[np.float32], counts: NDArray[np.float64]
) -> int:
    """The concept nearest to the middle, of like ones the one that more documents have."""
    near = np.round(rows[own] @ centre, 2)
    return int(own[np.lexsort((own, -counts[own], -near))[0]])


def _joined(
    joining: Sequence[str],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    mean: NDArray[np.float32],
    rows: NDArray[np.float32],
    members: Sequence[NDArray[np.intp]],
    centres: NDArray[np.float32],
) -> dict[int, list[str]]:
    """Group -> those that join it: as near to its middle as three quarters of its members are."""
    if not joining or not members:
        return {}
    least = np.array(
        [np.quantile(rows[own] @ centre, _LEAST_NEAR) for own, centre in zip(members, centres, strict=True)]
    )
    found: dict[int, list[str]] = {}
    for first in range(0, len(joining), _MOST_EMBEDDED):
        names = joining[first : first + _MOST_EMBEDDED]
        near = centred(_embedded(names, embed), mean) @ centres.T
        best = near.argmax(axis=1)
        for name, group, cosine in zip(names, best.tolist(), near.max(axis=1).tolist(), strict=True):
            if cosine >= least[group]:
                found.setdefault(group, []).append(name)
    return found
