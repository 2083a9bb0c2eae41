"""The errors of the store; `translate` makes them from errors of SQLite.

StoreError
├── StoreUnavailableError     the store cannot be opened, read or written now; nothing in it is lost
│   └── RemoteError           the same of the remote that the store is shared through
├── SegmentError              a file of shared results is damaged, of a newer version, or not signed by a trusted key
├── StoreVersionError         the store was written by a newer Seedbank
├── MissingObjectError        a value is recorded but missing: compute it again
├── CorruptObjectError        a value does not match its digest: it was set aside, compute it again
├── UnknownFormatError        a value is intact, but this version cannot read it
├── UnencodableError          a value (or a part of a key) has no exact encoding
├── LeaseLostError            another process took over a lease of this one: repeat the work
└── LeaseBusyError            another process holds the lease, and the wait for it has ended: run again later
"""

import errno
import sqlite3
from pathlib import Path


class StoreError(Exception):
    """The base of all errors of the store. reason, remedy: the two parts of its message; remedy may be ""."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(f"{reason} {remedy}" if remedy else reason)
        self.reason = reason
        self.remedy = remedy


class StoreUnavailableError(StoreError):
    """The store cannot be opened, read or written now. The message names the path, the cause and the remedy."""


class RemoteError(StoreUnavailableError):
    """The remote cannot be reached, read or written now. The message names its address, the cause and the remedy."""


class SegmentError(StoreError):
    """A segment cannot be taken: it is damaged, of a newer version, or not signed by a trusted key. Nothing of it was used."""


class StoreVersionError(StoreError):
    """The store's format is newer than this program."""


class MissingObjectError(StoreError):
    """The bytes of a recorded digest are not in the store. wanted_by: for which result they are needed."""

    def __init__(self, content_digest: str, wanted_by: str = "") -> None:
        what = f"{wanted_by}: its value {content_digest}" if wanted_by else f"The value {content_digest}"
        super().__init__(f"{what} is recorded, but its bytes are not in the store; it has to be computed again.")
        self.content_digest = content_digest


class CorruptObjectError(StoreError):
    """The bytes under a digest have another digest, `found`. quarantined: whether they were moved to quarantine."""

    def __init__(self, content_digest: str, found: str, *, quarantined: bool = False) -> None:
        then = "They were moved to quarantine; it" if quarantined else "It"
        super().__init__(
            f"The value {content_digest} is corrupt: its bytes hash to {found}. {then} has to be computed again."
        )
        self.content_digest = content_digest
        self.found = found


class UnknownFormatError(StoreError):
    """Bytes are intact but have a codec, version or shape that this program cannot read."""


class UnencodableError(StoreError, TypeError):
    """A value has no exact encoding. The message names the place in the value."""


class LeaseLostError(StoreError):
    """A lease is no longer held: its holder gave no heartbeat for too long, and another process took it."""


class LeaseBusyError(StoreError):
    """A lease is held by another process, and the wait for it has ended. The message names the holder."""


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
    sqlite3.SQLITE_CONSTRAINT: (
        "its database is damaged",
        "Run `seedbank cache repair`: it keeps every value that still matches its digest.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "its database file is not a database",
        "Run `seedbank cache repair`: it sets the file aside and keeps every value that can be read.",
    ),
}


def translate(error: sqlite3.Error, path: Path) -> StoreUnavailableError:
    """The error to raise for an error of SQLite; it names the store, the cause and the remedy."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    # A truncated file, and text that is not UTF-8 because of a flipped bit.
    if code == sqlite3.SQLITE_IOERR_SHORT_READ or (not code and str(error).startswith("Could not decode")):
        code = sqlite3.SQLITE_CORRUPT
    cause, remedy = _REMEDIES.get(code & 0xFF, (f"SQLite says: {error}", "Run again; all finished work is kept."))
    return StoreUnavailableError(f"The store {path} cannot be used: {cause} ({error}).", remedy)


_OF_THE_DISK = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EROFS, errno.EIO, errno.EFBIG})


def is_disk_failure(error: BaseException | None) -> bool:
    """Whether an error, or one of its causes, means that the disk is full, read-only or broken."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            return True
        if isinstance(error, sqlite3.OperationalError):
            code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
            return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
        error = error.__cause__
    return False
