"""Removes what was deleted from a SQLite file for good: from its free space, and from its log.

SQLite leaves the bytes of deleted rows in free pages, and those of replaced pages in the write-ahead log, until something is
written there. What was deleted in a connection with `secure_delete` is overwritten with zeros; `VACUUM` also removes what was
deleted before.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from io_managers.store.sqlite.connection import BUSY_SECONDS


def overwrite_deleted(connection: sqlite3.Connection) -> None:
    """Overwrite what this connection deletes from now on with zeros. Raises sqlite3.Error."""
    connection.execute("PRAGMA secure_delete = ON").fetchone()


def wipe(connection: sqlite3.Connection) -> None:
    """Write the file again without its free space, and empty its log. It must not be in a transaction. Raises sqlite3.Error."""
    overwrite_deleted(connection)
    connection.execute("VACUUM")
    empty_log(connection)


def empty_log(connection: sqlite3.Connection) -> None:
    """Copy the log into the file and cut it to nothing. Raises sqlite3.OperationalError if another process reads an old state."""
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("another process uses the file, so its log cannot be emptied")


def wipe_file(path: Path) -> None:
    """The same for a file that this process need not have open; one that does not exist stays so. Raises sqlite3.Error."""
    if path.exists():
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            wipe(connection)
