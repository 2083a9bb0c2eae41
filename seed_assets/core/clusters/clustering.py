"""Clustering documents by topic. What belongs here: the function that makes a topic clustering. What does not: its steps,
which are coordinates (topic_space), neighbours, communities, assignment (placing) and stability (stable_clusters); and
groups by shared values (set_clustering).
"""

from collections.abc import Sequence

import msgspec

from seed_assets.core.clusters.cluster_rules import METHOD, ClusterRules
from seed_assets.core.clusters.clusters import TOPIC, Clustering
from seed_assets.core.clusters.placing import dense_nodes
from seed_assets.core.clusters.stable_clusters import cluster_from_scratch, continue_clustering, drift_since
from seed_assets.core.clusters.topic_space import TopicBasis, TopicDocument, coordinates, digest_of, fit_basis

__all__ = ["TopicBasis", "TopicDocument", "cluster_topics"]


def cluster_topics(
    documents: Sequence[TopicDocument],
    rules: ClusterRules,
    previous: Clustering | None,
    basis: TopicBasis | None,
    *,
    from_scratch: bool = False,
) -> tuple[Clustering, TopicBasis]:
    """Cluster the documents by topic, and return the clustering with the basis for the next call.

    While at most a share `rules.drift` of the documents came, went or changed in vector or text since everything was last
    clustered from scratch, existing documents keep their clusters, and new ones join the cluster of their neighbours, or
    none. Beyond that share, with `from_scratch`, or if the vectors have another length than the basis, everything is
    clustered from scratch, and clusters that stay mostly the same keep their ids.

    documents: in any order, which does not matter.
    previous, basis: the results of the last call, or None.

    Raises ValueError if two documents have the same id, or if vectors differ in length.
    """
    documents = sorted(documents, key=lambda document: document.document_id)
    document_ids = [document.document_id for document in documents]
    if len(set(document_ids)) < len(document_ids):
        raise ValueError("Two documents have the same id.")
    if previous is not None and basis is not None and not from_scratch and _fits(basis, documents):
        seen = {document.document_id: digest_of(document, basis.characters) for document in documents}
        changed = {one for one in document_ids if basis.seen.get(one, seen[one]) != seen[one]}
        drift = drift_since(previous, document_ids, changed)
        if previous.settled and drift <= rules.drift:
            space = coordinates(documents, basis)
            nodes = dense_nodes(space.both, space.meaning, basis.spread)
            found = continue_clustering(document_ids, nodes, rules, previous, changed, drift)
            return found, msgspec.structs.replace(basis, seen=seen)
    basis = fit_basis(documents, METHOD, rules.seed)
    seen = {document.document_id: digest_of(document, basis.characters) for document in documents}
    space = coordinates(documents, basis)
    nodes = dense_nodes(space.both, space.meaning, basis.spread)
    return cluster_from_scratch(TOPIC, document_ids, nodes, rules, previous), msgspec.structs.replace(basis, seen=seen)


def _fits(basis: TopicBasis, documents: Sequence[TopicDocument]) -> bool:
    dimensions = {document.vector.shape[-1] for document in documents}
    return basis.method == METHOD and dimensions <= {basis.dimensions}
