"""SHA-256 digests of large files, remembered while a file's size, times and inode stay the same.

Weights have hundreds of megabytes, and every command needs their digest for the keys. The memory is a file of the home that may
be deleted at any time.
"""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from io_managers.store.whole_files import read_memory, write_memory

# A file that changed within this time of being read may change again without another time stamp (FAT counts in 2 s).
_SETTLED_NS = 2_000_000_000
# Enough for the files of some models that are tried in turn.
_MOST = 32


class FileDigests:
    """The digests of files. memory: the file that remembers them; None to remember nothing."""

    def __init__(self, memory: Path | None) -> None:
        self._memory = memory

    def of(self, path: Path) -> str:
        """Return the digest of a file as hex digits. Raises OSError."""
        name, before = os.path.realpath(path), _stamp(path)
        known = self._known()
        if (found := known.get(name)) is not None and found[0] == before:
            return found[1]
        read_at = time.time_ns()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        settled = max(before[1], before[2]) < read_at - _SETTLED_NS
        if self._memory is not None and settled and _stamp(path) == before:
            known.pop(name, None)
            kept = dict([*known.items(), (name, (before, digest))][-_MOST:])
            with suppress(OSError):  # a home that cannot be written costs time only
                write_memory(self._memory, msgspec.json.encode(kept))
        return digest

    def _known(self) -> dict[str, tuple[tuple[int, ...], str]]:
        data = read_memory(self._memory) if self._memory is not None else None
        try:
            return msgspec.json.decode(data, type=dict[str, tuple[tuple[int, ...], str]]) if data else {}
        except msgspec.DecodeError:
            return {}


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)
