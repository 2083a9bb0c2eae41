"""The PostgreSQL event log: one connection, kept and replaced; each event once, and in the order of its number."""

import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest
from dagster import EventLogEntry
from dagster_postgres import utils
from sqlalchemy.exc import DBAPIError

from event_log.postgres import BatchedPostgresEventLogStorage
from tests.support.event_logs import Database, Events, empty_log, eventually, of_a_run, one_by_one, store
from tests.support.postgres_proxy import Proxy

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with empty_log("postgres", tmp_path_factory.mktemp("empty")) as made:
        yield made


@pytest.fixture
def url(empty: Database, tmp_path: Path) -> str:
    return empty.emptied(tmp_path).address


@pytest.fixture
def log(url: str) -> Iterator[BatchedPostgresEventLogStorage]:
    made = BatchedPostgresEventLogStorage(url)
    yield made
    made.dispose()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


@pytest.fixture
def cut_log(url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchedPostgresEventLogStorage]:
    """A log that reaches its database through the proxy, and does not wait long before it tries once more."""
    monkeypatch.setattr(utils, "calculate_delay", lambda **_: 0.01)
    made = BatchedPostgresEventLogStorage(url.replace(":5432", f":{proxy.port}"))
    yield made
    made.dispose()


@contextmanager
def raw(url: str) -> Iterator[Any]:
    """A cursor of a connection of the test's own."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        yield connection.cursor()


def asked(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return cursor.fetchall()


OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def batch(run_id: str, name: str = "") -> list[EventLogEntry]:
    events = Events(run_id)
    return [events.materialized("text", f"{name}{n}.md", **{"dagster/data_version": "1"}) for n in range(5)]


def test_one_connection_is_kept_and_given_back(log: BatchedPostgresEventLogStorage, url: str) -> None:
    """Connecting took most of the time of an event; a server has a hundred connections for everybody."""
    with raw(url) as cursor:
        store(log, of_a_run("one"))
        kept = asked(cursor, OTHERS)
        assert len(kept) == 1
        store(log, of_a_run("two"))
        assert len(log.get_logs_for_run("one")) == len(log.get_logs_for_run("two"))
        assert asked(cursor, OTHERS) == kept
        log.optimize_for_webserver(statement_timeout=5_000, pool_recycle=60, max_overflow=3)
        assert log.get_maximum_record_id()
        assert eventually(lambda: len(asked(cursor, OTHERS)) == 1)
        assert asked(cursor, OTHERS) != kept
        log.dispose()
        assert eventually(lambda: not asked(cursor, OTHERS))
        assert log.get_maximum_record_id()  # as the stock log, it can still be used


def test_a_connection_that_was_cut_meanwhile_is_replaced(cut_log: BatchedPostgresEventLogStorage, proxy: Proxy) -> None:
    """A server that was started again, or a firewall that forgets: the stock log, which connects again, never notices."""
    store(cut_log, [batch("one")])
    proxy.cut()
    store(cut_log, [batch("one"), [Events("one").said("alone")]])
    proxy.cut()
    assert len(cut_log.get_logs_for_run("one")) == 11


def test_a_batch_whose_commit_was_lost_is_not_there_and_can_be_stored_again(
    cut_log: BatchedPostgresEventLogStorage, proxy: Proxy
) -> None:
    """The connection breaks before the database has heard of the end."""
    again = batch("one")
    proxy.at_commit = "lost"
    with pytest.raises(DBAPIError):
        cut_log.store_event_batch(again)
    assert not cut_log.get_logs_for_run("one")
    cut_log.store_event_batch(again)
    assert cut_log.get_logs_for_run("one") == again


@pytest.mark.parametrize("size", [1, 5])
def test_events_whose_commit_was_not_answered_are_stored(
    cut_log: BatchedPostgresEventLogStorage, proxy: Proxy, size: int
) -> None:
    """A broken connection does not show whether events were stored; storing them again would duplicate them."""
    events = batch("one")[:size]
    proxy.at_commit = "unanswered"
    store(cut_log, [events])
    assert proxy.at_commit is None
    assert cut_log.get_logs_for_run("one") == events
    store(cut_log, [events])  # who stores equal events on purpose has them twice, as in the stock log
    assert len(cut_log.get_logs_for_run("one")) == 2 * size


@pytest.mark.parametrize("commit", ["lost", "unanswered"])
@pytest.mark.parametrize("batches", [True, False])
def test_a_database_that_went_away_while_it_committed_has_each_event_once(
    cut_log: BatchedPostgresEventLogStorage, proxy: Proxy, commit: Any, batches: bool
) -> None:
    """What became of the batch can be asked when the database is back, and Dagster has begun to store it again."""
    events = batch("one")
    proxy.at_commit, proxy.stays_away = commit, True
    with pytest.raises(utils.DagsterPostgresException):
        cut_log.store_event_batch(events)
    proxy.away = False
    for once_more in [events] if batches else one_by_one([events]):
        store(cut_log, [once_more])
    assert cut_log.get_logs_for_run("one") == events
    assert len(cut_log.fetch_materializations(dg.AssetKey("text"), limit=100).records) == 5


def test_numbers_become_visible_in_their_order(log: BatchedPostgresEventLogStorage, url: str) -> None:
    """Sensors and watchers read on from the last number that they saw: one that appears behind it is never seen."""
    with ThreadPoolExecutor(3) as pool, raw(url) as cursor:
        # a batch that has its numbers, and cannot go on
        cursor.execute("BEGIN; LOCK TABLE asset_event_tags IN EXCLUSIVE MODE")
        first = pool.submit(log.store_event_batch, batch("one"))
        assert eventually(lambda: waiting(cursor) == ["relation"])
        later = [pool.submit(log.store_event_batch, batch("two")), pool.submit(log.store_event, said("three"))]
        assert eventually(lambda: waiting(cursor) == ["advisory", "advisory", "relation"])
        assert asked(cursor, "SELECT count(*) FROM event_logs") == [(0,)]
        cursor.execute("COMMIT")
        for stored in [first, *later]:
            stored.result(30)
        numbers = asked(cursor, "SELECT run_id, min(id), max(id) FROM event_logs GROUP BY 1 ORDER BY 2")
        assert numbers[0] == ("one", 1, 5)
        assert sorted(end - start for _, start, end in numbers) == [0, 4, 4]


def said(run_id: str) -> EventLogEntry:
    return Events(run_id).said("alone")


def waiting(cursor: Any) -> list[str]:
    return [kind for (kind,) in asked(cursor, "SELECT locktype FROM pg_locks WHERE NOT granted ORDER BY 1")]


def test_a_writer_that_hangs_loses_its_turn(log: BatchedPostgresEventLogStorage, url: str) -> None:
    """A computer that was put to sleep in the middle of a batch would stop all the others."""
    with raw(url) as cursor, log._one_transaction() as connection:
        from event_log.postgres import _TAKE_TURN

        connection.execute(_TAKE_TURN)
        [(timeout,)] = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")
        assert timeout == "1min"
        assert asked(cursor, "SHOW idle_in_transaction_session_timeout") == [("0",)]
    with log.index_connection() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "0"


def test_a_listener_gets_each_event(log: BatchedPostgresEventLogStorage, url: str) -> None:
    """As the stock log says of single events, for releases that wait instead of asking again and again."""
    expected = [f"one_{number}" for number in range(1, 1 + sum(map(len, of_a_run("one"))))]
    heard: list[str] = []
    with raw(url) as cursor:
        cursor.execute("LISTEN run_events")
        store(log, of_a_run("one"))
        connection = cursor.connection
        while len(heard) < len(expected) and select.select([connection], [], [], 30)[0]:
            connection.poll()
            heard += [notify.payload for notify in connection.notifies]
            connection.notifies.clear()
    assert heard == expected
