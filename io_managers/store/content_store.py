"""The content store: values by digest, immutable and verified at every read.

Values up to LARGE_BYTES are rows of the database, so that a group of them shares one flush; larger ones are files. Their
compression is in `stored_bytes`, their encoding in `codecs`.

Before a missing or damaged value is deleted, it is read again under the write lock: another process may have computed and
stored it meanwhile, and that copy must stay. Writing repairs: a stored row or file that differs is replaced.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from io_managers.store.codecs.stored_bytes import Files, expand, shrink
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreError, StoreUnavailableError
from io_managers.store.fingerprint import content_digest
from io_managers.store.sqlite.database import Database, Row, Write

# Measured with benchmarks/store.py: up to this size a row in the database is durable sooner than a file.
LARGE_BYTES = 1 << 20
_PUT = (
    "INSERT INTO objects (content_digest, size_bytes, compressed, data) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " size_bytes = excluded.size_bytes, compressed = excluded.compressed, data = excluded.data"
    # A damaged index may lead to the row of another digest, which must not be overwritten.
    " WHERE objects.content_digest = excluded.content_digest AND (data IS NOT excluded.data"
    " OR compressed <> excluded.compressed OR size_bytes <> excluded.size_bytes)"
)
_GET = "SELECT size_bytes, compressed, data FROM objects WHERE content_digest = ?"
_SIZES = "SELECT content_digest, size_bytes FROM json_each(?) CROSS JOIN objects ON content_digest = value"


class ContentStore(Protocol):
    """The interface of a content store; tests/io_managers/store/test_content_store.py is its conformance suite.

    is_shared: whether values may be elsewhere, so that it pays to fetch many at once.
    """

    is_shared: bool

    def prepare(self, data: bytes, *, compressible: bool = True) -> tuple[str, list[Write]]:
        """The digest of `data` and the rows to commit for it; a large value is durable when this returns."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises MissingObjectError, or CorruptObjectError after moving the bytes to quarantine.

        After either error the actions with this digest are misses.
        """
        ...

    def contains(self, digest: str) -> bool:
        """Whether bytes are recorded under the digest. Only `get` verifies them."""
        ...

    def fetch(self, digests: Iterable[str]) -> None:
        """Bring values that are elsewhere here, many at once, before they are opened one after the other."""
        ...

    def sizes(self, digests: Iterable[str]) -> dict[str, int]:
        """The number of bytes of each recorded value, by digest. Nothing is opened or verified."""
        ...

    def digests(self) -> Iterator[str]:
        """All recorded digests, in no particular order."""
        ...


class SqliteContentStore:
    """A content store with small values in the database and large ones in files beside it."""

    is_shared = False

    def __init__(self, database: Database, directory: Path) -> None:
        self._database = database
        self._files = Files(directory)

    def prepare(self, data: bytes, *, compressible: bool = True) -> tuple[str, list[Write]]:
        """See ContentStore. Raises StoreUnavailableError if a large value cannot be written."""
        digest = content_digest(data)
        stored, compressed = shrink(data) if compressible else (data, False)
        if len(stored) > LARGE_BYTES:
            self._files.put(digest, stored)
            stored = None
        statement, row = put_row(digest, len(data), compressed, stored)
        return digest, [(statement, [row])]

    def get(self, digest: str) -> bytes:
        """See ContentStore. Raises StoreUnavailableError if the disk fails."""
        rows = self._database.read(_GET, (digest,))
        try:
            return self._open(digest, rows[0] if rows else None)
        except (MissingObjectError, CorruptObjectError) as error:
            first = error
        try:
            data, error = self._look_again(digest)
        except (StoreUnavailableError, OSError) as refusal:
            # It cannot be moved, for example on a read-only disk; the damage itself is still what is reported.
            raise first from refusal
        if data is None:
            raise error or first
        return data

    def _open(self, digest: str, row: Row | None) -> bytes:
        if row is None:
            raise MissingObjectError(digest)
        size_bytes, compressed, stored = row
        if stored is None:
            stored = self._files.read(digest)
            if stored is None:
                raise MissingObjectError(digest)
        return _verified(digest, expand(stored, size_bytes, compressed))

    def _look_again(self, digest: str) -> tuple[bytes | None, StoreError | None]:
        """Read a value again under the write lock: its data if it is intact now, otherwise the error after deleting it."""
        with self._database.volatile_transaction() as connection:
            _lead_to_own_row(connection, digest)
            row: Row | None = connection.execute(_GET, (digest,)).fetchone()
            try:
                return self._open(digest, row), None
            except MissingObjectError as error:
                wrong = error
            except CorruptObjectError as error:
                wrong = CorruptObjectError(digest, error.found, quarantined=True)
                size_bytes, compressed, stored = row or (0, False, b"")
                if stored is None:
                    aside = self._files.set_aside(digest)
                    # Files are not under the lock, so this may be an intact one that was written meanwhile.
                    data = expand(aside.read_bytes(), size_bytes, compressed)
                    if content_digest(data) == digest:
                        self._files.put_back(aside, digest)
                        return data, None
                connection.execute(
                    "INSERT INTO quarantine (content_digest, found_digest, found_at, data) VALUES (?, ?, ?, ?)",
                    (digest, error.found, time.time(), stored),
                )
            connection.execute("DELETE FROM objects WHERE content_digest = ?", (digest,))
            connection.execute("DELETE FROM actions WHERE content_digest = ?", (digest,))
        return None, wrong

    def contains(self, digest: str) -> bool:
        """See ContentStore."""
        rows = self._database.read("SELECT data IS NULL FROM objects WHERE content_digest = ?", (digest,))
        return bool(rows) and (not rows[0][0] or self._files.path(digest).exists())

    def fetch(self, digests: Iterable[str]) -> None:
        """See ContentStore. All values are here."""

    def sizes(self, digests: Iterable[str]) -> dict[str, int]:
        """See ContentStore."""
        return dict(self._database.read(_SIZES, (json.dumps(sorted(digests)),)))

    def digests(self) -> Iterator[str]:
        """See ContentStore."""
        for (digest,) in self._database.read("SELECT content_digest FROM objects"):
            yield digest


def _lead_to_own_row(connection: sqlite3.Connection, digest: str) -> None:
    """Rebuild the index if it leads from a digest to the row of another digest, which must not be deleted."""
    for (rowid,) in connection.execute("SELECT rowid FROM objects WHERE content_digest = ?", (digest,)).fetchall():
        # The row is read by its rowid, since SQLite would otherwise answer from the index.
        own = connection.execute("SELECT content_digest FROM objects WHERE rowid = ?", (rowid,)).fetchone()
        if own != (digest,):
            connection.execute("REINDEX objects")
            return


def put_row(digest: str, size_bytes: int, compressed: bool, stored: bytes | None) -> tuple[str, Row]:
    """The statement and the row that record a value. stored: its bytes; None if they are in a file."""
    return _PUT, (digest, size_bytes, compressed, stored)


def _verified(digest: str, data: bytes) -> bytes:
    found = content_digest(data)
    if found != digest:
        raise CorruptObjectError(digest, found)
    return data
