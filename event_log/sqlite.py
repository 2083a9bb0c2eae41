"""Dagster's SQLite event log, with batches in one transaction and connections that stay open.

What belongs here: the two files that an event is written to, and the connections that stay open to them. What does not: what a
batch changes in the index (batched), and where the files lie (home).
"""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, NamedTuple

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, delete, insert, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from event_log import batch_size
from event_log.batched import BatchedEventLogStorage, can_be_batched

# How many files of runs stay open; each takes three file handles. A run writes to one; a process that reads many runs opens each
# of them once.
OPEN_RUNS = 8


class _Shard(NamedTuple):
    """A database that is kept open.

    engine: has the connection to it. file: device and inode of the file when it was opened; None if there was none.
    """

    engine: Engine
    file: tuple[int, int] | None


class BatchedSqliteEventLogStorage(BatchedEventLogStorage, SqliteEventLogStorage):
    """Uses the files and tables of Dagster's own storage. A batch of events is one transaction in each of its two databases."""

    def __init__(
        self,
        base_dir: str,
        inst_data: ConfigurableClassData | None = None,
        events_per_batch: Any = batch_size.DEFAULT,
    ) -> None:
        self._shards: OrderedDict[str, _Shard] = OrderedDict()  # in the order of their last use
        weakref.finalize(self, _close, self._shards)
        super().__init__(base_dir, inst_data, events_per_batch=events_per_batch)
        # A batch opens both databases in one thread, for which Dagster's own lock would wait for ever.
        self._db_lock = threading.RLock()

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the settings of Dagster's own storage, and the size of a batch."""
        return {**super().config_type(), batch_size.SETTING: batch_size.FIELD}  # pyright: ignore[reportGeneralTypeIssues]

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "BatchedSqliteEventLogStorage":
        """Return an instance of this class; the parent's method would return one of its own."""
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and wake the processes that watch its run.

        With the parent's storage they notice that the database is closed: then SQLite writes to its main file.
        """
        super().store_event(event)
        self._wake_watchers(event.run_id)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all of these events of one run, or none of them.

        If this raises, Dagster stores the same events one by one, so no row may be left behind.
        """
        run_id = events[0].run_id if events else ""
        if not can_be_batched(events) or any(event.run_id != run_id for event in events):
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        stored: Sequence[int] = ()
        try:
            # Both write locks are held before anything is committed. Then only the disk can still fail.
            with self._one_transaction() as index:
                self._store_in_index(index, events, rows)
                with self.run_connection(run_id) as run_shard:
                    inserted = self._insert(run_shard, rows)
                stored = inserted  # committed there, and not yet in the index
        except Exception:
            if stored:
                with self.run_connection(run_id) as run_shard:
                    ids = SqlEventLogStorageTable.c.id
                    run_shard.execute(delete(SqlEventLogStorageTable).where(ids.between(stored[0], stored[-1])))
            raise
        self._wake_watchers(run_id)

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> Sequence[int]:
        """Insert the first row, then all others in one statement.

        The first row takes the write lock, so no other process can take one of the ids that follow.
        """
        table = SqlEventLogStorageTable
        first = connection.execute(insert(table).returning(table.c.id), rows[0]).scalar_one()
        ids = range(first, first + len(rows))
        if len(rows) > 1:
            connection.execute(insert(table), [{"id": i, **row} for i, row in zip(ids[1:], rows[1:], strict=True)])
        return ids

    def index_connection(self) -> AbstractContextManager[Connection]:
        """Return the transaction that this thread holds on the index, or a new one."""
        held = self._thread.transaction
        return self._connect(INDEX_SHARD_NAME) if held is None else nullcontext(held)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine_of(shard).connect() as connection, connection.begin():
            yield connection

    def _engine_of(self, shard: str) -> Engine:
        path = self.path_for_shard(shard)
        kept = self._shards.pop(shard, None)
        if kept is not None and kept.file != _file_at(path):  # The file was deleted, and perhaps made again.
            kept.engine.dispose()
            self._initialized_dbs.discard(shard)
            kept = None
        if kept is None:
            kept = self._open(shard)
        self._shards[shard] = kept
        runs = [name for name in self._shards if name != INDEX_SHARD_NAME]
        for name in runs[:-OPEN_RUNS]:
            self._shards.pop(name).engine.dispose()
        return kept.engine

    def _open(self, shard: str) -> _Shard:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=-1,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        if shard not in self._initialized_dbs:
            try:
                self._initdb(engine)
            except BaseException:
                engine.dispose()
                raise
            self._initialized_dbs.add(shard)
        return _Shard(engine, _file_at(self.path_for_shard(shard)))

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Make the tables of a database that has none.

        The parent reads all of Dagster's migrations before it finds that there is nothing to do.
        """
        if not _has_revision(engine):
            super()._initdb(engine, for_index_shard)

    def _wake_watchers(self, run_id: str) -> None:
        """Change the modification time of the run's file.

        Watchers wait for a change of that file, but SQLite writes nothing to it while it stays open.
        """
        with suppress(OSError):  # The events are stored: an error here would have them stored once more.
            os.utime(self.path_for_shard(run_id))

    def wipe(self) -> None:
        """Close all files, then delete them as the parent does."""
        self._close_all()
        super().wipe()

    def dispose(self) -> None:
        """Close everything, including the files that are kept open."""
        super().dispose()
        self._close_all()

    def _close_all(self) -> None:
        with self._db_lock:
            _close(self._shards)

    def _before_fork(self) -> None:
        # If the parent kept a file open, the child could misjudge its locks. Then the parent, which believes that it closes the
        # file as the last process, would delete what the child has just written.
        self._db_lock.acquire()
        _close(self._shards)

    def _after_fork(self, *, in_child: bool) -> None:
        with suppress(RuntimeError):  # another thread made this storage meanwhile, so its lock is not held
            self._db_lock.release()


def _has_revision(engine: Engine) -> bool:
    """Whether a database holds the revision of its tables, which Dagster writes into it when it has made them."""
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).first() is not None
    except DatabaseError:  # there is no such table, or the parent says what is wrong
        return False


def _close(shards: OrderedDict[str, _Shard]) -> None:
    while shards:
        shards.popitem()[1].engine.dispose()


def _file_at(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
