"""Categories: groups of concepts with similar meaning. What belongs here: making and naming the groups. What does not:
finding concepts (concepts), groups among vectors (communities), stable ids (stable_clusters).

A group is named after its most central concept. The most frequent concepts form the groups; the others, which mostly occur in
one document only, join a group if they are as near to its centre as most of its members are.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.clusters import Categories, Category, Cluster, Clustering, Placement
from seed_assets.core.clusters.communities import ClusterRules
from seed_assets.core.clusters.neighbours import rounded_unit_rows
from seed_assets.core.clusters.placing import dense_nodes
from seed_assets.core.clusters.stable_clusters import cluster_from_scratch
from seed_assets.core.clusters.topic_space import centred, mean_of, spread_of

CATEGORY = "category"

# The numbers of this module were chosen by judgement.
# At most so many concepts form groups, so that the time is bounded.
_MOST_FORMING = 20_000
# So many concepts are embedded at a time, so that the memory is bounded.
_MOST_EMBEDDED = 8_192
# A concept joins a group if it is nearer to the centre than this share of the group's members.
_LEAST_NEAR = 0.25


def make_categories(
    concepts: Mapping[str, int],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    rules: ClusterRules,
    previous: Categories | None,
) -> Categories:
    """Group these concepts; a group that is mostly the same as a previous one keeps its id.

    concepts: concept -> number of documents that have it.
    embed: returns one vector per text, shape (n, d), of any length.
    rules: `drift` and `nearest` have no effect here.
    previous: the categories of the last call, or None.

    Raises ValueError if a concept has no document.
    """
    if any(count < 1 for count in concepts.values()):
        raise ValueError("Every concept needs at least one document.")
    by_frequency = sorted(concepts, key=lambda name: (-concepts[name], name))
    forming, joining = sorted(by_frequency[:_MOST_FORMING]), by_frequency[_MOST_FORMING:]
    vectors = _embedded(forming, embed)
    mean = mean_of(vectors)
    rows = centred(vectors, mean)
    found = cluster_from_scratch(
        CATEGORY, forming, dense_nodes(rows, rows, spread_of(rows)), rules, _as_clustering(previous)
    )
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
    """Return the unit vectors of the names, one per row, in their order."""
    parts = [embed(names[first : first + _MOST_EMBEDDED]) for first in range(0, len(names), _MOST_EMBEDDED)]
    return rounded_unit_rows(np.nan_to_num(np.vstack(parts))) if parts else np.zeros((0, 1), np.float32)


def _as_clustering(previous: Categories | None) -> Clustering | None:
    """Return the previous categories in the form of a clustering, whose ids the new groups are matched with."""
    if previous is None:
        return None
    clusters = tuple(Cluster(one.category_id, one.concepts) for one in previous.categories)
    placements = {concept: Placement(one.cluster_id, 1.0) for one in clusters for concept in one.members}
    return Clustering(CATEGORY, clusters, placements, previous.next_number, len(placements))


def _centres(
    rows: NDArray[np.float32], members: Sequence[NDArray[np.intp]], counts: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the unit vector of each group's centre; a concept weighs 1 + log(number of its documents)."""
    weights = 1.0 + np.log(counts)
    sums = [(rows[own].astype(np.float64) * weights[own, None]).sum(axis=0) for own in members]
    return rounded_unit_rows(np.stack(sums)) if sums else np.zeros((0, rows.shape[1]), np.float32)


def _most_central(
    rows: NDArray[np.float32], own: NDArray[np.intp], centre: NDArray[np.float32], counts: NDArray[np.float64]
) -> int:
    """Return the row of the concept nearest to the centre; among equally near ones, the one that more documents have."""
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
    """Return group -> concepts that join it, because they are nearer to its centre than a quarter of its members are."""
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
