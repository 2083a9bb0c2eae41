"""The tables of the knowledge base: their columns, types, what each means and where it comes from.

What belongs here: declarations, and the Arrow schema made of them. What does not: reading or writing a table
(lance.py). docs/tables.md shows the same to its readers and is tested against this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

ColumnType = Literal["string", "list<string>", "int32", "int64", "float64", "vector"]
"""`vector` is a fixed-size list of float32, as long as the embedder's vectors."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `source` is the stage and field whose value it holds."""

    name: str
    type: ColumnType
    meaning: str
    source: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table. Every table has the columns `document_id` and `content_digest`, by which rows are replaced."""

    name: str
    key: str
    rows: str
    columns: tuple[Column, ...]

    def schema(self, dimensions: int) -> "pa.Schema":
        """The exact Arrow schema, for vectors of `dimensions` numbers (no matter where there is no vector column)."""
        import pyarrow as pa

        types: dict[str, pa.DataType] = {
            "string": pa.string(),
            "list<string>": pa.list_(pa.string()),
            "int32": pa.int32(),
            "int64": pa.int64(),
            "float64": pa.float64(),
            "vector": pa.list_(pa.float32(), dimensions),
        }
        return pa.schema([pa.field(column.name, types[column.type], column.nullable) for column in self.columns])

    def dimensions_of(self, schema: "pa.Schema") -> int:
        """The length of the vectors in tables of `schema`; 0 where there is no vector column of a fixed length."""
        import pyarrow as pa

        for column in self.columns:
            if column.type == "vector" and schema.get_field_index(column.name) >= 0:
                found = schema.field(column.name).type
                return found.list_size if pa.types.is_fixed_size_list(found) else 0
        return 0


_DOCUMENT_ID = Column("document_id", "string", "the document: its path below the corpus folder", "corpus.document_id")
_TITLE = Column("title", "string", "title of the document", "extracted_text.title")

_SPECS = (
    TableSpec(
        name="documents",
        key="document_id",
        rows="one row a document",
        columns=(
            _DOCUMENT_ID,
            _TITLE,
            Column(
                "format",
                "string",
                "what it was read as: text, markdown, html, docx, pdf",
                "suffix of document_id",
            ),
            Column(
                "encoding",
                "string",
                "encoding that the file was decoded from; null where its format settles it",
                "extracted_text.encoding",
                nullable=True,
            ),
            Column("n_characters", "int64", "length of the extracted text, in characters", "extracted_text.text"),
            Column("summary", "string", "summary of the document", "summaries.text"),
            Column("concepts", "list<string>", "names of its concepts, best first", "concepts.name"),
            Column("content_digest", "string", "digest of what the row was written from", "lance_documents inputs"),
        ),
    ),
    TableSpec(
        name="chunks",
        key="chunk_id",
        rows="one row a chunk",
        columns=(
            Column("chunk_id", "string", "`<document_id>#<index>`", "corpus.document_id, chunks"),
            _DOCUMENT_ID,
            Column("index", "int32", "position of the chunk in the document, from 0", "chunks"),
            _TITLE,
            Column("text", "string", "the chunk: the extracted text from `start` to `end`", "chunks.text"),
            Column("start", "int64", "offset of its first character in the extracted text", "chunks.start"),
            Column("end", "int64", "offset after its last character", "chunks.end"),
            Column("vector", "vector", "embedding of `text`, of length 1 (zeros where it has none)", "embeddings"),
            Column(
                "content_digest",
                "string",
                "digest of what the rows were written from",
                "lance_chunks inputs",
            ),
        ),
    ),
    TableSpec(
        name="concepts",
        key="concept_id",
        rows="one row a concept of a document",
        columns=(
            Column("concept_id", "string", "`<document_id>#<rank>`", "corpus.document_id, concepts"),
            _DOCUMENT_ID,
            Column("rank", "int32", "place among the document's concepts, from 0, best first", "concepts"),
            Column("name", "string", "the concept, in small letters", "concepts.name"),
            Column(
                "kind",
                "string",
                "term, method, technology, person, organisation, place, event, work, other; null where no model has said",
                "concepts.kind",
                nullable=True,
            ),
            Column("score", "float64", "how well it stands for the document; higher is better", "concepts.score"),
            Column("count", "int32", "times that it occurs in the document", "concepts.count"),
            Column(
                "start",
                "int64",
                "offset in the extracted text of its first occurrence, or of the passage by which a model shows it",
                "concepts.start",
            ),
            Column("end", "int64", "offset after that", "concepts.end"),
            Column(
                "content_digest",
                "string",
                "digest of what the rows were written from",
                "lance_concepts inputs",
            ),
        ),
    ),
)

TABLES: Mapping[str, TableSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""The tables by name."""
