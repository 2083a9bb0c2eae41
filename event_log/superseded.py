"""Finds the superseded part of Dagster's history: the records from which Dagster reads nothing that is current.

What belongs here: finding these records, by reading only. What does not: removing them (trim).

A record has roles: for example, it is the newest of its asset, type and partition. It is superseded if newer records have all its
roles, and these too are older than the time that is kept. So Dagster gives the same answers as before, also to a reader that
continues from a cursor which is not older than that time. A superseded record stays superseded, whatever others write meanwhile.

The tables, tags and roles are those of the pinned release of Dagster. Only this module and `trim` name them.
"""

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import dagster as dg
from dagster._core.assets import AssetDetails
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import (
    DATA_VERSION_TAG,
    SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionsFilter, BulkActionStatus
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.asset_check_execution_record import COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    ConcurrencySlotsTable,
    PendingStepsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.schema import JobTickTable
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
from dagster._core.storage.tags import (
    BACKFILL_ID_TAG,
    PARENT_RUN_ID_TAG,
    ROOT_RUN_ID_TAG,
    RUN_KEY_TAG,
    SCHEDULE_NAME_TAG,
    SENSOR_NAME_TAG,
)
from sqlalchemy import Connection, Table, exists, func, select

Connect = Callable[[], AbstractContextManager[Connection]]
Tags = Mapping[str | None, Mapping[str, str]]

# By these tags a run names the run that it repeats, and the first run of the whole series.
RUN_GROUP_TAGS = (PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG)
FINISHED = [status.value for status in FINISHED_STATUSES]

# How many rows are read at once: while a read lasts, SQLite cannot empty its write-ahead log.
_PAGE = 5_000
# How many events one statement looks up by their ids; SQLite allows 999 values in a statement at least.
_LOOKED_UP = 500
_EVENTS = SqlEventLogStorageTable.c
_CHECKS = AssetCheckExecutionsTable.c
_RUNS = RunsTable.c
_PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
_VERSIONED = (dg.DagsterEventType.ASSET_MATERIALIZATION.value, dg.DagsterEventType.ASSET_OBSERVATION.value)
_LATEST_RUN_TAGS = (SCHEDULE_NAME_TAG, SENSOR_NAME_TAG)
_COMPLETED_CHECKS = {status.value for status in COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES}


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


@dataclass(frozen=True, slots=True)
class Superseded:
    """What can be removed.

    events, checks, ticks: ids of events of assets, of evaluations of asset checks, and of ticks. runs: ids of whole runs, the
    newest first. runs_left: ids of finished, old runs that stay, since something current refers to them. known_runs: ids of all
    runs.
    """

    events: list[int]
    checks: list[int]
    ticks: list[int]
    runs: list[str]
    runs_left: set[str]
    known_runs: set[str]


def find_superseded(storages: Storages, graph: BaseAssetGraph, before: datetime) -> Superseded:
    """Find all that was superseded before a moment. before: in UTC without a time zone, as in Dagster's tables."""
    runs = list(_newest_first(storages.runs, RunsTable, _RUN_COLUMNS))
    tags = _run_tags(storages)
    known = {row.run_id for row in runs}
    old = _finished_before(storages, runs, tags, before)
    events = _Events(storages, graph, old, before)
    checks, of_checks = _superseded_checks(storages, old, before)
    kept = (known - old) | events.current_runs() | of_checks | _named_by_rows(storages) | _latest_or_keyed(runs, tags)
    _add_repeated(kept, tags)
    left = old & kept
    return Superseded(
        events=list(events.superseded(left)),
        checks=checks,
        ticks=_superseded_ticks(storages, before),
        runs=[row.run_id for row in runs if row.run_id not in kept],
        runs_left=left,
        known_runs=known,
    )


# Runs

_RUN_COLUMNS = [_RUNS.id, _RUNS.run_id, _RUNS.pipeline_name, _RUNS.status, _RUNS.partition, _RUNS.update_timestamp]


def _run_tags(storages: Storages) -> Tags:
    table = RunTagsTable.c
    read = (RUN_KEY_TAG, BACKFILL_ID_TAG, *RUN_GROUP_TAGS, *_LATEST_RUN_TAGS)
    found: dict[str | None, dict[str, str]] = defaultdict(dict)
    columns = [table.id, table.run_id, table.key, table.value]
    for row in _newest_first(storages.runs, RunTagsTable, columns, [table.key.in_(read)]):
        found[row.run_id][row.key] = row.value
    return found


def _finished_before(storages: Storages, runs: Iterable[Any], tags: Tags, before: datetime) -> set[str]:
    going_on = [status for status in BulkActionStatus if status not in BULK_ACTION_TERMINAL_STATUSES]
    backfills = storages.instance.get_backfills(filters=BulkActionsFilter(statuses=going_on))
    # A backfill in progress reads the materializations of its own runs, even if they are superseded.
    backfill_ids = {backfill.backfill_id for backfill in backfills}
    return {
        row.run_id
        for row in runs
        if row.status in FINISHED
        and row.update_timestamp is not None
        and row.update_timestamp < before
        and tags.get(row.run_id, {}).get(BACKFILL_ID_TAG) not in backfill_ids
    }


def _named_by_rows(storages: Storages) -> set[str | None]:
    """Return runs that other rows name: the last run of an asset, runs that hold slots, and the run of the newest event.

    The newest event must stay: SQLite gives its id to another event when it is deleted, and a cursor would skip that one.
    """
    newest = select(func.max(_EVENTS.id)).scalar_subquery()
    with storages.index() as connection:
        found = {
            run_id
            for query in (
                select(AssetKeyTable.c.last_run_id),
                select(ConcurrencySlotsTable.c.run_id),
                select(PendingStepsTable.c.run_id),
                select(_EVENTS.run_id).where(_EVENTS.id == newest),
            )
            for run_id in connection.execute(query).scalars()
        }
    records = [record.asset_entry.last_materialization_record for record in storages.events.get_asset_records()]
    return found | {record.run_id for record in records if record is not None}


def _latest_or_keyed(runs: Iterable[Any], tags: Tags) -> set[str | None]:
    """Return the latest run of each job, partition of a job, schedule and sensor, and all runs with a run key.

    Dagster starts no run for a run key of a sensor if there ever was a run with that key, so those runs must stay.
    """
    found: set[str | None] = set()
    seen: set[tuple[str, ...]] = set()
    for row in runs:
        own = tags.get(row.run_id, {})
        latest_of: set[tuple[str, ...]] = {(tag, own[tag]) for tag in _LATEST_RUN_TAGS if tag in own}
        latest_of.add(("job", row.pipeline_name))
        if row.partition is not None:
            latest_of.add(("partition", row.pipeline_name, row.partition))
        if RUN_KEY_TAG in own or not latest_of <= seen:
            found.add(row.run_id)
        seen |= latest_of
    return found


def _add_repeated(kept: set[str | None], tags: Tags) -> None:
    """Add the runs that kept runs repeat: without them, the page of a run that repeats another fails."""
    todo = list(kept)
    while todo:
        own = tags.get(todo.pop(), {})
        repeated = {own[tag] for tag in RUN_GROUP_TAGS if tag in own} - kept
        kept |= repeated
        todo.extend(repeated)


# Events


class _Event(NamedTuple):
    """An event whose roles newer events have taken.

    event_id: its id. partition, run_id: those that it belongs to, if any. followed_by: the id of the next event of its asset,
    type and partition."""

    event_id: int
    partition: str | None
    run_id: str | None
    followed_by: int


@dataclass(slots=True)
class _Kind:
    """The events of one asset and type.

    superseded: those that are superseded, the newest first. newest: the id of the newest event of each partition. runs: the runs
    of the events that stay."""

    superseded: list[_Event] = field(default_factory=list)
    newest: dict[str | None, int] = field(default_factory=dict)
    runs: set[str | None] = field(default_factory=set)


class _Events:
    """The events of assets. Which ones are superseded is worked out when an instance is made."""

    def __init__(self, storages: Storages, graph: BaseAssetGraph, old_runs: set[str], before: datetime) -> None:
        self._storages = storages
        self._graph = graph
        # A run that is not among those read has begun since, so its events stay.
        self._may_go: set[str | None] = {*old_runs, RUNLESS_RUN_ID, None}
        self._before = before
        self._last_planned: dict[str, str | None] = {}
        wiped = self._wiped()
        with storages.index() as connection:
            kinds = connection.execute(
                select(_EVENTS.asset_key, _EVENTS.dagster_event_type).where(_EVENTS.asset_key.is_not(None)).distinct()
            ).all()
        self._kinds: dict[tuple[str, str], _Kind] = {}
        for asset, kind in sorted(kinds, key=lambda key: key[1] != _PLANNED):
            self._kinds[asset, kind] = self._sorted_out(asset, kind, wiped.get(asset))
        for asset, kind in kinds:
            if kind in _VERSIONED:
                self._keep_compared_versions(asset, self._kinds[asset, kind])

    def current_runs(self) -> set[str | None]:
        """Return the runs of the events that stay."""
        return {run_id for kind in self._kinds.values() for run_id in kind.runs}

    def superseded(self, runs_left: set[str]) -> Iterator[int]:
        """Yield the ids of superseded events.

        A run in `runs_left` keeps one event of each asset and type, from which Dagster knows which assets it has made.
        """
        for kind in self._kinds.values():
            runs = set(kind.runs)
            for event in kind.superseded:
                if event.run_id in runs_left and event.run_id not in runs:
                    runs.add(event.run_id)
                else:
                    yield event.event_id

    def _wiped(self) -> dict[str, datetime]:
        with self._storages.index() as connection:
            rows = connection.execute(select(AssetKeyTable.c.asset_key, AssetKeyTable.c.asset_details)).all()
        details = {asset: AssetDetails.from_db_string(text) for asset, text in rows}
        return {
            asset: datetime.fromtimestamp(known.last_wipe_timestamp, UTC).replace(tzinfo=None)
            for asset, known in details.items()
            if known and known.last_wipe_timestamp
        }

    def _sorted_out(self, asset: str, kind: str, wiped: datetime | None) -> _Kind:
        found = _Kind()
        filled: set[tuple[str, str | None]] = set()
        oldest_yet: dict[str | None, int] = {}
        columns: list[Any] = [_EVENTS.id, _EVENTS.partition, _EVENTS.run_id, _EVENTS.timestamp]
        if kind in _VERSIONED:
            tags = AssetEventTagsTable.c
            columns.append(exists().where(tags.event_id == _EVENTS.id, tags.key == DATA_VERSION_TAG).label("versioned"))
        where = [_EVENTS.asset_key == asset, _EVENTS.dagster_event_type == kind]
        for row in _newest_first(self._storages.index, SqlEventLogStorageTable, columns, where):
            followed_by = oldest_yet.get(row.partition)
            oldest_yet[row.partition] = row.id
            found.newest.setdefault(row.partition, row.id)
            # Some readers of Dagster skip events from before a wipe, and others do not.
            roles = {("before wipe" if wiped and row.timestamp <= wiped else "after wipe", row.partition)}
            if kind == _PLANNED:
                self._last_planned.setdefault(asset, row.run_id)
            elif kind in _VERSIONED and row.versioned:
                roles.add(("version", row.partition))
            if kind in _VERSIONED and row.run_id == self._last_planned.get(asset):
                # From it Dagster knows that the last planned run has made the asset, even if another run has made it since.
                roles.add(("last planned run", None))
            old = row.timestamp is not None and row.timestamp < self._before
            if old and row.run_id in self._may_go and followed_by is not None and roles <= filled:
                found.superseded.append(_Event(row.id, row.partition, row.run_id, followed_by))
            else:
                found.runs.add(row.run_id)
            if old:
                filled |= roles
        return found

    def _keep_compared_versions(self, asset: str, kind: _Kind) -> None:
        """Keep the events with the data versions that Dagster compares to decide whether something is stale.

        For each asset that it was made from, a materialization points to the newest event of that asset at the time. Dagster
        looks for later events of a partition, and compares their version with that of the last event before them.
        """
        parent = dg.AssetKey.from_db_string(asset)
        by_partition: dict[str, list[_Event]] = defaultdict(list)
        for event in reversed(kind.superseded):
            if event.partition is not None:
                by_partition[event.partition].append(event)
        if not by_partition or parent is None or not self._graph.has(parent):
            return
        compared: dict[int, str | None] = {}
        for child in sorted(self._graph.get(parent).child_keys):
            mapping = self._graph.get_partition_mapping(child, parent)
            same = isinstance(mapping, dg.IdentityPartitionMapping)
            if isinstance(mapping, dg.AllPartitionMapping) and self._has_too_many_partitions(parent):
                continue
            for partition, pointer in self._pointers(child, parent, by_partition if same else None):
                for events in [by_partition[partition]] if same else by_partition.values():
                    position = bisect_right(events, pointer, key=lambda event: event.event_id)
                    if position and events[position - 1].followed_by > pointer:
                        compared[events[position - 1].event_id] = events[position - 1].run_id
        kind.superseded = [event for event in kind.superseded if event.event_id not in compared]
        kind.runs.update(compared.values())

    def _has_too_many_partitions(self, parent: dg.AssetKey) -> bool:
        """Whether an asset has so many partitions that Dagster does not compare their versions."""
        partitions = self._graph.get(parent).partitions_def
        if partitions is None:
            return False
        with partition_loading_context(dynamic_partitions_store=self._storages.instance):
            return partitions.get_num_partitions() >= SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD

    def _pointers(
        self, child: dg.AssetKey, parent: dg.AssetKey, among: Collection[str] | None
    ) -> Iterator[tuple[str, int]]:
        """Yield (partition, event of the parent) for the newest events of the child's partitions.

        among: the partitions to look at; None for all.
        """
        # The events are searched as text, since decoding each of them takes many times as long.
        pointer = re.compile(re.escape(json.dumps(get_input_event_pointer_tag(parent))) + r': "(\d+)"')
        newest = [
            event_id
            for kind in _VERSIONED
            if (of_child := self._kinds.get((child.to_string(), kind)))
            for partition, event_id in of_child.newest.items()
            if among is None or partition in among
        ]
        for start in range(0, len(newest), _LOOKED_UP):
            query = select(_EVENTS.partition, _EVENTS.event).where(_EVENTS.id.in_(newest[start : start + _LOOKED_UP]))
            with self._storages.index() as connection:
                rows = connection.execute(query).all()
            for partition, event in rows:
                for event_id in pointer.findall(event):
                    yield partition, int(event_id)


# Checks and ticks


def _superseded_checks(storages: Storages, old_runs: set[str], before: datetime) -> tuple[list[int], set[str | None]]:
    """Return the ids of superseded evaluations of asset checks, and the runs of those that stay."""
    superseded: list[int] = []
    runs: set[str | None] = set()
    filled: set[tuple[str, ...]] = set()
    columns = [
        _CHECKS.id,
        _CHECKS.asset_key,
        _CHECKS.check_name,
        _CHECKS.partition,
        _CHECKS.run_id,
        _CHECKS.execution_status,
        _CHECKS.evaluation_event_storage_id,
        func.coalesce(_CHECKS.evaluation_event_timestamp, _CHECKS.create_timestamp).label("timestamp"),
    ]
    for row in _newest_first(storages.index, AssetCheckExecutionsTable, columns):
        check = (row.asset_key, row.check_name, row.partition)
        roles: set[tuple[str, ...]] = {("newest", *check)}
        if row.execution_status in _COMPLETED_CHECKS:
            roles.add(("completed", *check))
        if row.evaluation_event_storage_id is not None:
            roles.add(("with an event", *check))
        old = row.timestamp < before
        if old and (row.run_id in old_runs or row.run_id == RUNLESS_RUN_ID) and roles <= filled:
            superseded.append(row.id)
        else:
            runs.add(row.run_id)
        if old:
            filled |= roles
    return superseded, runs


def _superseded_ticks(storages: Storages, before: datetime) -> list[int]:
    """Return the ids of all ticks except the latest of each schedule or sensor and each outcome."""
    ticks = JobTickTable.c
    instigator = func.coalesce(ticks.selector_id, ticks.job_origin_id)
    latest = (
        select(instigator.label("instigator"), ticks.status, func.max(ticks.timestamp).label("timestamp"))
        .group_by(instigator, ticks.status)
        .subquery()
    )
    query = select(ticks.id).where(
        instigator == latest.c.instigator,
        ticks.status == latest.c.status,
        ticks.timestamp < latest.c.timestamp,
        ticks.timestamp < before,
    )
    with storages.schedules() as connection:
        return list(connection.execute(query).scalars())


def _newest_first(connect: Connect, table: Table, columns: Sequence[Any], where: Sequence[Any] = ()) -> Iterator[Any]:
    """Yield rows by descending id, each page of them in a transaction of its own. columns: the columns to read, with the id."""
    query = select(*columns).where(*where).order_by(table.c.id.desc()).limit(_PAGE)
    page: Sequence[Any] = ()
    while True:
        with connect() as connection:
            page = connection.execute(query.where(table.c.id < page[-1].id) if page else query).all()
        yield from page
        if len(page) < _PAGE:
            return
