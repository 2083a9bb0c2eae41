"""Indexes and upkeep of the tables: full text, vectors, compaction, old versions. What does not belong here: rows.

The caller holds the locks of all tables meanwhile, as for any commit (lance.py). Rows that no index covers yet are
still found, only slower: LanceDB scans them.
"""

import warnings
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from resources.lance import LanceTables
from resources.lance_schema import TABLES

if TYPE_CHECKING:
    from lancedb.table import Table

TEXT_COLUMNS = ("text", "title")
"""The columns of `chunks` that have a full-text index: words stemmed, stop words left out."""

_SEARCHED = "chunks"
_VECTOR = "vector"
# LanceDB's own choice, but not fewer lists than it reads for a query (20), less a few: up to some hundred thousand
# rows nothing is missed. With two or three lists its k-means fills standard error with warnings.
_ROWS_A_LIST = 8_192
_FEWEST_LISTS = 16
# Long enough for any reader to finish, and for a mistake of yesterday to be looked up.
KEPT_VERSIONS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class IndexedTable:
    """A table after upkeep: its state, its rows, and the columns that have an index that covers every row."""

    table: str
    state: str
    rows: int
    indexed: tuple[str, ...]


def ensure_indexes(
    tables: LanceTables, *, vector_index_rows: int = 5_000, keep: timedelta = KEPT_VERSIONS
) -> list[IndexedTable]:
    """Give every table that exists the indexes it should have, covering every row, and tidy its files.

    `chunks` gets full-text indexes and, from `vector_index_rows` rows, an index of its vectors. Small files are
    merged, versions older than `keep` removed; a `keep` of zero leaves the newest alone, for which no other program
    may be using the table. Commits nothing where there is nothing to do.
    Raises TableWriteError, TableSchemaError, ForeignTableError as `LanceTables.write`.
    """
    return [_ensure(tables, table, vector_index_rows, keep) for table in TABLES if tables.version(table) is not None]


def uncovered_rows(table: "Table", column: str) -> int | None:
    """How many rows the index of a column does not cover; None where the column has no index."""
    for index in table.list_indices():
        if index.columns == [column]:
            stats = table.index_stats(index.name)
            return table.count_rows() if stats is None else stats.num_unindexed_rows
    return None


def _ensure(tables: LanceTables, table: str, vector_index_rows: int, keep: timedelta) -> IndexedTable:
    def work(opened: "Table") -> None:
        # Compaction first: an index that is made afterwards need not be adapted to the moved rows.
        _optimize(opened, keep)
        if table == _SEARCHED:
            _make_missing(opened, vector_index_rows)

    state = tables.maintain(table, work)
    opened = tables.open(table)
    return IndexedTable(table, state, opened.count_rows(), tuple(sorted(i.columns[0] for i in opened.list_indices())))


def _make_missing(opened: "Table", vector_index_rows: int) -> None:
    from lancedb.index import FTS, IvfFlat

    for column in TEXT_COLUMNS:
        if uncovered_rows(opened, column) is None:
            opened.create_index(column, config=FTS())
    rows = opened.count_rows()
    if rows >= vector_index_rows and uncovered_rows(opened, _VECTOR) is None:
        # Vectors are of length 1 or 0, for which dot is cosine without its division by zero. Flat: it loses no
        # precision, and reading the few lists that a query needs is fast enough up to millions of rows.
        lists = max(_FEWEST_LISTS, rows // _ROWS_A_LIST)
        opened.create_index(_VECTOR, config=IvfFlat(distance_type="dot", num_partitions=lists))


def _optimize(opened: "Table", keep: timedelta) -> None:
    with warnings.catch_warnings():
        # It warns of a `keep` of zero, which the docstring of `ensure_indexes` does as well.
        warnings.filterwarnings("ignore", message="optimize\\(cleanup_older_than=0\\)", category=UserWarning)
        opened.optimize(cleanup_older_than=keep, delete_unverified=keep == timedelta(0))
