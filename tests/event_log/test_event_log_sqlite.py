"""The SQLite event log's open files: as few, and as well shared with everybody else, as if it opened them again."""

import gc
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from dagster import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy.exc import DatabaseError, OperationalError

from event_log import sqlite
from event_log.sqlite import BatchedSqliteEventLogStorage
from tests.support.event_logs import Database, Events, empty_log, eventually, of_a_run, one_by_one, store

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with empty_log("sqlite", tmp_path_factory.mktemp("empty")) as made:
        yield made


@pytest.fixture
def folder(empty: Database, tmp_path: Path) -> str:
    return empty.emptied(tmp_path / "events").address


@pytest.fixture
def log(folder: str) -> Iterator[BatchedSqliteEventLogStorage]:
    made = BatchedSqliteEventLogStorage(folder)
    yield made
    made.dispose()


def open_databases(folder: str) -> set[str]:
    paths = [Path(file.path) for file in psutil.Process().open_files()]
    return {path.stem for path in paths if path.parent == Path(folder)}


def batch(run_id: str) -> list[EventLogEntry]:
    events = Events(run_id)
    return [events.materialized("text", f"{number}.md", **{"dagster/data_version": "1"}) for number in range(5)]


def test_reading_many_runs_keeps_few_of_them_open(
    log: BatchedSqliteEventLogStorage, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three handles a run: a page of runs in the UI would use up what a process may have."""
    monkeypatch.setattr(sqlite, "OPEN_RUNS", 2)
    runs = [f"run-{number}" for number in range(6)]
    for run_id in runs:
        log.store_event_batch(batch(run_id))
    for run_id in runs:
        assert len(log.get_logs_for_run(run_id)) == 5
    assert open_databases(folder) == {"index", *runs[-2:]}
    log.dispose()
    assert not open_databases(folder)
    assert len(log.get_logs_for_run(runs[0])) == 5  # as the stock log, it can still be used


def test_a_log_that_is_let_go_of_closes_its_files(folder: str) -> None:
    """Instances are not always disposed."""
    log = BatchedSqliteEventLogStorage(folder)
    log.store_event_batch(batch("one"))
    assert open_databases(folder)
    del log
    gc.collect()
    assert not open_databases(folder)


def test_what_others_delete_is_not_held_and_not_written_to(log: BatchedSqliteEventLogStorage, folder: str) -> None:
    """Events went into a file without a name, and its disk space stayed taken."""
    log.store_event_batch(batch("one"))
    for file in Path(folder).glob("one.db*"):
        file.unlink()
    assert log.get_logs_for_run("one") == []
    log.store_event_batch(batch("one"))
    with closing(sqlite3.connect(Path(folder, "one.db"))) as connection:
        assert connection.execute("SELECT count(*) FROM event_logs").fetchone() == (5,)
    log.wipe()
    assert open_databases(folder) == {"index"}
    assert log.get_logs_for_run("one") == []


@pytest.mark.parametrize("watcher", [SqliteEventLogStorage, BatchedSqliteEventLogStorage])
def test_a_watcher_of_a_run_gets_every_event_while_it_is_written(
    log: BatchedSqliteEventLogStorage, folder: str, watcher: type[SqliteEventLogStorage]
) -> None:
    """SQLite writes to the watched file when it is closed. Kept open, the UI's page of a run stood still to its end."""
    log.store_event(Events("one").said("before"))
    watching = watcher(folder)
    heard: list[EventLogEntry] = []
    watching.watch("one", None, lambda event, _cursor: heard.append(event))
    for number, events in enumerate([*of_a_run("one"), [Events("one").said("the last")]]):
        store(log, [events])
        count = 1 + sum(map(len, of_a_run("one")[: number + 1])) + (number == len(of_a_run("one")))
        assert eventually(lambda count=count: len(heard) == count), (number, len(heard))
    watching.dispose()
    assert heard == log.get_logs_for_run("one")


def test_threads_share_a_log(log: BatchedSqliteEventLogStorage) -> None:
    """The webserver reads in many threads while others write."""

    def use(number: int) -> int:
        log.store_event_batch(batch(f"run-{number % 3}"))
        log.store_event(Events("all").said(str(number)))
        return len(log.get_logs_for_run(f"run-{number % 3}"))

    with ThreadPoolExecutor(6) as pool:
        assert min(pool.map(use, range(30))) >= 5
    assert len(log.get_logs_for_run("all")) == 30
    assert [len(log.get_logs_for_run(f"run-{number}")) for number in range(3)] == [50, 50, 50]


def holding(folder: str, shard: str) -> closing[sqlite3.Connection]:
    """Somebody else's write lock."""
    connection = sqlite3.connect(Path(folder, f"{shard}.db"), isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    return closing(connection)


@pytest.mark.parametrize("shard", ["index", "one"])
def test_a_batch_waits_for_a_database_that_is_locked(
    log: BatchedSqliteEventLogStorage, folder: str, shard: str
) -> None:
    """Others write too."""
    log.store_event(Events("one").said("before"))
    with holding(folder, shard) as other, ThreadPoolExecutor(1) as pool:
        stored = pool.submit(log.store_event_batch, batch("one"))
        with pytest.raises(TimeoutError):
            stored.result(0.3)
        other.execute("ROLLBACK")
        stored.result(30)
    assert len(log.get_logs_for_run("one")) == 6


@pytest.mark.parametrize("shard", ["index", "one"])
def test_a_batch_that_waited_in_vain_is_in_neither_database(
    folder: str, shard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster stores it again, event by event."""
    monkeypatch.setattr(sqlite, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.1)
    log = BatchedSqliteEventLogStorage(folder)
    log.store_event(Events("one").said("before"))
    with holding(folder, shard), pytest.raises(OperationalError, match="locked"):
        log.store_event_batch(batch("one"))
    assert len(log.get_logs_for_run("one")) == 1
    assert log.all_asset_keys() == []
    store(log, one_by_one([batch("one")]))
    assert len(log.get_logs_for_run("one")) == 6
    log.dispose()


def test_a_commit_that_fails_in_the_index_takes_the_runs_rows_back(
    log: BatchedSqliteEventLogStorage, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a disk that fills up between the two commits leaves: the run's file has them, the index has not."""
    other = Events("one").said("of somebody else")
    writing = threading.Event()
    insert = log._insert

    def and_deny_the_index(connection: object, rows: list[dict[str, object]]) -> object:
        ids = insert(connection, rows)  # pyright: ignore[reportArgumentType]
        if writing.is_set():  # the second one is the run's: from here on the index refuses to commit
            raw: Any = log._thread.transaction.connection.driver_connection  # pyright: ignore[reportOptionalMemberAccess]
            raw.set_authorizer(lambda action, what, *_: action == sqlite3.SQLITE_TRANSACTION and what == "COMMIT")
        writing.set()
        return ids

    log.store_event(other)
    monkeypatch.setattr(log, "_insert", and_deny_the_index)
    with pytest.raises(DatabaseError, match="not authorized"):
        log.store_event_batch(batch("one"))
    log.dispose()
    assert log.get_logs_for_run("one") == [other]
    assert log.all_asset_keys() == []
