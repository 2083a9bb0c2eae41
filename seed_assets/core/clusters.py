"""What clusterings of the corpus are made of: values that stages keep and hand on.

What belongs here: the types. What does not: finding clusters (clustering), keeping them (stable_clusters), describing them
(cluster_summarizing).
"""

import msgspec

TOPIC, CONCEPT = "topic", "concept"
FIELD = "field:"
"""Cluster types: by the meaning of texts, by the concepts that documents share, by a field of the documents."""


class Cluster(msgspec.Struct, frozen=True):
    """A group of documents. cluster_id: `<cluster type>/<number>`, the same for as long as it stays itself.

    members: document ids, sorted.
    """

    cluster_id: str
    members: tuple[str, ...]


class Placement(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where one document stands in one clustering.

    cluster_id: its cluster, "" for an outlier. strength: how firmly it belongs there, 0 to 1. others: other clusters that
    it leans to with their strengths, strongest first. nearest: the documents most like it with their similarity (cosine, or
    for sets weighted overlap), nearest first.
    """

    cluster_id: str
    strength: float
    others: tuple[tuple[str, float], ...] = ()
    nearest: tuple[tuple[str, float], ...] = ()


class Clustering(msgspec.Struct, frozen=True):
    """One clustering of the corpus.

    clusters: by number. placements: of every document that was clustered. next_number: the number of the next new cluster:
    those of vanished ones are not given again. settled: how many documents there were when all of it was last clustered
    from scratch; drift: the share of documents that came or went since (0 to 1). kept: share of the documents of the
    clustering before that stayed with the same companions' cluster; 1 for a first clustering.
    """

    cluster_type: str
    clusters: tuple[Cluster, ...]
    placements: dict[str, Placement]
    next_number: int
    settled: int
    drift: float = 0.0
    kept: float = 1.0


class Category(msgspec.Struct, frozen=True):
    """A group of concepts. name: its most central concept. concepts: sorted. category_id: `category/<number>`, stable."""

    category_id: str
    name: str
    concepts: tuple[str, ...]


class Categories(msgspec.Struct, frozen=True):
    """All groups of concepts; what belongs to none is in none. next_number: see Clustering."""

    categories: tuple[Category, ...]
    next_number: int
