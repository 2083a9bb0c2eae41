"""The inputs of stages that work on a cluster type, and of the stage that gives a document's assignment.

What belongs here: their corpus inputs, and reading the current clusterings. What does not: the inputs of stages that work on
one cluster (cluster_inputs), and the types of values (core.clusters.corpus_views).
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from io_managers.store.fingerprint import Part
from seed_assets.core.clusters.clusters import CONCEPT, FIELD, TOPIC, Cluster, Clustering
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, ClusteringMaterial, Placed
from seed_assets.core.maps.pictures import CorpusPicture, Pictures
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus

if TYPE_CHECKING:
    from seed_assets.core.reading.field_table import FieldTable

logger = logging.getLogger(__name__)

_MATERIAL = {TOPIC: ("extracted_text", "embeddings"), CONCEPT: ("concepts",)}


def clustering(corpus: PublishedCorpus, cluster_type: str) -> Clustering | None:
    """Return the current clustering of a cluster type; None if there is none, or if its value was lost."""
    return corpus.value("clusters", cluster_type, Clustering)


def clusters_in(corpus: PublishedCorpus, cluster_type: str) -> dict[str, Cluster]:
    """Return the current clusters of a cluster type, by their ids."""
    name = ("clusters of", cluster_type)
    if name not in corpus.made:
        found = clustering(corpus, cluster_type)
        corpus.made[name] = {one.cluster_id: one for one in found.clusters} if found else {}
    return corpus.made[name]


@dataclass(frozen=True, slots=True)
class Material(CorpusInput):
    """The input that gives a stage everything that the clusters of one type depend on.

    types: all cluster types.
    table: the table with further fields of documents, or None.
    """

    types: tuple[str, ...] = (TOPIC, CONCEPT)
    table: "FieldTable | None" = None

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that it reads; `fields` only if a cluster type needs it."""
        every = ("extracted_text", "embeddings", "concepts")
        return (*every, "fields") if any(name.startswith(FIELD) for name in self.types) else every

    def over(self, unit: str) -> tuple[str, ...]:
        """Return the stages by whose results the documents of this cluster type are compared."""
        return _MATERIAL.get(unit, ("fields",))

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """Return the snapshots of the results that documents are compared by, and the digest of the previous clustering."""
        now: dict[str, Part] = {name: corpus.snapshot(name) for name in self.over(unit)}
        now["cluster_type"] = unit
        if unit.startswith(FIELD) and self.table is not None:
            field = unit.removeprefix(FIELD)
            if field in self.table.fields:
                now["table"] = self.table.digest(field)
        # The name "anew" is part of existing keys, so it must not change; it means "from scratch".
        before: dict[str, Part] = {"clustering": corpus.digest("clusters", unit), "anew": corpus.from_scratch}
        return {"now": now, "before": before}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> ClusteringMaterial:
        """Return the texts and vectors of documents for topics, and their sets of values for other cluster types."""
        from seed_assets.core.clusters.topic_space import MOST_CHARACTERS, TopicDocument
        from seed_assets.core.text.unit_rows import mean_row

        found = ClusteringMaterial(
            unit, [], {}, clustering(corpus, unit), corpus.digest("clusters", unit), corpus.from_scratch
        )
        if unit == TOPIC:
            for document in sorted(corpus.refs("extracted_text").keys() & corpus.refs("embeddings").keys()):
                beginning = (await opened("extracted_text", document)).text[:MOST_CHARACTERS]
                vector = mean_row(await opened("embeddings", document))
                found.documents.append(TopicDocument(document, beginning, vector))
        elif unit == CONCEPT:
            for document in sorted(corpus.refs("concepts")):
                found.sets[document] = _with_words((await opened("concepts", document)).names)
        else:
            await self._add_fields(found, corpus, opened)
        return found

    async def _add_fields(self, found: ClusteringMaterial, corpus: PublishedCorpus, opened: Opened) -> None:
        field = found.cluster_type.removeprefix(FIELD)
        for document in sorted(corpus.refs("fields")):
            own = (await opened("fields", document)).fields.get(field, ())
            beside = self.table.of(field, document) if self.table is not None and field in self.table.fields else ()
            found.sets[document] = tuple(sorted({*own, *beside}))
        if found.sets and not any(found.sets.values()):
            logger.warning(
                "No document has a field %r, so no cluster of %s can be found. Add the field to front matter or to "
                "clusters.table, or remove it from clusters.types.",
                field,
                found.cluster_type,
            )


class Picture(CorpusInput):
    """The input that gives a stage everything that is drawn of a cluster type."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that give vectors, clusters and their titles."""
        return ("embeddings", "clusters", "cluster_judgements")

    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        """Return the digests of the clustering, of all vectors, of the clusters' titles and of the previous pictures; None
        without a clustering.
        """
        if not (found := corpus.digest("clusters", unit)):
            return None
        judged = corpus.refs("cluster_judgements")
        titles = {c: judged[c].content_digest for c in sorted(clusters_in(corpus, unit)) if c in judged}
        now: dict[str, Part] = {"clusters": found, "embeddings": corpus.snapshot("embeddings"), "titles": titles}
        before: dict[str, Part] = {"pictures": corpus.digest("corpus_map", unit), "from scratch": corpus.from_scratch}
        return {"now": now, "before": before}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> CorpusPicture:
        """Return the clustering, one vector per document, the titles of clusters, and the previous pictures."""
        import numpy as np

        from seed_assets.core.text.unit_rows import mean_row

        found = clustering(corpus, unit)
        assert found is not None
        documents = sorted(found.placements.keys() & corpus.refs("embeddings").keys())
        vectors = [mean_row(await opened("embeddings", document)) for document in documents]
        judged = corpus.refs("cluster_judgements")
        titles = {c: (await opened("cluster_judgements", c)).title for c in clusters_in(corpus, unit) if c in judged}
        before = None if corpus.from_scratch else corpus.value("corpus_map", unit, Pictures)
        array = np.stack(vectors) if vectors else np.zeros((0, 1), np.float32)
        return CorpusPicture(found, array, documents, titles, before)


@dataclass(frozen=True, slots=True)
class Place(CorpusInput):
    """The input that gives a stage the assignment of one document.

    types: all cluster types.
    """

    types: tuple[str, ...] = (TOPIC, CONCEPT)
    compared: ClassVar[bool] = False

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that assign documents to clusters and categories."""
        return ("clusters", "categories")

    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        """Return the digest of this document's own assignment, so that other documents do not matter."""
        placed = self._places(corpus).get(unit)
        return None if placed is None else placed.digest()

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Placed:
        """Return the assignment of the document."""
        return self._places(corpus)[unit]

    def _places(self, corpus: PublishedCorpus) -> dict[str, Placed]:
        name = ("places in", self.types)
        if name not in corpus.made:
            kept = corpus.value("categories", "", CategorizedConcepts)
            found: dict[str, Placed] = {}
            for cluster_type in self.types:
                one = clustering(corpus, cluster_type)
                for document, placement in one.placements.items() if one else ():
                    ids = kept.documents.get(document, ()) if kept else ()
                    found.setdefault(document, Placed({}, ids)).placements[cluster_type] = placement
            corpus.made[name] = found
        return corpus.made[name]


def _with_words(names: Sequence[str]) -> tuple[str, ...]:
    """Return concepts and the terms of their words, so that "coral reefs" and "reef fishes" have something in common."""
    from seed_assets.core.text.textrank import terms

    return tuple(sorted({*names, *(sys.intern(word) for name in names for word in terms(name))}))
