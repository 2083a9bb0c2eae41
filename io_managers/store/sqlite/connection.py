"""Connections to a SQLite file: how it is opened (modes, durability, read-only directories) and transactions on it.

Threads and queues are in `database`, the tables in `schema`.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from io_managers.store.sqlite.schema import PAGE_BYTES
from io_managers.store.sqlite.seals import register

BUSY_SECONDS = 60
# A checkpoint after 32 MB of log (a judgement), so that a page that many groups have changed is written only once.
_CHECKPOINT_PAGES = (32 << 20) // PAGE_BYTES
_CACHE_KIB = 16 << 10

Row = tuple[Any, ...]
# A statement and the rows that it is run with. Large values are the last column of their row.
Write = tuple[str, Sequence[Row]]


def connect(path: Path, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> sqlite3.Connection:
    """A connection in WAL mode whose commits are on the disk when they return (FULL), or soon after (NORMAL).

    Any thread may use it, one at a time. A file in a read-only directory is opened for reading.
    Raises sqlite3.Error.
    """
    target, is_uri = str(path), False
    if not os.access(path.parent, os.W_OK) and path.exists() and not log_of(path).exists():
        # SQLite can read a file in WAL mode in a read-only directory only if it is opened as immutable.
        target, is_uri = path.absolute().as_uri() + "?immutable=1", True
    connection = sqlite3.connect(
        target, uri=is_uri, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        register(connection)
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        _enter_wal_mode(connection)
        for pragma in (
            f"synchronous = {synchronous}",
            # This has an effect on macOS only, where a plain fsync leaves the bytes in the cache of the drive.
            "fullfsync = 1",
            "checkpoint_fullfsync = 1",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
            # A log that grew during a long read is truncated.
            f"journal_size_limit = {_CHECKPOINT_PAGES * PAGE_BYTES * 2}",
            f"cache_size = -{_CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def log_of(path: Path) -> Path:
    """The write-ahead log, in which SQLite keeps the commits that are not in the file yet."""
    return path.with_name(path.name + "-wal")


def error_code(error: BaseException) -> int:
    """The primary error code of SQLite; 0 if the error has none."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _enter_wal_mode(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            code = error_code(error)
            if code == sqlite3.SQLITE_READONLY:  # reading still works
                return
            # If many processes open a new store at once, the change of mode does not wait for the lock by itself.
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
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself then; the first error is the cause
                connection.execute("ROLLBACK")
        raise


def commit_group(connection: sqlite3.Connection, group: Sequence[Sequence[Write]]) -> None:
    """Run the writes of several writers in one transaction, in the given order."""
    with transaction(connection):
        for statement, rows in _merged(group):
            connection.executemany(statement, rows)


def _merged(group: Sequence[Sequence[Write]]) -> Iterator[Write]:
    """The statements of a group. Adjacent writers with the same statements are merged, so that each statement runs once.

    Only adjacent writers are merged, since the order matters if one writer inserts a row and another deletes it.
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
