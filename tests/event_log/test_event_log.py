"""Dagster reads back what its own event log would have returned, whatever fails and even if others write."""

import contextlib
import multiprocessing
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from event_log.batched import BatchedEventLogStorage
from resources.settings.config import PROJECT_ROOT
from tests.support.event_logs import (
    DATABASES,
    Database,
    Events,
    answers_of,
    empty_log,
    materialize,
    of_a_run,
    one_by_one,
    store,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Database]]:
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(empty_log(request.param, tmp_path_factory.mktemp(name))) for name in ("ours", "stock")
        ]


@pytest.fixture
def database(empty: list[Database], tmp_path: Path) -> Database:
    return empty[0].emptied(tmp_path / "ours")


@pytest.fixture
def instance(database: Database) -> Iterator[dg.DagsterInstance]:
    with database.opened() as opened:
        yield opened


@pytest.fixture
def stock(empty: list[Database], tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's own event log of the same kind."""
    with empty[1].emptied(tmp_path / "stock").opened(stock=True) as opened:
        yield opened


def log_of(instance: dg.DagsterInstance) -> Any:
    return instance.event_log_storage


def test_batches_are_read_back_as_single_events_of_the_stock_log(
    instance: dg.DagsterInstance, stock: dg.DagsterInstance
) -> None:
    """A tag, an id or an asset's latest event that differs shows in the UI as another state of a partition."""
    for run_id in ("one", "two"):
        store(log_of(instance), of_a_run(run_id))
        store(log_of(stock), one_by_one(of_a_run(run_id)))
    ours = answers_of(instance, "one", "two")
    assert ours == answers_of(stock, "one", "two")
    assert len(ours["checks"]) == 6


def test_single_events_are_read_back_as_those_of_the_stock_log(
    instance: dg.DagsterInstance, stock: dg.DagsterInstance
) -> None:
    """With batches turned off everything comes one by one, and it does where a batch has failed."""
    for one in (instance, stock):
        store(log_of(one), one_by_one(of_a_run("one")))
    assert answers_of(instance, "one") == answers_of(stock, "one")


@contextlib.contextmanager
def refusing(instance: dg.DagsterInstance, table: str) -> Iterator[None]:
    """The database refuses some rows of a table: what a full disk does to it, without filling one."""
    table, _, shard = table.partition(" of ")
    log = log_of(instance)
    sqlite = "sqlite" in type(log).__name__.lower()
    when = "WHEN (NEW.dagster_event_type = 'ASSET_CHECK_EVALUATION_PLANNED')" if table == "event_logs" else ""
    if sqlite:
        make = [
            f"CREATE TRIGGER refuse_{what} BEFORE {what} ON {table} {when} "
            "BEGIN SELECT RAISE(ABORT, 'no more of these'); END"
            for what in ("INSERT", "UPDATE")
        ]
        drop = ["DROP TRIGGER refuse_INSERT", "DROP TRIGGER refuse_UPDATE"]
    else:
        make = [
            "CREATE FUNCTION refuse() RETURNS trigger AS "
            "'BEGIN RAISE EXCEPTION $$no more of these$$; END' LANGUAGE plpgsql",
            f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW {when} EXECUTE FUNCTION refuse()",
        ]
        drop = [
            "DROP FUNCTION refuse CASCADE",
            # numbers that were given to rows that did not stay are not given again
            *(
                f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))"
                for name in ("event_logs", "asset_check_executions")
            ),
        ]

    def execute(statements: list[str]) -> None:
        with log.run_connection("one") if shard else log.index_connection() as connection:
            for statement in statements:
                connection.execute(text(statement))

    execute(make)
    try:
        yield
    finally:
        execute(drop)


@pytest.mark.parametrize(
    "table", ["event_logs", "event_logs of the run", "asset_event_tags", "asset_keys", "asset_check_executions"]
)
def test_a_batch_that_fails_half_way_leaves_nothing_and_can_be_stored_again(
    instance: dg.DagsterInstance, stock: dg.DagsterInstance, table: str
) -> None:
    """Dagster stores the events of a failed batch again: whatever the first try left would be there twice."""
    *before, failing, after = of_a_run("one")
    store(log_of(instance), before)
    store(log_of(stock), one_by_one([*before, failing, after]))
    as_before = answers_of(instance, "one")
    with refusing(instance, table), pytest.raises(DBAPIError, match="no more of these"):
        log_of(instance).store_event_batch(failing)
    assert answers_of(instance, "one") == as_before
    store(log_of(instance), [failing, after])
    assert answers_of(instance, "one") == answers_of(stock, "one")


