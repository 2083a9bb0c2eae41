"""A SQLite file that is checked when it is opened, and written in groups by one thread.

Connections are in `connection`, the tables in `schema`.

Durability: the file is in WAL mode with synchronous=FULL, so that an acknowledged commit survives `kill -9` and power
failures. A flush takes as long for one row as for a thousand, so all writes go through one thread, which commits everything
that was queued during the previous flush. Rows that matter only while their process lives (leases) use a connection of their
own with synchronous=NORMAL, which does not wait for the disk.
"""

import os
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from io_managers.store.errors import StoreUnavailableError, StoreVersionError, is_disk_failure, translate
from io_managers.store.sqlite.connection import Row, Write, commit_group, connect, error_code, transaction
from io_managers.store.sqlite.log_loss import LogWatch
from io_managers.store.sqlite.migrations import migrate
from io_managers.store.sqlite.schema import (
    ACCOUNT_TABLES,
    ACCOUNT_TRIGGERS,
    ADDED,
    APPLICATION_ID,
    FORMAT,
    REPLIES_INDEX,
    RETENTION_TABLES,
    RETENTION_TRIGGERS,
    SCHEMA,
)

__all__ = ["Database", "Row", "Write"]

# A group is bounded, so that its first writer does not wait for megabytes of later writers (a judgement).
GROUP_ROWS = 2048
GROUP_BYTES = 8 << 20
# How often a checkpoint copies the log into the main file: the most that is missing in a copy of the main file alone, or
# after the log was deleted. A checkpoint costs two flushes.
FOLD_SECONDS = 30.0
# Long work reads and writes the indexes at random places: a larger cache writes each page less often (a judgement).
_LONG_WORK_CACHE_KIB = 64 << 10
_Queued = tuple[Sequence[Write], Future[None]]


