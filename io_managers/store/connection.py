"""Connections to one SQLite file, and transactions on them.

What belongs here: how a file is opened (modes, durability, what a read-only directory needs) and how a transaction
ends. What does not: threads, who waits for what (database), and the tables (schema).
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from io_managers.store.schema import PAGE_BYTES

BUSY_SECONDS = 60
# 32 MB of log before it is folded into the file: each page that many groups touched is then written once.
_CHECKPOINT_PAGES = (32 << 20) // PAGE_BYTES
_CACHE_KIB = 16 << 10

Row = tuple[Any, ...]
# One statement and the rows that it is run with. Values of many bytes stand last in their row.
Write = tuple[str, Sequence[Row]]


def connect(path: Path, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> sqlite3.Connection:
    """A connection in WAL mode whose commits are on the disk when they return (FULL), or soon after (NORMAL).

    Any thread may use it, one at a time. A file in a directory that cannot be written to is opened for reading.
    Raises sqlite3.Error.
    """
    target, is_uri = str(path), False
    if not os.access(path.parent, os.W_OK) and path.exists() and not log_of(path).exists():
        # SQLite reads a file in WAL mode from a directory that it cannot write to only when told that nobody does.
        target, is_uri = path.absolute().as_uri() + "?immutable=1", True
    connection = sqlite3.connect(
        target, uri=is_uri, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        _enter_wal_mode(connection)
        for pragma in (
            f"synchronous = {synchronous}",
            # Of effect on macOS only, where a plain fsync leaves the bytes in the drive's cache.
            "fullfsync = 1",
            "checkpoint_fullfsync = 1",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
            f"cache_size = -{_CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def log_of(path: Path) -> Path:
    """Where SQLite keeps the commits that are not in the file yet."""
    return path.with_name(path.name + "-wal")


def error_code(error: BaseException) -> int:
    """The primary code of an error of SQLite; 0 where it has none."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _enter_wal_mode(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            code = error_code(error)
            if code == sqlite3.SQLITE_READONLY:  # it can still be read
                return
            # Many processes that open a new store at once: the change of mode does not wait for the lock by itself.
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A write transaction: committed when the body ends, rolled back when the body or the commit fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # SQLite has then rolled back by itself, and the first error says why
                connection.execute("ROLLBACK")
        raise


def commit_group(connection: sqlite3.Connection, group: Sequence[Sequence[Write]]) -> None:
    """Run the writes of several writers in one transaction, in their order."""
    with transaction(connection):
        for statement, rows in _merged(group):
            connection.executemany(statement, rows)


def _merged(group: Sequence[Sequence[Write]]) -> Iterator[Write]:
    """The statements of a group; those of neighbours that consist of the same statements run together, row after row.

    Only neighbours: of two writers, one that inserts a row and one that deletes it, the later one wins.
    """
    statements: list[str] = []
    merged: list[list[Row]] = []
    for writes in group:
        own = [statement for statement, _ in writes]
        if own != statements:
            yield from zip(statements, merged, strict=True)
            statements, merged = own, [[] for _ in own]
        for rows, (_, more) in zip(merged, writes, strict=True):
            rows.extend(more)
    yield from zip(statements, merged, strict=True)
