"""Dagster's SQLite event log, writing the events of a step's partitions together.

Here: how a batch of events is stored. Not here: which events there are, and where the files lie (home).

Dagster's own storage opens three connections and commits three times for each event: 8 ms and more, 30 s for 212
documents and 8 stages that do nothing. Dagster hands over whole batches when DAGSTER_EVENT_BATCH_SIZE is set, and its
own storage stores them one by one. What is not stored yet is lost with the process: the store, not the event log, says
what is finished.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dagster._core.events import BATCH_WRITABLE_EVENTS, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, delete, insert

# One transaction holds the write lock, and the events in memory, of one stage over the most documents of a run.
BATCH_EVENTS = 1_000


class BatchedSqliteEventLogStorage(SqliteEventLogStorage):
    """The stock storage's files and tables; a batch of events is one transaction in each of its two databases."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._held = threading.local()
        # only the environment can switch batches on: dagster.yaml has no word for it
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(BATCH_EVENTS))
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "BatchedSqliteEventLogStorage":
        """An instance of this class: the parent's names its own."""
        return cls(inst_data=inst_data, **config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Stores events of one run, all or none of them.

        Where this raises, Dagster stores the same events one by one: so no row may be left behind.
        """
        if len({event.run_id for event in events}) != 1 or not all(map(_is_batch_writable, events)):
            super().store_event_batch(events)
            return
        run_id = events[0].run_id
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(run_id) as run_shard:
            in_run_shard = _insert(run_shard, rows)
        try:
            self._store_in_index(events, rows)
        except BaseException:
            with self.run_connection(run_id) as run_shard:
                run_shard.execute(delete(SqlEventLogStorageTable).where(SqlEventLogStorageTable.c.id.in_(in_run_shard)))
            raise

    def _store_in_index(self, events: Sequence[EventLogEntry], rows: list[dict[str, object]]) -> None:
        with self._holding_index() as index:
            event_ids = _insert(index, rows)
            of_assets = [
                (event, event_id)
                for event, event_id in zip(events, event_ids, strict=True)
                if not _is_planned_check(event)
            ]
            if of_assets:
                self._store_asset_event_tags(index, [event for event, _ in of_assets], [i for _, i in of_assets])
            # an asset's record keeps its latest event of each type: the earlier ones would only be overwritten
            latest = {
                (event.get_dagster_event().asset_key, event.dagster_event_type): (event, event_id)
                for event, event_id in of_assets
            }
            for event, event_id in latest.values():
                self._store_asset_event(index, event, event_id)
            for event, event_id in zip(events, event_ids, strict=True):
                if _is_planned_check(event):
                    self.store_asset_check_event(event, event_id)

    @contextmanager
    def _holding_index(self) -> Iterator[Connection]:
        """One transaction on the index; what the parent writes there meanwhile, in this thread, is part of it."""
        with super().index_connection() as index:
            self._held.index = index
            try:
                yield index
            finally:
                self._held.index = None

    @contextmanager
    def index_connection(self) -> Iterator[Connection]:
        """The transaction that this thread holds on the index, or a new one."""
        held = getattr(self._held, "index", None)
        if held is not None:
            yield held
            return
        with super().index_connection() as index:
            yield index


def _insert(connection: Connection, rows: list[dict[str, object]]) -> list[int]:
    """The ids that the rows got, in their order, from the database itself: it alone knows of concurrent writers."""
    statement = insert(SqlEventLogStorageTable).returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def _is_batch_writable(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in BATCH_WRITABLE_EVENTS


def _is_planned_check(event: EventLogEntry) -> bool:
    return event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
