"""How a value's bytes are kept: compressed where that pays, and as files where they are many.

What belongs here: compression and files by digest. What does not: which of the two a value goes to, and whether bytes
are what their digest says (content_store).

A file is written under a temporary name in its own directory, flushed, renamed, and its directory flushed: under its
own name it is there whole or not at all.
"""

import contextlib
import os
import threading
import uuid
from functools import cache
from pathlib import Path

import zstandard

from io_managers.store.errors import StoreUnavailableError

# Smaller values fit a page of the database: compressing them costs more than it saves.
COMPRESS_BYTES = 4096


class _Zstd(threading.local):
    """Contexts cost more than compressing 2 KB does, and serve one thread each."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor()


@cache
def _zstd() -> _Zstd:
    return _Zstd()


def shrink(data: bytes) -> tuple[bytes, bool]:
    """`data` compressed where that makes it smaller, and whether it is."""
    if len(data) >= COMPRESS_BYTES:
        smaller = _zstd().compressor.compress(data)
        if len(smaller) < len(data):
            return smaller, True
    return data, False


def expand(stored: bytes, size_bytes: int, compressed: bool) -> bytes:
    """The data of stored bytes; damaged ones come back as they are, for their digest to tell."""
    if not compressed or stored_size(stored, compressed) != size_bytes:
        return stored
    try:
        return _zstd().decompressor.decompress(stored)
    except zstandard.ZstdError:
        return stored


def stored_size(stored: bytes, compressed: bool) -> int:
    """How many bytes of data the stored ones say that they are; a damaged header may say any number."""
    if not compressed:
        return len(stored)
    try:
        return zstandard.get_frame_parameters(stored).content_size
    except zstandard.ZstdError:
        return -1


class Files:
    """Files named by digest."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.quarantine = directory.with_name("quarantine")

    def path(self, digest: str) -> Path:
        """Where the bytes of a digest lie, whether they are there or not."""
        name = digest.removeprefix("sha256:")
        return self.directory / name[:2] / name[2:]

    def read(self, digest: str) -> bytes | None:
        """The stored bytes; None where there is no file. Raises StoreUnavailableError where the disk fails."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailableError(
                f"The value {digest} cannot be read: {error}. Check the disk and the permissions of {self.directory}."
            ) from error

    def put(self, digest: str, stored: bytes) -> None:
        """Durable when it returns; a file that differs is replaced. Raises StoreUnavailableError."""
        path = self.path(digest)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _holds(path, stored):
                with open(temporary, "xb") as file:
                    file.write(stored)
                    file.flush()
                    _flush(file.fileno())
                os.replace(temporary, path)
            for directory in (path.parent, self.directory, self.directory.parent):
                _flush_directory(directory)
        except OSError as error:
            raise StoreUnavailableError(
                f"The store {self.directory} cannot take a value of {len(stored):,} bytes: {error.strerror}. "
                "Free some space or mend the permissions, then run again: all finished work is kept."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def set_aside(self, digest: str) -> Path:
        """Move a file to quarantine, where a person may look at it; gives where to. Raises OSError."""
        self.quarantine.mkdir(parents=True, exist_ok=True)
        aside = self.quarantine / digest.removeprefix("sha256:")
        os.replace(self.path(digest), aside)
        return aside

    def put_back(self, aside: Path, digest: str) -> None:
        """Undo `set_aside`. Raises OSError."""
        os.replace(aside, self.path(digest))


def _holds(path: Path, stored: bytes) -> bool:
    try:
        return path.stat().st_size == len(stored) and path.read_bytes() == stored
    except OSError:
        return False


def _flush(descriptor: int) -> None:
    try:
        import fcntl

        # macOS: a plain fsync leaves the bytes in the drive's cache.
        full_flush = fcntl.F_FULLFSYNC  # pyright: ignore[reportAttributeAccessIssue] - not on Linux
    except (ImportError, AttributeError):
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, full_flush)


def _flush_directory(directory: Path) -> None:
    if os.name == "nt":  # directories cannot be opened there, and renames are journalled
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
