"""Entities of single documents as they are compared over documents. What belongs here: what is said of each, and its
digest. What does not: comparing them (likeness), and putting them together (grouping).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seed_assets.core.entities.entities import Entities, Entity
from seed_assets.core.entities.name_types import AMOUNT, DATE, PERSON
from seed_assets.core.entities.normal_names import name_key, normal_name
from seed_assets.core.entities.records.record_kinds import Fields
from seed_assets.core.text.words import WORD

# So much of what a document says besides an entity is its context: the names that stand nearest to it, and all its concepts.
_MOST_NEIGHBOURS = 20
# A digest of so many hexadecimal digits names an entity of a document; two of a million are equal with a chance of 1 in 10^13.
_DIGEST = 20
QUANTITIES = frozenset({DATE, AMOUNT})


@dataclass(frozen=True, slots=True)
class LocalEntity:
    """An entity of one document.

    index: its place among the document's entities. keys: those of its names by which it may be another's: of a person not the
    last name alone. aliases: these names but its own, as they stand. key: that of its fullest name. context: what else the
    document speaks of, as keys of names and words of concepts; of a record, keys of its values. fields: see Entity. digest: of
    all of this but the document's id, so that a renamed document stays what it is.
    """

    document_id: str
    index: int
    name: str
    normal: str
    type: str
    key: str
    keys: tuple[str, ...]
    context: frozenset[str]
    aliases: tuple[str, ...]
    mentions: int
    digest: str
    fields: Fields = ()


def local_entities(document_id: str, found: Entities, concepts: Sequence[str]) -> list[LocalEntity]:
    """Return the entities of a document for comparison.

    concepts: the names of the document's concepts.
    """
    named = [entity for entity in found.entities if entity.type not in QUANTITIES]
    keys = {id(entity): name_key(entity.normal) or entity.name for entity in found.entities}
    words = {word for concept in concepts for word in WORD.findall(concept.casefold())}
    neighbours = _neighbours(named)
    return [
        _local(
            document_id,
            index,
            entity,
            keys[id(entity)],
            frozenset()
            if entity.type in QUANTITIES
            else _said(entity)
            if entity.fields
            else frozenset({*words, *(keys[id(other)] for other in neighbours[id(entity)])}),
        )
        for index, entity in enumerate(found.entities)
    ]


def _said(record: Entity) -> frozenset[str]:
    """What a record says besides its name, as far as other documents may mention it."""
    keys = {name_key(normal_name(value)) for _, value in record.fields if value not in record.name}
    return frozenset(key for key in keys if key)


def _neighbours(named: Sequence[Entity]) -> Mapping[int, list[Entity]]:
    """The entities whose first mentions are nearest to that of each one."""
    half = _MOST_NEIGHBOURS // 2
    return {
        id(entity): [*named[max(0, at - half) : at], *named[at + 1 : at + 1 + half]] for at, entity in enumerate(named)
    }


def _local(document_id: str, index: int, entity: Entity, key: str, context: frozenset[str]) -> LocalEntity:
    # A record is mentioned by a part of its name, which alone names nobody.
    aliases = () if entity.fields else tuple(alias for alias in entity.aliases if _is_telling(alias, entity))
    others = {name_key(normal_name(alias)) for alias in aliases}
    keys = (key, *sorted(others - {key, ""}))
    said = "\0".join([entity.type, *keys, "", *sorted(context), *("\0".join(one) for one in entity.fields)])
    digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return LocalEntity(
        document_id,
        index,
        entity.name,
        entity.normal,
        entity.type,
        key,
        keys,
        context,
        aliases,
        len(entity.mentions),
        digest,
        entity.fields,
    )


def _is_telling(alias: str, entity: Entity) -> bool:
    """Whether an alias can name the same entity in another document: not a last name, and no defined term ("the Lessee")."""
    if entity.type == PERSON:
        return " " in alias
    words = alias.split()
    return len(words) > 1 or (alias.isupper() and len(alias) > 1)
