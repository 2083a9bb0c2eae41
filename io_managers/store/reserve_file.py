"""A file whose space is allocated in advance, so that records can be added to it when the disk is full.

Several processes may use it. Where such files are is decided in `reserve`, and what a record means in `store`.

Layout: a block with the magic, the generation, and a flag that a process could not write the store; then records, each with
the generation, its length and a checksum. Emptying the file increments the generation, which invalidates all records. The
list of records ends at the first one without the current generation or with a wrong checksum, such as one that a crash
truncated.
"""

import errno
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MAGIC = b"SEEDBANK-RESERV1"
_HEADER = struct.Struct(">16sQB")
_STOPPED_AT = 24
_FIRST_RECORD = 4096
_RECORD = struct.Struct(">QQ32s")
_ZEROS = bytes(1 << 20)


class ReserveFile:
    """A reserve file. It is created by `prepare`, and only its owner can read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def exists(self) -> bool:
        """Whether the file exists and belongs to this user. In a shared directory other users may create such a file."""
        try:
            status = os.lstat(self.path)
        except OSError:
            return False
        own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
        return own and os.path.isfile(self.path) and not os.path.islink(self.path)

    def prepare(self, size_bytes: int) -> None:
        """Allocate at least this many bytes. Raises OSError if there is no space; no new file is left then."""
        if self.path.exists() and not self.exists():
            raise PermissionError(errno.EACCES, "it does not belong to this user", str(self.path))
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked(create=True) as descriptor:
            try:
                if os.fstat(descriptor).st_size < size_bytes:
                    _allocate(descriptor, size_bytes)
                if self._generation(descriptor) is None:
                    _write_at(descriptor, _HEADER.pack(_MAGIC, 1, 0), 0)
                os.fsync(descriptor)
            except OSError:
                if self._generation(descriptor) is None:
                    self.close()
                    self.path.unlink(missing_ok=True)
                raise

    def add(self, payload: bytes) -> None:
        """Add a record durably. Raises OSError if the allocated space is used up and the disk has no more."""
        with self._locked() as descriptor:
            generation = self._generation(descriptor)
            *_, end = (_FIRST_RECORD, *(end for _, end in self._records(descriptor)))
            if generation is None or not _reaches(descriptor, end + _RECORD.size + len(payload)):
                raise OSError(errno.ENOSPC, "no room is left in it", str(self.path))
            record = _RECORD.pack(generation, len(payload), _digest(generation, payload)) + payload
            if _write_at(descriptor, record, end) != len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(descriptor)

    def holds_records(self) -> bool:
        """Whether there are records in it."""
        if not self.exists():
            return False
        with suppress(OSError):
            return next(self._records(self._opened()), None) is not None
        return False

    @contextmanager
    def taking_out(self, *, remove: bool = False) -> Iterator[list[bytes]]:
        """All records; if the body succeeds, they are deleted (with the file, if `remove`). No process adds one meanwhile.

        Raises OSError.
        """
        with self._locked() as descriptor:
            yield [payload for payload, _ in self._records(descriptor)]
            generation = self._generation(descriptor) or 0
            _write_at(descriptor, _HEADER.pack(_MAGIC, generation + 1, 0), 0)
            os.fsync(descriptor)
            if remove:
                # Under the lock, so that a process that waits for it to add a record finds that the file is gone.
                self.path.unlink(missing_ok=True)
        if remove:
            self.close()

    def stop(self) -> None:
        """Tell all processes that the store cannot be written, until `taking_out` or `go_on` is called."""
        self._mark(1)

    def go_on(self) -> None:
        """Tell all processes that the store can be written again."""
        self._mark(0)

    def _mark(self, stopped: int) -> None:
        with suppress(OSError):
            if self.exists():
                _write_at(self._opened(), bytes([stopped]), _STOPPED_AT)

    def stopped(self) -> bool:
        """Whether a process could not write the store, and none has written it since."""
        try:
            return _read_at(self._opened(), 1, _STOPPED_AT) == b"\1"
        except OSError:
            return False

    def close(self) -> None:
        """Close it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self, *, create: bool = False) -> int:
        if self._descriptor is not None and _is_removed(self._descriptor):
            self.close()
        if self._descriptor is None:
            flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
            self._descriptor = os.open(self.path, flags | (os.O_CREAT if create else 0), 0o600)
        return self._descriptor

    @contextmanager
    def _locked(self, *, create: bool = False) -> Iterator[int]:
        descriptor = self._opened(create=create)
        try:
            import fcntl
        except ImportError:  # on Windows, where one process at a time seeds a home
            yield descriptor
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if _is_removed(descriptor):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))
            yield descriptor
        finally:
            if self._descriptor == descriptor:
                fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _generation(self, descriptor: int) -> int | None:
        found = _read_at(descriptor, _HEADER.size, 0)
        if len(found) != _HEADER.size:
            return None
        magic, generation, _ = _HEADER.unpack(found)
        return generation if magic == _MAGIC else None

    def _records(self, descriptor: int) -> Iterator[tuple[bytes, int]]:
        """Each record, and where it ends."""
        current, at = self._generation(descriptor), _FIRST_RECORD
        size_bytes = os.fstat(descriptor).st_size
        while current is not None and at + _RECORD.size <= size_bytes:
            generation, length, digest = _RECORD.unpack(_read_at(descriptor, _RECORD.size, at))
            if generation != current or length > size_bytes - at:
                return
            payload = _read_at(descriptor, length, at + _RECORD.size)
            if _digest(generation, payload) != digest:
                return
            at += _RECORD.size + length
            yield payload, at


def _is_removed(descriptor: int) -> bool:
    """Whether another process has deleted the file, so that what is written to it would be lost."""
    return os.name == "posix" and os.fstat(descriptor).st_nlink == 0


def _digest(generation: int, payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=32, key=generation.to_bytes(8, "big")).digest()


def _reaches(descriptor: int, size_bytes: int) -> bool:
    """Whether the file has so many bytes. If the disk has room, it gets them: not every store that fails is on a full disk."""
    try:
        if os.fstat(descriptor).st_size < size_bytes:
            _allocate(descriptor, size_bytes)
    except OSError:
        return False
    return True


def _allocate(descriptor: int, size_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size_bytes)
        return
    at = os.fstat(descriptor).st_size
    while at < size_bytes:
        at += _write_at(descriptor, _ZEROS[: size_bytes - at], at)


def _read_at(descriptor: int, size_bytes: int, at: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, size_bytes, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, size_bytes)


def _write_at(descriptor: int, data: bytes, at: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.write(descriptor, data)
