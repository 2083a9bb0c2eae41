"""The memory of what files were when they were last hashed, so that unchanged ones need not be read.

What belongs here: keeping digests by path, and when one may be trusted. What does not: hashing (corpus). The file is
only a memory: whatever is wrong with it, it is left aside, and every file is read once more.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from resources.regular_files import open_regular

# A file that changed within this time of being hashed may change again without another time stamp (FAT counts in 2 s).
_SETTLED_NS = 2_000_000_000


class Seen(msgspec.Struct, array_like=True, frozen=True):
    """A file as it was when it was hashed. hashed_at_ns: when that began, by this machine's clock."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    hashed_at_ns: int
    content_digest: str

    @classmethod
    def of(cls, status: os.stat_result, hashed_at_ns: int, content_digest: str) -> "Seen":
        """What a status says."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, hashed_at_ns, content_digest)

    def describes(self, status: os.stat_result) -> bool:
        """Whether the file is certainly the one that was hashed, and has been left alone since."""
        return (
            self.size_bytes == status.st_size
            and self.mtime_ns == status.st_mtime_ns
            and self.ctime_ns == status.st_ctime_ns
            and self.inode == status.st_ino
            and self._settled()
        )

    def _settled(self) -> bool:
        # A file may be given any mtime, one in the future among them; only Windows has nothing better: its ctime is
        # when the file was made.
        changed_ns = self.ctime_ns if os.name == "posix" else max(self.mtime_ns, self.ctime_ns)
        return changed_ns + _SETTLED_NS < self.hashed_at_ns


def load(path: Path) -> dict[bytes, Seen]:
    """What was last seen, by path relative to the corpus as the file system has it; {} where that cannot be trusted.

    A file of another user is not: what it says would decide which results are taken for a document.
    """
    try:
        with open_regular(path) as file:
            if hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid != os.geteuid():
                return {}
            data = file.read()
        # After a power failure a file may have its length and not its content.
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            return {}
        return msgspec.msgpack.decode(data[32:], type=dict[bytes, Seen])
    except (OSError, msgspec.MsgspecError):
        return {}


def save(path: Path, seen: Mapping[bytes, Seen]) -> None:
    """Replace the memory, whole; of several processes that do so at once, the last one wins."""
    data = msgspec.msgpack.encode(seen)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.sha256(data).digest() + data)
        temporary.replace(path)
    except OSError:  # a read-only home is reported by whoever has to write there
        with contextlib.suppress(OSError):
            temporary.unlink()


def forget(path: Path, relative: bytes) -> None:
    """Have one file read by the next scan, whatever its times say."""
    seen = load(path)
    if seen.pop(relative, None) is not None:
        save(path, seen)
