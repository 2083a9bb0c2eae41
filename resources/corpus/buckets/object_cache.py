"""Downloaded objects in the home, by the digests of their bytes, so that an object which a scan has hashed is read from here.

The folder may be deleted at any time. Its size is bounded, beside the files that are being
downloaded: what was used longest ago is removed first. A file that cannot be written, or that is damaged, costs another download.
"""

import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from io_managers.store.whole_files import open_regular

_PARTIAL = ".partial-"
# Longer than any download takes (a request ends after an hour at most), so that its file is left behind by a process that died.
_ABANDONED_SECONDS = 2 * 3600
# Other processes may fill the folder as well, so it is looked at again when this part of its bound was added.
_LOOKED_AT_AGAIN = 16


class ObjectCache:
    """Files by content digest. Several threads and processes may use one folder."""

    def __init__(self, directory: Path | None, most_bytes: int, least_free_bytes: int) -> None:
        """directory: None to keep nothing. most_bytes: of all files together.

        least_free_bytes: nothing is kept on a disk with less free space.
        """
        self._directory = directory or Path()
        self._most_bytes = most_bytes if directory else 0
        self._least_free_bytes = least_free_bytes
        self._lock = threading.Lock()
        # How much may be added before the folder is looked at again; -1 if it is known that there is no room.
        self._free_bytes = 0
        self._kept_from = float("inf")

    @contextmanager
    def scanning(self) -> Iterator[None]:
        """Remove nothing in the body that was used since its begin: of what a scan downloads, the first files are read first."""
        # File systems count time in steps.
        self._kept_from, self._free_bytes = time.time() - 1, 0
        try:
            yield
        finally:
            self._kept_from, self._free_bytes = float("inf"), 0

    def new_file(self) -> "CachedFile":
        """A file for the bytes of an object, which is not kept yet."""
        if not self._most_bytes:
            return CachedFile(None)
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            return CachedFile((self._directory / f"{_PARTIAL}{secrets.token_hex(8)}").open("xb"))
        except OSError:
            return CachedFile(None)

    def keep(self, written: "CachedFile", content_digest: str) -> None:
        """Keep a written file if there is room for it. content_digest: that of its bytes."""
        file = written.close()
        if file is None:
            return
        with suppress(OSError):
            size_bytes = file.stat().st_size
            with self._lock:
                if self._has_room(size_bytes):
                    file.replace(self._path(content_digest))
                    self._free_bytes -= size_bytes
                    return
        _remove(file)

    def get(self, content_digest: str, size_bytes: int) -> bytes | None:
        """The bytes of this digest; None if they are not here."""
        if not self._most_bytes:
            return None
        path = self._path(content_digest)
        try:
            with open_regular(path) as file:
                data = file.read(size_bytes + 1)
            os.utime(path)
        except OSError:
            return None
        if len(data) == size_bytes and f"sha256:{hashlib.sha256(data).hexdigest()}" == content_digest:
            return data
        _remove(path)
        return None

    def _has_room(self, size_bytes: int) -> bool:
        if 0 <= self._free_bytes < size_bytes <= self._most_bytes:
            self._free_bytes = self._made_room(size_bytes)
            if self._free_bytes < size_bytes:
                self._free_bytes = -1
        return size_bytes <= self._free_bytes

    def _made_room(self, size_bytes: int) -> int:
        """Remove what was used longest ago, and return how much may be added before the folder is looked at again."""
        used: list[tuple[float, int, Path]] = []
        now = time.time()
        with os.scandir(self._directory) as listing:
            for entry in listing:
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if not entry.name.startswith(_PARTIAL):
                        used.append((status.st_mtime, status.st_size, Path(entry.path)))
                    elif status.st_mtime < now - _ABANDONED_SECONDS:
                        Path(entry.path).unlink()
        wanted = max(size_bytes, self._most_bytes // _LOOKED_AT_AGAIN)
        total = sum(size for _, size, _ in used)
        for at, size, path in sorted(used):
            if total + wanted <= self._most_bytes or at >= self._kept_from:
                break
            path.unlink(missing_ok=True)
            total -= size
        free = shutil.disk_usage(self._directory).free - self._least_free_bytes
        return min(wanted, self._most_bytes - total, free)

    def _path(self, content_digest: str) -> Path:
        return self._directory / content_digest.partition(":")[2]


class CachedFile:
    """A file that is being written; if that fails, as on a full disk, it is given up."""

    def __init__(self, file: BinaryIO | None) -> None:
        """file: None if nothing is to be kept."""
        self._file = file

    def write(self, block: memoryview) -> None:
        """Add bytes."""
        if self._file is not None:
            try:
                self._file.write(block)
            except OSError:
                self.discard()

    def close(self) -> Path | None:
        """The path of the written file, which is complete then; None if there is none."""
        file, self._file = self._file, None
        if file is None:
            return None
        try:
            file.close()
        except OSError:
            _remove(Path(file.name))
            return None
        return Path(file.name)

    def discard(self) -> None:
        """Remove the file, unless it is closed."""
        if (path := self.close()) is not None:
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a file; one that cannot be removed is left, and the next look at the folder finds it."""
    with suppress(OSError):
        path.unlink()
