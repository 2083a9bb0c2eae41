"""Relations between the entities of a document. What belongs here: the types, and the protocol of extractors.

What does not: which entities are mentioned together (together), relations by a model (model_relations), and relationships over
documents (merging).
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from io_managers.store.codecs.codecs import encode
from io_managers.store.fingerprint import Part, content_digest
from seed_assets.core.entities.entities import Entities
from seed_assets.memo.reuse import Reuse

TOGETHER = "mentioned together"
"""The type of a relation that no model has named: both are mentioned, and nothing else is known."""


class Relation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A relation between two entities of a document.

    source, target: their places among the document's entities. type: what the source is or does to the target, such as "works
    for"; TOGETHER has no direction, and its source is the earlier one. start, end: the passage that shows it, in characters.
    strength: 0 to 1; 1 if a model names the relation, and otherwise how likely two that are mentioned in this way are related.
    evidence: the words of the passage if a model named the relation.
    """

    source: int
    target: int
    type: str
    start: int
    end: int
    strength: float = 1.0
    evidence: str = ""


class Relations(msgspec.Struct, frozen=True):
    """The relations of a document, by source and target.

    names: the places and names of the entities that are ends. entities: the digest of the document's entities.
    """

    relations: tuple[Relation, ...]
    names: tuple[tuple[int, str], ...]
    entities: str


class RelationExtractor(Protocol):
    """Finds the relations between the entities of a document, by their places or by asking a model."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the relations besides the document and its entities; part of their action key."""
        ...

    async def extract(self, text: str, title: str, entities: Entities, reuse: Reuse) -> Relations:
        """Find the relations of one document. Raises DocumentError.

        title: the document's title; "" if none is known.
        reuse: requests go through it, so that each request is an action.
        """
        ...


def relations_of(found: Iterable[Relation], entities: Entities) -> Relations:
    """Return relations with the names of their ends, and with the digest of the entities that they are between."""
    ordered = tuple(sorted(found, key=lambda one: (one.source, one.target, one.type)))
    ends = {end for one in ordered for end in (one.source, one.target)}
    names = tuple((end, entities.entities[end].name) for end in sorted(ends))
    return Relations(ordered, names, content_digest(encode(entities).data))
