"""The sink stages `lance_entities` and `lance_mentions`, with their tables."""

from collections.abc import Mapping
from typing import Annotated, Any

from resources.tables.table_spec import Column, TableSpec
from seed_assets.core.entities.entities import Entities
from seed_assets.core.entities.resolution.canonical import CanonicalEntities
from seed_assets.graph.stage import Units, sink_stage
from seed_assets.stages.entities.entity_inputs import EntityPlaces

ENTITIES = TableSpec(
    name="entities",
    key="entity_id",
    owner="",
    rows="one row an entity",
    columns=(
        Column("entity_id", "string", "`entity/<number>`, the same while it stays itself", "canonical_entities"),
        Column("name", "string", "the fullest of its frequent names", "canonical_entities.name"),
        Column("type", "string", "what it is, one of entities.types", "canonical_entities.type"),
        Column("aliases", "list<string>", "its other names, sorted", "canonical_entities.aliases"),
        Column("n_mentions", "int64", "mentions in all documents", "canonical_entities.mentions"),
        Column("n_documents", "int64", "documents that mention it", "canonical_entities.members"),
        Column("documents", "list<string>", "these documents, sorted", "canonical_entities.members"),
        Column("content_digest", "string", "digest of what the row was written from", "lance_entities inputs"),
    ),
)
MENTIONS = TableSpec(
    name="mentions",
    key="mention_id",
    rows="one row a mention",
    columns=(
        Column("mention_id", "string", "`<document_id>#<start>`", "corpus.document_id, entities"),
        Column("document_id", "string", "the document: its path below the corpus folder", "corpus.document_id"),
        Column("entity_id", "string", "the entity over all documents", "canonical_entities"),
        Column("type", "string", "what the document says it is", "entities.type"),
        Column("name", "string", "the fullest name of the entity in the document", "entities.name"),
        Column("normal", "string", "that name in the form in which names are compared", "entities.normal"),
        Column("start", "int64", "offset of the mention in the extracted text", "entities.mentions"),
        Column("end", "int64", "offset after it", "entities.mentions"),
        Column("content_digest", "string", "digest of what the rows were written from", "lance_mentions inputs"),
    ),
)


@sink_stage(version="1", table=ENTITIES, units=Units.CORPUS)
def lance_entities(_: str, content_digest: str, canonical_entities: CanonicalEntities) -> list[dict[str, Any]]:
    """Not partitioned: the table `entities`, with one row per entity; all rows are replaced together."""
    rows: list[dict[str, Any]] = []
    for entity in canonical_entities.entities:
        documents = sorted({member.document_id for member in entity.members})
        rows.append(
            {
                "entity_id": entity.entity_id,
                "name": entity.name,
                "type": entity.type,
                "aliases": list(entity.aliases),
                "n_mentions": entity.mentions,
                "n_documents": len(documents),
                "documents": documents,
                "content_digest": content_digest,
            }
        )
    return rows


@sink_stage(version="1", table=MENTIONS)
def lance_mentions(
    document_id: str,
    content_digest: str,
    entities: Entities,
    entity_places: Annotated[Mapping[int, str], EntityPlaces()],
) -> list[dict[str, Any]]:
    """One partition: the rows of one document's mentions in the table `mentions`, each with its entity over all documents.

    They are written again when the document's entities change, or when they become part of other ones.
    """
    return [
        {
            "mention_id": f"{document_id}#{start}",
            "document_id": document_id,
            "entity_id": entity_places[index],
            "type": entity.type,
            "name": entity.name,
            "normal": entity.normal,
            "start": start,
            "end": end,
            "content_digest": content_digest,
        }
        for index, entity in enumerate(entities.entities)
        for start, end in entity.mentions
        if index in entity_places
    ]
