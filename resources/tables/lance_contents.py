"""Reads all rows of a table for comparison with what should be in it: in pieces that fit into memory, with digests.

The table is read through a new connection, since one that was used before answers from its cache and not from the disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableDamagedError, reading
from resources.tables.table_spec import TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of `chunks` take about 2 KB each.
_ROWS_A_PIECE = 4_096
# A piece that cannot be read is halved until it is this share of the table, or one row.
_SMALLEST_SHARE = 1_000
# A damaged manifest may claim any number of rows. This many reads are enough to halve all pieces of a lost table.
_MOST_FAILURES = 4_000
_DIGEST_BYTES = 16
_ALL_BITS = 2 ** (8 * _DIGEST_BYTES) - 1
_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class OwnedRows:
    """A summary of all rows of one owner: their number, a digest that does not depend on their order, and their digests.

    A duplicated row gives another digest than a single one.
    """

    rows: int = 0
    digest: int = 0
    content_digests: set[str] = field(default_factory=set[str])

    def add(self, row_digest: int, content_digest: str) -> None:
        """Add one row."""
        self.rows += 1
        self.digest = (self.digest + row_digest) & _ALL_BITS
        self.content_digests.add(content_digest)


class TableContents:
    """The rows of a table at its newest version. unread: how many could not be read. fault: the error of the first one.

    Raises TableMissingError, TableSchemaError, and TableReadError if no row can be read.
    """

    def __init__(self, tables: LanceTables, table: str) -> None:
        self.unread = 0
        self._failed = 0
        self.fault: TableDamagedError | None = None
        self._table = table
        self._folder = tables.folder(table)
        self._opened = LanceTables(tables.directory, tables.specs).checked(table)
        spec = tables.specs[table]
        with reading(table, self._folder):
            self.rows = self._opened.count_rows()
            self.schema = spec.schema(spec.dimensions_of(self._opened.schema))

    def pieces(self) -> Iterator["pa.Table"]:
        """All readable rows in the order of the table, with strings as bytes.

        Raises TableReadError if something other than damage prevents reading.
        """
        for start in range(0, self.rows, _ROWS_A_PIECE):
            if self._failed > _MOST_FAILURES:
                self.unread += self.rows - start
                return
            yield from self._piece(start, min(start + _ROWS_A_PIECE, self.rows))

    def _piece(self, start: int, stop: int) -> Iterator["pa.Table"]:
        try:
            rows = self._read(start, stop)
        except TableDamagedError as error:
            self.fault = self.fault or error
            self._failed += 1
            if stop - start <= max(1, self.rows // _SMALLEST_SHARE) or self._failed > _MOST_FAILURES:
                self.unread += stop - start
                return
            middle = (start + stop) // 2
            yield from self._piece(start, middle)
            yield from self._piece(middle, stop)
        else:
            yield rows

    def _read(self, start: int, stop: int) -> "pa.Table":
        with reading(self._table, self._folder):
            found = self._opened.search().select(self.schema.names).limit(stop - start).offset(start).to_arrow()
            found.validate()
            rows = as_bytes(found)
            rows.validate(full=True)
            if rows.num_rows != stop - start:
                raise ValueError(f"{rows.num_rows} rows were read instead of {stop - start}")
        return rows


def as_bytes(rows: "pa.Table") -> "pa.Table":
    """The same rows with bytes instead of strings, since damaged strings may not be UTF-8."""
    import pyarrow as pa

    def plain(type_: "pa.DataType") -> "pa.DataType":
        if pa.types.is_string(type_):
            return pa.binary()
        return pa.list_(pa.binary()) if pa.types.is_list(type_) and pa.types.is_string(type_.value_type) else type_

    return rows.cast(pa.schema([pa.field(f.name, plain(f.type), f.nullable) for f in rows.schema]))


def rows_by_owner(spec: TableSpec, rows: "pa.Table", into: dict[str, OwnedRows]) -> None:
    """Add rows from `as_bytes` to the summaries of their owners; "" owns all rows of a table without owners."""
    owners = rows[spec.owner].to_pylist() if spec.owner else [b""] * rows.num_rows
    digests = rows["content_digest"].to_pylist()
    for owner, content_digest, row_digest in zip(owners, digests, row_digests(rows), strict=True):
        into.setdefault(text_of(owner), OwnedRows()).add(row_digest, text_of(content_digest))


def row_digests(rows: "pa.Table") -> list[int]:
    """A digest per row over all bits of all columns; vectors are taken as they are in memory."""
    columns = [_values(rows, name) for name in rows.column_names]
    hashed = (blake2b(_encode(row), digest_size=_DIGEST_BYTES).digest() for row in zip(*columns, strict=True))
    return [int.from_bytes(digest) for digest in hashed]


def text_of(found: bytes | None) -> str:
    """Bytes as text that can be shown, even if they are not UTF-8."""
    return (found or b"").decode("utf-8", "backslashreplace")


def _values(rows: "pa.Table", name: str) -> list[Any]:
    import numpy as np
    import pyarrow as pa

    column, type_ = rows[name], rows.schema.field(name).type
    if not pa.types.is_fixed_size_list(type_):
        return column.to_pylist()
    vectors: list[Any] = []
    for chunk in column.chunks:
        numbers = np.ascontiguousarray(chunk.flatten().to_numpy(zero_copy_only=False))
        if len(numbers) == len(chunk) * type_.list_size:
            vectors += [vector.tobytes() for vector in numbers.reshape(len(chunk), type_.list_size)]
        else:  # a vector is null, which no vector of ours is
            vectors += chunk.to_pylist()
    return vectors
