"""What stages are given that look at the corpus as a whole, and what one of them says of each document.

What belongs here: the types. What does not: reading them from what is published (views), and clusterings (clusters).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import content_digest
from seed_assets.core.clusters import Categories, Clustering, Placement

if TYPE_CHECKING:
    from seed_assets.core.clustering import TopicDocument


@dataclass(frozen=True, slots=True)
class ClusteringMaterial:
    """What a cluster type is made of. documents: for topics; sets: document -> its values, for all other types.

    previous: the clustering before, and its digest ("" for none). anew: whether it is only to lend its numbers.
    """

    cluster_type: str
    documents: "list[TopicDocument]"
    sets: dict[str, tuple[str, ...]]
    previous: Clustering | None
    previous_digest: str
    anew: bool


class CategorizedConcepts(msgspec.Struct, frozen=True):
    """All groups of concepts. documents: document -> ids of the groups that its concepts are in, sorted."""

    categories: Categories
    documents: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ConceptLists:
    """Names of every document's concepts, best first. previous: the groups before."""

    lists: Mapping[str, tuple[str, ...]]
    previous: CategorizedConcepts | None


class Placed(msgspec.Struct, frozen=True):
    """Where one document stands. placements: by cluster type. category_ids: sorted."""

    placements: dict[str, Placement]
    category_ids: tuple[str, ...]

    def digest(self) -> str:
        """Of everything in it."""
        return content_digest(msgspec.msgpack.encode(self, order="sorted"))


@dataclass(frozen=True, slots=True)
class CorpusPicture:
    """What is drawn of a cluster type. vectors: a row a document, in the order of document_ids; titles: by cluster."""

    clustering: Clustering
    vectors: NDArray[np.float32]
    document_ids: list[str]
    titles: Mapping[str, str]
