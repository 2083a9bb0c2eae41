"""The space that a store takes, and giving back to the disk what is free inside of its database file."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from io_managers.store.store import Store

# A smaller part of the file is left free for new results: giving it back takes longer than it is worth (a judgement).
_LEAST_SHARE = 0.1


class FileUsage(NamedTuple):
    """The bytes of a database file, and how many of them are free for new rows."""

    bytes: int
    free_bytes: int


def usage_of(connection: sqlite3.Connection) -> FileUsage:
    """How a database file is used. Raises sqlite3.Error."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return FileUsage(pages * size, free * size)


def size_of(directory: Path) -> int:
    """The size of all files in a directory; files that vanish meanwhile count as 0."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def vacuum(store: Store, *, always: bool = False) -> int | None:
    """Give free space inside of the database file back to the disk; returns how many bytes the file became smaller.

    None if that was not done: too little is free in the file (unless `always`), or the disk has no room for a copy of what is
    left. Other processes can read meanwhile, and wait with writing. Raises StoreUnavailableError.
    """
    with store.database.maintained() as connection:
        before = usage_of(connection)
        if not always and before.free_bytes < _LEAST_SHARE * before.bytes:
            return None
        # SQLite copies what is left twice: into a temporary file, and into its log.
        if shutil.disk_usage(store.directory).free < 2 * (before.bytes - before.free_bytes):
            return None
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return before.bytes - usage_of(connection).bytes
