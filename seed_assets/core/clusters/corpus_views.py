"""The inputs of stages that look at the corpus as a whole, and the assignment of each document.

What belongs here: the types. What does not: reading them from published results (the inputs of stages), and clusterings
(clusters).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from io_managers.store.fingerprint import content_digest
from seed_assets.core.clusters.clusters import Categories, Clustering, Placement

if TYPE_CHECKING:
    from seed_assets.core.clusters.categories import ConceptDocument
    from seed_assets.core.clusters.clustering import TopicDocument


@dataclass(frozen=True, slots=True)
class ClusteringMaterial:
    """The input of one clustering.

    documents: the documents to cluster by topic; empty for all other cluster types.
    sets: document id -> its values, for all other cluster types.
    previous: the previous clustering, or None.
    previous_digest: its digest; "" for none.
    from_scratch: whether the previous clustering is used only for its ids.
    """

    cluster_type: str
    documents: "list[TopicDocument]"
    sets: dict[str, tuple[str, ...]]
    previous: Clustering | None
    previous_digest: str
    from_scratch: bool


class CategorizedConcepts(msgspec.Struct, frozen=True):
    """All groups of concepts.

    documents: document id -> the ids of the groups that its concepts belong to, sorted.
    """

    categories: Categories
    documents: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CategoryMaterial:
    """The concepts of every document, and what the documents are compared by.

    previous: the previous groups of concepts, or None.
    """

    documents: "list[ConceptDocument]"
    previous: CategorizedConcepts | None


class Placed(msgspec.Struct, frozen=True):
    """The assignment of one document in the whole corpus.

    placements: cluster type -> the document's assignment in it.
    category_ids: the ids of the document's categories, sorted.
    """

    placements: dict[str, Placement]
    category_ids: tuple[str, ...]

    def digest(self) -> str:
        """Return the digest of the whole assignment."""
        return content_digest(msgspec.msgpack.encode(self, order="sorted"))
