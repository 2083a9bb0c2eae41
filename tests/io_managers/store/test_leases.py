"""Who works and who waits, across threads, stores and processes that die."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from io_managers.store import holders, processes
from io_managers.store.action_cache import Provenance
from io_managers.store.errors import LeaseBusyError, LeaseLostError
from io_managers.store.fingerprint import KeyTemplate
from io_managers.store.holders import Waiting
from io_managers.store.leases import Leases
from io_managers.store.store import Store

ROOT = Path(__file__).parents[3]

HOLDER = """
import sys
from pathlib import Path
from io_managers.store.store import Store
store = Store(Path(sys.argv[1]))
print(sorted(store.leases.take(sys.argv[2:])), flush=True)
if sys.stdin.readline() == "free\\n":
    store.leases.free(sys.argv[2:])
    print("freed", flush=True)
    sys.stdin.readline()
store.close()
"""


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def holder(tmp_path, store):
    """Another process that takes leases, and frees them when it gets a line that says so."""
    children = []

    def start(*names: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path), *names],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def tell(child: subprocess.Popen[str], word: str) -> None:
    assert child.stdin is not None
    child.stdin.write(word + "\n")
    child.stdin.flush()


def row_of(store: Store, name: str) -> str:
    [(owner,)] = store.leases.database.read("SELECT owner FROM leases WHERE name = ?", (name,))
    return owner


def change_owner(store: Store, owner: str, **values: object) -> None:
    for column, value in values.items():
        store.leases.database.write((f"UPDATE owners SET {column} = ? WHERE owner = ?", [(value, owner)])).result()


@pytest.mark.integration
def test_one_of_two_processes_that_miss_the_same_name_gets_it(store, holder):
    children = [holder("same", f"own {i}") for i in range(2)]
    taken = [line(child) for child in children]
    assert sorted("'same'" in names for names in taken) == [False, True]
    assert all(f"'own {i}'" in names for i, names in enumerate(taken))
    assert store.leases.take(["same"]) == set()


@pytest.mark.integration
def test_a_freed_lease_goes_to_the_one_that_waits(store, holder):
    child = holder("name")
    line(child)
    assert store.leases.take(["name", "other"]) == {"other"}
    entered = threading.Event()

    def wait_for_it():
        with store.leases.hold("name"):
            entered.set()

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    assert not entered.wait(0.3)
    tell(child, "free")
    assert line(child) == "freed"
    assert entered.wait(60)
    waiting.join()


@pytest.mark.integration
def test_the_lease_of_a_killed_process_is_free_at_once(store, holder, monkeypatch):
    """Not after its heartbeat has run out: that would be a minute of waiting after every crash."""
    monkeypatch.setattr(processes, "EXPIRY_SECONDS", 1e9)
    child = holder("name")
    line(child)
    assert store.leases.take(["name"]) == set()
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table of processes
    assert store.leases.take(["name"]) == {"name"}


@pytest.mark.integration
def test_another_process_with_the_number_of_a_dead_owner_does_not_keep_its_lease(store, holder):
    child = holder("name")
    line(child)
    owner = row_of(store, "name")
    [(started_at,)] = store.leases.database.read("SELECT started_at FROM owners WHERE owner = ?", (owner,))
    change_owner(store, owner, started_at=started_at - 1000)
    assert store.leases.take(["name"]) == {"name"}


@pytest.fixture
def clock(monkeypatch):
    """The clock by which observers judge, to be put forward."""
    now = [1000.0]
    monkeypatch.setattr(processes, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.integration
def test_the_lease_of_another_host_ends_when_its_heartbeat_was_seen_to_stand_still(store, holder, clock):
    """Its process has a number that means nothing here, and its clock may say anything."""
    child = holder("name")
    line(child)
    owner = row_of(store, "name")
    change_owner(store, owner, host="another host", pid=1 << 22, heartbeat_at=5.0)
    assert store.leases.take(["name"]) == set()
    clock[0] += processes.EXPIRY_SECONDS - 1
    assert store.leases.take(["name"]) == set()
    change_owner(store, owner, heartbeat_at=4.0)  # a clock that was put back is a sign of life as well
    clock[0] += 2
    assert store.leases.take(["name"]) == set()
    clock[0] += processes.EXPIRY_SECONDS
    assert store.leases.take(["name"]) == {"name"}


def test_an_owner_that_was_taken_for_dead_comes_back_with_its_next_heartbeat(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "HEARTBEAT_SECONDS", 0.02)
    sleeper, other = Store(tmp_path), Store(tmp_path)
    sleeper.leases.take(["a"])
    owner = row_of(sleeper, "a")
    sleeper.database.write(("DELETE FROM owners", [()])).result()
    while not other.leases.database.read("SELECT 1 FROM owners WHERE owner = ?", (owner,)):
        time.sleep(0.01)
    assert other.leases.take(["a"]) == set()
    sleeper.close()
    other.close()


def test_two_stores_of_one_process_are_two_owners(tmp_path):
    one, other = Store(tmp_path), Store(tmp_path)
    assert one.leases.take(["a", "b"]) == {"a", "b"}
    assert one.leases.take(["a"]) == {"a"}
    assert other.leases.take(["a", "c"]) == {"c"}
    other.leases.free(["a"])
    assert other.leases.take(["a"]) == set()
    one.close()
    assert other.leases.take(["a", "b"]) == {"a", "b"}
    other.close()


def test_threads_that_hold_one_lease_take_turns(store):
    """They share an owner, and still only one of them may write the table."""
    inside, most = [], []

    def work():
        for _ in range(5):
            with store.leases.hold("table"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 20


def test_a_lease_is_freed_when_its_body_fails(store, tmp_path):
    def fail():
        with store.leases.hold("name"):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.leases.database.read("SELECT * FROM leases") == []


@pytest.mark.integration
def test_what_dead_owners_left_is_cleared_away(store, holder):
    child = holder("a", "b")
    line(child)
    child.kill()
    child.wait()
    store.leases.take(["c"])
    assert [name for (name,) in store.leases.database.read("SELECT name FROM leases")] == ["c"]
    assert len(store.leases.database.read("SELECT * FROM owners")) == 1


def test_closing_frees_everything(tmp_path):
    one = Store(tmp_path)
    one.leases.take(["a"])
    one.close()
    other = Store(tmp_path)
    assert other.leases.database.read("SELECT * FROM leases") == []
    assert other.leases.database.read("SELECT * FROM owners") == []
    other.close()


HOLDING = """
import sys
from pathlib import Path
from io_managers.store.store import Store
store = Store(Path(sys.argv[1]))
with store.leases.hold("table"):
    print("holds", flush=True)
    sys.stdin.readline()
