"""What Dagster's SQL event logs need, whichever the database, to store the events of a step's partitions together.

Here: what a batch changes in the index, in one transaction, and when Dagster is to hand over batches. Not here:
connections, and what one database does otherwise than another (sqlite, postgres).

Dagster's own storages open connections and commit several times for each event: 8 ms and more, 30 s for 212 documents
and 8 stages that do nothing. Dagster hands over whole batches where it is told to, and its own storages store most of
them one by one. What is not stored yet is lost with the process: the store, not the event log, says what is finished.
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


class _Thread(threading.local):
    """What one thread is doing with a storage."""

    transaction: Connection | None = None


class BatchedEventLogStorage(SqlEventLogStorage):
    """Put before one of Dagster's SQL storages among the bases of a class: see `store_event_batch` there."""

    def __init__(self, *args: Any, events_per_batch: Any = batch_size.DEFAULT, **kwargs: Any) -> None:
        self._events_per_batch = batch_size.configured(events_per_batch)
        self._thread = _Thread()
        self._known_tables: set[str] = set()
        super().__init__(*args, **kwargs)
        _OPEN.add(self)

    def register_instance(self, instance: DagsterInstance) -> None:
        """Make the instance hand over batches.

        Dagster itself reads their size from the environment alone; set there, it would be inherited by processes of
        another dagster.yaml.
        """
        super().register_instance(instance)
        size = self._events_per_batch
        batch_size.in_force(size)
        instance._get_event_batch_size = lambda: batch_size.in_force(size)

    def has_table(self, table_name: str) -> bool:
        """Asked for every event that has tags; tables do not go away."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    @contextmanager
    def _one_transaction(self) -> Iterator[Connection]:
        """A transaction on the index; whatever the storage does there meanwhile, in this thread, is part of it."""
        with self.index_transaction() as connection:
            self._thread.transaction = connection
            try:
                yield connection
            finally:
                self._thread.transaction = None

    def _store_in_index(
        self, index: Connection, events: Sequence[EventLogEntry], rows: list[dict[str, Any]]
    ) -> Sequence[int]:
        """What storing these events one by one would leave in the index; their ids. Within `_one_transaction`."""
        event_ids = self._insert(index, rows)
        both = list(zip(events, event_ids, strict=True))
        planned_checks = [(event, event_id) for event, event_id in both if _is_planned_check(event)]
        of_assets = [(event, event_id) for event, event_id in both if not _is_planned_check(event)]
        if of_assets:
            self._store_asset_event_tags(index, *zip(*of_assets, strict=True))
        # an asset's record keeps the latest event of each type: an earlier one would only be overwritten
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
        """The ids that these rows of events got, in their order, whoever else writes."""
        raise NotImplementedError

    def _before_fork(self) -> None:
        """What may not be inherited is closed here."""

    def _after_fork(self, *, in_child: bool) -> None:
        """A child's connections are its own."""


def can_be_batched(events: Sequence[EventLogEntry]) -> bool:
    """Whether Dagster lets these be written together; it never hands over others."""
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
