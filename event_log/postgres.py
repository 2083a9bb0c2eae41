"""Dagster's records in PostgreSQL, with batches of events in one transaction and a connection that stays open.

What belongs here: the event log, and the storage of all records that dagster.yaml names. What does not: what a batch changes
(batched). It is imported only if PostgreSQL is used, since dagster-postgres is an optional dependency.
"""

import re
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, NamedTuple, Self

from dagster._config import process_config, resolve_to_config_type
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, insert, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from event_log import batch_size
from event_log.batched import BatchedEventLogStorage, can_be_batched
from event_log.partition_changes import PartitionChanges
from event_log.release import check_release
from resources.errors import ConfigurationError

check_release(
    "dagster-postgres"
)  # before its names are imported: the error for a missing name would not say what to do

from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage  # noqa: E402
from dagster_postgres.event_log.event_log import CHANNEL_NAME  # noqa: E402
from dagster_postgres.utils import (  # noqa: E402
    DagsterPostgresException,
    create_pg_engine,
    get_token_provider_from_config,
    pg_url_from_config,
)

# This is less than the idle time after which the firewalls of the usual clouds drop a connection silently (350 s at AWS).
RECYCLE_SECONDS = 300

# Watchers, sensors and the daemon read events by ascending id and never look back, so ids must become visible in their order.
# So processes that write events take turns, by a lock. Each gets the id of its transaction. If its connection is idle for a
# minute, the server ends the transaction and the next process has its turn.
_TAKE_TURN = text(
    "SELECT txid_current(), set_config('idle_in_transaction_session_timeout', '1min', true) "
    "FROM pg_advisory_xact_lock('event_logs'::regclass::oid::bigint)"
)
_STATUS = text("SELECT txid_status(:transaction)")
_NOTIFY = text("SELECT count(pg_notify(:channel, payload)) FROM unnest(CAST(:payloads AS text[])) AS payload")


class _UncertainCommit(NamedTuple):
    """A transaction for which the answer to the commit was lost.

    events: what it stored. transaction: its id in the database. committed: whether it was committed; None if not yet known.
    """

    events: Sequence[EventLogEntry]
    transaction: int
    committed: bool | None = None


class _Thread(threading.local):
    """uncertain: the commit of this thread whose result is not yet known, if any."""

    uncertain: _UncertainCommit | None = None


class BatchedPostgresEventLogStorage(BatchedEventLogStorage, PostgresEventLogStorage):
    """Uses the tables of Dagster's own storage. It stores a batch, or a single event, in one transaction and only once."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: Any = None,
        events_per_batch: Any = batch_size.DEFAULT,
    ) -> None:
        self._last = _Thread()
        super().__init__(
            postgres_url, should_autocreate_tables, inst_data, token_provider, events_per_batch=events_per_batch
        )
        # Dagster's own engine connects again for each use. This one keeps a connection, and replaces it when it is dead.
        self._engine = create_pg_engine(
            postgres_url,
            token_provider,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
            pool_recycle=RECYCLE_SECONDS,
        )

    @classmethod
    def config_type(cls) -> Any:
        """Return the settings of Dagster's own storage, and the size of a batch."""
        return _with_batch_size(super().config_type())

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "BatchedPostgresEventLogStorage":
        """Return an instance of this class; the parent's method would return one of its own."""
        return cls(inst_data=inst_data, **_arguments(config_value))

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Do as the parent does: it makes another engine, so this one is closed first."""
        self._engine.dispose()
        super().optimize_for_webserver(statement_timeout, pool_recycle, max_overflow)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event as the parent does, in one transaction."""
        self._store_once([event], lambda _: super(BatchedPostgresEventLogStorage, self).store_event(event))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all of these events, or none of them.

        If this raises, Dagster stores the same events one by one, so no row may be left behind.
        """
        if not can_be_batched(events):
            super().store_event_batch(events)
            return
        # The parent leaves these out, too.
        kept = [event for event in events if not event.get_dagster_event().is_asset_failed_to_materialize]
        if kept:
            rows = [self._event_to_row(event) for event in kept]
            self._store_once(kept, lambda connection: self._store(connection, kept, rows))

    def _store(self, connection: Connection, events: Sequence[EventLogEntry], rows: list[dict[str, Any]]) -> None:
        event_ids = self._store_in_index(connection, events, rows)
        # The parent sends this for each event, and processes with Dagster's own storage wait for it.
        payloads = [f"{event.run_id}_{event_id}" for event, event_id in zip(events, event_ids, strict=True)]
        connection.execute(_NOTIFY, {"channel": CHANNEL_NAME, "payloads": payloads})

    def _store_once(self, events: Sequence[EventLogEntry], store: Callable[[Connection], None]) -> None:
        """Store events in one transaction, unless an earlier try did: the answer to its commit may have been lost."""
        if self._was_stored(events):
            return
        transaction = None
        try:
            with self._one_transaction() as connection:
                transaction = connection.scalar(_TAKE_TURN)
                store(connection)
        except DBAPIError:
            if transaction is None:
                raise
            self._last.uncertain = _UncertainCommit(events, transaction)
            if not self._was_stored(events):
                raise
            self._last.uncertain = None

    def _was_stored(self, events: Sequence[EventLogEntry]) -> bool:
        """Whether the transaction with the uncertain commit stored these events. Waits until the database has decided."""
        uncertain = self._last.uncertain
        if uncertain is None or not all(any(event is other for other in uncertain.events) for event in events):
            self._last.uncertain = None
            return False
        if uncertain.committed is None:
            with self.index_transaction() as connection:
                newest = connection.scalar(_TAKE_TURN)  # waits until that transaction has ended
                # A standby server that has taken over may not know this transaction.
                known = uncertain.transaction < newest and connection.scalar(
                    _STATUS, {"transaction": uncertain.transaction}
                )
            uncertain = uncertain._replace(committed=known == "committed")
        self._last.uncertain = uncertain if uncertain.committed else None
        return bool(uncertain.committed)

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> Sequence[int]:
        table = SqlEventLogStorageTable
        return (
            connection.execute(insert(table).returning(table.c.id, sort_by_parameter_order=True), rows).scalars().all()
        )

    def _connect(self) -> AbstractContextManager[Connection]:
        held = self._thread.transaction
        return super()._connect() if held is None else nullcontext(held)

    def dispose(self) -> None:
        """Close everything, including the connection that is kept open."""
        super().dispose()
        self._engine.dispose()

    def _after_fork(self, *, in_child: bool) -> None:
        if in_child:
            self._engine.dispose(close=False)


class BatchedPostgresStorage(DagsterPostgresStorage):
    """Stores runs and schedules as Dagster does in PostgreSQL, and events in batches.

    Its settings are those of DagsterPostgresStorage, and events_per_batch.
    """

    event_log_class: ClassVar[type[BatchedPostgresEventLogStorage]] = BatchedPostgresEventLogStorage

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: Any = None,
        events_per_batch: Any = batch_size.DEFAULT,
    ) -> None:
        place = place_of(postgres_url)
        try:
            super().__init__(postgres_url, should_autocreate_tables, inst_data, token_provider)
            # Dagster's own event log has made its tables by now; this one reads and writes the same tables.
            self._event_log_storage = self.event_log_class(postgres_url, False, None, token_provider, events_per_batch)
        except (DBAPIError, DagsterPostgresException) as error:
            raise ConfigurationError(refusal(place, error)) from error

    @classmethod
    def config_type(cls) -> Any:
        """Return the settings of Dagster's own storage, and the size of a batch."""
        return _with_batch_size(super().config_type())

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Return an instance of this class; the parent's method would return one of its own."""
        return cls(inst_data=inst_data, **_arguments(config_value))


