"""Categories: a few broad groups of concepts that the same documents have. What belongs here: naming the groups, and which
concepts belong to them. What does not: finding concepts (concepts), groups of documents (broad_groups), terms
(category_terms), stable ids (stable_clusters).

Documents that share concepts form groups, at most as many as the square root of their number. A group is named by the term that
distinguishes it best and that most of its documents have; documents of the group that have nothing in common with those are left
out, and a group that no term names is no category. The concepts of a category are those that mostly its documents have, and its
documents are those that have any of these concepts.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, sqrt

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.broad_groups import broad_groups, concept_nodes, parted
from seed_assets.core.clusters.category_terms import Terms, find_terms, is_word, words_of
from seed_assets.core.clusters.cluster_rules import CATEGORY, CategoryRules
from seed_assets.core.clusters.clusters import Categories, Category, Cluster, Clustering, Placement
from seed_assets.core.clusters.distinguishing import stem
from seed_assets.core.clusters.language_means import languages_of
from seed_assets.core.clusters.placing import Nodes, find_outliers
from seed_assets.core.clusters.stable_clusters import match_ids

# The numbers of this module were chosen by judgement.
# A category has at least three documents, and at least this share of the square root of their number: 4 of 212, 25 of 10,000.
_FEWEST_DOCUMENTS, _LEAST_PART = 3, 0.25
# The least association of a name with its group, as normalized pointwise mutual information (0: none, 1: always together).
_LEAST_ASSOCIATION = 0.35
# A name occurs in at least this share of its group; it counts fully from the second share on.
_LEAST_SHARE, _FULL_SHARE = 0.2, 0.25
# A concept belongs to a category if at least this share of its documents do; a word is typical of it from the second share on.
_LEAST_OF_CONCEPT, _LEAST_OF_WORD = 0.75, 0.5
# A group is parted if less than two thirds of it have its name, and if so much more of it have the names of the parts.
_LEAST_NAMED, _LEAST_GAIN = 0.67, 0.2
# So many names are tried for a group, and for each of them fewer and fewer documents that do not have it.
_NAMES_TRIED, _WITHOUT_NAME = 3, (1.0, 0.75, 0.5, 0.25, 0.0)

Documents = NDArray[np.intp]
"""The places of some documents, sorted."""


@dataclass(frozen=True, slots=True)
class ConceptDocument:
    """A document whose concepts are grouped.

    text: at least its first MOST_CHARACTERS of category_terms; the rest is not read.
    concepts: the names of its concepts, best first.
    vector: the mean of its chunks' embeddings, shape (d,), with the same d for all documents; zeros if it has none.
    """

    document_id: str
    text: str
    concepts: tuple[str, ...]
    vector: NDArray[np.float32]


def make_categories(
    documents: Sequence[ConceptDocument], rules: CategoryRules, previous: Categories | None
) -> Categories:
    """Group the concepts of these documents; a group that is mostly the same as a previous one keeps its id.

    documents: in any order, which does not matter.
    previous: the categories of the last call, or None. They decide only the ids.

    Raises ValueError if two documents have the same id, or if vectors differ in length.
    """
    documents = sorted(documents, key=lambda document: document.document_id)
    if len({document.document_id for document in documents}) < len(documents):
        raise ValueError("Two documents have the same id.")
    found = _found(documents, rules) if documents else []
    ids, next_number = match_ids(CATEGORY, [tuple(sorted(concepts)) for _, concepts in found], _as_clustering(previous))
    made = [Category(number, name, concepts) for number, (name, concepts) in zip(ids, found, strict=True)]
    return Categories(tuple(sorted(made, key=lambda one: int(one.category_id.rpartition("/")[2]))), next_number)


def _found(documents: Sequence[ConceptDocument], rules: CategoryRules) -> list[tuple[str, tuple[str, ...]]]:
    """Return the name and the concepts of each category."""
    concepts = [document.concepts for document in documents]
    texts = [document.text for document in documents]
    languages = languages_of(texts)
    nodes = concept_nodes(concepts, np.stack([document.vector for document in documents]), languages, rules.seed)
    if not len(nodes.sizes):
        return []
    fewest = max(_FEWEST_DOCUMENTS, round(_LEAST_PART * sqrt(len(documents))))
    naming = _Naming(find_terms(texts, concepts, languages), nodes, fewest)
    members = _ConceptMembers(concepts)
    groups = _named_groups(nodes, naming, rules.seed, isqrt(len(documents)))
    outliers = _outliers(nodes, groups)
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for term in group.terms:
            name, having = naming.terms.having(term)
            named = [at for at in group.documents.tolist() if at in having]
            others = [at for at in group.documents.tolist() if at not in having and not outliers[at]]
            kept = _kept_concepts(naming, members, named, others, having)
            if len(kept) >= rules.smallest and name not in found:
                found[name] = kept
                break
    return list(found.items())


def _as_clustering(previous: Categories | None) -> Clustering | None:
    """Return the previous categories in the form of a clustering, whose ids the new groups are matched with."""
    if previous is None:
        return None
    clusters = tuple(Cluster(one.category_id, tuple(sorted(one.concepts))) for one in previous.categories)
    placements = {concept: Placement(one.cluster_id, 1.0) for one in clusters for concept in one.members}
    return Clustering(CATEGORY, clusters, placements, previous.next_number, len(placements))


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """A group of documents; two are the same only if they are one object.

    terms: what it can be named, best first.
    named: how many of its documents have the best of them.
    """

    documents: Documents
    terms: tuple[int, ...]
    named: int


class _Naming:
    """Which terms distinguish which documents."""

    def __init__(self, terms: Terms, nodes: Nodes, fewest: int) -> None:
        """fewest: the fewest documents of a group that has a name."""
        self.terms = terms
        self.fewest = fewest
        self._rows = nodes.rows
        self._node_of = nodes.node_of
        self._occurring = np.asarray(terms.in_documents.sum(axis=0)).ravel()

    def group(self, documents: Documents) -> _Group:
        """Return these documents with the terms that can name them."""
        size, total = len(documents), len(self._node_of)
        if size < self.fewest or size == total or not self.terms.keys:
            return _Group(documents, (), 0)
        inside = np.asarray(self.terms.in_documents[documents].sum(axis=0)).ravel()
        spoken = np.asarray(self.terms.in_concepts[documents].sum(axis=0)).ravel()
        share = inside / total
        with np.errstate(divide="ignore", invalid="ignore"):
            association = np.log(share * total * total / (size * self._occurring)) / -np.log(share)
        usable = (inside >= 2) & (spoken >= 2) & (inside >= _LEAST_SHARE * size)
        usable &= np.nan_to_num(association) >= _LEAST_ASSOCIATION
        scores = np.zeros(len(inside))
        scores[usable] = association[usable] * np.sqrt(spoken[usable] / size)
        scores = np.round(scores * np.minimum(1.0, inside / (_FULL_SHARE * size)), 6)
        order = np.argsort(-scores, kind="stable")[: int(usable.sum())][:_NAMES_TRIED]
        return _Group(documents, tuple(order.tolist()), int(inside[order[0]]) if len(order) else 0)

    def nearest(self, documents: Sequence[int], others: Sequence[int]) -> list[int]:
        """Return the others, those first that are nearest to the centre of the documents."""
        centre = self._rows[self._node_of[documents]].sum(axis=0, dtype=np.float64)
        near = np.round(self._rows[self._node_of[others]] @ centre / max(1.0, float(np.linalg.norm(centre))), 4)
        return [others[at] for at in np.argsort(-near, kind="stable").tolist()]


def _named_groups(nodes: Nodes, naming: _Naming, seed: int, most: int) -> list[_Group]:
    """Return at most so many groups of documents that have names, the largest first.

    A group of which too few documents have its name is parted if more of them have the names of the parts.
    """
    labels = broad_groups(nodes, most, naming.fewest, seed)
    of_document = np.where(nodes.node_of >= 0, labels[nodes.node_of], -1)
    groups = [naming.group(np.flatnonzero(of_document == label)) for label in range(int(labels.max(initial=-1)) + 1)]
    waiting = list(groups)
    while waiting:
        whole = max(waiting, key=lambda one: (len(one.documents) - one.named, -one.documents[0]))
        waiting.remove(whole)
        if whole.named >= _LEAST_NAMED * len(whole.documents):
            continue
        parts = [naming.group(one) for one in _parts(nodes, whole.documents, naming.fewest, seed)]
        gain = sum(one.named for one in parts) - whole.named
        named = sum(bool(one.terms) for one in [*groups, *parts]) - bool(whole.terms)
        if gain >= _LEAST_GAIN * len(whole.documents) and named <= most:
            groups.remove(whole)
            groups += parts
            waiting += parts
    return sorted((one for one in groups if one.terms), key=lambda one: (-len(one.documents), one.documents[0]))


def _outliers(nodes: Nodes, groups: Sequence[_Group]) -> NDArray[np.bool_]:
    """Return which documents do not belong to their group, shape (documents,)."""
    labels = np.full(len(nodes.sizes), -1, np.int32)
    for number, group in enumerate(groups):
        labels[nodes.node_of[group.documents]] = number
    return find_outliers(nodes, labels, labels)[nodes.node_of] | (nodes.node_of < 0)


def _parts(nodes: Nodes, documents: Documents, fewest: int, seed: int) -> list[Documents]:
    """Part a group of documents, whose nodes are parted."""
    of_document = nodes.node_of[documents]
    found = parted(nodes, np.unique(of_document).astype(np.intp), fewest, seed)
    return [documents[np.isin(of_document, part)] for part in found]


class _ConceptMembers:
    """Which documents have which concepts, and which words of concepts."""

    def __init__(self, concepts: Sequence[Sequence[str]]) -> None:
        self._concepts = concepts
        self._words: dict[str, tuple[str, ...]] = {}
        self.documents: dict[str, list[int]] = {}
        self._of_word: dict[str, list[int]] = {}
        for at, names in enumerate(concepts):
            own: set[str] = set()
            for name in dict.fromkeys(names):
                if name not in self._words:
                    stems = {sys.intern(stem(word)) for word in words_of(name) if is_word(word)}
                    self._words[name] = tuple(stems)
                self.documents.setdefault(name, []).append(at)
                own.update(self._words[name])
            for word in own:
                self._of_word.setdefault(word, []).append(at)

    def of(self, documents: set[int]) -> tuple[str, ...]:
        """Return the concepts that mostly these documents have, those first that most of them have.

        A concept of only one document belongs to them if it has a word that is typical of them.
        """
        names = {name for at in documents for name in self._concepts[at]}
        typical = {
            word for word in {word for name in names for word in self._words[name]} if self._is_typical(word, documents)
        }
        found: list[tuple[int, int, str]] = []
        for name in names:
            held = len(documents.intersection(self.documents[name]))
            words = len(typical.intersection(self._words[name]))
            if held >= _LEAST_OF_CONCEPT * len(self.documents[name]) and (held > 1 or words):
                found.append((-held, -words, name))
        return tuple(name for *_, name in sorted(found))

    def _is_typical(self, word: str, documents: set[int]) -> bool:
        held = len(documents.intersection(self._of_word[word]))
        return held > 1 and held >= _LEAST_OF_WORD * len(self._of_word[word])


def _kept_concepts(
    naming: _Naming, members: _ConceptMembers, named: Sequence[int], others: Sequence[int], having: set[int]
) -> tuple[str, ...]:
    """Return the concepts of a category; nothing if not most of the documents that have any of them have its name.

    They are those of the documents of the group that have the name, and of fewer others that are nearest to these.

    named, others: the documents of the group that have the name, and those that may belong to them.
    having: all documents that have the name.
    """
    if not named:
        return ()
    others = naming.nearest(named, others)
    for share in _WITHOUT_NAME:
        concepts = members.of({*named, *others[: int(share * (len(named) - 1))]})
        documents = {at for name in concepts for at in members.documents[name]}
        if len(documents) >= naming.fewest and 2 * len(documents & having) > len(documents):
            return concepts
    return ()
