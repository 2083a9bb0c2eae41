"""The candidates for a query: the union of a full-text and a vector query. They are ranked in ranking.py."""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.stored_features import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

_ROW = "_rowid"
# The columns of a hit.
SHOWN = ["document_id", "index", "title", "text", "start", "end"]
# A word in the title counts half as much as one in the text (a judgement; a title stands for all chunks of its document).
_TITLE_BOOST = 0.5


@dataclass(frozen=True, slots=True)
class Candidates:
    """Chunks that may answer the query, by the numbers of their rows in ascending order; arrays of shape (candidates,)."""

    rows: NDArray[np.int64]
    text_scores: NDArray[np.float64]
    """The full-text (BM25) score; 0 for a chunk that is not among the best by full text."""
    vector_scores: NDArray[np.float64]
    """The product with the query's vector; for a chunk that is not among the nearest, that of the farthest that is."""


def find_candidates(
    table: "Table",
    query: str,
    query_vector: NDArray[np.float32],
    limit: int,
    beside: Executor,
    condition: str = "",
) -> Candidates:
    """The best `limit` chunks by full text and the nearest `2 * limit` by vector. beside: runs one of the two queries.

    condition: only rows for which this holds are candidates, in LanceDB's SQL; "" for all rows.

    The rows are not read, only their numbers and scores. More are asked for by vector, since a chunk that is found by full text
    alone has no vector score of its own.
    """
    searched = beside.submit(by_text, table, query, limit, [_ROW], condition)
    near = by_vector(table, query_vector, 2 * limit, [_ROW], condition)
    found = searched.result()
    text, vector = found[_ROW].to_numpy(), near[_ROW].to_numpy()
    rows = np.union1d(text, vector).astype(np.int64)
    text_scores = np.zeros(len(rows))
    text_scores[np.searchsorted(rows, text)] = found["_score"].to_numpy()
    products = 1 - near["_distance"].to_numpy().astype(float)
    vector_scores = np.full(len(rows), products.min() if len(products) else 0.0)
    vector_scores[np.searchsorted(rows, vector)] = products
    return Candidates(rows, text_scores, vector_scores)


def by_text(table: "Table", query: str, limit: int, columns: list[str], condition: str = "") -> "pa.Table":
    """The best `limit` chunks by BM25 over text and title: the columns, and `_score`. condition: see find_candidates."""
    import lancedb.query

    # LanceDB's query classes are pydantic dataclasses whose defaults a type checker does not see.
    part: Any = lancedb.query.MatchQuery
    should = lancedb.query.Occur.SHOULD
    # A boolean query adds the scores of its parts. A multi-match query takes the better one, so that titles have no effect.
    either = lancedb.query.BooleanQuery(
        [(should, part(query, "text")), (should, part(query, "title", boost=_TITLE_BOOST))]
    )
    search: Any = table.search(either, query_type="fts")
    return _under(search, condition).select([*columns, "_score"]).limit(limit).to_arrow()


def by_vector(
    table: "Table", query_vector: NDArray[np.float32], limit: int, columns: list[str], condition: str = ""
) -> "pa.Table":
    """The nearest `limit` chunks by dot product: the columns, and `_distance`; no rows if the query vector is all zeros.

    condition: see find_candidates.
    """
    # Zeros are equally far from everything.
    most = limit if query_vector.any() else 0
    search: Any = table.search(query_vector, vector_column_name="vector", query_type="vector")
    search = _under(search.distance_type("dot"), condition)
    nearest = search.select([*columns, "_distance"]).limit(max(most, 1)).to_arrow()
    return nearest.slice(0, most)


def _under(search: Any, condition: str) -> Any:
    """The search among the rows for which a condition holds, which is checked before the best are chosen."""
    return search.where(condition, prefilter=True) if condition else search


def read_rows(table: "Table", rows: NDArray[np.int64]) -> "pa.Table":
    """The chunks in these rows, with their text and features, in the order of the rows."""
    found = table.take_row_ids(rows.tolist()).select([_ROW, *SHOWN, *COLUMNS]).to_arrow()
    return found.sort_by(_ROW)
