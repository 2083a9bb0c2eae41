"""Compression of values, and files named by digest. `content_store` decides what is a file, and verifies digests."""

import os
import threading
from functools import cache
from pathlib import Path

import zstandard

from io_managers.store.errors import StoreUnavailableError
from io_managers.store.whole_files import flush_directory, write_whole

# Smaller values fit into one page of the database, so compressing them costs more than it saves.
COMPRESS_BYTES = 4096


class _Zstd(threading.local):
    """Compression contexts per thread: creating one takes longer than compressing 2 KB, and threads cannot share it."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1, write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor()


@cache
def _zstd() -> _Zstd:
    return _Zstd()


def shrink(data: bytes) -> tuple[bytes, bool]:
    """`data`, compressed if that makes it smaller, and whether it is compressed."""
    if len(data) >= COMPRESS_BYTES:
        smaller = _zstd().compressor.compress(data)
        if len(smaller) < len(data):
            return smaller, True
    return data, False


def expand(stored: bytes, size_bytes: int, compressed: bool) -> bytes:
    """The data of stored bytes. Damaged bytes are returned unchanged; the check of the digest detects them."""
    if not compressed or stored_size(stored, compressed) != size_bytes:
        return stored
    try:
        return _zstd().decompressor.decompress(stored)
    except zstandard.ZstdError:
        return stored


def stored_size(stored: bytes, compressed: bool) -> int:
    """The size of the data by the header of the stored bytes; if it is damaged, any number."""
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
        """The path for the bytes of a digest, whether or not it exists."""
        name = digest.removeprefix("sha256:")
        return self.directory / name[:2] / name[2:]

    def read(self, digest: str) -> bytes | None:
        """The stored bytes; None if there is no file. Raises StoreUnavailableError if the disk fails."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailableError(
                f"The value {digest} cannot be read: {error}.",
                f"Check the disk and the permissions of {self.directory}.",
            ) from error

    def put(self, digest: str, stored: bytes) -> None:
        """Write a file durably; a file with other content is replaced. Raises StoreUnavailableError.

        The time of a file that is there already is renewed, so that no collection removes it before it is committed.
        """
        path = self.path(digest)
        try:
            if not _renewed(path, stored):
                write_whole(path, stored)
            for directory in (path.parent, self.directory, self.directory.parent):
                flush_directory(directory)
        except OSError as error:
            raise StoreUnavailableError(
                f"The store {self.directory} cannot write a value of {len(stored):,} bytes: {error.strerror}.",
                "Free some space or fix the permissions, then run again: all finished work is kept.",
            ) from error

    def set_aside(self, digest: str) -> Path:
        """Move a file to quarantine, where a person can inspect it, and return its new path. Raises OSError."""
        self.quarantine.mkdir(parents=True, exist_ok=True)
        aside = self.quarantine / digest.removeprefix("sha256:")
        os.replace(self.path(digest), aside)
        return aside

    def put_back(self, aside: Path, digest: str) -> None:
        """Undo `set_aside`. Raises OSError."""
        os.replace(aside, self.path(digest))


def _renewed(path: Path, stored: bytes) -> bool:
    """Whether the file is there with this content; then its time is renewed."""
    try:
        if path.stat().st_size != len(stored) or path.read_bytes() != stored:
            return False
        os.utime(path)
    except OSError:
        return False
    return True
