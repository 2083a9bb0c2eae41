"""All that the knowledge base holds of one cluster, or of one category, together.

What belongs here: the overviews and how they are put together. What does not: how they are printed (overview_pages), and lists
of all clusters and categories (result_lists).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seed_assets.reports.published_results import PublishedResults
from seed_assets.reports.shown_verdicts import ShownVerdict, shown_verdict


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """A document of a cluster. strength: how firmly it belongs there, 0 to 1."""

    document: str
    title: str
    strength: float


@dataclass(frozen=True, slots=True)
class ClusterOverview:
    """A cluster with everything that was made of it.

    title, summary: as they were judged, or as they were written if they are not judged yet; "" if there are none. members: in
    the order of their ids. typical, untypical: members that stand for it best, and least. changed_share: how many members came
    or went since the summary; see Cluster. writer: "extractive", or a model; "" without a summary. written_on: see
    ClusterSummary.
    """

    cluster: str
    cluster_type: str
    title: str
    summary: str
    concepts: list[str]
    verdict: ShownVerdict | None
    members: list[ClusterMember]
    typical: list[str]
    untypical: list[str]
    changed_share: float
    writer: str
    written_on: str


@dataclass(frozen=True, slots=True)
class CategoryOverview:
    """A category: its concepts, those first that most of its documents have, and the documents with any of them, sorted."""

    category: str
    name: str
    concepts: list[str]
    documents: list[str]


def cluster_overview(
    results: PublishedResults, cluster_id: str, title_of: Callable[[str], str] | None = None
) -> ClusterOverview | None:
    """The overview of a cluster; None if there is no such cluster.

    title_of: gives the titles of its members; by default their texts are opened for that.
    """
    cluster_type = cluster_id.rpartition("/")[0]
    cluster = results.clusters(cluster_type).get(cluster_id)
    clustering = results.clustering(cluster_type)
    if cluster is None or clustering is None:
        return None
    written, judged = results.cluster_summary(cluster_id), results.cluster_judgement(cluster_id)
    members = [
        ClusterMember(
            document,
            (title_of or results.title)(document),
            placement.strength if (placement := clustering.placements.get(document)) else 0.0,
        )
        for document in cluster.members
    ]

    def present(documents: Sequence[str]) -> list[str]:
        return [one for one in documents if one in cluster.members]

    return ClusterOverview(
        cluster_id,
        cluster_type,
        results.cluster_title(cluster_id),
        judged.summary if judged else written.summary if written else "",
        list(written.concepts) if written else [],
        shown_verdict(judged) if judged else None,
        members,
        present(written.typical) if written else [],
        present(written.untypical) if written else [],
        cluster.changed_share,
        written.writer if written else "",
        written.written_on if written else "",
    )


def category_overview(results: PublishedResults, category_id: str) -> CategoryOverview | None:
    """The overview of a category; None if there is no such category."""
    found = results.categories()
    category = (
        next((one for one in found.categories.categories if one.category_id == category_id), None) if found else None
    )
    if found is None or category is None:
        return None
    documents = sorted(document for document, ids in found.documents.items() if category_id in ids)
    return CategoryOverview(category_id, category.name, list(category.concepts), documents)
