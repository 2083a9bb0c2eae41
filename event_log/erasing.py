"""Erases documents from Dagster's records: events of their partitions, events and logs that name them, tags, cursors.

What belongs here: the tables of Dagster that can name a document. What does not: which documents, and which assets show more of
them than their names (the caller). Partitions are removed by the caller as well.

Events of other partitions stay, unless they name a document. Of the runs that visited one, the events that can hold text of it go
(outputs, failures, messages of the code), whatever partition they are of. Elsewhere an id is replaced by a word.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs.schema import (
    BackfillTagsTable,
    BulkActionsTable,
    KeyValueStoreTable,
    RunsTable,
    RunTagsTable,
)
from dagster._core.storage.schedules.schema import (
    AssetDaemonAssetEvaluationsTable,
    InstigatorsTable,
    JobTable,
    JobTickTable,
)
from sqlalchemy import Table, and_, delete, or_, select, text, update

from event_log.history_files import run_files, runless_file, shared_files
from event_log.superseded import Connect, Storages
from io_managers.store.retention.mentions import Mentions
from io_managers.store.sqlite.wiping import overwrite_deleted, wipe_file

Type = dg.DagsterEventType
# Events of a run that can hold a text of any document that it visited. The messages of the code have no type.
_WITH_TEXT = frozenset(
    kind.value
    for kind in (
        Type.HANDLED_OUTPUT,
        Type.LOADED_INPUT,
        Type.STEP_OUTPUT,
        Type.STEP_INPUT,
        Type.STEP_FAILURE,
        Type.STEP_UP_FOR_RETRY,
        Type.STEP_EXPECTATION_RESULT,
        Type.ASSET_FAILED_TO_MATERIALIZE,
        Type.RUN_FAILURE,
    )
)
_AT_ONCE = 500
_EVENTS = SqlEventLogStorageTable.c
# Tables whose rows go if they name a document, and those in which the name is replaced.
_DELETED = ((AssetCheckExecutionsTable, "evaluation_event"), (JobTickTable, "tick_body"))
_REPLACED = (
    (RunsTable, "run_body", "partition"),
    (RunTagsTable, "value"),
    (BulkActionsTable, "body"),
    (BackfillTagsTable, "value"),
    (KeyValueStoreTable, "value"),
    (InstigatorsTable, "instigator_body"),
    (JobTable, "job_body"),
    (AssetDaemonAssetEvaluationsTable, "asset_evaluation_body"),
)


def erase(
    instance: dg.DagsterInstance, naming: Mentions, shown: Mapping[str, Iterable[str | None]], *, dry_run: bool
) -> int:
    """Erase documents from the records of an instance; how many there were, or would be.

    shown: asset -> the partitions whose pages show more of the documents than their names; all events of these go. None: the
    asset has no partitions. Raises TypeError if the storages are neither SQLite nor PostgreSQL.
    """
    storages = Storages.of(instance)
    erasing = _Erasing(storages, naming, shown, dry_run=dry_run)
    erased = erasing.run()
    if erased and not dry_run:
        _wipe(storages, erasing.changed)
    return erased


class _Erasing:
    def __init__(
        self, storages: Storages, naming: Mentions, shown: Mapping[str, Iterable[str | None]], *, dry_run: bool
    ) -> None:
        self.changed: set[Path] = set()
        self._storages = storages
        self._naming = naming
        self._shown = {dg.AssetKey(name).to_string(): frozenset(partitions) for name, partitions in shown.items()}
        self._dry_run = dry_run
        self._visiting: set[str] = set()

    def run(self) -> int:
        storages = self._storages
        self._visiting = set(self._tagged_runs())
        # The events that name a document say which runs have visited it, so they are found first.
        ids = self._found(storages.index)
        # PostgreSQL has the events of all runs in one table, in which the runs are known only now.
        ids |= self._found(storages.index)
        erased = len(ids)
        self._delete(storages.index, ids)
        for file in (*run_files(storages), runless_file(storages)):
            if file is not None:
                erased += self._in_file(file)
        erased += self._rows(storages)
        if not self._dry_run:
            self._forget_latest(storages)
            for run_id in self._visiting:
                storages.instance.compute_log_manager.delete_logs(prefix=[run_id])
        return erased

    def _tagged_runs(self) -> Iterator[str]:
        """The runs whose partition or range begins or ends with a document."""
        with self._storages.runs() as connection:
            for documents in _some(self._naming.documents):
                yield from connection.execute(
                    select(RunTagsTable.c.run_id).where(RunTagsTable.c.value.in_(documents))
                ).scalars()

    def _is_erased(self, run_id: str, kind: str | None, asset: str | None, partition: str | None, event: str) -> bool:
        if partition in self._naming.documents or self._naming.in_text(event):
            self._visiting.add(run_id)
            return True
        if asset is not None and partition in self._shown.get(asset, ()):
            return True
        return run_id in self._visiting and (kind is None or kind in _WITH_TEXT)

    def _found(self, connect: Connect) -> set[int]:
        conditions = [_EVENTS.event.contains(needle, autoescape=True) for needle in self._naming.needles]
        conditions += [_EVENTS.partition.in_(some) for some in _some(self._naming.documents)]
        conditions += [_EVENTS.asset_key == asset for asset in self._shown]
        in_runs = or_(_EVENTS.dagster_event_type.is_(None), _EVENTS.dagster_event_type.in_(_WITH_TEXT))
        conditions += [and_(in_runs, _EVENTS.run_id.in_(some)) for some in _some(sorted(self._visiting))]
        query = select(
            _EVENTS.id, _EVENTS.run_id, _EVENTS.dagster_event_type, _EVENTS.asset_key, _EVENTS.partition, _EVENTS.event
        )
        with connect() as connection:
            rows = connection.execute(query.where(or_(*conditions)).execution_options(yield_per=_AT_ONCE))
            return {event_id for event_id, *row in rows if self._is_erased(*row)}

    def _delete(self, connect: Connect, ids: Iterable[int]) -> None:
        for some in [] if self._dry_run else _some(sorted(ids)):
            with connect() as connection:
                connection.execute(delete(AssetEventTagsTable).where(AssetEventTagsTable.c.event_id.in_(some)))
                connection.execute(delete(SqlEventLogStorageTable).where(_EVENTS.id.in_(some)))

    def _in_file(self, file: Path) -> int:
        """Erase the events in the file of a run. It is opened as trim does, since nobody writes to it after the run."""
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as database:
            rows = database.execute(
                "SELECT id, run_id, dagster_event_type, asset_key, partition, event FROM event_logs"
            )
            ids = [(event_id,) for event_id, *row in rows if self._is_erased(*row)]
            if ids and not self._dry_run:
                overwrite_deleted(database)
                database.execute("BEGIN IMMEDIATE")
                database.executemany("DELETE FROM event_logs WHERE id = ?", ids)
                database.execute("COMMIT")
        if ids:
            self.changed.add(file)
        return len(ids)

    def _rows(self, storages: Storages) -> int:
        """Erase rows that name a document, and replace its name where the row has to stay."""
        found = 0
        for table, *columns in (*_DELETED, *_REPLACED):
            connect = _connect_to(storages, table)
            for column in columns:
                field = table.c[column]
                conditions = [field.contains(needle, autoescape=True) for needle in self._naming.needles]
                with connect() as connection:
                    rows = [
                        row
                        for row in connection.execute(select(table.c.id, field).where(or_(*conditions)))
                        if self._naming.in_text(row[1])
                    ]
                    found += len(rows)
                    for row_id, value in [] if self._dry_run else rows:
                        if (table, column) in _DELETED:
                            connection.execute(delete(table).where(table.c.id == row_id))
                        else:
                            changed = {column: self._naming.without(value)}
                            connection.execute(update(table).where(table.c.id == row_id).values(changed))
        return found

    def _forget_latest(self, storages: Storages) -> None:
        """Forget the copies that Dagster keeps of the latest event and of the states of partitions; it makes them again."""
        with storages.index() as connection:
            for row in connection.execute(
                select(
                    AssetKeyTable.c.asset_key, AssetKeyTable.c.last_materialization, AssetKeyTable.c.cached_status_data
                )
            ).all():
                latest = row.asset_key in self._shown or self._naming.in_text(row.last_materialization or "")
                changed = {"last_materialization": None} if latest else {}
                if latest or self._naming.in_text(row.cached_status_data or ""):
                    changed["cached_status_data"] = None
                    connection.execute(
                        update(AssetKeyTable).where(AssetKeyTable.c.asset_key == row.asset_key).values(changed)
                    )


def _some(items: Sequence[str] | Sequence[int]) -> Iterator[list]:
    for start in range(0, len(items), _AT_ONCE):
        yield list(items[start : start + _AT_ONCE])


def _connect_to(storages: Storages, table: Table) -> Connect:
    for connect in (storages.index, storages.runs, storages.schedules):
        with connect() as connection:
            if connection.dialect.has_table(connection, table.name):
                return connect
    raise TypeError(f"Dagster's storages have no table {table.name}.")


def _wipe(storages: Storages, changed: Iterable[Path]) -> None:
    """Take what was deleted out of the files for good; in PostgreSQL, let its space be used again."""
    for file in {*changed, *shared_files(storages)}:
        wipe_file(file)
    for connect in (storages.index, storages.runs, storages.schedules):
        with connect() as connection:
            engine = connection.engine
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM"))
