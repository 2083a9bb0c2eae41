"""The corpus input of the stage `relationships`. What belongs here: what it reads of the corpus. What does not: putting relations
together (core).
"""

from collections.abc import Mapping

from io_managers.store.fingerprint import Part
from seed_assets.core.entities.resolution.canonical import CanonicalEntities
from seed_assets.core.relationships.merging import Merger, RelatedEntity
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus
from seed_assets.stages.entities.entity_inputs import FOUND, RESOLVED, EntityPlaces

RELATIONS = "entity_relations"


class AllRelations(CorpusInput):
    """The input that gives a stage the relations of all documents, by the entities over all documents."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that find relations, and entities in documents and over them."""
        return (RELATIONS, FOUND, RESOLVED)

    def over(self, unit: str) -> tuple[str, ...]:
        """Return the stages that find relations and that resolve entities; both follow from the entities of documents."""
        return (RELATIONS, RESOLVED)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """Return the snapshot of all relations and the digest of the entities."""
        return {"relations": corpus.snapshot(RELATIONS), "entities": corpus.digest(RESOLVED, unit)}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Merger:
        """Return the relations of all documents. Those of entities that are not published any more are left out."""
        resolved = corpus.value(RESOLVED, unit, CanonicalEntities)
        merger = Merger(
            {
                one.entity_id: RelatedEntity(one.entity_id, one.name, one.type, one.mentions)
                for one in (resolved.entities if resolved else ())
            }
        )
        found = corpus.refs(FOUND)
        places: Mapping[str, Mapping[int, str]] = EntityPlaces().places(corpus)
        for document in sorted(corpus.refs(RELATIONS)):
            relations = await opened(RELATIONS, document)
            if document in found and relations.entities == found[document].content_digest:
                merger.add(document, relations.relations, places.get(document, {}))
        return merger