store.close()
"""


@pytest.fixture
def holding(tmp_path):
    """Another process that holds the lease of a table until it is sent a line."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert line(child) == "holds"
    yield child
    child.kill()
    child.communicate()


def stop(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)


@pytest.mark.integration
def test_waiting_for_a_stopped_process_reports_which_one_it_is_and_how_to_go_on(store, holding, monkeypatch):
    """Ctrl-Z in one terminal blocked every other without a word."""
    monkeypatch.setattr(holders, "_SAY_STOPPED_AFTER_SECONDS", 0.2)
    monkeypatch.setattr(holders, "_LOOK_SECONDS", 0.0)
    stop(holding)
    said = threading.Event()
    messages: set[str] = set()
    handler = logging.Handler()

    def hear(record: logging.LogRecord) -> None:
        messages.add(record.getMessage())
        said.set()

    handler.emit = hear
    logging.getLogger(holders.__name__).addHandler(handler)
    entered = threading.Event()

    def wait_for_it():
        with store.leases.hold("table"):
            entered.set()

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    assert said.wait(60)
    logging.getLogger(holders.__name__).removeHandler(handler)
    assert not entered.is_set()
    (message,) = messages
    assert f"process {holding.pid} (-c {store.directory}), since 20" in message
    assert "the lease of table" in message
    assert f"`kill -CONT {holding.pid}`" in message
    assert f"`kill -9 {holding.pid}`" in message
    os.kill(holding.pid, signal.SIGCONT)
    tell(holding, "done")
    assert entered.wait(60)
    waiting.join()


