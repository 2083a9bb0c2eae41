"""Documents grouped by topic. What belongs here: the one call that makes a topic clustering of documents. What does not:
its parts: coordinates (topic_space), neighbours, communities, placing, keeping it stable (stable_clusters); groups by shared
values (set_clustering).
"""

from collections.abc import Sequence

import msgspec

from seed_assets.core.clusters import TOPIC, Clustering
from seed_assets.core.communities import METHOD, ClusterRules
from seed_assets.core.placing import dense_nodes
from seed_assets.core.stable_clusters import cluster, drift_since, keep
from seed_assets.core.topic_space import TopicBasis, TopicDocument, coordinates, digest_of, fit_basis

__all__ = ["ClusterRules", "TopicBasis", "TopicDocument", "cluster_topics"]


def cluster_topics(
    documents: Sequence[TopicDocument],
    rules: ClusterRules,
    previous: Clustering | None,
    basis: TopicBasis | None,
    *,
    anew: bool = False,
) -> tuple[Clustering, TopicBasis]:
    """The topics of the documents, and the basis to hand in next time; the same for documents in any order.

    previous, basis: what the last call gave, or None. While no more than `rules.drift` of the documents came, went or
    changed in vector or text since all was clustered from scratch, those that are there keep their clusters, and new ones
    join the cluster that their neighbours are in, or none. Past it, with `anew`, or where the vectors are of another
    length than the basis, all is clustered from scratch, and clusters that stay mostly the same keep their ids.

    Raises ValueError for two documents of one id, or vectors of different lengths.
    """
    documents = sorted(documents, key=lambda document: document.document_id)
    document_ids = [document.document_id for document in documents]
    if len(set(document_ids)) < len(document_ids):
        raise ValueError("Two documents have the same id.")
    if previous is not None and basis is not None and not anew and _fits(basis, documents):
        seen = {document.document_id: digest_of(document, basis.characters) for document in documents}
        changed = {one for one in document_ids if basis.seen.get(one, seen[one]) != seen[one]}
        drift = drift_since(previous, document_ids, changed)
        if previous.settled and drift <= rules.drift:
            space = coordinates(documents, basis)
            nodes = dense_nodes(space.both, space.meaning, basis.spread)
            found = keep(document_ids, nodes, rules, previous, changed, drift)
            return found, msgspec.structs.replace(basis, seen=seen)
    basis = fit_basis(documents, METHOD, rules.seed)
    seen = {document.document_id: digest_of(document, basis.characters) for document in documents}
    space = coordinates(documents, basis)
    nodes = dense_nodes(space.both, space.meaning, basis.spread)
    return cluster(TOPIC, document_ids, nodes, rules, previous), msgspec.structs.replace(basis, seen=seen)


def _fits(basis: TopicBasis, documents: Sequence[TopicDocument]) -> bool:
    dimensions = {document.vector.shape[-1] for document in documents}
    return basis.method == METHOD and dimensions <= {basis.dimensions}
