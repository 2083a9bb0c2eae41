"""Which table this is and at what version, told from its folder without opening it (importing LanceDB takes seconds).

What belongs here: the mark that Seedbank leaves in a table's folder, and the names of Lance's manifest files. What
does not: anything that needs LanceDB.

A table's state is `<uuid>@<version>`. The uuid is drawn when the table is made; the version grows by one with each
commit. The mark keeps the version that Seedbank's last commit made: if the folder has another, somebody else has
changed the table (overwritten it, deleted rows, restored an older copy), and its state is unknown until the rows have
been looked at and the table gets a new uuid. A commit is announced in the mark before it is made, so that one that
is cut off by a crash is known as Seedbank's own.
"""

import contextlib
import json
import os
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

_FILE = "seedbank.json"
_FORMAT = 1
_MANIFESTS = "_versions"
_SUFFIX = ".manifest"
# Lance names manifests by version or, since its second naming scheme, by this minus the version, in 20 digits, so
# that the newest is the first in a listing.
_LARGEST = 2**64 - 1
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """What Seedbank wrote into a table's folder."""

    table_uuid: str
    version: int
    committing: bool

    @classmethod
    def new(cls) -> "Mark":
        """The mark of a table that is about to be made, or whose rows are about to be looked at anew."""
        return cls(str(uuid.uuid4()), 0, committing=True)


def newest_version(folder: Path) -> int | None:
    """The newest version of the table in `folder`; None where there is no table."""
    try:
        names = os.listdir(folder / _MANIFESTS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    versions = [version for name in names if (version := _version(name)) is not None]
    return max(versions, default=None)


def _version(name: str) -> int | None:
    number = name.removesuffix(_SUFFIX)
    if number == name or not number.isascii() or not number.isdigit():
        return None
    return _LARGEST - int(number) if len(number) == _DIGITS else int(number)


def read_mark(folder: Path) -> Mark | None:
    """The mark in `folder`; None where there is none, or none that this version of Seedbank understands."""
    try:
        found = json.loads((folder / _FILE).read_bytes())
        if found["format"] != _FORMAT:
            return None
        return Mark(str(found["uuid"]), int(found["version"]), bool(found["committing"]))
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def write_mark(folder: Path, mark: Mark) -> None:
    """Put the mark into `folder`, replacing the one that is there, whole or not at all. Raises OSError."""
    content = {"format": _FORMAT, "uuid": mark.table_uuid, "version": mark.version, "committing": mark.committing}
    temporary = folder / f"{_FILE}.{os.getpid()}"
    try:
        with temporary.open("w") as opened:
            json.dump(content, opened)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(folder / _FILE)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def state_of(folder: Path) -> str | None:
    """`<uuid>@<version>` of the table in `folder`; None where it is missing, not ours or changed by others.

    Takes less than a millisecond. Raises OSError where the folder cannot be read.
    """
    mark = read_mark(folder)
    version = newest_version(folder)
    if mark is None or version is None:
        return None
    ours = version == mark.version or (mark.committing and version > mark.version)
    return f"{mark.table_uuid}@{version}" if ours else None


def announce(folder: Path, mark: Mark) -> None:
    """Say in the mark that a commit of ours is under way. Raises OSError."""
    write_mark(folder, replace(mark, committing=True))


def settle(folder: Path, mark: Mark, version: int) -> str:
    """Say in the mark that the newest version is `version` and no commit is under way; the state. Raises OSError."""
    write_mark(folder, replace(mark, version=version, committing=False))
    return f"{mark.table_uuid}@{version}"


def is_current(recorded: str, found: str | None) -> bool:
    """Whether rows written when the table's state was `recorded` are in a table whose state is `found`.

    Versions only grow, and a commit that takes rows away takes their refs away too.
    """
    if found is None:
        return False
    recorded_uuid, _, recorded_version = recorded.partition("@")
    found_uuid, _, found_version = found.partition("@")
    return recorded_uuid == found_uuid and int(recorded_version) <= int(found_version)
