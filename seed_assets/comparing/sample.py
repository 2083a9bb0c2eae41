"""Which documents stand for the corpus in a comparison: always the same ones, and some of each cluster.

What belongs here: the choice. What does not: running stages on them (trial).
"""

from collections.abc import Mapping


def sample_of(documents: Mapping[str, str], clusters: Mapping[str, str], size: int) -> list[str]:
    """Return at most `size` documents, sorted by their ids.

    documents: document -> the content digest of its file. clusters: document -> its cluster; those without one are a group of
    their own. Within a cluster the digests decide, so that the choice depends on no order, and stays the same while other
    documents come and go. Clusters have their turns, larger ones first, until there are enough documents.
    """
    groups: dict[str, list[str]] = {}
    for document in sorted(documents, key=lambda one: (documents[one], one)):
        groups.setdefault(clusters.get(document, ""), []).append(document)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    chosen: list[str] = []
    for turn in range(max(map(len, groups.values()), default=0)):
        chosen += [found[turn] for _, found in ordered if turn < len(found)]
    return sorted(chosen[:size])
