"""Detects that a database was separated from its log, as when only its `.db` file was copied or restored.

SQLite keeps the newest commits in a log beside the file. Without the log the file is intact but older, and SQLite reports
nothing. Two things reveal it:

- A small file beside the database stores its position after the last commit. It is written after the commit and not flushed,
  so it may lag after a kill or a power failure but is never ahead. A database behind this position has lost commits.
- The database contains the names of its writers: each is added to the main file before its first commit and removed when it
  closes the file. A main file without a log and without the small file, but with a writer in it, was copied while newer
  commits were in the log.
"""

import json
import logging
import os
import sqlite3
import struct
import uuid
from contextlib import suppress
from pathlib import Path

from io_managers.store import processes
from io_managers.store.sqlite.connection import log_of, transaction

logger = logging.getLogger(__name__)

_FORMAT = struct.Struct("<qq")
_UNSURE = (-1, -1)
_HAS_WRITERS = "SELECT 1 FROM sqlite_master WHERE name = 'writers'"

_said: set[Path] = set()


class LogWatch:
    """Watches the log of one opened database, within one process."""

    def __init__(self, path: Path) -> None:
        """Create this before the file is opened, since opening it creates a log."""
        self._path = path
        self._file = position_of(path)
        self._had_log = log_of(path).exists()
        self._kept = self._read()
        self._id = uuid.uuid4().hex
        self._descriptor: int | None = None
        self._entered = False

    def check(self, connection: sqlite3.Connection) -> None:
        """Warn, once per process, if commits are missing. Raises sqlite3.Error."""
        lost = self._lost(connection)
        if not lost or self._path in _said:
            return
        _said.add(self._path)
        log = log_of(self._path).name
        logger.warning(
            f"The log {log} of {self._path} is missing: the file was copied or restored without its log, or the log was "
            f"deleted, while it was in use. {lost} They will be computed and paid for again. If you still have {log}, put it "
            f"beside {self._path.name} before you run anything else. Make copies with `seedbank backup DIR`, which copies "
            "everything."
        )

    def enter(self, connection: sqlite3.Connection) -> None:
        """Record this process as a writer in the main file, before its first commit. Raises sqlite3.Error."""
        with transaction(connection):
            connection.execute("CREATE TABLE IF NOT EXISTS writers (writer TEXT PRIMARY KEY, process TEXT NOT NULL)")
            if not self._had_log:  # no other process has the file open, so other names were left by killed processes
                connection.execute("DELETE FROM writers")
            process = processes.this_process()
            row = (self._id, json.dumps([process.place, process.pid, process.started]))
            connection.execute("INSERT OR REPLACE INTO writers VALUES (?, ?)", row)
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._entered = True

    def committed(self, connection: sqlite3.Connection) -> None:
        """Store the position of the database after a commit, without waiting for the disk."""
        with suppress(OSError):
            if self._descriptor is None:
                self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
            os.pwrite(self._descriptor, _FORMAT.pack(*_position(connection)), 0)

    def unsure(self) -> None:
        """Delete the stored position before results are removed; it is unknown until the next commit."""
        with suppress(OSError):
            if self._file.exists():
                self._file.write_bytes(_FORMAT.pack(*_UNSURE))

    def leave(self, connection: sqlite3.Connection) -> None:
        """Remove this process from the writers, since it commits nothing more."""
        if self._entered:
            with suppress(sqlite3.Error), transaction(connection):
                writers = connection.execute("SELECT writer, process FROM writers").fetchall()
                gone = [(writer,) for writer, process in writers if writer == self._id or _is_dead(process)]
                connection.executemany("DELETE FROM writers WHERE writer = ?", gone)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lost(self, connection: sqlite3.Connection) -> str:
        found = _position(connection)
        if self._kept != _UNSURE:
            if found >= self._kept:
                return ""
            if found[0] == self._kept[0]:
                return f"The newest {self._kept[1] - found[1]:,} results are missing."
            return "The newest results are missing."
        if self._had_log or not connection.execute(_HAS_WRITERS).fetchone():
            return ""
        if not connection.execute("SELECT 1 FROM writers").fetchone():
            return ""
        return "The newest results may be missing."

    def _read(self) -> tuple[int, int]:
        try:
            schema, last = _FORMAT.unpack(self._file.read_bytes())
        except (OSError, struct.error):
            return _UNSURE
        return schema, last


def _is_dead(process: str) -> bool:
    """Whether a writer of this host was killed; a writer on another host counts as alive."""
    alive, _ = processes.judge(processes.Process(*json.loads(process)), "", None)
    return not alive


def position_of(path: Path) -> Path:
    """The file that stores the position of a database."""
    return path.with_name(path.name + "-position")


def _position(connection: sqlite3.Connection) -> tuple[int, int]:
    """The position of a database, which grows with each finished action and each change of the schema."""
    (schema,) = connection.execute("PRAGMA schema_version").fetchone()
    (last,) = connection.execute("SELECT max(rowid) FROM actions").fetchone()
    return schema, last or 0
