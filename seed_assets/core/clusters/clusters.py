"""The types of clusterings, as stages store them.

What belongs here: the types. What does not: finding clusters (clustering), keeping them stable (stable_clusters), and
summarizing them (cluster_summarizing).
"""

import msgspec

TOPIC, CONCEPT = "topic", "concept"
FIELD = "field:"
"""Cluster types: by topic, by the concepts that documents share, and (as a prefix of the field's name) by a field."""


# Defaults are omitted, so that a cluster whose summary is of its members has the same bytes as before `summarized` existed.
class Cluster(msgspec.Struct, frozen=True, omit_defaults=True):
    """A group of documents.

    cluster_id: `<cluster type>/<number>`; it stays the same while members come and go.
    members: document ids, sorted.
    summarized: the earlier members that its kept summary is of, sorted; empty if its summary is of its members.
    """

    cluster_id: str
    members: tuple[str, ...]
    summarized: tuple[str, ...] = ()

    @property
    def summary_members(self) -> tuple[str, ...]:
        """The documents that its summary is of, sorted."""
        return self.summarized or self.members

    @property
    def changed_share(self) -> float:
        """How many documents came or went since its summary, as a share of those that the summary is of; 0 if none did."""
        return round(len(set(self.summary_members) ^ set(self.members)) / max(1, len(self.summary_members)), 4)


class Placement(msgspec.Struct, frozen=True, omit_defaults=True):
    """The assignment of one document in one clustering.

    cluster_id: its cluster; "" for an outlier.
    strength: how firmly it belongs there, 0 to 1.
    others: (cluster id, strength) of other clusters that it is close to, strongest first.
    nearest: (document id, similarity) of the most similar documents, nearest first; the similarity is the cosine of their
        vectors, or of their weighted values for sets.
    """

    cluster_id: str
    strength: float
    others: tuple[tuple[str, float], ...] = ()
    nearest: tuple[tuple[str, float], ...] = ()


class Clustering(msgspec.Struct, frozen=True):
    """One clustering of the corpus.

    clusters: ordered by their numbers.
    placements: document id -> assignment, for every document that was clustered.
    next_number: the number of the next new cluster; numbers of vanished clusters are not used again.
    settled: the number of documents when everything was last clustered from scratch.
    drift: the share of documents that came, went or changed since then, 0 to 1.
    kept: the share of the previous clustering's documents that are still in the same cluster; 1 for a first clustering.
    """

    cluster_type: str
    clusters: tuple[Cluster, ...]
    placements: dict[str, Placement]
    next_number: int
    settled: int
    drift: float = 0.0
    kept: float = 1.0


class Category(msgspec.Struct, frozen=True):
    """A group of concepts that the same documents have.

    category_id: `category/<number>`; it stays the same while concepts come and go.
    name: a term that most documents with any of its concepts have.
    concepts: those first that most of these documents have.
    """

    category_id: str
    name: str
    concepts: tuple[str, ...]


class Categories(msgspec.Struct, frozen=True):
    """All groups of concepts; a concept may belong to none.

    next_number: see Clustering.
    """

    categories: tuple[Category, ...]
    next_number: int
