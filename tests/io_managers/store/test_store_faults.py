"""The disk, the operating system and the power switch against the store."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreUnavailableError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.sqlite import database as database_module
from io_managers.store.sqlite.connection import connect
from io_managers.store.store import Store

ROOT = Path(__file__).parents[3]
TEMPLATE = KeyTemplate("stage", {"version": "1"})


def action(name: object) -> Action:
    return TEMPLATE.action({"input": str(name)})


def value(name: object) -> str:
    """Some small, some compressed, a few so large that they are files."""
    rng = random.Random(str(name))
    return rng.randbytes(rng.choice([20, 1000, 20_000] * 10 + [700_000])).hex()


def commit(store: Store, *names: object) -> list[str]:
    return store.commit([(action(name), value(name), Provenance()) for name in names]).result()


# Commits groups for ever, several in flight, and says what was acknowledged: only after it was.
COMMITTER = """
import sys
from collections import deque
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_store_faults import Provenance, Store, action, value
store, who, last = Store(Path(sys.argv[2])), sys.argv[3], int(sys.argv[4])
print("ready", flush=True)
flying = deque()
for start in range(0, last, 5):
    names = [f"{who}.{i}" if i % 3 else f"shared.{i}" for i in range(start, start + 5)]
    flying.append((names, store.commit([(action(name), value(name), Provenance()) for name in names])))
    if len(flying) == 4:
        names, future = flying.popleft()
        future.result()
        print(*names, flush=True)
for names, future in flying:
    future.result()
    print(*names, flush=True)
store.close()
"""


def committer(directory: Path, who: str, last: int) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", COMMITTER, here, str(directory), who, str(last)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_all_there(store: Store, names: list[str]) -> None:
    found = store.actions.lookup([action(name).key for name in names])
    for name in names:
        assert store.load(found[action(name).key].content_digest) == value(name)
    assert store.verify() == []


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(8))
def test_what_was_acknowledged_before_kill_9_is_there_afterwards(tmp_path, seed):
    rng = random.Random(seed)
    child = committer(tmp_path, "child", 10**6)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    killer = threading.Timer(rng.uniform(0, 0.6), lambda: os.kill(child.pid, signal.SIGKILL))
    killer.start()
    output, errors = child.communicate()
    assert child.returncode == -signal.SIGKILL, errors
    # The last line may have been cut off in the middle.
    acknowledged = [name for line in output.splitlines(keepends=True) if line.endswith("\n") for name in line.split()]
    store = Store(tmp_path)
    assert_all_there(store, acknowledged)
    commit(store, "after")
    store.close()


@pytest.mark.integration
def test_processes_that_commit_at_once_lose_nothing_of_each_other(tmp_path):
    children = [committer(tmp_path, f"child{i}", 150) for i in range(4)]
    outputs = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0] * 4, outputs
    names = [name for output, _ in outputs for line in output.splitlines()[1:] for name in line.split()]
    assert len(names) == 4 * 150
    store = Store(tmp_path)
    assert_all_there(store, names)
    assert len(store.database.read("SELECT 1 FROM actions")) == 4 * 100 + 50
    store.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 6 MB."""
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk; the limit of pages is tested instead")
    place = Path(tempfile.mkdtemp())
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        place.rmdir()
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def fill(store: Store) -> tuple[list[str], StoreUnavailableError]:
    """Commit until it fails."""
    done: list[str] = []
    for i in range(3000):
        try:
            commit(store, i)
        except StoreUnavailableError as error:
            return done, error
        done.append(str(i))
    raise AssertionError("it never became full")


@pytest.mark.integration
def test_a_full_disk_loses_nothing_and_says_what_to_do(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2 << 20))
    store = Store(small_disk / "store")
    done, error = fill(store)
    assert "full" in str(error) or "No space left" in str(error)
    assert "Free some space" in str(error)
    with pytest.raises(StoreUnavailableError, match="Free some space"):
        store.check_writable()
    assert_all_there(store, done)
    ballast.unlink()
    commit(store, "after")
    assert_all_there(store, [*done, "after"])
    store.close()


def test_a_full_database_fails_what_does_not_fit_and_keeps_what_does(tmp_path, monkeypatch):
    """The same without root: SQLite is made to believe that no page is left."""

    def limited(*arguments):
        connection = connect(*arguments)
        connection.execute("PRAGMA max_page_count = 100")
        return connection

    monkeypatch.setattr(database_module, "connect", limited)
    store = Store(tmp_path)
    done, error = fill(store)
    assert "the disk is full" in str(error)
    assert_all_there(store, done)
    store.close()
    monkeypatch.undo()
    store = Store(tmp_path)
    commit(store, "after")
    assert_all_there(store, [*done, "after"])
    store.close()


READ_ONLY = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_store_faults import Provenance, Store, StoreUnavailableError, action, value
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
directory = Path(sys.argv[2])
store = Store(directory)
found = store.actions.lookup([action("kept").key])[action("kept").key]
assert store.load(found.content_digest) == value("kept")
for attempt in (
    store.check_writable,
    lambda: store.commit([(action("new"), "value", Provenance())]).result(),
    lambda: store.commit([(action("large"), os.urandom(3 << 20), Provenance())]).result(),
    lambda: store.leases.take(["name"]),
    lambda: Store(directory / "inner" / "store"),
):
    try:
        attempt()
    except StoreUnavailableError as error:
        assert "SEEDBANK_HOME" in str(error) or "permissions" in str(error), error
    else:
        raise AssertionError("it was written")
