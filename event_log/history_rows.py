"""The storages with Dagster's history, and their rows in pages.

What belongs here: connections, and reading many rows without a long transaction. What does not: which records are superseded
(superseded, superseded_events), and removing them (trim).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
from sqlalchemy import Connection, Table, select

Connect = Callable[[], AbstractContextManager[Connection]]

# How many rows are read at once: while a read lasts, SQLite cannot empty its write-ahead log.
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Storages:
    """The three SQL storages of an instance.

    instance: whose storages these are. events: its event log. index, runs, schedules: connect to the asset events of all runs, to
    the records of runs, and to those of schedules and sensors.
    """

    instance: dg.DagsterInstance
    events: SqlEventLogStorage
    index: Connect
    runs: Connect
    schedules: Connect

    @staticmethod
    def of(instance: dg.DagsterInstance) -> "Storages":
        """Return the storages of an instance. Raises TypeError if they are not in SQL."""
        events, runs, schedules = instance.event_log_storage, instance.run_storage, instance.schedule_storage
        if (
            isinstance(events, SqlEventLogStorage)
            and isinstance(runs, SqlRunStorage)
            and isinstance(schedules, SqlScheduleStorage)
        ):
            return Storages(instance, events, events.index_connection, runs.connect, schedules.connect)
        raise TypeError("Only a history in SQLite or PostgreSQL can be trimmed.")


def newest_first(connect: Connect, table: Table, columns: Sequence[Any], where: Sequence[Any] = ()) -> Iterator[Any]:
    """Yield rows by descending id, each page of them in a transaction of its own. columns: the columns to read, with the id."""
    query = select(*columns).where(*where).order_by(table.c.id.desc()).limit(_PAGE)
    page: Sequence[Any] = ()
    while True:
        with connect() as connection:
            page = connection.execute(query.where(table.c.id < page[-1].id) if page else query).all()
        yield from page
        if len(page) < _PAGE:
            return
