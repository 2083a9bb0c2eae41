"""Entities of a document: who and what it speaks of. What belongs here: the types, the protocol of extractors, and the
offline default, which works by rules. What does not: the rules (name_spans, name_types, quantities, aliases), and entities
over documents.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import msgspec

from io_managers.store.fingerprint import Part
from seed_assets.core.entities.aliases import NameGroups, defined_names, members
from seed_assets.core.entities.gazetteer import gazetteer_digest
from seed_assets.core.entities.known_list import KnownNames
from seed_assets.core.entities.known_names import Terms, title_name
from seed_assets.core.entities.name_spans import name_spans, without_overlaps
from seed_assets.core.entities.name_types import TYPES, Cues, best_type, mention_cues, name_cues
from seed_assets.core.entities.name_words import NameWords, name_words
from seed_assets.core.entities.normal_names import normal_name
from seed_assets.core.entities.quantities import quantities
from seed_assets.core.entities.records.record_kinds import Fields, RecordKind, kinds_part
from seed_assets.core.entities.records.record_texts import Record, records_of
from seed_assets.core.text.header_block import header_end
from seed_assets.core.text.text_work import TextWork
from seed_assets.core.text.words import Span
from seed_assets.memo.reuse import Reuse

# What is said around so many mentions of an entity decides its type.
_MOST_CUES = 20
# The part of a document that is read, as for its concepts, but a book of any length.
_READ_CHARACTERS = 4_000_000


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Someone or something that a document speaks of.

    name: its fullest name, as it stands in the text. normal: the name in the form in which names are compared; of a date in
    ISO 8601. type: see entities.types. mentions: start and end of each mention in characters, in order. aliases: its other
    names, as they stand. fields: of a record, what it says by name. Several fields may make the name of a record; it is mentioned
    where the first of them stands.
    """

    name: str
    normal: str
    type: str
    mentions: tuple[tuple[int, int], ...]
    aliases: tuple[str, ...] = ()
    fields: Fields = ()


class Entities(msgspec.Struct, frozen=True):
    """The entities of a document, in the order of their first mentions."""

    entities: tuple[Entity, ...]


class EntityExtractor(Protocol):
    """Finds the entities of a document, by rules or by asking a model."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the entities besides the document; part of their action key."""
        ...

    async def extract(self, text: str, title: str, reuse: Reuse) -> Entities:
        """Find the entities of one document. Raises DocumentError.

        title: the document's title; "" if none is known.
        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class RuleEntityExtractor:
    """Finds names by their capitals and types them by words in and around them; it is deterministic, and its time is linear.

    In scripts without capitals only names in quotation marks, dates, amounts and known names are found.

    types: the types that are wanted. known: the names that the user knows. records: the kinds of records. work: the workers that
    find the entities; None means a thread of this process.
    """

    types: tuple[str, ...] = TYPES
    known: KnownNames = field(default_factory=KnownNames)
    records: tuple[RecordKind, ...] = ()
    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {}

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, its lists of words, the types, the known names, and the kinds of records if there are any."""
        return {
            "extractor": "rules",
            "version": "1",
            "gazetteer": gazetteer_digest(),
            "types": list(self.types),
            "known": self.known.digest,
            **kinds_part(self.records),
        }

    @property
    def files(self) -> Sequence[str]:
        """The list of known names; see OfFiles."""
        return self.known.files

    async def extract(self, text: str, title: str, reuse: Reuse | None = None) -> Entities:
        """Do what `entities_in` does, in a worker or a thread; see `work`."""
        arguments = (text[:_READ_CHARACTERS], title, list(self.types), dict(self.known.names), self.records)
        if self.work is None:
            return await asyncio.to_thread(entities_in, *arguments)
        return await self.work.run("entities", *arguments)


