"""Lists of all clusters, categories and concepts of a knowledge base.

What belongs here: the lists. What does not: one cluster or category with all that belongs to it (cluster_overview), and how they
are printed (overview_pages).
"""

from collections import Counter
from dataclasses import dataclass

from seed_assets.reports.published_results import CONCEPTS, PublishedResults


@dataclass(frozen=True, slots=True)
class ListedCluster:
    """A cluster in a list. verdict: the decision on its summary; "" if it is not judged yet."""

    cluster: str
    cluster_type: str
    title: str
    documents: int
    verdict: str
    needs_review: bool


@dataclass(frozen=True, slots=True)
class ListedType:
    """The clusters of one type in the order of their size, the largest first, and how many documents are in none of them."""

    cluster_type: str
    clusters: list[ListedCluster]
    outliers: int


@dataclass(frozen=True, slots=True)
class ListedCategory:
    """A category in a list. documents: how many have any of its concepts."""

    category: str
    name: str
    documents: int
    concepts: list[str]


@dataclass(frozen=True, slots=True)
class ListedConcept:
    """A concept of the corpus.

    kind: the kind that most documents give it; "" if none does. documents: how many have it. count: how often it occurs in them.
    """

    concept: str
    kind: str
    documents: int
    count: int


def list_clusters(results: PublishedResults) -> list[ListedType]:
    """The clusters of each type that has been clustered."""
    found: list[ListedType] = []
    for cluster_type in results.cluster_types:
        clustering = results.clustering(cluster_type)
        if clustering is None:
            continue
        clusters: list[ListedCluster] = []
        for cluster in sorted(clustering.clusters, key=lambda one: -len(one.members)):
            judged = results.cluster_judgement(cluster.cluster_id)
            clusters.append(
                ListedCluster(
                    cluster.cluster_id,
                    cluster_type,
                    results.cluster_title(cluster.cluster_id),
                    len(cluster.members),
                    judged.verdict.decision if judged else "",
                    judged.needs_review if judged else False,
                )
            )
        outliers = sum(not placement.cluster_id for placement in clustering.placements.values())
        found.append(ListedType(cluster_type, clusters, outliers))
    return found


def list_categories(results: PublishedResults) -> list[ListedCategory]:
    """All categories, those of most documents first."""
    found = results.categories()
    if found is None:
        return []
    documents = Counter(one for ids in found.documents.values() for one in ids)
    listed = [
        ListedCategory(one.category_id, one.name, documents[one.category_id], list(one.concepts))
        for one in found.categories.categories
    ]
    return sorted(listed, key=lambda one: -one.documents)


def list_concepts(results: PublishedResults) -> list[ListedConcept]:
    """All concepts of the corpus: those of most documents first, then those that occur most often, then by name."""
    documents, counts = Counter[str](), Counter[str]()
    kinds: dict[str, Counter[str]] = {}
    for document in sorted(results.refs(CONCEPTS)):
        found = results.concepts(document)
        for concept in found.concepts if found else ():
            documents[concept.name] += 1
            counts[concept.name] += concept.count
            if concept.kind:
                kinds.setdefault(concept.name, Counter())[concept.kind] += 1
    listed = [
        ListedConcept(name, kinds[name].most_common(1)[0][0] if name in kinds else "", number, counts[name])
        for name, number in documents.items()
    ]
    return sorted(listed, key=lambda one: (-one.documents, -one.count, one.concept))