@pytest.mark.integration
def test_nothing_is_said_of_a_process_that_just_works(store, holding, caplog, monkeypatch):
    monkeypatch.setattr(holders, "_SAY_STOPPED_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(holders, "_LOOK_SECONDS", 0.0)
    with pytest.raises(LeaseBusyError), store.leases.hold("table", Waiting(patience_seconds=0.5)):
        pass
    assert caplog.records == []


@pytest.mark.integration
@pytest.mark.parametrize("held_by", ["process", "thread"])
def test_a_wait_ends_as_soon_as_the_run_is_to_stop(store, holding, held_by):
    """The first Ctrl-C: not only the second one, after which nothing is recorded."""
    stopping = threading.Event()
    ended: list[BaseException] = []

    def wait_for_it():
        try:
            with store.leases.hold("table", Waiting(stopping.is_set)):
                pass
        except LeaseBusyError as error:
            ended.append(error)

    names = store.leases._names
    if held_by == "thread":
        tell(holding, "done")
        with store.leases.hold("table"):
            waiting = threading.Thread(target=wait_for_it)
            waiting.start()
            stopping.set()
            waiting.join(60)
    else:
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        stopping.set()
        waiting.join(60)
        assert str(holding.pid) in str(ended[0])
    assert not waiting.is_alive()
    assert len(ended) == 1
    assert not names["table"].locked()


@pytest.mark.integration
def test_a_lease_that_was_taken_over_is_not_proven(store, holding, clock):
    """Nor is it given back to its holder when the other has freed it."""
    owner = row_of(store, "table")
    change_owner(store, owner, host="another host", pid=1 << 22, heartbeat_at=5.0)
    fences: list[str] = []
    with store.leases.hold("other", fence=lambda: fences.append("other")) as lease:
        lease.prove()
        stop(holding)
        assert store.leases.take(["table"]) == set()
        clock[0] += processes.EXPIRY_SECONDS
        with store.leases.hold("table", fence=lambda: fences.append("table")) as taken:
            taken.prove()
        assert fences == ["table"]
        with store.leases.hold("table") as freed:
            store.leases.free(["table"])
            with pytest.raises(LeaseLostError):
                freed.prove()
    with store.leases.hold("table", fence=lambda: fences.append("table")):
        pass
    assert fences == ["table"]


def test_the_first_result_stays_if_two_processes_finish_the_same_action(tmp_path, monkeypatch):
    """A process that lost the lease of an action goes on and commits: all that it costs is the work."""
    one, other = Store(tmp_path), Store(tmp_path)
    action = KeyTemplate("stage", {}).action({"text": "a"})
    assert one.leases.take([action.key])
    one.leases.database.write(("UPDATE leases SET owner = 'nobody'", [()])).result()
    assert other.leases.take([action.key])
    other.commit([(action, "second to begin", Provenance())]).result()
    one.commit([(action, "first to begin", Provenance())]).result()
    record = one.actions.lookup([action.key])[action.key]
    assert one.load(record.content_digest) == "second to begin"
    one.close()
    other.close()


def test_leases_of_an_earlier_version_are_understood(tmp_path):
    """Their tables have fewer columns."""
    before = Leases(tmp_path / "leases.db")
    before.database.write(
        ("INSERT INTO owners (owner, host, pid, started_at, heartbeat_at) VALUES ('dead', ?, 999999, 1, 1)",
         [(processes.place(),)]),
        ("INSERT INTO leases (name, owner) VALUES ('table', 'dead')", [()]),
    ).result()  # fmt: skip
    with before.hold("table") as lease:
        lease.prove()
    before.close()