class Database:
    """A SQLite file in WAL mode that threads and processes share. A forked process must open it again."""

    def __init__(self, path: Path, *, watched: bool = False) -> None:
        """Open the file, or create it and its directory.

        watched: warn if commits are missing because the file was separated from its log (`log_loss`).
        Raises StoreUnavailableError if it cannot be opened, and StoreVersionError if a newer Seedbank wrote it.
        """
        self.path = path
        # Whether rows have seals. A file of an earlier format in a read-only directory has none.
        self.sealed = True
        self._pid = os.getpid()
        self._read_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._volatile_lock = threading.Lock()
        self._writes: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._volatile: sqlite3.Connection | None = None
        self._closed = False
        self._folded_at = time.monotonic()
        self._to_fold = False
        # How many groups could not be written, and the last error.
        self.refusals = 0
        self.refusal: StoreUnavailableError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailableError(
                f"The store {path.parent} cannot be created: {error.strerror}.",
                "Make its parent writable for this user, or point SEEDBANK_HOME at a directory that is.",
            ) from error
        self._watch = LogWatch(path) if watched else None
        with self.translated():
            self._reader = connect(self.path)
            try:
                self._create_or_check()
                if self._watch is not None:
                    self._watch.check(self._reader)
            except BaseException:
                self._reader.close()
                raise

    def _create_or_check(self) -> None:
        found, application = self._identity()
        if found == 0:
            with transaction(self._reader):
                found, application = self._identity()
                if found == 0 and not self._reader.execute("SELECT 1 FROM sqlite_master").fetchone():
                    tables = (SCHEMA + ADDED + ACCOUNT_TABLES + RETENTION_TABLES).split(";\n")
                    for statement in (*tables, REPLIES_INDEX, *ACCOUNT_TRIGGERS, *RETENTION_TRIGGERS):
                        self._reader.execute(statement)
                    self._reader.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    self._reader.execute(f"PRAGMA user_version = {FORMAT}")
                    found, application = FORMAT, APPLICATION_ID
            # Without its log the file would be empty.
            self._reader.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
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
        try:
            migrate(self._reader)
        except sqlite3.OperationalError as error:
            if error_code(error) != sqlite3.SQLITE_READONLY:  # it can still be read
                raise
            self.sealed = found == FORMAT

    def _identity(self) -> tuple[int, int]:
        names = ("user_version", "application_id")
        found, application = (self._reader.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return found, application

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn errors of SQLite in the body into StoreUnavailableErrors with cause and remedy."""
        try:
            yield
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of one query."""
        with self.translated(), self._read_lock:
            self._check_open()
            try:
                return self._reader.execute(sql, parameters).fetchall()
            except sqlite3.OperationalError as error:
                if not str(error).startswith("Could not decode"):
                    raise
            # A bit of a text was flipped. The seal of its row reveals that; the other rows can still be read.
            self._reader.text_factory = _readable
            try:
                return self._reader.execute(sql, parameters).fetchall()
            finally:
                self._reader.text_factory = str

    def write(self, *writes: Write) -> Future[None]:
        """Queue rows for the next group, in which all or none of them are written; the future is done when they are durable.

        The future cannot be cancelled, since other tasks may rely on the write even if this one stops waiting.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        with self._write_lock:
            self._check_open()
            if self._writer is None or not self._writer.is_alive():
                writer = threading.Thread(target=self._write_groups, name="seedbank-store", daemon=True)
                writer.start()
                self._writer = writer
            # Under the lock, so that nothing is queued after the end marker of `close`.
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
            group, last = self._next_group(connection)
            try:
                if connection is None:
                    connection = self._connected_writer()
                commit_group(connection, [writes for writes, _ in group])
                if self._watch is not None and group:
                    self._watch.committed(connection)
            except BaseException as error:  # noqa: BLE001 - every error must reach the waiting writers
                self._settle(connection, group, error)
            else:
                for _, future in group:
                    future.set_result(None)
        if connection is not None:
            if self._watch is not None:
                self._watch.leave(connection)
            connection.close()

    def _connected_writer(self) -> sqlite3.Connection:
        connection = connect(self.path)
        if self._watch is not None:
            # Not worth failing for: if the disk is full, the next commit reports it.
            with suppress(sqlite3.Error):
                self._watch.enter(connection)
        return connection

    def _first(self, connection: sqlite3.Connection | None) -> _Queued | None:
        """The next item of the queue. While waiting, checkpoints copy the log into the main file from time to time."""
        while True:
            due = self._folded_at + FOLD_SECONDS - time.monotonic()
            if self._to_fold and connection is not None and due <= 0:
                with suppress(sqlite3.Error):  # the log keeps its content until the next checkpoint
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                self._folded_at = time.monotonic()
                self._to_fold = False
            try:
                return self._writes.get(timeout=max(0.0, due) if self._to_fold and connection is not None else None)
            except queue.Empty:
                continue

    def _next_group(self, connection: sqlite3.Connection | None) -> tuple[list[_Queued], bool]:
        """The queued writes, and whether they are the last ones."""
        group: list[_Queued] = []
        rows = size_bytes = 0
        queued = self._first(connection)
        self._to_fold = True
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
        """Report a failed group to its writers; if the rows of one writer may be the cause, try each writer alone first."""
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
            translated = translate(cause, self.path) if isinstance(cause, sqlite3.Error) else cause
            if isinstance(translated, StoreUnavailableError) and is_disk_failure(cause):
                # Counted before the writers hear of it, so that they do not send requests whose answers cannot be stored.
                self.refusals, self.refusal = self.refusals + 1, translated
            if translated is not cause:
                translated.__cause__ = cause
            future.set_exception(translated)

    @contextmanager
    def volatile_transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction that does not wait for the disk: for rows that mean nothing after a crash."""
        with self.translated(), self._volatile_lock:
            self._check_open()
            if self._watch is not None:
                self._watch.unsure()
            if self._volatile is None:
                self._volatile = connect(self.path, "NORMAL")
            with transaction(self._volatile):
                yield self._volatile

    @contextmanager
    def maintained(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, for long work that removes rows; it does not wait for the disk. It is not in a transaction.

        What is removed is overwritten where that costs no further write. Temporary tables are in memory.
        """
        with self.translated():
            self._check_open()
            if self._watch is not None:
                self._watch.unsure()
            connection = connect(self.path, "NORMAL")
            for pragma in ("secure_delete = FAST", "temp_store = MEMORY", f"cache_size = -{_LONG_WORK_CACHE_KIB}"):
                connection.execute(f"PRAGMA {pragma}")
            try:
                yield connection
            finally:
                if self._watch is not None:
                    self._watch.unsure()
                connection.close()

    def close(self) -> None:
        """Write everything that is queued, then close. It may be called twice."""
        with self._write_lock:
            if self._closed:
                return
            self._closed = True
            self._writes.put(None)
        if self._pid != os.getpid():  # the connections and the thread belong to the parent process
            return
        if self._writer is not None:
            self._writer.join()
        with self._read_lock:
            self._reader.close()
        with self._volatile_lock:
            if self._volatile is not None:
                self._volatile.close()


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _may_be_one_writers(error: BaseException) -> bool:
    """Whether the rows of one writer may have caused the failure of the group, by their content or size."""
    if isinstance(error, sqlite3.OperationalError):
        return error_code(error) == sqlite3.SQLITE_FULL
    if isinstance(error, sqlite3.Error):
        return type(error) is not sqlite3.DatabaseError
    return isinstance(error, ValueError | TypeError | OverflowError)
