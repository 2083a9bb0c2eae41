"""Erases documents from Dagster's records: events of their partitions, texts of them on other pages, tags, cursors.

What belongs here: the tables of Dagster that can hold something of a document. What does not: which documents, and which pages
show them (the caller). Partitions are removed by the caller as well.

Events of a document's partitions go. An event of another partition stays, since it says what Dagster shows of that partition,
and loses the texts in its metadata if it names a document, or is of a page that shows one. Of the runs that visited a document,
the events that can hold a text go (outputs, failures, messages of the code). Elsewhere an id is replaced by a word.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from sqlalchemy import ColumnElement, Row, Table, and_, delete, or_, select, text, update

from event_log.history_files import run_files, runless_file, shared_files
from event_log.history_rows import Connect, Storages
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
        Type.RUN_FAILURE,
    )
)
_AT_ONCE = 500
_PAGE = 2_000
_EVENTS = SqlEventLogStorageTable.c
_COLUMNS = (_EVENTS.run_id, _EVENTS.dagster_event_type, _EVENTS.asset_key, _EVENTS.partition, _EVENTS.event)
# Stands in the JSON of a table that a page shows.
_SAMPLE = '"Markdown'
# The beginnings of the names of metadata that cannot be a text.
_NUMBERS = ("Int", "Float", "Bool", "Timestamp", "Null", "DagsterRun", "DagsterAsset")
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


@dataclass(frozen=True, slots=True)
class Pages:
    """Which pages show something of the documents without naming them: asset -> partitions; None for an asset without partitions.

    now: what was published last. before: only earlier results, so what the newest run has written stays. tables: assets of
    tables, each of whose pages can show any row.
    """

    now: Mapping[str, Collection[str | None]] = field(default_factory=dict[str, Collection[str | None]])
    before: Mapping[str, Collection[str | None]] = field(default_factory=dict[str, Collection[str | None]])
    tables: Collection[str] = ()


def erase(instance: dg.DagsterInstance, mentions: Mentions, pages: Pages, *, dry_run: bool) -> int:
    """Erase documents from the records of an instance; how many records are changed, or would be.

    Raises TypeError if the storages are neither SQLite nor PostgreSQL.
    """
    storages = Storages.of(instance)
    erasing = _Erasing(storages, mentions, pages, dry_run=dry_run)
    erased = erasing.run()
    if erased and not dry_run:
        _wipe(storages, erasing.changed)
    return erased


class _Erasing:
    def __init__(self, storages: Storages, mentions: Mentions, pages: Pages, *, dry_run: bool) -> None:
        self.changed: set[Path] = set()
        self._storages = storages
        self._mentions = mentions
        self._now = _by_key(pages.now)
        self._before = _by_key(pages.before)
        self._tables = {dg.AssetKey(name).to_string() for name in pages.tables}
        self._dry_run = dry_run
        self._visiting: set[str] = set()
        self._newest: dict[tuple[str, str | None], str] = {}

    def run(self) -> int:
        storages = self._storages
        self._visiting = set(self._tagged_runs())
        self._newest = self._newest_runs()
        # The events that name a document say which runs have visited it. PostgreSQL has the events of all runs in one table, so
        # those of these runs are found when it is read once more.
        self._found(storages.index)
        found = self._found(storages.index)
        self._change(storages.index, found)
        erased = len(found)
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
            for documents in _some(self._mentions.documents):
                yield from connection.execute(
                    select(RunTagsTable.c.run_id).where(RunTagsTable.c.value.in_(documents))
                ).scalars()

    def _newest_runs(self) -> dict[tuple[str, str | None], str]:
        """The run that materialized each page last whose earlier results are erased."""
        newest: dict[tuple[str, str | None], str] = {}
        query = select(_EVENTS.asset_key, _EVENTS.partition, _EVENTS.run_id).order_by(_EVENTS.id)
        made = _EVENTS.dagster_event_type == Type.ASSET_MATERIALIZATION.value
        with self._storages.index() as connection:
            for asset, partition, run_id in connection.execute(query.where(made, _EVENTS.asset_key.in_(self._before))):
                newest[asset, partition] = run_id
        return newest

    def _changed(self, run_id: str, kind: str | None, asset: str | None, partition: str | None, event: str) -> str:
        """What an event becomes: the same text if it stays as it is, "" if it goes."""
        if partition in self._mentions.documents:
            self._visiting.add(run_id)
            return ""
        named = self._mentions.in_text(event)
        if named and asset is None:
            self._visiting.add(run_id)
            return ""
        if asset is None:
            return "" if run_id in self._visiting and (kind is None or kind in _WITH_TEXT) else event
        before = partition in self._before.get(asset, ()) and self._newest.get((asset, partition)) != run_id
        shows = before or partition in self._now.get(asset, ())
        if shows:
            self._visiting.add(run_id)  # the outputs of its steps have the same texts
        changed = self._stripped(event, asset, all_texts=shows)
        return "" if self._mentions.in_text(changed) else changed

    def _stripped(self, event: str, asset: str, *, all_texts: bool) -> str:
        """An event of an asset without texts of the documents. all_texts: without any text."""
        of_table = asset in self._tables
        return _without_texts(
            event, lambda text: all_texts or (of_table and _SAMPLE in text) or self._mentions.in_text(text)
        )

    def _found(self, connect: Connect) -> dict[int, str]:
        """The events that change -> what they become."""
        conditions = [_names(_EVENTS.event, some) for some in _some(self._mentions.needles)]
        conditions += [_EVENTS.partition.in_(some) for some in _some(self._mentions.documents)]
        conditions.append(_EVENTS.asset_key.in_([*self._now, *self._before, *self._tables]))
        in_runs = or_(_EVENTS.dagster_event_type.is_(None), _EVENTS.dagster_event_type.in_(_WITH_TEXT))
        conditions += [and_(in_runs, _EVENTS.run_id.in_(some)) for some in _some(sorted(self._visiting))]
        found: dict[int, str] = {}
        for condition in conditions:
            for event_id, *row in _pages_of(connect, condition):
                if event_id not in found and (changed := self._changed(*row)) != row[-1]:
                    found[event_id] = changed
        return found

    def _change(self, connect: Connect, found: Mapping[int, str]) -> None:
        for some in [] if self._dry_run else _some(sorted(found)):
            gone = [event_id for event_id in some if not found[event_id]]
            with connect() as connection:
                connection.execute(delete(AssetEventTagsTable).where(AssetEventTagsTable.c.event_id.in_(gone)))
                connection.execute(delete(SqlEventLogStorageTable).where(_EVENTS.id.in_(gone)))
                for event_id in (event_id for event_id in some if found[event_id]):
                    connection.execute(
                        update(SqlEventLogStorageTable).where(_EVENTS.id == event_id).values(event=found[event_id])
                    )

    def _in_file(self, file: Path) -> int:
        """Change the events in the file of a run. It is opened as trim does, since nobody writes to it after the run."""
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as database:
            names = ", ".join(column.name for column in _COLUMNS)
            rows = [
                (changed, event_id)
                for event_id, *row in database.execute(f"SELECT id, {names} FROM event_logs")
                if (changed := self._changed(*row)) != row[-1]
            ]
            if rows and not self._dry_run:
                overwrite_deleted(database)
                database.execute("BEGIN IMMEDIATE")
                database.executemany("UPDATE event_logs SET event = ? WHERE id = ?", rows)
                database.execute("DELETE FROM event_logs WHERE event = ''")
                database.execute("COMMIT")
        if rows:
            self.changed.add(file)
        return len(rows)

    def _rows(self, storages: Storages) -> int:
        """Erase rows that name a document, and replace its name where the row has to stay."""
        found = 0
        for table, *columns in (*_DELETED, *_REPLACED):
            connect = _connect_to(storages, table)
            for column in columns:
                field = table.c[column]
                with connect() as connection:
                    rows = {
                        row_id: value
                        for some in _some(self._mentions.needles)
                        for row_id, value in connection.execute(select(table.c.id, field).where(_names(field, some)))
                        if self._mentions.in_text(value)
                    }
                    found += len(rows)
                    for row_id, value in () if self._dry_run else rows.items():
                        if (table, column) in _DELETED:
                            connection.execute(delete(table).where(table.c.id == row_id))
                        else:
                            changed = {column: self._mentions.without(value)}
                            connection.execute(update(table).where(table.c.id == row_id).values(changed))
        return found

    def _forget_latest(self, storages: Storages) -> None:
        """Change the copies that Dagster keeps of latest events, and let it find the states of partitions again."""
        with storages.index() as connection:
            for row in connection.execute(
                select(
                    AssetKeyTable.c.asset_key, AssetKeyTable.c.last_materialization, AssetKeyTable.c.cached_status_data
                )
            ).all():
                event, status = row.last_materialization or "", row.cached_status_data or ""
                changed = self._stripped(event, row.asset_key, all_texts=row.asset_key in self._now)
                if self._mentions.in_text(changed):
                    changed = ""  # Dagster does without
                if changed != event or self._mentions.in_text(status):
                    connection.execute(
                        update(AssetKeyTable)
                        .where(AssetKeyTable.c.asset_key == row.asset_key)
                        .values(last_materialization=changed or None, cached_status_data=None)
                    )


def _by_key(pages: Mapping[str, Collection[str | None]]) -> dict[str, Collection[str | None]]:
    return {dg.AssetKey(name).to_string(): partitions for name, partitions in pages.items()}


def _without_texts(event: str, is_of: Callable[[str], bool]) -> str:
    """An event without those of the texts in its metadata of which this is true; numbers stay. "" if it cannot be read."""
    try:
        parsed = json.loads(event) if event else None
        stripped = _stripped(parsed, is_of)
    except (ValueError, RecursionError):
        return ""
    return event if stripped == parsed else json.dumps(stripped)


def _stripped(value: Any, is_of: Callable[[str], bool]) -> Any:
    if isinstance(value, list):
        return [_stripped(one, is_of) for one in value]
    if not isinstance(value, dict):
        return value
    stripped: dict[str, Any] = {}
    for name, one in value.items():
        if name == "metadata_entries" and isinstance(one, list):
            stripped[name] = [entry for entry in one if not _is_text(entry.get("entry_data"), is_of)]
        elif name == "metadata" and isinstance(one, dict):
            stripped[name] = {label: entry for label, entry in one.items() if not _is_text(entry, is_of)}
        elif name == "description" and isinstance(one, str) and is_of(one):
            stripped[name] = None
        else:
            stripped[name] = _stripped(one, is_of)
    return stripped


def _is_text(entry: Any, is_of: Callable[[str], bool]) -> bool:
    kind = entry.get("__class__", "") if isinstance(entry, dict) else ""
    return not kind.startswith(_NUMBERS) and is_of(json.dumps(entry))


def _names(column: ColumnElement[str], needles: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text holds one of at most _AT_ONCE needles: SQLite takes at most 1,000 parts in one condition."""
    return or_(*(column.contains(needle, autoescape=True) for needle in needles))


def _pages_of(connect: Connect, condition: ColumnElement[bool]) -> Iterator[Row]:
    """The events of which this is true, read in pages: a read that lasts long would keep SQLite from emptying its log."""
    query = select(_EVENTS.id, *_COLUMNS).where(condition).order_by(_EVENTS.id).limit(_PAGE)
    last = 0
    while True:
        with connect() as connection:  # for each page, since PostgreSQL reads outside of transactions
            rows = connection.execute(query.where(_EVENTS.id > last)).all()
        if not rows:
            return
        last = rows[-1].id
        yield from rows


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
    written = (
        SqlEventLogStorageTable,
        AssetEventTagsTable,
        AssetKeyTable,
        *(table for table, *_ in (*_DELETED, *_REPLACED)),
    )
    for table in written:
        with _connect_to(storages, table)() as connection:
            engine = connection.engine
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f"VACUUM {table.name}"))
