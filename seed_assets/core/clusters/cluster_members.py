"""The members of a cluster, and the material for its summary. The order of the members is found in arranged_members."""

from collections.abc import Mapping

import msgspec

MOST_TITLE_WORDS = 8
"""The most words of a cluster's title that is made of concepts, and the number that a model is asked for. A judgement."""


class Member(msgspec.Struct, frozen=True):
    """A document of a cluster.

    text: the summary of the document, or its beginning.
    concepts: the document's concepts, best first.
    strength: how firmly it belongs to the cluster; see Placement.
    """

    document_id: str
    title: str
    text: str
    concepts: tuple[str, ...]
    strength: float


class ClusterMaterial(msgspec.Struct):
    """The material for a cluster's summary.

    members: the documents of the cluster, in any order.
    background: concept -> number of documents of the corpus that have it.
    documents: the number of documents in the corpus.
    """

    cluster_id: str
    cluster_type: str
    members: tuple[Member, ...]
    background: Mapping[str, int]
    documents: int
