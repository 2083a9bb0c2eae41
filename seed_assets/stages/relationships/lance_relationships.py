"""The sink stage `lance_relationships`, with its table."""

from typing import Any

from resources.tables.lance_schema import Column, TableSpec
from seed_assets.core.relationships.merging import Relationships
from seed_assets.graph.stage import Units, sink_stage

_FROM = "relationships"
RELATIONSHIPS = TableSpec(
    name="relationships",
    key="relationship_id",
    owner="",
    rows="one row a relationship",
    columns=(
        Column("relationship_id", "string", "`relationship/<number>`, the same for the same ends and type", _FROM),
        Column("source_id", "string", "the entity that it goes from", "relationships.source"),
        Column("source_name", "string", "its name", "relationships.ends"),
        Column("target_id", "string", "the entity that it goes to", "relationships.target"),
        Column("target_name", "string", "its name", "relationships.ends"),
        Column("type", "string", "what relates them; `mentioned together` has no direction", "relationships.type"),
        Column("strength", "float64", "how likely they are related, 0 to 1", "relationships.strength"),
        Column("n_documents", "int64", "documents that show it", "relationships.documents"),
        Column("documents", "list<string>", "the document of each of the strongest passages", "relationships.sources"),
        Column("starts", "list<int64>", "where each passage begins in the extracted text", "relationships.sources"),
        Column("ends", "list<int64>", "the offset after it", "relationships.sources"),
        Column("evidence", "list<string>", "its words, if a model named the relationship", "relationships.sources"),
        Column("content_digest", "string", "digest of what the row was written from", "lance_relationships inputs"),
    ),
)


@sink_stage(version="1", table=RELATIONSHIPS, units=Units.CORPUS)
def lance_relationships(_: str, content_digest: str, relationships: Relationships) -> list[dict[str, Any]]:
    """Not partitioned: the table `relationships`, with one row per relationship; all rows are replaced together."""
    names = relationships.names
    return [
        {
            "relationship_id": one.relationship_id,
            "source_id": one.source,
            "source_name": names[one.source],
            "target_id": one.target,
            "target_name": names[one.target],
            "type": one.type,
            "strength": one.strength,
            "n_documents": one.documents,
            "documents": [source.document_id for source in one.sources],
            "starts": [source.start for source in one.sources],
            "ends": [source.end for source in one.sources],
            "evidence": [source.evidence for source in one.sources],
            "content_digest": content_digest,
        }
        for one in relationships.relationships
    ]
