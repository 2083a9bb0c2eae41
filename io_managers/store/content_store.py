"""Digest -> bytes. Immutable, verified on every read.

What belongs here: where bytes lie and whether they are what their digest says. What does not: how they are laid out on
disk (stored_bytes), what they mean (codecs) and who needs them (actions, refs).

Values up to LARGE_BYTES lie in the database, where a group of them shares one flush; larger ones are files.

Bytes that are missing or wrong are looked at again under the write lock before anything is forgotten: another process
may have computed them anew in the meantime, and what it was told is durable must stay. Writing heals: a row or a file
that differs from what is put is replaced by it.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from io_managers.store.database import Database, Row, Write
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreError, StoreUnavailableError
from io_managers.store.fingerprint import content_digest
from io_managers.store.stored_bytes import Files, expand, shrink

# Measured by benchmarks/store.py: below it a row in the database is durable sooner than a file, above it later.
LARGE_BYTES = 1 << 20
_PUT = (
    "INSERT INTO objects (content_digest, size_bytes, compressed, data) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " size_bytes = excluded.size_bytes, compressed = excluded.compressed, data = excluded.data"
    " WHERE data IS NOT excluded.data OR compressed <> excluded.compressed OR size_bytes <> excluded.size_bytes"
)
_GET = "SELECT size_bytes, compressed, data FROM objects WHERE content_digest = ?"


class ContentStore(Protocol):
    """What the rest of the store needs of one; tests/store/test_content_store.py is its conformance suite."""

    def prepare(self, data: bytes, *, compressible: bool = True) -> tuple[str, list[Write]]:
        """The digest of `data` and the rows to commit for it; large bytes are durable when this returns."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises MissingObjectError, or CorruptObjectError after moving them to quarantine.

        After either of them the actions that led to the digest are misses.
        """
        ...

    def contains(self, digest: str) -> bool:
        """Whether bytes are recorded under the digest (not whether they are intact: `get` verifies)."""
        ...

    def digests(self) -> Iterator[str]:
        """Every digest recorded, in no particular order."""
        ...


class SqliteContentStore:
    """Small values in the database, large ones as files beside it."""

    def __init__(self, database: Database, directory: Path) -> None:
        self._database = database
        self._files = Files(directory)

    def prepare(self, data: bytes, *, compressible: bool = True) -> tuple[str, list[Write]]:
        """See ContentStore. Raises StoreUnavailableError where a large value cannot be written."""
        digest = content_digest(data)
        stored, compressed = shrink(data) if compressible else (data, False)
        if len(stored) > LARGE_BYTES:
            self._files.put(digest, stored)
            stored = None
        statement, row = put_row(digest, len(data), compressed, stored)
        return digest, [(statement, [row])]

    def get(self, digest: str) -> bytes:
        """See ContentStore. Raises StoreUnavailableError where the disk fails."""
        rows = self._database.read(_GET, (digest,))
        try:
            return self._open(digest, rows[0] if rows else None)
        except (MissingObjectError, CorruptObjectError) as error:
            first = error
        try:
            data, error = self._look_again(digest)
        except (StoreUnavailableError, OSError) as refusal:
            # It cannot be put aside, on a read-only disk for example; what is wrong with it is still the news.
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
        """The data, if it was mended meanwhile; else forget it, and say what is wrong."""
        with self._database.volatile_transaction() as connection:
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
                    # Files are not under the lock: this may be a sound one, put there since.
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

    def digests(self) -> Iterator[str]:
        """See ContentStore."""
        for (digest,) in self._database.read("SELECT content_digest FROM objects"):
            yield digest


def put_row(digest: str, size_bytes: int, compressed: bool, stored: bytes | None) -> tuple[str, Row]:
    """The statement, and the row for it, that records a value; stored: None where the bytes are a file."""
    return _PUT, (digest, size_bytes, compressed, stored)


def _verified(digest: str, data: bytes) -> bytes:
    found = content_digest(data)
    if found != digest:
        raise CorruptObjectError(digest, found)
    return data