def entities_in(
    text: str,
    title: str,
    types: list[str],
    known: dict[str, tuple[str, str]],
    records: tuple[RecordKind, ...] = (),
) -> Entities:
    """Return the entities of a text.

    types: the types that are wanted; what would be of another type is left out. known: see KnownNames.names. records: the kinds
    of records in the text.
    """
    words = name_words(text)
    start = header_end(text)
    found = [span for span in name_spans(text, words) if span[0] >= start]
    definitions = [(text[slice(*span)], term) for span, term in defined_names(text, found)]
    listed = {name.casefold(): entry for name, entry in known.items()}
    spans = _with_terms(text, words, found, {term for _, term in definitions} | {title_name(title)}, known)
    names = [text[slice(*span)] for span in spans]
    groups = NameGroups(names)
    for name, term in definitions:
        groups.join(name, term)
    for name in set(names):
        if (entry := listed.get(name.casefold())) is not None:
            groups.join(name, entry[1])
    kinds = {name: entry[0] for name, entry in listed.items() if entry[0]}
    entities = [_entity(text, [spans[at] for at in places], kinds) for places in members(groups, names).values()]
    wanted = [entity for entity in entities if entity.type in types] + of_quantities(text, spans, types)
    return with_records(Entities(tuple(sorted(wanted, key=lambda entity: entity.mentions[0]))), text, records)


def with_records(found: Entities, text: str, kinds: Sequence[RecordKind]) -> Entities:
    """Return the entities of a text with its records; what was found inside of their names is no mention."""
    records = records_of(text, kinds)
    if not records:
        return found
    taken = _places([span for record in records for span in record.named])
    left = [
        entity if mentions == entity.mentions else msgspec.structs.replace(entity, mentions=mentions)
        for entity in found.entities
        if (mentions := tuple(span for span in entity.mentions if taken.isdisjoint(range(*span))))
    ]
    left += (one for record in records if (one := _of_record(text, record)) is not None)
    return Entities(tuple(sorted(left, key=lambda entity: entity.mentions[0])))


def _of_record(text: str, record: Record) -> Entity | None:
    """The entity of a record; None if its name has no letter."""
    names = [text[slice(*span)] for span in record.named]
    name = " ".join(" ".join(names).split())
    fields = tuple((field, text[slice(*span)]) for field, span in record.fields.items())
    aliases = () if names[0] == name else (names[0],)
    normal = normal_name(name)
    return Entity(name, normal, record.kind.type, (record.named[0],), aliases, fields) if normal else None


def _with_terms(
    text: str, words: NameWords, found: Sequence[Span], terms: set[str], known: Mapping[str, tuple[str, str]]
) -> list[Span]:
    """The spans with those of names that are known: `terms` where they have a capital, and what the user lists everywhere."""
    own, listed = Terms(terms), Terms(known)
    matched = [span for sentence in words.sentences for span in own.within(sentence) if text[span[0]].isupper()]
    ends = {place: span[1] for span in found for place in range(*span)}
    # A term inside of a longer name is no mention of it.
    longer = _replaced(found, [span for span in matched if span[1] >= ends.get(span[0], 0)])
    certain = [span for sentence in words.sentences for span in listed.within(sentence)]
    return _replaced(longer, without_overlaps([*certain, *listed.in_unspaced(text)]))


def _replaced(spans: Sequence[Span], better: Sequence[Span]) -> list[Span]:
    """The spans, with better ones instead of those that overlap them."""
    taken = _places(better)
    return sorted([*(span for span in spans if taken.isdisjoint(range(*span))), *better])


def _places(spans: Sequence[Span]) -> set[int]:
    return {place for span in spans for place in range(*span)}


def _entity(text: str, spans: Sequence[Span], kinds: Mapping[str, str]) -> Entity:
    counts = Counter(text[slice(*span)] for span in spans)
    cues = Cues()
    for name in counts:
        cues.update(name_cues(name))
    for span in spans[:_MOST_CUES]:
        cues.update(mention_cues(text, span))
    name = max(counts, key=lambda one: (len(one.split()), counts[one], one))
    said = next((kinds[one.casefold()] for one in counts if one.casefold() in kinds), "")
    aliases = sorted(one for one in counts if one != name)
    return Entity(name, normal_name(name), said or best_type(cues), tuple(spans), tuple(aliases))


def of_quantities(text: str, names: Sequence[Span], types: Sequence[str]) -> list[Entity]:
    """Return the dates and amounts of a text, of the types that are wanted; those inside of names are none."""
    taken = _places(names)
    by_normal: dict[tuple[str, str], list[Span]] = {}
    for one in quantities(text):
        if one.kind in types and taken.isdisjoint(range(one.start, one.end)):
            by_normal.setdefault((one.kind, one.normal), []).append((one.start, one.end))
    entities: list[Entity] = []
    for (kind, normal), spans in by_normal.items():
        name, *others = dict.fromkeys(text[slice(*span)] for span in spans)
        entities.append(Entity(name, normal, kind, tuple(spans), tuple(others)))
    return entities
