"""Opening, reading and group commits, with everything that can go wrong in between."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

from io_managers.store.errors import StoreError, StoreUnavailableError, StoreVersionError
from io_managers.store.sqlite import database as database_module
from io_managers.store.sqlite.connection import connect, transaction
from io_managers.store.sqlite.database import Database

ROOT = Path(__file__).parents[3]
INSERT = "INSERT INTO leases (name, owner) VALUES (?, ?)"
DELETE = "DELETE FROM leases WHERE name = ?"


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "store.db")
    yield opened
    opened.close()


def names(database):
    return {name for (name,) in database.read("SELECT name FROM leases")}


@pytest.fixture
def blocked_writer(database):
    """Lets writes gather in one group: the writer waits for the lock that this holds until it is released."""
    other = connect(database.path)
    other.execute("BEGIN IMMEDIATE")
    first = database.write((INSERT, [("first", "")]))

    def release():
        other.execute("ROLLBACK")
        other.close()
        first.result()

    return release


def test_a_done_write_is_there_for_every_process(database):
    database.write((INSERT, [("a", "1"), ("b", "2")]), (DELETE, [("b",)])).result()
    with connect(database.path) as other:
        assert other.execute("SELECT name FROM leases").fetchall() == [("a",)]
    other.close()


def test_one_writers_bad_rows_fail_only_that_writer(database, blocked_writer):
    good = database.write((INSERT, [("good", "")]))
    double = database.write((INSERT, [("x", "")]), (INSERT, [("x", "")]))
    unbindable = database.write((INSERT, [("y", object())]))
    too_big = database.write((INSERT, [("z", 1 << 70)]))
    surrogate = database.write((INSERT, [("\udc80", "")]))
    after = database.write((INSERT, [("after", "")]))
    blocked_writer()
    good.result()
    after.result()
    for bad in (double, unbindable):
        with pytest.raises(StoreUnavailableError):
            bad.result()
    with pytest.raises(OverflowError):
        too_big.result()
    with pytest.raises(UnicodeEncodeError):
        surrogate.result()
    assert names(database) == {"first", "good", "after"}


def test_writes_of_one_group_keep_their_order(database, blocked_writer):
    """If several writes add and remove the same row, the last one wins."""
    insert = INSERT.replace("INSERT", "INSERT OR IGNORE")
    add, remove = (insert, [("row", "")]), (DELETE, [("row",)])
    done = [database.write(write) for write in (remove, add, remove, add, remove)]
    kept = [database.write((insert, [("kept", "")]), (DELETE, [("kept",)])), database.write((insert, [("kept", "")]))]
    blocked_writer()
    wait([*done, *kept])
    assert names(database) == {"first", "kept"}


@pytest.mark.parametrize("error", [MemoryError, RuntimeError, SystemExit, sqlite3.OperationalError])
def test_whatever_happens_to_the_writer_those_who_wait_hear_of_it(database, monkeypatch, error):
    def fail(*_):
        raise error("on purpose")

    monkeypatch.setattr(database_module, "commit_group", fail)
    failed = [database.write((INSERT, [(str(i), "")])) for i in range(3)]
    for future in failed:
        assert future.exception(timeout=60) is not None
    monkeypatch.undo()
    database.write((INSERT, [("next", "")])).result(timeout=60)
    assert names(database) == {"next"}


def test_a_write_cannot_be_cancelled(database, blocked_writer):
    """A task that is cancelled while it waits, by Ctrl-C for example, must not take the writer down with it."""
    future = database.write((INSERT, [("a", "")]))
    assert not future.cancel()
    blocked_writer()
    future.result()
    assert "a" in names(database)


@pytest.mark.slow
def test_close_leaves_no_write_behind_that_it_accepted(tmp_path):
    database = Database(tmp_path / "store.db")
    accepted, lock = [], threading.Lock()

    def write_until_closed(thread):
        for i in range(100_000):
            try:
                future = database.write((INSERT, [(f"{thread}.{i}", "")]))
            except StoreUnavailableError:
                return
            with lock:
                accepted.append((f"{thread}.{i}", future))

    threads = [threading.Thread(target=write_until_closed, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    while len(accepted) < 50:
        threading.Event().wait(0.001)
    database.close()
    database.close()
    for thread in threads:
        thread.join()
    for _, future in accepted:
        future.result(timeout=0)
    again = Database(tmp_path / "store.db")
    assert names(again) == {name for name, _ in accepted}
    again.close()


def test_a_write_that_was_let_in_before_close_is_not_queued_behind_it(database, monkeypatch):
    """It would never be processed there, and its future would wait for ever."""
    queued, entered = database._writes, threading.Event()

    class SlowQueue:
        get, get_nowait = queued.get, queued.get_nowait

        def put(self, item):
            if item is not None:
                entered.set()
                time.sleep(0.2)
            queued.put(item)

    monkeypatch.setattr(database, "_writes", SlowQueue())
    futures = []
    thread = threading.Thread(target=lambda: futures.append(database.write((INSERT, [("a", "")]))))
    thread.start()
    entered.wait()
    database.close()
    thread.join()
    futures[0].result(timeout=0)


def test_a_closed_store_says_so(database):
    database.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        database.write((INSERT, [("a", "")]))
    with pytest.raises(StoreUnavailableError, match="closed"):
        database.read("SELECT 1")
    with pytest.raises(StoreUnavailableError, match="closed"), database.volatile_transaction():
        pass


def test_a_volatile_transaction_that_fails_leaves_nothing_and_blocks_no_other(database):
    def fail():
        with database.volatile_transaction() as connection:
            connection.execute(INSERT, ("a", ""))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.volatile_transaction() as connection:
        connection.execute(INSERT, ("b", ""))
    assert names(database) == {"b"}


def test_a_commit_that_fails_is_rolled_back_and_leaves_the_connection_usable(tmp_path):
    connection = connect(tmp_path / "raw.db")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE row (id PRIMARY KEY, parent REFERENCES row DEFERRABLE INITIALLY DEFERRED)")

    def orphan():
        with transaction(connection):
            connection.execute("INSERT INTO row VALUES (1, 2)")

    for _ in range(2):
        with pytest.raises(sqlite3.IntegrityError):
            orphan()
    assert connection.execute("SELECT * FROM row").fetchall() == []
    connection.close()


@pytest.mark.integration
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_to_open_its_own_connection(tmp_path):
    """Its copy has no writer thread: a write would wait for ever."""
    code = """
