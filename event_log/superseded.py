"""Finds the superseded part of Dagster's history: the records from which Dagster reads nothing that is current.

What belongs here: finding these records, by reading only. What does not: events of assets (superseded_events), and removing
records (trim).

A record has roles: for example, it is the newest of its asset, type and partition. It is superseded if newer records have all its
roles, and these too are older than the time that is kept. So Dagster gives the same answers as before, also to a reader that
continues from a cursor which is not older than that time. A superseded record stays superseded, whatever others write meanwhile.

The tables, tags and roles are those of the pinned release of Dagster. Only this module, `superseded_events`, `history_rows` and
`trim` name them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionsFilter, BulkActionStatus
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.asset_check_execution_record import COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    ConcurrencySlotsTable,
    PendingStepsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._core.storage.schedules.schema import JobTickTable
from dagster._core.storage.tags import (
    BACKFILL_ID_TAG,
    PARENT_RUN_ID_TAG,
    ROOT_RUN_ID_TAG,
    RUN_KEY_TAG,
    SCHEDULE_NAME_TAG,
    SENSOR_NAME_TAG,
)
from sqlalchemy import func, select

from event_log.history_rows import Storages, newest_first
from event_log.superseded_events import SupersededEvents

Tags = Mapping[str | None, Mapping[str, str]]

# By these tags a run names the run that it repeats, and the first run of the whole series.
RUN_GROUP_TAGS = (PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG)
FINISHED = [status.value for status in FINISHED_STATUSES]

_EVENTS = SqlEventLogStorageTable.c
_CHECKS = AssetCheckExecutionsTable.c
_RUNS = RunsTable.c
_LATEST_RUN_TAGS = (SCHEDULE_NAME_TAG, SENSOR_NAME_TAG)
_COMPLETED_CHECKS = {status.value for status in COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES}


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
    runs = list(newest_first(storages.runs, RunsTable, _RUN_COLUMNS))
    tags = _run_tags(storages)
    known = {row.run_id for row in runs}
    old = _finished_before(storages, runs, tags, before)
    events = SupersededEvents(storages, graph, old, before)
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
    for row in newest_first(storages.runs, RunTagsTable, columns, [table.key.in_(read)]):
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
    for row in newest_first(storages.index, AssetCheckExecutionsTable, columns):
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
