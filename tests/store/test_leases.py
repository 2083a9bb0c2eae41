"""Who works and who waits, across threads, stores and processes that die."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from io_managers.store import leases as leases_module
from io_managers.store.store import Store

ROOT = Path(__file__).parents[2]

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
    """Another process that takes leases, and frees them when told."""
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


def test_of_two_processes_that_miss_the_same_name_one_has_it(store, holder):
    children = [holder("same", f"own {i}") for i in range(2)]
    taken = [line(child) for child in children]
    assert sorted("'same'" in names for names in taken) == [False, True]
    assert all(f"'own {i}'" in names for i, names in enumerate(taken))
    assert store.leases.take(["same"]) == set()


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


def test_the_lease_of_a_killed_process_is_free_at_once(store, holder, monkeypatch):
    """Not after its heartbeat has run out: that would be a minute of waiting after every crash."""
    monkeypatch.setattr(leases_module, "EXPIRY_SECONDS", 1e9)
    child = holder("name")
    line(child)
    assert store.leases.take(["name"]) == set()
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table of processes
    assert store.leases.take(["name"]) == {"name"}


def test_another_process_with_the_number_of_a_dead_owner_does_not_keep_its_lease(store, holder):
    child = holder("name")
    line(child)
    owner = row_of(store, "name")
    [(started_at,)] = store.leases.database.read("SELECT started_at FROM owners WHERE owner = ?", (owner,))
    change_owner(store, owner, started_at=started_at - 1000)
    assert store.leases.take(["name"]) == {"name"}


def test_the_lease_of_another_host_ends_with_its_heartbeat_only(store, holder):
    """Its process has a number that means nothing here."""
    child = holder("name")
    line(child)
    owner = row_of(store, "name")
    change_owner(store, owner, host="another host", pid=1 << 22)
    assert store.leases.take(["name"]) == set()
    change_owner(store, owner, heartbeat_at=time.time() - leases_module.EXPIRY_SECONDS - 1)
    assert store.leases.take(["name"]) == {"name"}


def test_an_owner_that_was_taken_for_dead_comes_back_with_its_next_heartbeat(tmp_path, monkeypatch):
    monkeypatch.setattr(leases_module, "HEARTBEAT_SECONDS", 0.02)
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
