"""The index of the corpus: the digests of files by path, so that unchanged files need not be read.

The index is only a cache: if it is damaged, it is ignored, and every file is read again.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from io_managers.store.whole_files import read_memory, write_memory

# A file that changed less than this long before it was hashed may change again with the same modification time, which has a
# resolution of 2 s on FAT.
_SETTLED_NS = 2_000_000_000


class FileStatus(Protocol):
    """What is known of a file without reading it, as `os.stat` gives it. st_mtime_ns, st_ctime_ns: nanoseconds since 1970."""

    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_ctime_ns(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_dev(self) -> int: ...


class SeenEntry(msgspec.Struct, array_like=True, frozen=True):
    """A file inside an archive when that was hashed.

    path: below the archive; "" for the archive itself, if it cannot be opened. content_digest: "" if it was not read.
    reason, remedy: why it cannot be read, and what to do; "" if it can.
    """

    path: str
    size_bytes: int
    content_digest: str = ""
    reason: str = ""
    remedy: str = ""


class SeenFile(msgspec.Struct, array_like=True, frozen=True):
    """The state of a file when it was hashed.

    hashed_at_ns: when the hashing began, by this machine's clock. entries: the files inside of an archive; None if they were
    not looked for.
    """

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    hashed_at_ns: int
    content_digest: str
    entries: tuple[SeenEntry, ...] | None = None

    @classmethod
    def of(cls, status: FileStatus, hashed_at_ns: int, content_digest: str) -> "SeenFile":
        """The state of a file by its status."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, hashed_at_ns, content_digest)

    def describes(self, status: FileStatus) -> bool:
        """Whether the file is certainly unchanged since it was hashed."""
        return (
            self.size_bytes == status.st_size
            and self.mtime_ns == status.st_mtime_ns
            and self.ctime_ns == status.st_ctime_ns
            and self.inode == status.st_ino
            and self._settled()
        )

    def _settled(self) -> bool:
        # Any program can set any mtime, so ctime is used. On Windows ctime is the time of creation, so mtime must do.
        changed_ns = self.ctime_ns if os.name == "posix" else max(self.mtime_ns, self.ctime_ns)
        return changed_ns + _SETTLED_NS < self.hashed_at_ns


def load(path: Path) -> dict[bytes, SeenFile]:
    """The index by path relative to the corpus, in the bytes of the file system; {} if it is missing or damaged.

    The file of another user is not trusted, since it would decide which results are used for a document.
    """
    data = read_memory(path)
    try:
        return msgspec.msgpack.decode(data, type=dict[bytes, SeenFile]) if data is not None else {}
    except msgspec.MsgspecError:
        return {}


def save(path: Path, seen: Mapping[bytes, SeenFile]) -> None:
    """Replace the index atomically; if several processes do so at once, the last one wins."""
    with contextlib.suppress(OSError):  # code that has to write to the home reports that it is read-only
        write_memory(path, msgspec.msgpack.encode(seen))


def forget(path: Path, relative: bytes) -> None:
    """Let the next scan read a file, even if its times are unchanged."""
    seen = load(path)
    if seen.pop(relative, None) is not None:
        save(path, seen)
