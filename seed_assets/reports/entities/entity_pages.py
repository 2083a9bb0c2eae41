"""The entities of a knowledge base, listed or one by itself. What belongs here: what is shown of them, and its blocks. What
does not: the forms of blocks (text_form, markdown_form, html_form), and deciding about entities (cli.entities).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from resources.wording import shortened
from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity
from seed_assets.reports.page import Block, Fields, Heading, Page, Paragraph, Table
from seed_assets.reports.published_results import PublishedResults

# So many mentions of an entity are shown, each with so many characters before and after it; chosen by judgement.
_MOST_MENTIONS, _AROUND = 20, 40
# So many relationships are shown, each with so much of the passage that shows it.
_MOST_RELATIONSHIPS, _PASSAGE_CHARACTERS = 20, 240
# So many entities that stand in the same documents are shown.
_MOST_NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class ListedEntity:
    """An entity in a list. documents: how many mention it."""

    entity: str
    name: str
    type: str
    documents: int
    mentions: int
    aliases: list[str]


@dataclass(frozen=True, slots=True)
class SimilarEntities:
    """Two entities that may be one. score: how likely that is, from 0 to 1."""

    entity: str
    name: str
    other: str
    other_name: str
    score: float


@dataclass(frozen=True, slots=True)
class ShownMention:
    """A mention of an entity. start, end: its place in characters. context: it with some words around it."""

    document: str
    start: int
    end: int
    context: str


@dataclass(frozen=True, slots=True)
class ShownRelationship:
    """What relates an entity to another one. direction: "to" or "from" the other one; "" if there is none.

    document, start, end, passage: the first of the strongest passages that show it.
    """

    type: str
    direction: str
    other: str
    other_name: str
    strength: float
    documents: int
    document: str
    start: int
    end: int
    passage: str


@dataclass(frozen=True, slots=True)
class EntityOverview:
    """An entity with its first mentions in each document, and what else its documents mention, the most frequent first.

    profile: what the documents say of it, as it was judged; "" if it has none. verdict: on the profile. relationships: those that
    a model named first, then the strongest.
    """

    entity: str
    name: str
    type: str
    aliases: list[str]
    documents: list[str]
    mentions: int
    shown: list[ShownMention]
    mentioned_together: list[tuple[str, str, int]]
    profile: str
    verdict: str
    relationships: list[ShownRelationship]


def list_entities(results: PublishedResults) -> list[ListedEntity]:
    """Return all entities, those of most documents first."""
    found = results.all_entities()
    return sorted(
        map(_listed, found.entities if found else ()), key=lambda one: (-one.documents, -one.mentions, one.entity)
    )


def _listed(entity: CanonicalEntity) -> ListedEntity:
    documents = len({member.document_id for member in entity.members})
    return ListedEntity(entity.entity_id, entity.name, entity.type, documents, entity.mentions, list(entity.aliases))


def list_similar(found: CanonicalEntities) -> list[SimilarEntities]:
    """Return the pairs of entities that may be one although nothing decides it, the least certain first."""
    of = {member.digest: entity for entity in found.entities for member in entity.members}
    pairs: dict[tuple[str, str], SimilarEntities] = {}
    for one, other, score in found.undecided:
        first, second = of.get(one), of.get(other)
        if first is not None and second is not None and first.entity_id != second.entity_id:
            first, second = sorted((first, second), key=lambda entity: entity.entity_id)
            pair = SimilarEntities(first.entity_id, first.name, second.entity_id, second.name, score)
            pairs.setdefault((pair.entity, pair.other), pair)
    return list(pairs.values())


def entity_overview(results: PublishedResults, entity_id: str) -> EntityOverview | None:
    """Return everything about an entity; None if there is none of this id."""
    found = results.all_entities()
    entity = next((one for one in found.entities if one.entity_id == entity_id), None) if found else None
    if entity is None or found is None:
        return None
    documents = sorted({member.document_id for member in entity.members})
    return EntityOverview(
        entity.entity_id,
        entity.name,
        entity.type,
        list(entity.aliases),
        documents,
        entity.mentions,
        _mentions(results, entity),
        _together(found, entity, set(documents)),
        *_profile(results, entity_id),
        _relationships(results, found, entity_id),
    )


def _profile(results: PublishedResults, entity_id: str) -> tuple[str, str]:
    """The profile of an entity, and the verdict on it."""
    profiles = results.profiles()
    own = (one.judgement for one in (profiles.judgements if profiles else ()) if one.entity_id == entity_id)
    judged = next(own, None)
    return (judged.summary, judged.verdict.decision) if judged else ("", "")


def _relationships(results: PublishedResults, found: CanonicalEntities, entity_id: str) -> list[ShownRelationship]:
    relationships = results.relationships()
    own = [
        one for one in (relationships.relationships if relationships else ()) if entity_id in (one.source, one.target)
    ]
    names = {one.entity_id: one.name for one in found.entities}
    shown: list[ShownRelationship] = []
    own.sort(key=lambda one: (not one.is_named, -one.strength * one.documents, one.relationship_id))
    for one in own[:_MOST_RELATIONSHIPS]:
        other = one.other(entity_id)
        source = max(one.sources, key=lambda source: source.strength)
        direction = ("to" if one.source == entity_id else "from") if one.is_named else ""
        text = results.text(source.document_id)
        passage = text.text[source.start : source.end] if text else ""
        shown.append(
            ShownRelationship(
                one.type,
                direction,
                other,
                names.get(other, other),
                one.strength,
                one.documents,
                source.document_id,
                source.start,
                source.end,
                " ".join(shortened(passage, _PASSAGE_CHARACTERS).split()),
            )
        )
    return shown


def _mentions(results: PublishedResults, entity: CanonicalEntity) -> list[ShownMention]:
    shown: list[ShownMention] = []
    for member in sorted(entity.members, key=lambda one: (one.document_id, one.index))[:_MOST_MENTIONS]:
        text, own = results.text(member.document_id), results.entities(member.document_id)
        # A document that was seeded again has other entities until its places are written.
        if text is None or own is None or member.index >= len(own.entities):
            continue
        start, end = own.entities[member.index].mentions[0]
        around = text.text[max(0, start - _AROUND) : end + _AROUND]
        shown.append(ShownMention(member.document_id, start, end, " ".join(around.split())))
    return shown


def _together(found: CanonicalEntities, entity: CanonicalEntity, documents: set[str]) -> list[tuple[str, str, int]]:
    counts = {
        other.entity_id: (other.name, len({member.document_id for member in other.members} & documents))
        for other in found.entities
        if other.entity_id != entity.entity_id
    }
    ranked = Counter({entity_id: count for entity_id, (_, count) in counts.items() if count}).most_common(
        _MOST_NEIGHBOURS
    )
    return [(entity_id, counts[entity_id][0], count) for entity_id, count in ranked]


def entities_page(found: Sequence[ListedEntity], most: int, notes: Sequence[str] = ()) -> Page:
    """All entities. most: how many are shown, 0 for all. notes: sentences that stand first."""
    shown = found[:most] if most else found
    rows = [(one.entity, f"{one.documents:,}", one.type, ", ".join((one.name, *one.aliases[:5]))) for one in shown]
    table: Block = Table(("entity", "documents", "type", "names"), rows)
    blocks: list[Block] = [*map(Paragraph, notes), table if rows else Paragraph("There are no entities yet.")]
    if len(shown) < len(found):
        blocks.append(Paragraph(f"{len(found) - len(shown):,} more: `--limit 0` and `--format json` show all."))
    return Page("Entities", blocks)


def similar_page(found: Sequence[SimilarEntities], most: int) -> Page:
    """Pairs of entities that may be one. most: how many are shown, 0 for all."""
    shown = found[:most] if most else found
    rows = [(one.entity, one.name, one.other, one.other_name, f"{one.score:.2f}") for one in shown]
    table: Block = Table(("entity", "name", "other", "its name", "likeness"), rows)
    return Page("Entities that may be one", [table if rows else Paragraph("No pair is undecided.")])


def entity_page(found: EntityOverview, notes: Sequence[str] = ()) -> Page:
    """One entity. notes: sentences that stand first."""
    fields = Fields(
        (
            ("entity", found.entity),
            ("type", found.type),
            ("aliases", ", ".join(found.aliases)),
            ("documents", f"{len(found.documents):,}"),
            ("mentions", f"{found.mentions:,}"),
        )
    )
    blocks: list[Block] = [fields, *map(Paragraph, notes)]
    if found.profile:
        blocks.append(Paragraph(found.profile))
    if found.relationships:
        blocks.append(Heading("Relationships"))
        rows = [
            (
                f"{one.type} {f'({one.direction})' if one.direction else ''}".strip(),
                one.other,
                one.other_name,
                one.passage,
            )
            for one in found.relationships
        ]
        blocks.append(Table(("relationship", "entity", "its name", "where it is shown"), rows))
    blocks.append(Heading("Mentions"))
    blocks.append(Table(("document", "where it stands"), [(one.document, one.context) for one in found.shown]))
    if found.mentioned_together:
        blocks.append(Heading("Mentioned in the same documents"))
        rows = [(entity, f"{count:,}", name) for entity, name, count in found.mentioned_together]
        blocks.append(Table(("entity", "documents", "name"), rows))
    return Page(found.name, blocks)
