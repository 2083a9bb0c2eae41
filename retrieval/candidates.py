"""The candidates for a query: the union of a full-text and a vector query. They are ranked in ranking.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lancedb.table import Table

_COLUMNS = ["document_id", "index", "title", "text", "start", "end", "vector"]
# A word in the title counts half as much as one in the text (a judgement; a title stands for all chunks of its document).
# A word in the title counts half as much as one in the text (a judgement; a title stands for all chunks of its document).
_TITLE_BOOST = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that may answer the query."""

    document_id: str
    index: int
    """The position of the chunk in its document, from 0."""
    title: str
    text: str
    """The chunk, below the header of its table if it begins inside of one."""
    start: int
    """The offset of the first character in the document's extracted text."""
    end: int
    """The offset after the last character."""
    vector: NDArray[np.float32]
    """The chunk's vector, shape (dimensions,)."""
    text_score: float
    """The full-text (BM25) score; 0 if the chunk contains no word of the query."""


def find_candidates(table: "Table", query: str, query_vector: NDArray[np.float32], limit: int) -> list[Candidate]:
    """The best `limit` chunks by full text and the best `limit` by vector, without duplicates, by document and position."""
    found: dict[tuple[str, int], Candidate] = {}
    for row in [*by_text(table, query, limit), *by_vector(table, query_vector, limit)]:
        found.setdefault((row["document_id"], row["index"]), _candidate(row))
    return [found[place] for place in sorted(found)]


def by_text(table: "Table", query: str, limit: int) -> list[dict[str, Any]]:
    """The best `limit` chunks by BM25 over text and title, as rows with `_score`."""
    import lancedb.query

    # LanceDB's query classes are pydantic dataclasses whose defaults a type checker does not see.
    part: Any = lancedb.query.MatchQuery
    should = lancedb.query.Occur.SHOULD
    # A boolean query adds the scores of its parts. A multi-match query takes the better one, so that titles have no effect.
    either = lancedb.query.BooleanQuery(
        [(should, part(query, "text")), (should, part(query, "title", boost=_TITLE_BOOST))]
    )
    return _rows(table.search(either, query_type="fts").select([*_COLUMNS, "_score"]).limit(limit))


def by_vector(table: "Table", query_vector: NDArray[np.float32], limit: int) -> list[dict[str, Any]]:
    """The nearest `limit` chunks by dot product, as rows with `_distance`; none if the query vector is all zeros."""
    if not query_vector.any():
        return []
    search: Any = table.search(query_vector, vector_column_name="vector", query_type="vector")
    return _rows(search.distance_type("dot").select([*_COLUMNS, "_distance"]).limit(limit))


def _rows(search: Any) -> list[dict[str, Any]]:
    found = search.to_arrow()
    width = found.schema.field("vector").type.list_size
    vectors = found["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    rows = found.drop_columns(["vector"]).to_pylist()
    return [{**row, "vector": vector} for row, vector in zip(rows, vectors, strict=True)]


def _candidate(row: dict[str, Any]) -> Candidate:
    fields = {name: row[name] for name in _COLUMNS}
    return Candidate(**fields, text_score=float(row.get("_score") or 0.0))
