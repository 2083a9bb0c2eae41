"""The corpus inputs of the stages of entities. What belongs here: what these stages read of the corpus. What does not:
resolving (core).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from io_managers.store.fingerprint import Part
from seed_assets.core.entities.resolution.canonical import CanonicalEntities
from seed_assets.core.entities.resolution.local_entities import LocalEntity, local_entities
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus

FOUND, RESOLVED, CONCEPTS = "entities", "canonical_entities", "concepts"


@dataclass(frozen=True, slots=True)
class EntityMaterial:
    """The entities of all documents, and the former result; None if there is none, or to begin from scratch."""

    entities: list[LocalEntity]
    previous: CanonicalEntities | None


class AllEntities(CorpusInput):
    """The input that gives a stage the entities of all documents with their contexts, and the former result."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that find entities, and concepts, which are a part of their contexts."""
        return (FOUND, CONCEPTS)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """Return the snapshots of all entities and concepts, and the digest of the former result."""
        now: dict[str, Part] = {name: corpus.snapshot(name) for name in self.looks_at}
        before: dict[str, Part] = {"entities": corpus.digest(RESOLVED, unit), "from scratch": corpus.from_scratch}
        return {"now": now, "before": before}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> EntityMaterial:
        """Return the entities of all documents, and the former result."""
        known = corpus.refs(CONCEPTS)
        entities: list[LocalEntity] = []
        for document in sorted(corpus.refs(FOUND)):
            concepts = (await opened(CONCEPTS, document)).names if document in known else ()
            entities += local_entities(document, await opened(FOUND, document), concepts)
        previous = None if corpus.from_scratch else corpus.value(RESOLVED, unit, CanonicalEntities)
        return EntityMaterial(entities, previous)


class EntityPlaces(CorpusInput):
    """The input that gives a stage the canonical entity of each entity of one document."""

    compared: ClassVar[bool] = False

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stage that resolves entities."""
        return (RESOLVED,)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        """Return the digest of this document's own entities, so that other documents do not matter."""
        found = self.places(corpus).get(unit)
        return None if found is None else hashlib.sha256("\0".join(found.values()).encode()).hexdigest()

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Mapping[int, str]:
        """Return the place of an entity in the document -> its id over documents."""
        return self.places(corpus)[unit]

    def places(self, corpus: PublishedCorpus) -> Mapping[str, Mapping[int, str]]:
        """Return for each document: the place of an entity in it -> its id over documents."""
        if "entity places" not in corpus.made:
            resolved = corpus.value(RESOLVED, "", CanonicalEntities)
            found: dict[str, dict[int, str]] = {}
            for entity in resolved.entities if resolved else ():
                for member in entity.members:
                    found.setdefault(member.document_id, {})[member.index] = entity.entity_id
            corpus.made["entity places"] = {document: dict(sorted(ids.items())) for document, ids in found.items()}
        return corpus.made["entity places"]
