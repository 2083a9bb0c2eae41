"""Checks of all clusterings.

What belongs here: the checks that the stage `clusters` declares. What does not: running checks (check_run), and whether a
clustering is current, which is checked for every stage of this kind.
"""

from collections.abc import Sequence

from resources.wording import counted
from seed_assets.core.clusters.clusters import TOPIC, Clustering
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck

# The bounds of the warnings below; chosen by judgement.
_MOST_OUTLIERS = 0.5
_LEAST_KEPT = 0.5


def _sizes(published: PublishedResults) -> Finding:
    """The sizes of clusters must be as configured, every member must be a document, and no document may be in two clusters."""
    rules = published.resource("cluster_rules")
    known = published.documents()
    finding = Finding()
    found: list[Clustering] = []
    for cluster_type, value in published.values(finding):
        found.append(value)
        places: dict[str, list[str]] = {}
        for cluster in value.clusters:
            size = len(cluster.members)
            if size < rules.min_size or (rules.max_size and size > rules.max_size):
                finding.offenders[cluster.cluster_id] = f"it has {counted(size, 'member')}"
            elif strangers := set(cluster.members) - known:
                finding.offenders[cluster.cluster_id] = f"{min(strangers)} is not a document"
            for document in cluster.members:
                places.setdefault(document, []).append(cluster.cluster_id)
        for document, found_in in places.items():
            if len(found_in) > 1:
                finding.offenders[document] = f"it is in two clusters: {' and '.join(found_in[:2])}"
        finding.figures[f"{cluster_type}: clusters"] = len(value.clusters)
    finding.figures |= _repeated(found)
    finding.figures |= {
        f"{cluster.cluster_id}: changed since its summary": cluster.changed_share
        for value in found
        for cluster in value.clusters
        if cluster.summarized
    }
    return finding


def _repeated(found: Sequence[Clustering]) -> dict[str, str]:
    """Return which clusters have the same documents as one of another type, those of `topic` being the first ones.

    A cluster type that repeats another one says little by itself.
    """
    named: dict[tuple[str, ...], str] = {}
    repeated: dict[str, str] = {}
    for value in sorted(found, key=lambda one: (one.cluster_type != TOPIC, one.cluster_type)):
        for cluster in value.clusters:
            first = named.setdefault(cluster.members, cluster.cluster_id)
            if first != cluster.cluster_id:
                repeated[cluster.cluster_id] = f"the same documents as {first}"
    return repeated


def _share_of_outliers(published: PublishedResults) -> Finding:
    """At most half of the documents should be outliers of a cluster type; otherwise it says little about the corpus."""
    finding = Finding()
    for cluster_type, value in published.values(finding):
        outliers = sorted(d for d, placement in value.placements.items() if not placement.cluster_id)
        share = len(outliers) / len(value.placements) if value.placements else 0.0
        finding.figures[f"{cluster_type}: share of outliers"] = round(share, 4)
        if share > _MOST_OUTLIERS:
            # The clustering is at fault, and not each of the documents.
            finding.offenders[cluster_type] = (
                f"{len(outliers):,} of {counted(len(value.placements), 'document')} are in no cluster, {outliers[0]} for one"
            )
    return finding


def _stable(published: PublishedResults) -> Finding:
    """At least half of the documents should have stayed in their clusters since the previous clustering."""
    finding = Finding()
    for cluster_type, value in published.values(finding):
        finding.figures |= {
            f"{cluster_type}: kept": round(value.kept, 4),
            f"{cluster_type}: drift": round(value.drift, 4),
        }
        if value.kept < _LEAST_KEPT:
            finding.offenders[cluster_type] = f"{1 - value.kept:.0%} of the documents changed their cluster"
    return finding


SIZES = StageCheck("sizes", "error", _sizes, quick=True)
SHARE_OF_OUTLIERS = StageCheck("share_of_outliers", "warning", _share_of_outliers, quick=True)
STABLE = StageCheck("stable", "warning", _stable, quick=True)
