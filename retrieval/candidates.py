"""The candidates for a query: the union of a full-text and a vector query. They are ranked in ranking.py."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.stored_features import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.query import AsyncQueryBase, AsyncStandardQuery
    from lancedb.table import AsyncTable, Table

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
    table: "Table", query: str, query_vector: NDArray[np.float32], limit: int, condition: str = ""
) -> Candidates:
    """The best `limit` chunks by full text and the nearest `2 * limit` by vector, which are queried at the same time.

    condition: only rows for which this holds are candidates, in LanceDB's SQL; "" for all rows.

    The rows are not read, only their numbers and scores. More are asked for by vector, since a chunk that is found by full text
    alone has no vector score of its own.
    """
    most = _most_near(query_vector, 2 * limit)
    found, near = _results(
        _by_text(table, query, limit, [_ROW], condition), _by_vector(table, query_vector, most, [_ROW], condition)
    )
    near = near.slice(0, most)
    text, vector = found[_ROW].to_numpy(), near[_ROW].to_numpy()
    rows = np.union1d(text, vector).astype(np.int64)
    text_scores = np.zeros(len(rows))
    text_scores[np.searchsorted(rows, text)] = found["_score"].to_numpy()
    products = 1 - near["_distance"].to_numpy().astype(float)
    vector_scores = np.full(len(rows), products.min() if len(products) else 0.0)
    vector_scores[np.searchsorted(rows, vector)] = products
    return Candidates(rows, text_scores, vector_scores)


def by_text(table: "Table", query: str, limit: int, columns: list[str]) -> "pa.Table":
    """The best `limit` chunks by BM25 over text and title: the columns, and `_score`."""
    return _results(_by_text(table, query, limit, columns))[0]


def by_vector(table: "Table", query_vector: NDArray[np.float32], limit: int, columns: list[str]) -> "pa.Table":
    """The nearest `limit` chunks by dot product: the columns, and `_distance`; no rows if the query vector is all zeros."""
    most = _most_near(query_vector, limit)
    return _results(_by_vector(table, query_vector, most, columns))[0].slice(0, most)


def _by_text(table: "Table", query: str, limit: int, columns: list[str], condition: str = "") -> "AsyncStandardQuery":
    import lancedb.query

    # LanceDB's query classes are pydantic dataclasses whose defaults a type checker does not see.
    part: Any = lancedb.query.MatchQuery
    should = lancedb.query.Occur.SHOULD
    # A boolean query adds the scores of its parts. A multi-match query takes the better one, so that titles have no effect.
    either = lancedb.query.BooleanQuery(
        [(should, part(query, "text")), (should, part(query, "title", boost=_TITLE_BOOST))]
    )
    search = _asynchronous(table).query().nearest_to_text(either)
    return _under(search, condition).select([*columns, "_score"]).limit(limit)


def _by_vector(
    table: "Table", query_vector: NDArray[np.float32], limit: int, columns: list[str], condition: str = ""
) -> "AsyncStandardQuery":
    search = _asynchronous(table).query().nearest_to(query_vector).column("vector").distance_type("dot")
    # LanceDB accepts no limit of 0.
    return _under(search, condition).select([*columns, "_distance"]).limit(max(limit, 1))


def _most_near(query_vector: NDArray[np.float32], limit: int) -> int:
    """How many of the nearest chunks count: none for a vector of zeros, which is equally far from everything."""
    return limit if query_vector.any() else 0


def _under(search: "AsyncStandardQuery", condition: str) -> "AsyncStandardQuery":
    """The search among the rows for which a condition holds, which is checked before the best are chosen."""
    return search.where(condition) if condition else search


def _asynchronous(table: "Table") -> "AsyncTable":
    """The same table, at the same version, for queries that are coroutines.

    The public way to it opens the table once more, perhaps at a newer version than the one that was checked.
    """
    return table._table  # type: ignore[attr-defined]


def _results(*queries: "AsyncQueryBase") -> "list[pa.Table]":
    """The results of queries that run at the same time, in the order of the queries.

    A query of the synchronous table asks for the schema several times, each time in the thread of LanceDB's event loop. A search
    switched to this thread 12 times or more, which took a fifth of its processor time; now it switches twice.
    """
    from lancedb.background_loop import LOOP

    async def results() -> "list[pa.Table]":
        return await asyncio.gather(*(query.to_arrow() for query in queries))

    return LOOP.run(results())


def read_rows(table: "Table", rows: NDArray[np.int64]) -> "pa.Table":
    """The chunks in these rows, with their text and features, in the order of the rows."""
    (found,) = _results(_asynchronous(table).take_row_ids(rows.tolist()).select([_ROW, *SHOWN, *COLUMNS]))
    numbers = found[_ROW].to_numpy()
    # LanceDB promises no order, but rows that are asked for in ascending order come in this order.
    return found if (numbers[1:] > numbers[:-1]).all() else found.sort_by(_ROW)