class PostgresEventLog(PartitionChanges, BatchedPostgresEventLogStorage):
    """Stores events in batches, and notes in the home when partitions change."""


class PostgresStorage(BatchedPostgresStorage):
    """Stores the records of a home, which has a database of its own."""

    event_log_class = PostgresEventLog


def configured_place(storage: ConfigurableClassData) -> str:
    """Describe the host and database that dagster.yaml names, for our storage or for Dagster's own."""
    config = process_config(resolve_to_config_type(PostgresStorage.config_type()), storage.config_dict).value
    return place_of(pg_url_from_config(config or {}))


def place_of(postgres_url: str) -> str:
    """Describe the host and database of a URL, without its password. Raises ConfigurationError if it is not such a URL."""
    wrong = (
        "is no address of a PostgreSQL database. It has the form postgresql://user:password@host:5432/database; in user "
        "and password write %40 for @, %2F for / and %25 for %"
    )
    try:
        url = make_url(postgres_url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"postgres_url, of the storage in dagster.yaml, {wrong}.") from None
    host = url.host or str(url.query.get("host", "this machine"))
    if "@" in host:  # The host begins with the end of a password that contains @, so it must not be printed.
        raise ConfigurationError(f"postgres_url, of the storage in dagster.yaml, {wrong}.")
    return f"the PostgreSQL database {url.database} on {host}:{url.port or 5432} (user {url.username})"


def refusal(place: str, error: Exception) -> str:
    """Explain that a database cannot be used, and what to do about it."""
    innermost: BaseException = error
    while innermost.__cause__ is not None:
        innermost = innermost.__cause__
    reason = " ".join(str(innermost).split()).rstrip(".?")
    return (
        f"Dagster's records are in {place}, which cannot be used: {reason}. See that the server runs and lets this user in "
        "and make tables there, or fix `storage` in dagster.yaml. All finished work is kept: it is not stored there."
    )


def _with_driver(postgres_url: str) -> str:
    """Name the driver: from SQLAlchemy 2.1, a URL without one means psycopg 3, but dagster-postgres needs psycopg2."""
    return re.sub("^postgres(ql)?:", "postgresql+psycopg2:", postgres_url)


def _with_batch_size(config_type: Any) -> Any:
    return {**config_type, batch_size.SETTING: batch_size.FIELD}


def _arguments(config_value: Any) -> dict[str, Any]:
    return {
        "postgres_url": _with_driver(pg_url_from_config(config_value)),
        "should_autocreate_tables": config_value.get("should_autocreate_tables", True),
        "token_provider": get_token_provider_from_config(config_value),
        batch_size.SETTING: config_value[batch_size.SETTING],
    }
