"""Seeds while another process has locked Dagster's databases: a stopped one is named and waited for, none loses anything."""

import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from event_log import locked_records
from event_log.home import explain
from event_log.locked_records import holder_of, is_locked
from io_managers.store import holders
from tests.conftest import DOCUMENTS
from tests.support.pipelines import World, essay
from tests.support.seed_process import dagster_runs

pytestmark = pytest.mark.integration

HOLD = (
    "import os, signal, sqlite3, sys\n"
    "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "database.execute('BEGIN IMMEDIATE')\n"
    "print('held', flush=True)\n"
    "os.kill(os.getpid(), signal.SIGSTOP) if sys.argv[2] == 'stopped' else sys.stdin.read()\n"
    "database.execute('ROLLBACK')\n"
)


@contextmanager
def locked(database: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the write lock of a database, and is stopped with it or just keeps it."""
    command = [sys.executable, "-c", HOLD, str(database), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "_SAY_STOPPED_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(holders, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(locked_records, "_ATTEMPT_SECONDS", 0.1)


@pytest.mark.parametrize("name", ["history/runs.db", "history/runs/index.db"])
def test_a_stopped_process_that_has_locked_the_records_is_named_and_waited_for(
    world: World, quick: None, name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locked_records, "PATIENCE_SECONDS", 0.0)  # which does not hold for a stopped one
    world.write(DOCUMENTS[0], essay("anemones"))
    with locked(world.home / "dagster" / name, "stopped") as process:

        class Continue(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if "is stopped" in record.getMessage():
                    process.send_signal(signal.SIGCONT)

        logger = logging.getLogger(holders.__name__)
        handler = Continue()
        logger.addHandler(handler)
        try:
            report = world.seed().report
        finally:
            logger.removeHandler(handler)

    assert report.exit_code == 0, report.failures
    assert f"Waiting for Dagster's records, held by process {process.pid}" in caplog.text
    assert f"kill -CONT {process.pid}" in caplog.text
    assert set(dagster_runs(world.home).values()) == {"SUCCESS"}
    assert world.seed().report.runs == []


def test_a_process_that_keeps_the_records_locked_is_named_when_the_wait_is_over(
    world: World, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locked_records, "PATIENCE_SECONDS", 0.3)
    world.write(DOCUMENTS[0], essay("anemones"))
    with locked(world.home / "dagster" / "history" / "runs.db", "at work") as process:
        report = world.seed().report
        assert report.exit_code == 1
        (failure,) = report.failures
        assert f"process {process.pid} has locked them" in failure.reason
    assert world.seed().report.exit_code == 0
    assert world.seed().report.runs == []


def test_a_process_on_another_host_is_reported_without_its_number(
    world: World, quick: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system gives no number of a process in another container."""
    monkeypatch.setattr(locked_records, "writers_of", lambda _: [])
    monkeypatch.setattr(locked_records, "_SAY_UNKNOWN_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(locked_records, "PATIENCE_SECONDS", 0.3)
    world.write(DOCUMENTS[0], essay("anemones"))
    with locked(world.home / "dagster" / "history" / "runs.db", "at work"):
        (failure,) = world.seed().report.failures
    assert "another process has locked them" in failure.reason
    assert "a process of another host or container" in caplog.text


def test_a_database_elsewhere_is_left_alone_and_a_lock_is_distinguished_from_other_errors(tmp_path: Path) -> None:
    database = tmp_path / "other.db"
    with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (a)")
        with locked(database, "at work") as process:
            holder = holder_of(database)
            assert holder is not None
            assert holder.process.pid == process.pid
            with pytest.raises(sqlite3.OperationalError) as refused:
                connection.execute("INSERT INTO t VALUES (1)")
        assert is_locked(refused.value)
        with pytest.raises(sqlite3.OperationalError) as refused:
            connection.execute("INSERT INTO nothing VALUES (1)")
        assert not is_locked(refused.value)
    assert holder_of(database) is None
    assert explain(ValueError("another error")) is None
