"""A database that was parted from its log says so; one that was killed, or tidied up by other programs, does not."""

import logging
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.sqlite import database, log_loss
from io_managers.store.store import Store

ROOT = Path(__file__).parents[3]

WRITER = """
import os, sys
from pathlib import Path
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.store import Store
store = Store(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    action = KeyTemplate("stage", {}).action({"number": number, "process": os.getpid()})
    store.commit([(action, f"value {number}", Provenance())]).result()
print("done", flush=True)
sys.stdin.readline()
store.close()
"""


def action(number: int) -> Action:
    return KeyTemplate("stage", {}).action({"number": number})


def commit(store: Store, *numbers: int) -> None:
    for number in numbers:
        store.commit([(action(number), f"value {number}", Provenance())]).result()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """What is said when a store is opened."""
    monkeypatch.setattr(log_loss, "_said", set())

    def opened(directory: Path) -> str:
        caplog.clear()
        log_loss._said.clear()
        with caplog.at_level(logging.WARNING):
            Store(directory).close()
        return caplog.text

    return opened


def killed_writer(directory: Path, results: int) -> None:
    """A process that commits results and is killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), str(results)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "done\n"
    child.kill()
    child.communicate()


@pytest.mark.integration
def test_a_killed_or_closed_store_says_nothing(tmp_path: Path, said: Callable[[Path], str]) -> None:
    killed_writer(tmp_path, 5)
    assert (tmp_path / "store.db-wal").stat().st_size
    for _ in range(2):
        assert said(tmp_path) == ""
    killed_writer(tmp_path, 3)
    # Another program folds the log into the file and deletes it, as SQLite does.
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.execute("SELECT count(*) FROM actions").fetchone()
    assert not (tmp_path / "store.db-wal").exists()
    assert said(tmp_path) == ""


@pytest.mark.integration
def test_a_log_that_was_deleted_is_noticed_with_how_much_is_missing(
    tmp_path: Path, said: Callable[[Path], str]
) -> None:
    killed_writer(tmp_path, 7)
    (tmp_path / "store.db-wal").unlink()
    (tmp_path / "store.db-shm").unlink(missing_ok=True)
    for _ in range(2):
        message = said(tmp_path)
        assert "7 results" in message
        assert "store.db-wal" in message
        assert "seedbank backup" in message
    store = Store(tmp_path)
    commit(store, *range(8))
    store.close()
    assert said(tmp_path) == ""


@pytest.mark.integration
def test_a_log_that_was_cut_is_noticed(tmp_path: Path, said: Callable[[Path], str]) -> None:
    """As one that was copied at another moment than its file."""
    killed_writer(tmp_path, 4)
    log = tmp_path / "store.db-wal"
    log.write_bytes(log.read_bytes()[:-20_000])
    assert "missing" in said(tmp_path)


def test_a_copy_of_the_main_file_alone_is_noticed(tmp_path: Path, said: Callable[[Path], str]) -> None:
    store = Store(tmp_path / "store")
    commit(store, 1, 2, 3)
    copied = tmp_path / "copy"
    copied.mkdir()
    shutil.copy(tmp_path / "store" / "store.db", copied)
    store.close()
    assert "may be missing" in said(copied)


@pytest.mark.integration
@pytest.mark.parametrize("before", ["closed", "killed"])
def test_a_copy_of_the_main_file_of_a_closed_store_says_nothing(
    tmp_path: Path, said: Callable[[Path], str], before: str
) -> None:
    """Even if a process was killed some time before."""
    if before == "killed":
        killed_writer(tmp_path / "store", 2)
    store = Store(tmp_path / "store")
    commit(store, 1, 2, 3)
    store.close()
    copied = tmp_path / "copy"
    copied.mkdir()
    shutil.copy(tmp_path / "store" / "store.db", copied)
    assert said(copied) == ""
    reopened = Store(copied)
    assert len(reopened.actions.lookup([action(n).key for n in (1, 2, 3)])) == 3
    reopened.close()


def test_results_that_were_taken_away_are_not_missing(tmp_path: Path, said: Callable[[Path], str]) -> None:
    """A value found corrupt, the newest of all, before the process is killed."""
    store = Store(tmp_path)
    commit(store, 1, 2)
    digest = store.actions.lookup([action(2).key])[action(2).key].content_digest
    with store.database.volatile_transaction() as connection:
        connection.execute("UPDATE objects SET data = x'00' WHERE content_digest = ?", (digest,))
    assert store.verify()
    assert store.actions.lookup([action(2).key]) == {}
    copied = tmp_path / "killed"
    copied.mkdir()
    for file in tmp_path.glob("store.db*"):
        shutil.copy(file, copied)
    store.close()
    assert said(copied) == ""


def test_the_log_is_folded_in_the_midst_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the main file alone then has what was finished until a moment ago."""
    monkeypatch.setattr(database, "FOLD_SECONDS", 0.05)
    store = Store(tmp_path / "store")
    commit(store, *range(20))

    def in_main_file() -> int:
        copied = tmp_path / "main.db"
        shutil.copy(tmp_path / "store" / "store.db", copied)
        with closing(sqlite3.connect(f"{copied.as_uri()}?immutable=1", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM actions").fetchone()[0]

    while in_main_file() < 20:  # with nothing more to commit
        time.sleep(0.02)
    store.close()


def test_a_store_that_cannot_be_written_is_read(tmp_path: Path, said: Callable[[Path], str]) -> None:
    store = Store(tmp_path)
    commit(store, 1)
    store.close()
    log_loss.position_of(tmp_path / "store.db").unlink()
    assert said(tmp_path) == ""
    log_loss.position_of(tmp_path / "store.db").write_bytes(b"short")
    assert said(tmp_path) == ""