import os, sys
from pathlib import Path
from io_managers.store.sqlite.database import Database
from io_managers.store.errors import StoreUnavailableError
database = Database(Path(sys.argv[1]))
database.write(("INSERT INTO leases VALUES (?, ?)", [("a", "")])).result()
pid = os.fork()
if pid == 0:
    try:
        database.write(("INSERT INTO leases VALUES (?, ?)", [("b", "")]))
    except StoreUnavailableError as error:
        database.close()
        os._exit(7 if "forked" in str(error) else 1)
    os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
database.write(("INSERT INTO leases VALUES (?, ?)", [("c", "")])).result()
print(sorted(database.read("SELECT name FROM leases")))
database.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store.db")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[('a',), ('c',)]\n"


@pytest.mark.integration
def test_many_processes_open_a_new_store_at_once(tmp_path):
    code = """
import sys
from pathlib import Path
from io_managers.store.sqlite.database import Database
sys.stdin.readline()
for i in range(20):
    database = Database(Path(sys.argv[1]))
    database.write(("INSERT INTO leases VALUES (?, ?)", [(f"{sys.argv[2]}.{i}", "")])).result()
    database.close()
"""
    path = tmp_path / "new" / "store.db"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), str(i)], cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for i in range(6)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    errors = [child.communicate(timeout=120)[1] for child in children]
    assert [child.returncode for child in children] == [0] * 6, b"".join(errors).decode()
    database = Database(path)
    assert names(database) == {f"{child}.{i}" for child in range(6) for i in range(20)}
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    database.close()


def test_a_new_store_that_another_process_is_making_is_waited_for(tmp_path):
    """The change to WAL does not wait for the lock by itself; without it readers and writers block each other."""
    path = tmp_path / "store.db"
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.3, lambda: maker.execute("ROLLBACK"))
    timer.start()
    database = Database(path)
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    timer.join()
    maker.close()
    database.close()


def test_a_store_of_a_newer_version_is_refused_unchanged(tmp_path):
    path = tmp_path / "store.db"
    Database(path).close()
    with connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match=r"format 99.*reads up to 2.*Update Seedbank"):
        Database(path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_unchanged(tmp_path):
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
    raw.close()
    with pytest.raises(StoreUnavailableError, match="not a store of Seedbank"):
        Database(path)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    raw.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"\0" * 100])
def test_a_file_that_is_no_database_names_the_remedy(tmp_path, content):
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailableError, match="seedbank cache repair"):
        Database(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_store(tmp_path):
    """What a machine that was switched off in the very first moment may leave."""
    path = tmp_path / "store.db"
    path.touch()
    database = Database(path)
    database.write((INSERT, [("a", "")])).result()
    assert names(database) == {"a"}
    database.close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be created"):
        Database(tmp_path / "file" / "store" / "store.db")
