"""Relationships over all documents. What belongs here: the types, and putting the relations of documents together by the entities
that their ends belong to. What does not: relations of a document (relations), and which entities are one (core.entities).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from io_managers.store.fingerprint import Part
from seed_assets.core.relationships.relations import TOGETHER, Relation

# So many hexadecimal digits name a relationship; two of a million are equal with a chance of 1 in 10^6.
_ID = 16
# So many passages of a relationship are kept, the strongest ones.
_MOST_SOURCES = 20
_DECIMALS = 4


class RelationSource(msgspec.Struct, frozen=True, array_like=True):
    """A passage that shows a relationship, in characters of a document. evidence: its words, if a model named the
    relationship.
    """

    document_id: str
    start: int
    end: int
    strength: float
    evidence: str = ""


class Relationship(msgspec.Struct, frozen=True, array_like=True):
    """What two entities have to do with each other.

    relationship_id: `relationship/<number>`, which depends on its ends and its type only. source, target: ids of entities; the
    order of those that are only mentioned together means nothing. type: see Relation. strength: the probability that at least
    one of the documents relates them, 0 to 1; 1 if a model names the relationship. documents: how many show it. sources: the
    strongest passages, by document.
    """

    relationship_id: str
    source: str
    target: str
    type: str
    strength: float
    documents: int
    sources: tuple[RelationSource, ...]

    @property
    def is_named(self) -> bool:
        """Whether a model named it, so that it has a type and a direction."""
        return self.type != TOGETHER

    def other(self, entity_id: str) -> str:
        """The end that is not this one."""
        return self.target if entity_id == self.source else self.source


class RelatedEntity(msgspec.Struct, frozen=True, array_like=True):
    """An entity that is an end of a relationship. mentions: in all documents."""

    entity_id: str
    name: str
    type: str
    mentions: int


class Relationships(msgspec.Struct, frozen=True):
    """All relationships and their ends, by id. left_out: how many weaker relationships were left out because of the bound."""

    relationships: tuple[Relationship, ...]
    ends: tuple[RelatedEntity, ...] = ()
    left_out: int = 0

    @property
    def names(self) -> Mapping[str, str]:
        """Entity id -> its name."""
        return {one.entity_id: one.name for one in self.ends}


@dataclass(frozen=True, slots=True)
class MergeRules:
    """How relationships are put together. most: the most relationships that are kept."""

    most: int = 100_000

    changes: ClassVar[Mapping[str, str]] = {}

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method's version and the bound."""
        return {"method": "ends", "version": "1", "most": self.most}


@dataclass(slots=True)
class _Merged:
    """What is known of a relationship so far. unrelated: the probability that no document relates its ends."""

    unrelated: float = 1.0
    documents: set[str] = field(default_factory=set[str])
    sources: list[RelationSource] = field(default_factory=list[RelationSource])


class Merger:
    """Puts relations together, document by document.

    entities: those over all documents, by id.
    """

    def __init__(self, entities: Mapping[str, RelatedEntity]) -> None:
        self._entities = entities
        self._found: dict[tuple[str, str, str], _Merged] = {}

    def add(self, document_id: str, relations: Iterable[Relation], entity_of: Mapping[int, str]) -> None:
        """Add the relations of a document. entity_of: the place of an entity in the document -> its id.

        A relation whose ends are one entity over all documents is left out, and so is one with an end that is none.
        """
        for one in relations:
            source, target = entity_of.get(one.source, ""), entity_of.get(one.target, "")
            if source == target or source not in self._entities or target not in self._entities:
                continue
            if one.type == TOGETHER and target < source:
                source, target = target, source
            found = self._found.setdefault((source, target, one.type), _Merged())
            found.documents.add(document_id)
            found.unrelated *= 1 - one.strength
            found.sources.append(RelationSource(document_id, one.start, one.end, one.strength, one.evidence))
            if len(found.sources) > 2 * _MOST_SOURCES:
                found.sources = _strongest(found.sources)

    def merged(self, rules: MergeRules) -> Relationships:
        """Return all relationships within the bound: those that a model named first, then the strongest."""

        def rank(item: tuple[tuple[str, str, str], _Merged]) -> tuple[bool, float, int, tuple[str, str, str]]:
            name, found = item
            return name[2] == TOGETHER, found.unrelated, -len(found.documents), name

        ranked = sorted(self._found.items(), key=rank)
        kept = [_relationship(*name, found) for name, found in ranked[: rules.most]]
        ends = sorted({end for one in kept for end in (one.source, one.target)})
        return Relationships(
            tuple(sorted(kept, key=lambda one: one.relationship_id)),
            tuple(self._entities[end] for end in ends),
            len(ranked) - len(kept),
        )


def _relationship(source: str, target: str, kind: str, found: _Merged) -> Relationship:
    number = hashlib.sha256("\0".join((source, target, kind)).encode()).hexdigest()[:_ID]
    sources = sorted(_strongest(found.sources), key=lambda one: (one.document_id, one.start))
    strength = round(1 - found.unrelated, _DECIMALS)
    return Relationship(f"relationship/{number}", source, target, kind, strength, len(found.documents), tuple(sources))


def _strongest(sources: Iterable[RelationSource]) -> list[RelationSource]:
    return sorted(sources, key=lambda one: (-one.strength, one.document_id, one.start))[:_MOST_SOURCES]
