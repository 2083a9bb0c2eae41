"""Waiting for Dagster's SQLite databases while another process writes them, or was suspended while it wrote.

What belongs here: how long a statement waits for the lock of a database, and which process is named meanwhile and when the
wait is over. What does not: where the databases are (home), and what is stored in them.

Dagster's own connections give up after five seconds. They wait inside SQLite, so Ctrl-C has no effect until the wait is over.
"""

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from io_managers.store.holders import Holder, Patience
from io_managers.store.processes import process_here
from resources.limits.file_locks import writers_of

logger = logging.getLogger(__name__)

# How long SQLite itself waits. Then Python handles signals and looks which process holds the lock; a second keeps Ctrl-C prompt.
_ATTEMPT_SECONDS = 1.0
# A container or laptop may be suspended for a while; this is longer than a lease lasts whose owner gives no sign of life. There
# is no limit for a process of this host that is known to be stopped, since the user was shown how to let it go on.
PATIENCE_SECONDS = 120.0
# Waits of some seconds are normal, so the message about an unknown process comes later.
_SAY_UNKNOWN_AFTER_SECONDS = 20.0

_directories: set[Path] = set()


def wait_for_locks(directory: Path) -> None:
    """From now on, every connection of this process to a database below `directory` waits as this module says."""
    if not _directories:
        event.listen(Engine, "do_connect", _patient)
    _directories.add(directory.resolve())


def holder_of(database: Path) -> Holder | None:
    """The process of this host, other than this one, that may write a database now; None if the system does not say."""
    found = [Holder(process_here(pid)) for pid in writers_of(database)]
    return next((holder for holder in found if holder.process.is_stopped), found[0] if found else None)


def is_locked(error: BaseException) -> bool:
    """Whether an error says that another process has the lock of a database."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, sqlite3.OperationalError) and _code(cause) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def explain_lock(directory: Path) -> str:
    """Explain that a database below `directory` stayed locked: by which process, and what to do about it."""
    holders = (holder_of(database) for database in sorted(directory.rglob("*.db")))
    holder = next((found for found in holders if found is not None), None)
    who = f"{holder} has" if holder else "another process has"
    remedy = holder.remedy if holder else "Let that process go on, or end it, then run again."
    return f"Dagster's records in {directory} cannot be written: {who} locked them for too long. {remedy}"


def _patient(dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
    if dialect.name != "sqlite" or not arguments:
        return
    database = Path(str(arguments[0])).resolve()
    if _directories.intersection(database.parents):
        options |= {"timeout": _ATTEMPT_SECONDS, "factory": lambda *a, **k: _PatientConnection(database, *a, **k)}


class _PatientConnection(sqlite3.Connection):
    def __init__(self, database: Path, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.file = database

    def cursor(self, factory: Any = None) -> sqlite3.Cursor:
        return super().cursor(_PatientCursor if factory is None else factory)

    def commit(self) -> None:
        _until_free(self.file, super().commit)


class _PatientCursor(sqlite3.Cursor):
    connection: _PatientConnection  # pyright: ignore[reportIncompatibleMethodOverride]

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        execute = super().execute
        return _until_free(self.connection.file, lambda: execute(*arguments))

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        executemany = super().executemany
        return _until_free(self.connection.file, lambda: executemany(*arguments))


def _until_free(database: Path, act: Callable[[], Any]) -> Any:
    """Call `act` again until the database is free. Raises what `act` raises: "database is locked" when the wait is over."""
    began = time.monotonic()
    patience: Patience | None = None
    said = False
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            # A transaction that has read what another one changed since cannot go on, however long it waits.
            if _code(error) != sqlite3.SQLITE_BUSY:
                raise
            patience = patience or Patience()
            holder = holder_of(database)
            waited = time.monotonic() - began
            if waited >= PATIENCE_SECONDS and not (holder and holder.process.is_stopped):
                raise
            patience.look("Dagster's records", lambda found=holder: found)
            if holder is None and waited >= _SAY_UNKNOWN_AFTER_SECONDS and not said:
                said = True
                logger.warning(
                    f"Waiting for Dagster's records, {database.name}: a process of another host or container has locked "
                    "them. If it was stopped, let it go on or end it."
                )


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", None) or 0
