"""What Dagster's SQL event logs need, for any database, to store the events of a step's partitions together.

What belongs here: what a batch changes in the index, in one transaction, and when Dagster hands over batches. What does not:
connections, and what differs between databases (sqlite, postgres).

Dagster's own storages open connections and commit several times for each event. That takes 8 ms and more: 30 s for 212
documents and 8 stages that do nothing. Dagster hands over whole batches if a setting says so, but its own storages store most
of them one by one. Events that are not stored yet are lost if the process is killed; this does no harm, since the store, not
the event log, says what is finished.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from dagster import DagsterInstance
from dagster._core.events import BATCH_WRITABLE_EVENTS, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import Connection

from event_log import batch_size
from event_log.staleness import pass_over_not_compared


class _Thread(threading.local):
    """What one thread is doing with a storage. transaction: the connection of its open transaction on the index, if any."""

    transaction: Connection | None = None


class BatchedEventLogStorage(SqlEventLogStorage):
    """A mixin: name it before one of Dagster's SQL storages in the bases of a class, which implements `store_event_batch`."""

    def __init__(self, *args: Any, events_per_batch: Any = batch_size.DEFAULT, **kwargs: Any) -> None:
        self._events_per_batch = batch_size.configured(events_per_batch)
        self._thread = _Thread()
        self._known_tables: set[str] = set()
        super().__init__(*args, **kwargs)
        _OPEN.add(self)

    def register_instance(self, instance: DagsterInstance) -> None:
        """Make the instance hand over batches.

        Dagster itself reads their size only from the environment. If it were set there, processes that use another
        dagster.yaml would inherit it.
        """
        super().register_instance(instance)
        pass_over_not_compared()
        size = self._events_per_batch
        batch_size.in_force(size)
        instance._get_event_batch_size = lambda: batch_size.in_force(size)

    def has_table(self, table_name: str) -> bool:
        """Answer from memory after the first time: Dagster asks for every event with tags, and tables are never dropped."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    @contextmanager
    def _one_transaction(self) -> Iterator[Connection]:
        """Open a transaction on the index. Everything that the storage does there meanwhile, in this thread, is part of it."""
        with self.index_transaction() as connection:
            self._thread.transaction = connection
            try:
                yield connection
            finally:
                self._thread.transaction = None

    def _store_in_index(
        self, index: Connection, events: Sequence[EventLogEntry], rows: list[dict[str, Any]]
    ) -> Sequence[int]:
        """Write what storing these events one by one would write, and return their ids. Call it in `_one_transaction`."""
        event_ids = self._insert(index, rows)
        both = list(zip(events, event_ids, strict=True))
        planned_checks = [(event, event_id) for event, event_id in both if _is_planned_check(event)]
        of_assets = [(event, event_id) for event, event_id in both if not _is_planned_check(event)]
        if of_assets:
            self._store_asset_event_tags(index, *zip(*of_assets, strict=True))
        # An asset's record keeps the latest event of each type, so an earlier one would only be overwritten.
        latest: dict[Any, tuple[EventLogEntry, int]] = {}
        for event, event_id in of_assets:
            name = event.get_dagster_event().asset_key, event.dagster_event_type
            latest.pop(name, None)
            latest[name] = event, event_id
        for event, event_id in latest.values():
            self._store_asset_event(index, event, event_id)
        for event, event_id in planned_checks:
            self.store_asset_check_event(event, event_id)
        return event_ids

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> Sequence[int]:
        """Insert these rows of events and return their ids in the same order, even if other processes write meanwhile."""
        raise NotImplementedError

    def _before_fork(self) -> None:
        """Close what a child process may not inherit."""

    def _after_fork(self, *, in_child: bool) -> None:
        """Make sure that a child does not use the connections of its parent."""


def can_be_batched(events: Sequence[EventLogEntry]) -> bool:
    """Whether Dagster allows these events to be written together. Dagster itself hands over no others."""
    return bool(events) and all(e.is_dagster_event and e.dagster_event_type in BATCH_WRITABLE_EVENTS for e in events)


def _is_planned_check(event: EventLogEntry) -> bool:
    return event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED


_OPEN: WeakSet[BatchedEventLogStorage] = WeakSet()


def _before_fork() -> None:
    for storage in _OPEN:
        storage._before_fork()


def _after_fork(*, in_child: bool) -> None:
    for storage in _OPEN:
        storage._after_fork(in_child=in_child)


os.register_at_fork(
    before=_before_fork,
    after_in_parent=lambda: _after_fork(in_child=False),
    after_in_child=lambda: _after_fork(in_child=True),
)
