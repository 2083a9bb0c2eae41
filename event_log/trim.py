"""Trims Dagster's history: removes what was superseded long ago, and gives its space back to the disk.

What belongs here: the removal, and the files of SQLite. What does not: which records are superseded (superseded), when a trim
runs, and what is printed about it (the command).

First everything superseded is found. Then it is removed in small transactions, while a daemon, a webserver or a seed may run.
After each transaction Dagster answers as before, so a trim may stop or be killed at any moment.
"""

import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageMetadata,
    SqlEventLogStorageTable,
)
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs.schema import RunsTable, RunStorageSqlMetadata, RunTagsTable
from dagster._core.storage.schedules.schema import JobTickTable, ScheduleStorageSqlMetadata
from dagster._time import get_current_datetime
from sqlalchemy import delete, exists, func, select

from event_log.history_files import run_file, run_files, shared_files
from event_log.history_rows import Storages
from event_log.superseded import FINISHED, RUN_GROUP_TAGS, find_superseded

# How many records one transaction removes: it holds SQLite's write lock for a few times 10 ms.
_SLICE = 500
# How many pages of a file one transaction gives back: 8 MB in a new home, whose pages have 16 KB.
_PAGES_GIVEN_BACK = 500
# A file up to this size is rewritten in less than a second.
_REWRITTEN_AT_ONCE = 32_000_000
# Dagster's own storages wait as long for a lock that another process holds.
_LOCK_SECONDS = 30

# One event of each asset and type stays in the file of its run, as in `superseded`.
_COPIES = """FROM event_logs WHERE dagster_event_type IN ({types}) AND id NOT IN (
    SELECT max(id) FROM event_logs WHERE dagster_event_type IN ({types}) GROUP BY asset_key, dagster_event_type)
""".format(types=", ".join(f"'{kind.value}'" for kind in ASSET_EVENTS))


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What a trim has removed, or would remove.

    events: superseded events of assets. copies: copies of events in SQLite's files of single runs. checks: superseded evaluations
    of asset checks. ticks: superseded ticks of schedules and sensors. runs: whole runs, with the rest of their events and their
    compute logs. leftovers: files of runs that were deleted before. bytes_before, bytes_after: the size of the databases and
    compute logs. bytes_free: the part of bytes_after that is unused in SQLite's files, and that new events will fill.
    """

    events: int
    copies: int
    checks: int
    ticks: int
    runs: int
    leftovers: int
    bytes_before: int
    bytes_after: int
    bytes_free: int


def trim(instance: dg.DagsterInstance, graph: BaseAssetGraph, keep: timedelta, *, dry_run: bool = False) -> Trimmed:
    """Remove what was superseded longer ago than `keep`, and older runs that nothing current refers to.

    graph: `Definitions.resolve_asset_graph()`, which says which data versions Dagster compares. keep: what is younger stays.
    dry_run: find and count everything, but remove nothing. Runs that are not finished, and runs younger than `keep`, stay whole.
    Compute logs are removed through the instance's own manager. A second trim finds nothing. Raises TypeError if the storages
    are neither SQLite nor PostgreSQL.
    """
    storages = Storages.of(instance)
    before = (get_current_datetime() - keep).replace(tzinfo=None)
    files = [*run_files(storages), *_compute_logs(instance)]
    found = find_superseded(storages, graph, before)
    # These files existed before the runs were read, so a file of no known run belongs to a deleted run.
    leftovers = [
        path for path in files if path.name.removesuffix(".db") not in found.known_runs and _changed(path) < before
    ]
    copies = dict(_copies(storages, found.runs_left))
    bytes_before = _bytes_on_disk(storages)
    if not dry_run:
        for ids in _slices(found.events):
            _delete_events(storages, ids)
        for ids in _slices(found.checks):
            with storages.index() as connection:
                connection.execute(delete(AssetCheckExecutionsTable).where(AssetCheckExecutionsTable.c.id.in_(ids)))
        for ids in _slices(found.ticks):
            with storages.schedules() as connection:
                connection.execute(delete(JobTickTable).where(JobTickTable.c.id.in_(ids)))
        for run_ids in _slices(found.runs):
            _delete_runs(storages, run_ids)
        _delete_copies(copies)
        for path in leftovers:
            _remove(path)
        _give_back(storages)
    return Trimmed(
        events=len(found.events),
        copies=sum(copies.values()),
        checks=len(found.checks),
        ticks=len(found.ticks),
        runs=len(found.runs),
        leftovers=len(leftovers),
        bytes_before=bytes_before,
        bytes_after=bytes_before if dry_run else _bytes_on_disk(storages),
        bytes_free=sum(_free_bytes(file) for file in shared_files(storages)),
    )


def _slices(items: Sequence[Any], size: int = _SLICE) -> Iterator[Sequence[Any]]:
    """Yield some items at a time, with a pause as long as they took.

    SQLite has no queue for processes that wait for a lock; in the pause another one can take it."""
    for start in range(0, len(items), size):
        begun = time.perf_counter()
        yield items[start : start + size]
        time.sleep(time.perf_counter() - begun)


def _delete_events(storages: Storages, ids: Sequence[int]) -> None:
    with storages.events.index_transaction() as connection:
        connection.execute(delete(AssetEventTagsTable).where(AssetEventTagsTable.c.event_id.in_(ids)))
        connection.execute(delete(SqlEventLogStorageTable).where(SqlEventLogStorageTable.c.id.in_(ids)))


def _delete_runs(storages: Storages, run_ids: Sequence[str]) -> None:
    """Delete the events of these runs, then the runs: the next trim finds a run without events, but not events without a run.

    Runs come newest first, so that a run is deleted before, or together with, the run that it repeats.
    """
    events = select(SqlEventLogStorageTable.c.id).where(SqlEventLogStorageTable.c.run_id.in_(run_ids)).limit(_SLICE)
    while True:
        with storages.index() as connection:
            ids = list(connection.execute(events).scalars())
        if not ids:
            break
        _delete_events(storages, ids)
    with storages.runs() as connection:
        runs, tags, other = RunsTable.c, RunTagsTable.c, RunsTable.alias().c
        # A repetition of the run may have begun since the run was found.
        repeated = exists().where(
            tags.key.in_(RUN_GROUP_TAGS),
            tags.value == runs.run_id,
            tags.run_id == other.run_id,
            other.run_id.not_in(run_ids),
        )
        doomed = delete(RunsTable).where(runs.run_id.in_(run_ids), runs.status.in_(FINISHED), ~repeated)
        deleted = list(connection.execute(doomed.returning(runs.run_id)).scalars())
        # PostgreSQL does this by itself.
        connection.execute(delete(RunTagsTable).where(tags.run_id.in_(deleted)))
    for run_id in deleted:
        storages.instance.compute_log_manager.delete_logs(prefix=[run_id])
        if file := run_file(storages, run_id):
            _remove(file)


def _compute_logs(instance: dg.DagsterInstance) -> list[Path]:
    """Return the folder of each run, if compute logs are local files."""
    folder = _compute_log_folder(instance)
    return [path for path in folder.iterdir() if _is_run_id(path.name)] if folder else []


def _compute_log_folder(instance: dg.DagsterInstance) -> Path | None:
    manager = instance.compute_log_manager
    if not isinstance(manager, LocalComputeLogManager):
        return None
    folder = Path(manager.get_captured_local_path(["any"], "out")).parent
    return folder if folder.is_dir() else None


def _is_run_id(name: str) -> bool:
    """Whether a folder has the logs of a run. Ticks have theirs beside them, in folders named after repositories."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _copies(storages: Storages, run_ids: Iterable[str]) -> Iterator[tuple[Path, int]]:
    """Yield the files of these runs that can be made smaller, and how many copies of events each has."""
    for run_id in sorted(run_ids):
        if file := run_file(storages, run_id):
            with _opened(file) as database:
                copies = database.execute(f"SELECT count(*) {_COPIES}").fetchone()[0]
            # Free pages were left by a trim that was stopped.
            if copies or _free_bytes(file):
                yield file, copies


