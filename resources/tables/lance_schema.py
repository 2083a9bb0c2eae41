"""The declarations of the project's own tables, whose columns are described in docs/tables.md.

A test compares docs/tables.md with this module. What a table is: table_spec.
"""

from collections.abc import Mapping

from resources.tables.table_spec import Column, TableSpec

SEARCHED = "chunks"
"""The table that is searched."""

_DOCUMENT_ID = Column("document_id", "string", "the document: its path below the corpus folder", "corpus.document_id")
_TITLE = Column("title", "string", "title of the document", "extracted_text.title")


def _verdict(stage: str, by_whom: str) -> tuple[Column, ...]:
    """Return the columns of a verdict. by_whom: who supports the claims, as the end of a clause."""
    source = f"{stage}.verdict"
    return (
        Column("verdict", "string", "copied, accept, revise, reject: the last one on the summary", source),
        Column(
            "score",
            "float64",
            f"share of its claims that {by_whom}, 0 to 1; null where it was copied and not judged",
            source,
            nullable=True,
        ),
        Column("copied", "float64", "share of its claims that are copied word for word, 0 to 1", source),
        Column(
            "confidence",
            "float64",
            "how likely its claims are to be right, by their wording, 0 to 1; null where copied, and from a model",
            source,
            nullable=True,
        ),
    )


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
                "what it was read as, such as html or pdf",
                "suffix of document_id",
            ),
            Column(
                "encoding",
                "string",
                "encoding that the file was decoded from; null where its format settles it",
                "extracted_text.encoding",
                nullable=True,
            ),
            Column(
                "language",
                "string",
                "language of most of the text, as its code in ISO 639-1 such as en; null if it is not known",
                "extracted_text.text",
                nullable=True,
            ),
            Column("n_characters", "int64", "length of the extracted text, in characters", "extracted_text.text"),
            Column("summary", "string", "summary of the document, as it was judged", "judgements.summary"),
            *_verdict("judgements", "the document supports"),
            Column("needs_review", "bool", "whether a person should look at it", "judgements.needs_review"),
            Column("concepts", "list<string>", "names of its concepts, best first", "concepts.name"),
            Column("content_digest", "string", "digest of what the row was written from", "lance_documents inputs"),
        ),
    ),
    TableSpec(
        name=SEARCHED,
        key="chunk_id",
        rows="one row a chunk",
        columns=(
            Column("chunk_id", "string", "`<document_id>#<index>`", "corpus.document_id, chunks"),
            _DOCUMENT_ID,
            Column("index", "int32", "position of the chunk in the document, from 0", "chunks"),
            _TITLE,
            Column(
                "text",
                "string",
                "the chunk: the extracted text from `start` to `end`, below the header of its table if it begins inside of one",
                "chunks.text, chunks.header",
            ),
            Column("start", "int64", "offset of its first character in the extracted text", "chunks.start"),
            Column("end", "int64", "offset after its last character", "chunks.end"),
            Column("vector", "vector", "embedding of `text`, of length 1 (zeros where it has none)", "embeddings"),
            Column(
                "token_ids",
                "list<int32>",
                "tokens of `text` in the offline embedder, sentence after sentence",
                "chunks.features",
            ),
            Column(
                "sentence_ends",
                "list<int32>",
                "for each sentence, the number of tokens up to its end",
                "chunks.features",
            ),
            Column(
                "sentence_lengths",
                "list<float32>",
                "for each sentence, the length of the sum of its token vectors",
                "chunks.features",
            ),
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
    TableSpec(
        name="judgements",
        key="claim_id",
        rows="one row a claim of a document's summary, or a concept of it",
        columns=(
            Column("claim_id", "string", "`<document_id>#<index>`", "corpus.document_id, judgements"),
            _DOCUMENT_ID,
            Column("index", "int32", "place among the claims, from 0", "judgements.verdict.claims"),
            Column("kind", "string", "claim, concept", "judgements.verdict.claims.kind"),
            Column("claim", "string", "what the summary says, or the concept", "judgements.verdict.claims.text"),
            Column(
                "status", "string", "copied, supported, contradicted, not found", "judgements.verdict.claims.status"
            ),
            Column(
                "confidence",
                "float64",
                "how likely the claim is to be right, 0 to 1; null for concepts, where copied, and from a model",
                "judgements.verdict.claims.confidence",
                nullable=True,
            ),
            Column(
                "passage",
                "string",
                "where the document says so, or otherwise, in its own words; null where it does not",
                "judgements.verdict.claims.passage",
                nullable=True,
            ),
            Column(
                "start",
                "int64",
                "offset of the passage in the extracted text",
                "judgements.verdict.claims.start",
                nullable=True,
            ),
            Column("end", "int64", "offset after it", "judgements.verdict.claims.end", nullable=True),
            Column("judge", "string", "who judged: `similarity`, or a model", "judgements.verdict.judge"),
            Column("content_digest", "string", "digest of what the rows were written from", "lance_judgements inputs"),
        ),
    ),
    TableSpec(
        name="clusters",
        key="cluster_id",
        owner="cluster_id",
        rows="one row a cluster",
        columns=(
            Column("cluster_id", "string", "`<cluster type>/<number>`, the same while it stays itself", "clusters"),
            Column("cluster_type", "string", "topic, concept, field:<name>", "clusters.cluster_type"),
            Column("title", "string", "what tells it from others, in a few words", "cluster_judgements.title"),
            Column(
                "summary", "string", "what its members have in common, as it was judged", "cluster_judgements.summary"
            ),
            Column(
                "concepts", "list<string>", "what its members have more often than others", "cluster_summaries.concepts"
            ),
            Column("size", "int32", "members", "clusters.members"),
            Column("members", "list<string>", "its documents, sorted", "clusters.members"),
            Column("typical", "list<string>", "members that stand for it best", "cluster_summaries.typical"),
            Column("untypical", "list<string>", "members that stand for it least", "cluster_summaries.untypical"),
            Column(
                "summary_members",
                "list<string>",
                "documents that its summary is of, sorted",
                "clusters.summary_members",
            ),
            Column(
                "changed_share",
                "float64",
                "how many members came or went since the summary, as a share of those; 0 unless it was kept",
                "clusters.changed_share",
            ),
            *_verdict("cluster_judgements", "members support"),
            Column("needs_review", "bool", "whether a person should look at it", "cluster_judgements.needs_review"),
            Column("writer", "string", "who wrote it: `extractive`, or a model", "cluster_summaries.writer"),
            Column(
                "prompt_version",
                "string",
                "version of the prompt; null where no model was asked",
                "cluster_summaries.prompt_version",
                nullable=True,
            ),
            Column(
                "written_on",
                "string",
                "the day on which the model answered, in UTC, as 2026-01-31; empty where no model was asked",
                "cluster_summaries.written_on",
            ),
            Column("content_digest", "string", "digest of what the row was written from", "lance_clusters inputs"),
        ),
    ),
    TableSpec(
        name="categories",
        key="category_id",
        owner="",
        rows="one row a group of concepts",
        columns=(
            Column("category_id", "string", "`category/<number>`, the same while it stays itself", "categories"),
            Column("name", "string", "the term that most of its documents have", "categories.name"),
            Column(
                "concepts",
                "list<string>",
                "names of its concepts, those first that most of its documents have",
                "categories.concepts",
            ),
            Column("n_documents", "int64", "documents with any of them", "categories.documents"),
            Column("content_digest", "string", "digest of what the rows were written from", "lance_categories inputs"),
        ),
    ),
    TableSpec(
        name="document_clusters",
        key="placement_id",
        rows="one row a document and cluster type",
        columns=(
            Column("placement_id", "string", "`<document_id>#<cluster_type>`", "corpus.document_id, document_clusters"),
            _DOCUMENT_ID,
            Column("cluster_type", "string", "topic, concept, field:<name>", "document_clusters"),
            Column(
                "cluster_id",
                "string",
                "its cluster; null for an outlier",
                "document_clusters.cluster_id",
                nullable=True,
            ),
            Column("strength", "float64", "how firmly it belongs there, 0 to 1", "document_clusters.strength"),
            Column(
                "is_outlier", "bool", "whether it belongs to no cluster of the type", "document_clusters.cluster_id"
            ),
            Column(
                "other_cluster_ids",
                "list<string>",
                "others that it leans to, strongest first",
                "document_clusters.others",
            ),
            Column("other_strengths", "list<float64>", "how strongly, in the same order", "document_clusters.others"),
            Column("nearest_document_ids", "list<string>", "documents most like it", "document_clusters.nearest"),
            Column(
                "nearest_similarities", "list<float64>", "how alike, in the same order", "document_clusters.nearest"
            ),
            Column(
                "category_ids", "list<string>", "categories of its concepts, sorted", "document_clusters.category_ids"
            ),
            Column(
                "content_digest",
                "string",
                "digest of what the rows were written from",
                "lance_document_clusters inputs",
            ),
        ),
    ),
)

TABLES: Mapping[str, TableSpec] = {spec.name: spec for spec in _SPECS}
"""The tables by name."""
