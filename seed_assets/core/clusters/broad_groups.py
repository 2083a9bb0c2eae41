"""A few broad groups of documents that share concepts. What belongs here: comparing documents by their concepts and vectors,
finding the groups, and parting one of them. What does not: finding many groups (communities), names of groups and what
belongs to them (categories).

Two documents are near each other if their vectors are, and if they have concepts in common, or words of concepts, or concepts
that others have together. Both parts have the same weight.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.communities import Labels, by_first_row, leiden, moved_to_centres, silhouette
from seed_assets.core.clusters.language_means import language_means, means_for
from seed_assets.core.clusters.neighbours import rounded_unit_rows
from seed_assets.core.clusters.placing import Nodes, dense_nodes, dissolve_small
from seed_assets.core.clusters.topic_space import TermCounts, centred, mean_of, spread_of, wording_rows
from seed_assets.core.text.textrank import terms

# The numbers were chosen by judgement.
# The resolutions that Leiden is run with, until it finds more groups than are wanted.
_RESOLUTIONS = tuple(np.geomspace(0.3, 12.0, 16).tolist())
# With at most 5,000 documents, each resolution is tried three times, since chance matters more with few.
_TRIES, _FEW = 3, 5_000
# The resolutions at which a group is parted, until its second part has at least this share of it.
_PARTING, _LEAST_PART = (0.5, 0.8, 1.2, 1.8, 2.6, 4.0), 0.2


def concept_nodes(
    concepts: Sequence[Sequence[str]], vectors: NDArray[np.float32], languages: Sequence[str], seed: int
) -> Nodes:
    """Return n documents as nodes of a graph of neighbours.

    concepts: the names of the concepts of each document.
    vectors: one per document, of any length, zeros if it has none, shape (n, d).
    languages: the code of the language of each document, "" if it is not known. If there are several, what the documents of
        one language have in common is left out.
    seed: the seed of all random choices.
    """
    wording = wording_rows(TermCounts.of(map(_counted, concepts)), seed)
    units = rounded_unit_rows(np.nan_to_num(vectors, nan=0.0, posinf=0.0, neginf=0.0))
    if means := language_means(languages, units, wording):
        of_vectors, of_wording = means_for(languages, units, means)
        meaning, wording = centred(units, of_vectors), rounded_unit_rows(wording - of_wording)
    else:
        meaning = centred(units, mean_of(units))
    if not meaning.any():
        meaning = wording
    return dense_nodes(rounded_unit_rows(np.hstack([meaning, wording])), meaning, spread_of(meaning))


def _counted(names: Sequence[str]) -> Counter[str]:
    """Count the concepts and the terms of their words; a space keeps the two apart."""
    found: Counter[str] = Counter(f" {name}" for name in names)
    for name in names:
        found.update(terms(name))
    return found


def broad_groups(nodes: Nodes, most: int, smallest: int, seed: int) -> Labels:
    """Return the group of each node, -1 for none.

    Of the groupings with at most `most` groups, it is the finest whose silhouette is within one standard error of the best.

    smallest: the fewest documents of a group.
    seed: the seed of all random choices.
    """
    found: list[tuple[float, float, Labels]] = []
    for resolution in _RESOLUTIONS:
        best = _best_of_tries(nodes, resolution, smallest, seed)
        if found and _groups(nodes, best[2], smallest) > most:
            break
        found.append(best)
    least = max(width - error for width, error, _ in found if width == max(one[0] for one in found))
    labels = next(labels for width, _, labels in reversed(found) if width >= least)
    labels = by_first_row(dissolve_small(nodes, labels, smallest, 0))
    return _largest(nodes, labels, most)


def _best_of_tries(nodes: Nodes, resolution: float, smallest: int, seed: int) -> tuple[float, float, Labels]:
    """Return the silhouette, its standard error and the groups of the best of a few tries."""
    tries = _TRIES if len(nodes.sizes) <= _FEW else 1
    tried: list[tuple[float, float, Labels]] = []
    for number in range(tries):
        labels = moved_to_centres(nodes.rows, leiden(nodes.graph, resolution, tries * seed + number))
        tried.append((*silhouette(nodes.meaning, labels, nodes.sizes, smallest), labels))
    return max(tried, key=lambda one: one[0])


def _groups(nodes: Nodes, labels: Labels, smallest: int) -> int:
    """Return how many groups are large enough."""
    return int((np.bincount(labels, nodes.sizes) >= smallest).sum())


def _largest(nodes: Nodes, labels: Labels, most: int) -> Labels:
    """Keep at most so many groups, the largest ones."""
    member = labels >= 0
    sizes = np.bincount(labels[member], nodes.sizes[member])
    kept = np.argsort(-sizes, kind="stable")[:most]
    return np.where(np.isin(labels, kept), labels, -1).astype(np.int32)


def parted(nodes: Nodes, group: NDArray[np.intp], smallest: int, seed: int) -> list[NDArray[np.intp]]:
    """Part a group of nodes at the coarsest resolution at which it falls apart, into groups of nodes; or return it whole.

    smallest: the fewest documents of the second largest part.
    seed: the seed of all random choices.
    """
    graph, rows, sizes = nodes.graph[group][:, group], nodes.rows[group], nodes.sizes[group]
    for resolution in _PARTING:
        labels = moved_to_centres(rows, leiden(graph, resolution, seed))
        weights = np.sort(np.bincount(labels, sizes))
        if len(weights) > 1 and weights[-2] >= max(smallest, _LEAST_PART * sizes.sum()):
            return [group[labels == label] for label in range(int(labels.max()) + 1)]
    return [group]
