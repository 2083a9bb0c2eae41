"""Keeps files private to their user: the umask of this process, and removing the permissions of others."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keep_new_files_private() -> None:
    """Let this process and its children create files and folders that only its user can use (umask 077).

    Call it at the start of a program, not in a library, where a changed umask would surprise the caller.
    """
    os.umask(os.umask(_OTHERS) | _OTHERS)


@dataclass(slots=True)
class Opened:
    """Paths that stayed open to others. path: the first one. why: the error of the system. count: how many there are."""

    path: Path | None = None
    why: str = ""
    count: int = 0

    def add(self, path: Path, error: OSError) -> None:
        """Count a path, and remember the first one."""
        if self.path is None:
            self.path, self.why = path, error.strerror or str(error)
        self.count += 1


@dataclass(slots=True)
class Closing:
    """Removes the permissions of group and others, and counts the paths that cannot be changed."""

    left: Opened = field(default_factory=Opened)

    def close(self, path: Path) -> None:
        """Make a file, or a folder with its contents, private. Links and their targets are not changed.

        The folder itself comes last, so that an interrupted call is noticed and repeated. Only permissions of others are
        removed, so that another user who replaces files meanwhile gains nothing.
        """
        for found in _everything(path):
            self.close_one(found)

    def close_one(self, path: Path) -> None:
        """Make one file or folder private, without its contents."""
        try:
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & _OTHERS:
                path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        except FileNotFoundError:
            return  # removed meanwhile, like a temporary file
        except OSError as error:
            self.left.add(path, error)


def is_open(path: Path) -> bool:
    """Whether group or others have any permission; False for a missing path and for a link."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return bool(mode & _OTHERS) and not stat.S_ISLNK(mode)


def _everything(path: Path) -> Iterator[Path]:
    """Everything below a path, then the path itself."""
    with suppress(OSError):  # it is a file, or a folder that is gone or cannot be listed
        if not path.is_symlink():
            for folder, folders, files in os.walk(path, topdown=False, followlinks=False):
                yield from (Path(folder, name) for name in (*files, *folders))
    yield path
