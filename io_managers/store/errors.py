"""The errors of the store, named after what their reader should do; `translate` makes them of what SQLite says.

StoreError
├── StoreUnavailableError     the store cannot be written or opened now; nothing in it is lost
├── StoreVersionError         the store was written by a newer Seedbank
├── MissingObjectError        recorded, and not there: recompute
├── CorruptObjectError        there, and not what its digest says: set aside, recompute
├── UnknownFormatError        the bytes are right, and this version cannot read them
└── UnencodableError          a value (or a part of a key) that has no exact encoding
"""

import sqlite3
from pathlib import Path


class StoreError(Exception):
    """Base of all errors raised by the store."""


class StoreUnavailableError(StoreError):
    """The store cannot be opened, read or written now. The message names the path, the cause and the remedy."""


class StoreVersionError(StoreError):
    """The store's format is newer than this program."""


class MissingObjectError(StoreError):
    """A digest is recorded and its bytes are not in the store."""

    def __init__(self, content_digest: str, wanted_by: str = "") -> None:
        what = f"{wanted_by}: its value {content_digest}" if wanted_by else f"The value {content_digest}"
        super().__init__(f"{what} is recorded, but its bytes are not in the store; it has to be computed again.")
        self.content_digest = content_digest


class CorruptObjectError(StoreError):
    """The bytes under a digest hash to another digest."""

    def __init__(self, content_digest: str, found: str, *, quarantined: bool = False) -> None:
        then = "They were moved to quarantine; it" if quarantined else "It"
        super().__init__(
            f"The value {content_digest} is corrupt: its bytes hash to {found}. {then} has to be computed again."
        )
        self.content_digest = content_digest
        self.found = found


class UnknownFormatError(StoreError):
    """Intact bytes in a codec, version or shape that this program cannot read."""


class UnencodableError(StoreError, TypeError):
    """A value without an exact encoding. The message names where in the value it stands."""


_REMEDIES = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space, then run again: all finished work is kept."),
    sqlite3.SQLITE_IOERR: (
        "the disk failed or is full",
        "Check the disk and its free space, then run again: all finished work is kept.",
    ),
    sqlite3.SQLITE_READONLY: (
        "it is read-only",
        "Make the directory writable for this user, or point SEEDBANK_HOME at one that is.",
    ),
    sqlite3.SQLITE_PERM: (
        "permission was denied",
        "Make the directory writable for this user, or point SEEDBANK_HOME at one that is.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened",
        "Check that the directory exists and is writable for this user, or point SEEDBANK_HOME at one that is.",
    ),
    sqlite3.SQLITE_BUSY: (
        "another process has held its lock for more than a minute",
        "Wait for that process or end it, then run again.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "its database is damaged",
        "Run `seedbank cache repair`: it keeps every value that still matches its digest.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "its database file is not a database",
        "Run `seedbank cache repair`: it sets the file aside and keeps every value that can be read.",
    ),
}


def translate(error: sqlite3.Error, path: Path) -> StoreUnavailableError:
    """What to raise for an error of SQLite: names the store, the cause and what to do."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    # A file that was cut off, and text that was flipped to what is no UTF-8.
    if code == sqlite3.SQLITE_IOERR_SHORT_READ or (not code and str(error).startswith("Could not decode")):
        code = sqlite3.SQLITE_CORRUPT
    cause, remedy = _REMEDIES.get(code & 0xFF, (f"SQLite says: {error}", "Run again; all finished work is kept."))
    return StoreUnavailableError(f"The store {path} cannot be used: {cause} ({error}). {remedy}")
