"""Locks of open files, which the operating system frees when a process dies, for POSIX systems and Windows."""

import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: int) -> bool:
        """Whether the lock of an open file could be had now. Raises OSError."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def unlock(file: int) -> None:
        """Give up the lock of an open file. Raises OSError."""
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(file: int) -> bool:
        """Whether the lock of an open file could be had now. Raises OSError."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(file: int) -> None:
        """Give up the lock of an open file. Raises OSError."""
        fcntl.flock(file, fcntl.LOCK_UN)


def lock_holders(files: Collection[Path]) -> list[int]:
    """The pids of the processes that hold the locks of these files; known on Linux only."""
    return _holders(files, lambda lock: lock[1] == "FLOCK")


def writers_of(database: Path) -> list[int]:
    """The pids of the processes that hold the write lock of a SQLite database; known on Linux only.

    In WAL mode the lock is byte 120 of the shared memory file, in other modes it is on the database file
    (https://www.sqlite.org/walformat.html, "WAL Locks").
    """
    shared = _holders(
        [database.with_name(database.name + "-shm")], lambda lock: lock[3] == "WRITE" and lock[6] == "120"
    )
    return sorted({*shared, *_holders([database], lambda lock: lock[1] == "POSIX" and lock[3] == "WRITE")})


def _holders(files: Collection[Path], counts: Callable[[list[str]], bool]) -> list[int]:
    inodes = set[str]()
    for file in files:
        with suppress(OSError):
            inodes.add(str(file.stat().st_ino))
    try:
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return []
    # Lines are `1: FLOCK ADVISORY WRITE <pid> <device>:<inode> 0 EOF`, or `1: -> ...` for a waiting process. A process of
    # another container has the pid 0.
    found = {
        int(line[4]) for line in lines if line[1] != "->" and line[5].rpartition(":")[2] in inodes and counts(line)
    }
    return sorted(found - {0, -1, os.getpid()})
