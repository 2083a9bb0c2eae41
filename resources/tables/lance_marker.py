"""The state of a table, read from its folder without LanceDB, whose import takes seconds.

A table's state is `<uuid>@<version>`. The uuid is created with the table; the version grows by one with each commit. A mark
in the folder stores the version of Seedbank's last commit. If the folder has another version, another program has changed
the table (overwritten it, deleted rows, or restored an older copy), and its state is unknown until the rows were compared
and the table has a new uuid. Each commit is announced in the mark before it is made, so that a commit that a crash
interrupted is recognised as Seedbank's own.
"""

import contextlib
import json
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

MARK = "seedbank.json"
_FORMAT = 1
_MANIFESTS = "_versions"
_SUFFIX = ".manifest"
# Lance names manifests by version or, in its second naming scheme, by this number minus the version with 20 digits, so that
# the newest is the first in a listing.
_LARGEST = 2**64 - 1
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark that Seedbank writes into a table's folder."""

    table_uuid: str
    version: int
    committing: bool

    @classmethod
    def new(cls) -> "Mark":
        """A mark with a new uuid, for a table that is about to be created or whose rows are about to be compared."""
        return cls(str(uuid.uuid4()), 0, committing=True)


def newest_version(folder: Path) -> int | None:
    """The newest version of the table in `folder`; None if there is no table."""
    return max(_manifests(folder), default=None)


def newest_manifest(folder: Path) -> Path | None:
    """The manifest of the newest version of the table in `folder`; None if there is no table."""
    found = _manifests(folder)
    return folder / _MANIFESTS / found[max(found)] if found else None


def _manifests(folder: Path) -> dict[int, str]:
    """The names of all manifests by version."""
    try:
        names = os.listdir(folder / _MANIFESTS)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {version: name for name in names if (version := _version(name)) is not None}


def _version(name: str) -> int | None:
    number = name.removesuffix(_SUFFIX)
    if number == name or not number.isascii() or not number.isdigit():
        return None
    return _LARGEST - int(number) if len(number) == _DIGITS else int(number)


def read_mark(folder: Path) -> Mark | None:
    """The mark in `folder`; None if there is none that this version of Seedbank can read."""
    try:
        found = json.loads((folder / MARK).read_bytes())
        if found["format"] != _FORMAT:
            return None
        return Mark(str(found["uuid"]), int(found["version"]), bool(found["committing"]))
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def write_mark(folder: Path, mark: Mark) -> None:
    """Write or replace the mark in `folder` atomically. Raises OSError."""
    content = {"format": _FORMAT, "uuid": mark.table_uuid, "version": mark.version, "committing": mark.committing}
    temporary = folder / f"{MARK}.{os.getpid()}"
    try:
        with temporary.open("w") as opened:
            json.dump(content, opened)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(folder / MARK)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def state_of(folder: Path) -> str | None:
    """The state `<uuid>@<version>` of the table in `folder`; None if it is missing, not ours, or changed by others.

    It takes less than a millisecond. Raises OSError if the folder cannot be read.
    """
    mark = read_mark(folder)
    version = newest_version(folder)
    if mark is None or version is None:
        return None
    ours = version == mark.version or (mark.committing and version > mark.version)
    return f"{mark.table_uuid}@{version}" if ours else None


def announce(folder: Path, mark: Mark) -> None:
    """Announce a commit of ours in the mark. Raises OSError."""
    write_mark(folder, replace(mark, committing=True))


def settle(folder: Path, mark: Mark, version: int) -> str:
    """Record in the mark that our commits have ended with `version`, and return the state. Raises OSError."""
    write_mark(folder, replace(mark, version=version, committing=False))
    return f"{mark.table_uuid}@{version}"


def is_older(found: str, recorded: Iterable[str]) -> bool:
    """Whether a table with the state `found` is an older copy of a table with one of the recorded states."""
    table_uuid, _, version = found.partition("@")
    others = (state.partition("@") for state in recorded)
    return any(other == table_uuid and int(written) > int(version) for other, _, written in others)


def is_current(recorded: str, found: str | None) -> bool:
    """Whether rows that were written in the state `recorded` are still in a table with the state `found`.

    They are if it is the same table at the same or a later version, since removing rows also removes their refs.
    """
    if found is None:
        return False
    recorded_uuid, _, recorded_version = recorded.partition("@")
    found_uuid, _, found_version = found.partition("@")
    return recorded_uuid == found_uuid and int(recorded_version) <= int(found_version)