def _delete_copies(files: Iterable[Path]) -> None:
    for file in files:
        with _opened(file) as database:
            # One transaction is enough, since nobody writes to the file of a finished run.
            database.execute(f"DELETE {_COPIES}")
            database.execute("VACUUM")


def _give_back(storages: Storages) -> None:
    """Give free pages back to the disk, some at a time.

    SQLite can do this if the file was created with `auto_vacuum`. To convert a large file takes one long transaction, so this is
    only done while no run is in progress. Until then new events fill the free pages.
    """
    idle = not storages.instance.get_runs_count(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
    for file in shared_files(storages):
        with _opened(file) as database:
            free = _number(database, "freelist_count")
            if _number(database, "auto_vacuum") == 2:
                for _ in _slices(range(free), _PAGES_GIVEN_BACK):
                    # It is run as a script: `execute` stops a statement without rows after its first step, which is one page.
                    database.executescript(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})")
            elif free and (idle or file.stat().st_size <= _REWRITTEN_AT_ONCE):
                database.execute("PRAGMA auto_vacuum = INCREMENTAL")
                database.execute("VACUUM")
            # The file shrinks when its write-ahead log is emptied. If others use the file, the last of them does that.
            database.execute("PRAGMA busy_timeout = 1000")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _bytes_on_disk(storages: Storages) -> int:
    databases = [*shared_files(storages), *run_files(storages)]
    files = {part for database in databases for part in _with_logs(database)}
    if folder := _compute_log_folder(storages.instance):
        files.update(folder.rglob("*"))
    return sum(file.stat().st_size for file in files if file.is_file()) + _bytes_in_postgres(storages)


def _bytes_in_postgres(storages: Storages) -> int:
    total = 0
    for connect, metadata in (
        (storages.index, SqlEventLogStorageMetadata),
        (storages.runs, RunStorageSqlMetadata),
        (storages.schedules, ScheduleStorageSqlMetadata),
    ):
        with connect() as connection:
            if connection.dialect.name == "postgresql":
                sizes = (func.pg_total_relation_size(func.to_regclass(table)) for table in metadata.tables)
                total += sum(size or 0 for size in connection.execute(select(*sizes)).one())
    return total


def _opened(file: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(file, timeout=_LOCK_SECONDS, isolation_level=None))


def _free_bytes(file: Path) -> int:
    with _opened(file) as database:
        return _number(database, "freelist_count") * _number(database, "page_size")


def _number(database: sqlite3.Connection, pragma: str) -> int:
    return database.execute(f"PRAGMA {pragma}").fetchone()[0]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    for file in _with_logs(path):
        file.unlink(missing_ok=True)


def _with_logs(database: Path) -> tuple[Path, Path, Path]:
    return database, database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm")


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