def test_dagster_stores_a_batch_that_failed_once_more_and_each_event_is_there_once(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The run goes on, with the same events."""
    changed = BatchedEventLogStorage._store_in_index

    def fail_at_the_end(self: BatchedEventLogStorage, *arguments: Any) -> Any:
        changed(self, *arguments)
        raise ConnectionError("the disk is full")

    monkeypatch.setattr(BatchedEventLogStorage, "_store_in_index", fail_at_the_end)
    run_id = materialize(instance, "a.md", "b.md", "c.md")
    assert "the disk is full" in capfd.readouterr().err
    counts = Counter(
        (event.dagster_event_type, event.get_dagster_event().partition) for event in instance.all_logs(run_id)
    )
    for key in ("a.md", "b.md", "c.md"):
        assert counts[dg.DagsterEventType.ASSET_MATERIALIZATION, key] == 1
        assert counts[dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, key] == 1
    assert len(instance.fetch_materializations(dg.AssetKey("document"), limit=100).records) == 3


WRITERS, ROUNDS, SIZE = 2, 15, 20


def write(database: Database, writer: int) -> None:
    """What one process stores."""
    log = database.log()
    events = Events(f"run-{writer}")
    for number in range(ROUNDS):
        keys = [f"{writer}-{number}-{n}" for n in range(SIZE)]
        log.store_event_batch(
            [events.materialized("text", key, **{"dagster/data_version": f"of {key}"}) for key in keys]
        )
        log.store_event(events.said(f"{writer}-{number}"))
    log.dispose()


def test_processes_that_write_at_once_lose_nothing_and_hide_nothing_from_who_reads_on(
    database: Database, instance: dg.DagsterInstance
) -> None:
    """Guessed ids put one run's tags on another's events. A sensor reads on from the last id that it has seen: what
    becomes visible behind it, it never sees."""
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=write, args=(database, writer)) for writer in range(WRITERS)]
    for process in processes:
        process.start()
    seen: list[str | None] = []
    cursor = None
    last_look = False
    while True:
        page = instance.fetch_materializations(dg.AssetKey("text"), limit=1_000, cursor=cursor, ascending=True)
        cursor = page.cursor
        seen += [record.partition_key for record in page.records]
        if last_look and not page.records:
            break
        last_look = not any(process.is_alive() for process in processes)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    everything = {
        f"{writer}-{number}-{n}" for writer in range(WRITERS) for number in range(ROUNDS) for n in range(SIZE)
    }
    assert Counter(seen) == Counter(everything)
    tags = log_of(instance).get_latest_tags_by_partition(
        dg.AssetKey("text"), dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
    )
    assert tags == {key: {"dagster/data_version": f"of {key}"} for key in everything}
    for writer in range(WRITERS):
        assert len(instance.all_logs(f"run-{writer}")) == ROUNDS * (SIZE + 1)


FORK = """
import os, sys, threading
from tests.support.event_logs import Database, Events

log = Database(*sys.argv[1:]).log()
log.store_event(Events("before").said("opens"))
done = threading.Event()

def read():
    while not done.is_set():
        log.get_logs_for_run("before")

threading.Thread(target=read).start()
child = os.fork()
done.set()
run_id = "child" if child == 0 else "parent"
for number in range(20):
    events = Events(run_id)
    log.store_event_batch([events.materialized("text", f"{number}-{n}") for n in range(3)])
    assert len(log.get_logs_for_run(run_id)) == 3 * (number + 1)
log.dispose()
if child == 0:
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_that_was_forked_has_connections_of_its_own(database: Database, instance: dg.DagsterInstance) -> None:
    """Two processes on one connection take each other's answers; a lock that another thread held stays held."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, database.kind, database.address]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for run_id in ("parent", "child"):
        assert len(instance.all_logs(run_id)) == 60
    assert len(instance.fetch_materializations(dg.AssetKey("text"), limit=1_000).records) == 120