store.close()
print("read")
"""


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="no modes of directories here")
@pytest.mark.parametrize("in_use", [False, True], ids=["alone", "beside a writer"])
def test_a_read_only_directory_can_be_read_and_says_why_it_cannot_be_written(in_use):
    place = Path(tempfile.mkdtemp())
    store = Store(place)
    commit(store, "kept")
    if not in_use:
        store.close()
    for path in [place, *place.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        command = [sys.executable, "-c", READ_ONLY, str(Path(__file__).parent), str(place)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert (done.stdout, done.returncode) == ("read\n", 0), done.stderr
    finally:
        for path in [place, *place.rglob("*")]:
            path.chmod(0o755)
        store.close()
        shutil.rmtree(place)


def flip(path: Path, old: bytes) -> None:
    """Change one bit where these bytes stand, as a disk would: below SQLite."""
    data = bytearray(path.read_bytes())
    at = data.index(old)
    data[at + len(old) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("size_bytes", [500, 3_000_000], ids=["row", "file"])
def test_a_flipped_bit_in_a_value_is_found_and_computing_it_again_heals_it(tmp_path, size_bytes):
    data = random.Random(1).randbytes(size_bytes)
    store = Store(tmp_path)
    [digest] = store.commit([(action("a"), data, Provenance())]).result()
    commit(store, "other")
    store.refs.publish([Ref("stage", "p", action("a").key, digest)])
    store.close()
    in_row = size_bytes < 1_000_000
    flip(tmp_path / "store.db" if in_row else tmp_path / "objects" / digest[7:9] / digest[9:], data[100:200])
    store = Store(tmp_path)
    with pytest.raises(CorruptObjectError, match="quarantine"):
        store.values("stage")["p"]
    assert store.actions.lookup([action("a").key]) == {}
    with pytest.raises(MissingObjectError, match="stage of 'p'"):
        store.values("stage")["p"]
    assert store.verify() == []
    assert store.commit([(action("a"), data, Provenance())]).result() == [digest]
    assert store.values("stage")["p"] == data
    assert_all_there(store, ["other"])
    store.close()


def test_verify_names_each_wrong_value_once_and_leaves_the_store_clean(tmp_path):
    store = Store(tmp_path)
    digests = commit(store, "good", "lost")
    [large] = store.commit([(action("large"), random.Random(2).randbytes(3 << 20), Provenance())]).result()
    [bad] = store.commit([(action("bad"), b"0123456789" * 20, Provenance())]).result()
    store.close()
    flip(tmp_path / "store.db", b"0123456789" * 20)
    (tmp_path / "objects" / large[7:9] / large[9:]).unlink()
    store = Store(tmp_path)
    store.database.write(("DELETE FROM objects WHERE content_digest = ?", [(digests[1],)])).result()
    wrong = store.verify()
    assert len(wrong) == 3
    assert all(any(digest in line for line in wrong) for digest in (large, bad, digests[1]))
    assert "An action of stage has no value" in "".join(wrong)
    assert_missing_once_opened(store, digests[1])
    assert store.verify() == []
    assert_all_there(store, ["good"])
    store.close()


def assert_missing_once_opened(store: Store, digest: str) -> None:
    with pytest.raises(MissingObjectError):
        store.load(digest)


def test_damaged_provenance_costs_only_itself(tmp_path):
    store = Store(tmp_path)
    commit(store, "a")
    store.database.write(("UPDATE actions SET provenance = '{', parts = '{'", [()])).result()
    assert store.actions.lookup([action("a").key])[action("a").key].provenance == Provenance()
    assert store.actions.parts([action("a").key]) == {}
    store.close()


def test_a_large_value_that_cannot_be_written_is_named_before_anything_is_recorded(tmp_path):
    (tmp_path / "objects").write_text("in the way")
    store = Store(tmp_path)
    with pytest.raises(StoreUnavailableError, match="3,000,0"):
        store.commit([(action("a"), os.urandom(3_000_000), Provenance())])
    assert store.actions.lookup([action("a").key]) == {}
    store.close()


def test_an_action_that_succeeds_is_no_failure_any_more(tmp_path):
    store = Store(tmp_path)
    store.failures.record([FailureRecord(action("a").key, "stage", "p", "broken", "mend it", False)])
    assert store.failures.lookup([action("a").key])[action("a").key].reason == "broken"
    commit(store, "a")
    assert store.failures.lookup([action("a").key]) == {}
    store.close()


def test_the_first_result_of_a_key_stays_unless_it_is_to_be_replaced(tmp_path):
    store = Store(tmp_path)
    [first] = store.commit([(action("a"), "first", Provenance())]).result()
    [second] = store.commit([(action("a"), "second", Provenance())]).result()
    assert store.actions.existing([action("a").key]) == {action("a").key: first}
    store.commit([(action("a"), "second", Provenance())], replace=True).result()
    assert store.actions.existing([action("a").key]) == {action("a").key: second}
    store.close()


def test_reading_goes_on_while_others_write(tmp_path):
    store = Store(tmp_path)
    commit(store, "a")
    other = connect(store.database.path)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert store.actions.existing([action("a").key])
    assert time.monotonic() - began < database_wait()
    other.execute("ROLLBACK")
    other.close()
    store.close()


def database_wait() -> float:
    """Half of what a reader would wait if it needed the lock."""
    from io_managers.store.sqlite.connection import BUSY_SECONDS

    return BUSY_SECONDS / 2
