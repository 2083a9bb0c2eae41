"""Seals: a checksum in each row that binds a name to a value, so that a flipped bit gives a miss and never a wrong result.

A value is verified by its digest, but the row that says to which key it belongs has no digest. A seal is the CRC-32 of the
sealed columns. It detects every single flipped bit, and also a row to which a damaged index wrongly leads, since the
requested key is one of the columns. Which columns are sealed is defined in `schema`.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from operator import eq
from typing import Any
from zlib import crc32

_FUNCTION = "row_seal"
_BETWEEN = "\0"


def seal(*columns: str) -> int:
    """The seal of a row, from the text of its sealed columns in order."""
    return crc32(_BETWEEN.join(columns).encode("utf-8", "surrogatepass"))


def sound(rows: list[tuple[Any, ...]], sealed: int, *before: str) -> list[tuple[Any, ...]]:
    """The rows whose column number `sealed` is the seal of all columns before it.

    before: sealed columns that are the same for all rows and not in them; they come first in the seal.
    """
    if not rows:
        return rows
    found = are_sound([*map(repeat, before), *list(zip(*rows, strict=True))[: sealed + 1]])
    return rows if all(found) else list(compress(rows, found))


def are_sound(columns: Sequence[Iterable[Any]]) -> list[bool]:
    """For each row, given as columns, whether the last column is the seal of all columns before it."""
    *sealed, seals = columns
    try:
        # A plan of 10,000 documents reads 170,000 rows, so no loop here runs in Python.
        texts = map(_BETWEEN.join, zip(*sealed, strict=False))
        return list(map(eq, map(crc32, map(str.encode, texts)), seals))
    except (TypeError, UnicodeError):
        return [is_sound(row[:-1], row[-1]) for row in zip(*columns, strict=False)]


def is_sound(columns: Iterable[object], found: object) -> bool:
    """Whether `found` is the seal of these columns. It is not if a column is not text."""
    texts: list[str] = []
    for column in columns:
        if not isinstance(column, str):
            return False
        texts.append(column)
    return seal(*texts) == found


def sql_seal(*columns: str) -> str:
    """The SQL expression that computes the seal of columns; see `register`."""
    # The columns are passed as bytes, since damaged text may not be UTF-8. A text that a flipped bit turned into a blob has
    # no seal.
    texts = (f"CASE typeof({column}) WHEN 'blob' THEN NULL ELSE CAST({column} AS BLOB) END" for column in columns)
    return f"{_FUNCTION}({', '.join(texts)})"


def register(connection: sqlite3.Connection) -> None:
    """Register the SQL function that computes seals on a connection."""
    connection.create_function(_FUNCTION, -1, _of_bytes, deterministic=True)


def _of_bytes(*columns: bytes | None) -> int | None:
    texts = [column for column in columns if column is not None]
    return crc32(_BETWEEN.encode().join(texts)) if len(texts) == len(columns) else None
