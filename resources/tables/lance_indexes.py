"""Maintenance of the tables: full-text and vector indexes, compaction, and removal of old versions.

The caller holds the leases of all tables, as for any commit (lance.py). Rows that no index covers yet are still found, but
more slowly, since LanceDB scans them.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from resources.tables.lance import LanceTables
from resources.tables.lance_errors import write_error
from resources.tables.lance_index_files import note_index_files
from resources.tables.lance_schema import SEARCHED
from resources.tables.text_index import SAMPLED_ROWS, TextIndex, text_index_for

if TYPE_CHECKING:
    from lancedb.table import Table

TEXT_COLUMNS = ("text", "title")
"""The columns of `chunks` that have a full-text index, with stemming and without stop words; see text_index."""

_VECTOR = "vector"
# LanceDB's own choice, but about as many lists as it reads per query (20), so that up to some hundred thousand rows nothing
# is missed. With two or three lists its k-means prints many warnings to standard error.
_ROWS_A_LIST = 8_192
_FEWEST_LISTS = 16
# Long enough for every reader to finish, and to look up a mistake of the day before (a judgement).
KEPT_VERSIONS = timedelta(days=1)


def _unknown_language(text: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class IndexedTable:
    """A table after maintenance: its state, its number of rows, and the columns with an index that covers every row."""

    table: str
    state: str
    rows: int
    indexed: tuple[str, ...]


def ensure_indexes(
    tables: LanceTables,
    *,
    vector_index_rows: int = 5_000,
    keep: timedelta = KEPT_VERSIONS,
    language_of: Callable[[str], str] = _unknown_language,
) -> list[IndexedTable]:
    """Create or update the indexes of every existing table, so that they cover every row, and compact its files.

    `chunks` gets full-text indexes and, from `vector_index_rows` rows, a vector index. The full-text indexes are made again if
    the language of most texts has changed. Small files are merged, and versions older than `keep` are removed; with a `keep` of
    zero only the newest version is kept, so no other program may use the table then. If there is nothing to do, nothing is
    committed.

    language_of: returns the language of a text, as its code in ISO 639-1; "" if it is not known.

    Raises TableWriteError, TableSchemaError and ForeignTableError like `LanceTables.write`.
    """
    return [
        _ensure(tables, table, vector_index_rows, keep, language_of)
        for table in tables.specs
        if tables.version(table) is not None
    ]


def uncovered_rows(table: "Table", column: str) -> int | None:
    """The number of rows that the index of a column does not cover; None if the column has no index."""
    for index in table.list_indices():
        if index.columns == [column]:
            stats = table.index_stats(index.name)
            return table.count_rows() if stats is None else stats.num_unindexed_rows
    return None


def drop_indexes(tables: LanceTables, table: str) -> None:
    """Remove all indexes of a table, so that the next maintenance rebuilds them. Raises the errors of `LanceTables.maintain`."""

    def work(opened: "Table") -> None:
        for index in opened.list_indices():
            opened.drop_index(index.name)

    tables.maintain(table, work)


def _ensure(
    tables: LanceTables, table: str, vector_index_rows: int, keep: timedelta, language_of: Callable[[str], str]
) -> IndexedTable:
    def work(opened: "Table") -> None:
        # Compaction comes first, so that a new index need not be adapted to moved rows.
        optimize(opened, keep)
        if table == SEARCHED:
            _make_missing(opened, vector_index_rows, text_index_for(_sampled_texts(opened), language_of))

    state = tables.maintain(table, work)
    if table == SEARCHED:
        try:
            note_index_files(tables.folder(table))
        except OSError as error:
            raise write_error(table, tables.folder(table), error) from error
    opened = tables.open(table)
    return IndexedTable(table, state, opened.count_rows(), tuple(sorted(i.columns[0] for i in opened.list_indices())))


def _sampled_texts(opened: "Table") -> list[str]:
    rows = opened.count_rows()
    step = -(-rows // SAMPLED_ROWS) or 1
    if not rows:
        return []
    return opened.take_offsets(list(range(0, rows, step))).select(["text"]).to_arrow()["text"].to_pylist()


def _make_missing(opened: "Table", vector_index_rows: int, wanted: TextIndex) -> None:
    from lancedb.index import FTS, IvfFlat

    for index in opened.list_indices():
        if index.columns[0] in TEXT_COLUMNS and not wanted.is_that_of(index.index_details):
            opened.drop_index(index.name)
    for column in TEXT_COLUMNS:
        if uncovered_rows(opened, column) is None:
            opened.create_index(column, config=FTS(base_tokenizer=wanted.tokenizer, language=wanted.language))
    rows = opened.count_rows()
    if rows >= vector_index_rows and uncovered_rows(opened, _VECTOR) is None:
        # Vectors have norm 1 or 0, so the dot product is the cosine without a division by zero. The flat format loses no
        # precision, and reading the few lists of a query is fast enough up to millions of rows.
        lists = max(_FEWEST_LISTS, rows // _ROWS_A_LIST)
        opened.create_index(_VECTOR, config=IvfFlat(distance_type="dot", num_partitions=lists))


def optimize(opened: "Table", keep: timedelta) -> None:
    """Merge small files, and remove versions older than `keep`; see ensure_indexes."""
    with warnings.catch_warnings():
        # LanceDB warns about a `keep` of zero, as the docstring of `ensure_indexes` does.
        warnings.filterwarnings("ignore", message="optimize\\(cleanup_older_than=0\\)", category=UserWarning)
        opened.optimize(cleanup_older_than=keep, delete_unverified=keep == timedelta(0))
