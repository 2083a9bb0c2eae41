"""One SQLite file: checked when it is opened, read, and written in groups.

What belongs here: who reads and writes when, and when a write is done. What does not: connections (connection), the
tables (schema) and what the rows mean.

Durability: WAL with synchronous=FULL, so that a commit that was acknowledged survives `kill -9` and power loss. A
flush costs the same for one row as for a thousand, so all writes go through one thread that commits whatever has
gathered while the previous flush ran. Rows that only matter while their process lives (leases) go through a
connection of their own with synchronous=NORMAL, which does not wait for the disk.
"""

import os
import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from io_managers.store.connection import Row, Write, commit_group, connect, error_code, transaction
from io_managers.store.errors import StoreUnavailableError, StoreVersionError, translate
from io_managers.store.schema import ADDED, APPLICATION_ID, FORMAT, SCHEMA

__all__ = ["Database", "Row", "Write"]

# A group is bounded so that the first of its writers does not wait for megabytes that came after it.
GROUP_ROWS = 2048
GROUP_BYTES = 8 << 20
_Queued = tuple[Sequence[Write], Future[None]]


class Database:
    """A SQLite file in WAL mode that many threads and processes share. Not to be carried through a fork."""

    def __init__(self, path: Path) -> None:
        """Open, creating the file and its directory where missing.

        Raises StoreUnavailableError (cannot be opened; with the remedy), StoreVersionError (a newer program wrote it).
        """
        self.path = path
        self._pid = os.getpid()
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._volatile_lock = threading.Lock()
        self._writes: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._volatile: sqlite3.Connection | None = None
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailableError(
                f"The store {path.parent} cannot be created: {error.strerror}. "
                "Make its parent writable for this user, or point SEEDBANK_HOME at a directory that is."
            ) from error
        with self.translated():
            self._reader = connect(self.path)
            try:
                self._create_or_check()
            except BaseException:
                self._reader.close()
                raise

    def _create_or_check(self) -> None:
        found, application = self._identity()
        if found == 0:
            with transaction(self._reader):
                found, application = self._identity()
                if found == 0 and not self._reader.execute("SELECT 1 FROM sqlite_master").fetchone():
                    for statement in SCHEMA.split(";\n"):
                        self._reader.execute(statement)
                    self._reader.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    self._reader.execute(f"PRAGMA user_version = {FORMAT}")
                    found, application = FORMAT, APPLICATION_ID
        if application != APPLICATION_ID or found < 1:
            raise StoreUnavailableError(
                f"The file {self.path} is not a store of Seedbank, or its first page is damaged. Point "
                "SEEDBANK_HOME at another directory; or run `seedbank cache repair`: it keeps every value that can "
                "be read. Nothing was changed."
            )
        if found > FORMAT:
            raise StoreVersionError(
                f"The store {self.path} has format {found}, and this Seedbank reads up to {FORMAT}. "
                "Update Seedbank, or point SEEDBANK_HOME at another directory. Nothing was changed."
            )
        if not self._reader.execute("SELECT 1 FROM sqlite_master WHERE name = 'savings'").fetchone():
            try:
                with transaction(self._reader):
                    for statement in ADDED.split(";\n"):
                        self._reader.execute(statement)
            except sqlite3.OperationalError as error:
                if error_code(error) != sqlite3.SQLITE_READONLY:  # it can still be read
                    raise

    def _identity(self) -> tuple[int, int]:
        names = ("user_version", "application_id")
        found, application = (self._reader.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return found, application

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of SQLite inside leave as StoreUnavailableError with cause and remedy."""
        try:
            yield
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of one query, as of now."""
        with self.translated(), self._read_lock:
            self._check_open()
            return self._reader.execute(sql, parameters).fetchall()

    def write(self, *writes: Write) -> Future[None]:
        """Queue rows for the next group; the future is done when they are on the disk. All of them or none.

        The future cannot be cancelled: a task that stops waiting stops nothing that others may build on.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        with self._write_lock:
            self._check_open()
            if self._writer is None or not self._writer.is_alive():
                writer = threading.Thread(target=self._write_groups, name="seedbank-store", daemon=True)
                writer.start()
                self._writer = writer
            # Under the lock, so that nothing is queued behind the end that `close` puts there.
            self._writes.put((writes, future))
        return future

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailableError(f"The store {self.path} was closed. Open it again.")
        if os.getpid() != self._pid:
            raise StoreUnavailableError(
                f"The store {self.path} was opened before this process was forked. Open it again in the new process."
            )

    def _write_groups(self) -> None:
        connection: sqlite3.Connection | None = None
        last = False
        while not last:
            group, last = self._next_group()
            try:
                if connection is None:
                    connection = connect(self.path)
                commit_group(connection, [writes for writes, _ in group])
            except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                self._settle(connection, group, error)
            else:
                for _, future in group:
                    future.set_result(None)
        if connection is not None:
            connection.close()

    def _next_group(self) -> tuple[list[_Queued], bool]:
        """What has gathered, and whether it is the last."""
        group: list[_Queued] = []
        rows = size_bytes = 0
        queued = self._writes.get()
        while queued is not None:
            group.append(queued)
            rows += sum(len(rows) for _, rows in queued[0])
            size_bytes += sum(len(row[-1]) for _, rows in queued[0] for row in rows if row and type(row[-1]) is bytes)
            if rows >= GROUP_ROWS or size_bytes >= GROUP_BYTES:
                break
            try:
                queued = self._writes.get_nowait()
            except queue.Empty:
                break
        return group, queued is None

    def _settle(self, connection: sqlite3.Connection | None, group: Sequence[_Queued], error: BaseException) -> None:
        """Tell each writer of a group that failed; where one writer's rows may be the cause, try each alone first."""
        alone = connection is not None and len(group) > 1 and _may_be_one_writers(error)
        for writes, future in group:
            cause = error
            if alone and connection is not None:
                try:
                    commit_group(connection, [writes])
                except BaseException as own_error:  # noqa: BLE001 - as above
                    cause = own_error
                else:
                    future.set_result(None)
                    continue
            future.set_exception(translate(cause, self.path) if isinstance(cause, sqlite3.Error) else cause)

    @contextmanager
    def volatile_transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction that does not wait for the disk: for rows that mean nothing after a crash."""
        with self.translated(), self._volatile_lock:
            self._check_open()
            if self._volatile is None:
                self._volatile = connect(self.path, "NORMAL")
            with transaction(self._volatile):
                yield self._volatile

    def close(self) -> None:
        """Write what is queued, then close. Safe to call twice."""
        with self._write_lock:
            if self._closed:
                return
            self._closed = True
            self._writes.put(None)
        if self._pid != os.getpid():  # the connections belong to the parent, and so does the thread
            return
        if self._writer is not None:
            self._writer.join()
        with self._read_lock:
            self._reader.close()
        with self._volatile_lock:
            if self._volatile is not None:
                self._volatile.close()


def _may_be_one_writers(error: BaseException) -> bool:
    """Whether the rows of one writer may have failed the group: what is wrong with them, or their size."""
    if isinstance(error, sqlite3.OperationalError):
        return error_code(error) == sqlite3.SQLITE_FULL
    if isinstance(error, sqlite3.Error):
        return type(error) is not sqlite3.DatabaseError
    return isinstance(error, ValueError | TypeError | OverflowError)
