"""The corpus input of the stage `entity_profiles`. What belongs here: which entities get profiles, and from which passages.

What does not: choosing passages of a document, and writing profiles (core).
"""

from dataclasses import dataclass, field

from io_managers.store.fingerprint import Part
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity
from seed_assets.core.entities.resolution.local_entities import QUANTITIES
from seed_assets.core.profiles.passages import by_entity
from seed_assets.core.profiles.profiles import ProfileBounds, ProfileMaterial, ProfileSource, best_sources
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus
from seed_assets.stages.entities.entity_inputs import FOUND, RESOLVED

PASSAGES = "entity_passages"


@dataclass(frozen=True, slots=True)
class Described:
    """The entities that get profiles. left_out: how many others would get one but for the bound."""

    materials: list[ProfileMaterial]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class BestPassages(CorpusInput):
    """The input that gives a stage the passages that say most about each entity over all documents.

    bounds: which entities get profiles.
    """

    bounds: ProfileBounds = field(default_factory=ProfileBounds)

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that choose passages, and that find entities in documents and over them."""
        return (PASSAGES, FOUND, RESOLVED)

    def over(self, unit: str) -> tuple[str, ...]:
        """Return the stages that choose passages and that resolve entities; both follow from the entities of documents."""
        return (PASSAGES, RESOLVED)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """Return the snapshot of all passages, the digest of the entities, and the bounds."""
        own = self.bounds
        bounds: dict[str, Part] = {"mentions": own.mentions, "most": own.most, "passages": own.passages}
        return {"passages": corpus.snapshot(PASSAGES), "entities": corpus.digest(RESOLVED, unit), "bounds": bounds}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Described:
        """Return what the profiles are made from. Passages of entities that are not published any more are left out."""
        resolved = corpus.value(RESOLVED, unit, CanonicalEntities)
        wanted, left_out = self._wanted(resolved)
        of = {(member.document_id, member.index): one.entity_id for one in wanted for member in one.members}
        documents = {document for document, _ in of}
        found: dict[str, list[tuple[float, ProfileSource]]] = {}
        current = corpus.refs(FOUND)
        for document in sorted(documents & corpus.refs(PASSAGES).keys() & current.keys()):
            own = await opened(PASSAGES, document)
            if own.entities != current[document].content_digest:
                continue
            for index, best in by_entity(own).items():
                if (entity_id := of.get((document, index))) is None:
                    continue
                for one in best:
                    passage = own.passages[one.passage]
                    source = ProfileSource(document, own.title, passage.start, passage.end, passage.text)
                    found.setdefault(entity_id, []).append((one.score, source))
        materials = [
            ProfileMaterial(one.entity_id, one.name, one.type, best_sources(found[one.entity_id], self.bounds.passages))
            for one in wanted
            if one.entity_id in found
        ]
        return Described(materials, left_out)

    def _wanted(self, resolved: CanonicalEntities | None) -> tuple[list[CanonicalEntity], int]:
        """The entities that get profiles, those that are mentioned most, and how many are left out."""
        every = [
            one
            for one in (resolved.entities if resolved else ())
            if one.mentions >= self.bounds.mentions and one.type not in QUANTITIES
        ]
        ranked = sorted(every, key=lambda one: (-one.mentions, one.entity_id))
        return ranked[: self.bounds.most], max(0, len(ranked) - self.bounds.most)
