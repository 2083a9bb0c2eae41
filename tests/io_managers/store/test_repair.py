"""What is saved of a store whose database itself is damaged."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.errors import StoreUnavailableError, StoreVersionError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.repair import repair
from io_managers.store.sqlite.connection import connect
from io_managers.store.sqlite.schema import PAGE_BYTES
from io_managers.store.store import Store

TEMPLATE = KeyTemplate("stage", {"version": "1"})
COUNT = 120
SIZES = (50, 100, 2000, 9000, 60_000)


def action(i: int) -> Action:
    return TEMPLATE.action({"input": i})


def value(i: int) -> bytes:
    rng = random.Random(i)
    return rng.randbytes(2_500_000 if i == 7 else rng.choice(SIZES))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 120 values, one of them a file, with actions, refs and a failure; closed."""
    directory = tmp_path_factory.mktemp("sound")
    store = Store(directory)
    digests = []
    for start in range(0, COUNT, 10):
        some = range(start, start + 10)
        digests += store.commit([(action(i), value(i), Provenance(preview=str(i))) for i in some]).result()
    store.refs.publish([Ref("stage", f"p{i}", action(i).key, digest) for i, digest in enumerate(digests)])
    store.failures.record([FailureRecord("f" * 64, "stage", "bad", "broken", "mend it", False)])
    store.close()
    return directory


@pytest.fixture
def directory(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "store"))


def damage(directory: Path, change: Callable[[bytearray], bytes | bytearray]) -> None:
    path = directory / "store.db"
    path.write_bytes(change(bytearray(path.read_bytes())))


def flipped(data: bytearray, count: int = 60) -> bytearray:
    rng = random.Random(5)
    for _ in range(count):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def without_inner_pages(data: bytearray) -> bytearray:
    """What leads from the first page to the rows of the larger tables."""
    for page in range(PAGE_BYTES, len(data), PAGE_BYTES):
        if data[page] in (0x02, 0x05):
            data[page : page + PAGE_BYTES] = bytes(PAGE_BYTES)
    return data


def first_page_overwritten(data: bytearray) -> bytearray:
    data[:PAGE_BYTES] = random.Random(1).randbytes(PAGE_BYTES)
    return data


DAMAGES = {
    "bits": (flipped, 0.2),
    "inner pages": (without_inner_pages, 1.0),
    "first page": (first_page_overwritten, 1.0),
    "cut off": (lambda data: data[: len(data) * 2 // 3 + 77], 0.2),
    "another file": (lambda data: b"not a database at all " * 1000, 0.0),
}


@pytest.mark.parametrize(("change", "least"), DAMAGES.values(), ids=DAMAGES)
def test_what_can_be_read_and_proves_itself_is_kept_and_the_rest_is_a_miss(directory, change, least):
    damage(directory, change)
    with pytest.raises(StoreUnavailableError, match=r"seedbank cache repair|changed on the disk"):
        open_all(directory)
    damaged = (directory / "store.db").read_bytes()
    report = repair(directory)
    assert report.set_aside.read_bytes() == damaged
    assert report.set_aside.parent == directory / "quarantine"
    store = Store(directory)
    assert store.verify() == []
    found = store.actions.lookup([action(i).key for i in range(COUNT)])
    kept = [i for i in range(COUNT) if action(i).key in found]
    assert [store.load(found[action(i).key].content_digest) for i in kept] == [value(i) for i in kept]
    assert len(kept) == report.actions >= least * COUNT
    assert report.values >= report.actions
    if least == 1.0:
        assert report.dropped == 0
    [rest] = store.commit([(action(COUNT), "new", Provenance())]).result()
    assert store.load(rest) == "new"
    store.close()


def open_all(directory: Path) -> None:
    store = Store(directory)
    try:
        wrong = store.verify()
        store.actions.lookup([action(i).key for i in range(COUNT)])
        store.refs.get("stage")
        # Flipped bits that SQLite tolerates are reported, not raised.
        raise StoreUnavailableError("; ".join(wrong))
    finally:
        store.close()


def test_large_values_are_kept_though_no_row_of_theirs_can_be_read(directory):
    damage(directory, lambda data: bytearray(b"gone" * 100))
    report = repair(directory)
    assert (report.values, report.actions, report.dropped) == (1, 0, 0)
    store = Store(directory)
    [digest] = store.commit([(action(7), value(7), Provenance())]).result()
    assert store.load(digest) == value(7)
    store.close()


def test_a_sound_store_comes_out_as_it_went_in(directory):
    store = Store(directory)
    before = (store.refs.get("stage"), store.actions.lookup([action(i).key for i in range(COUNT)]))
    failures = store.failures.lookup(["f" * 64])
    store.close()
    report = repair(directory)
    assert (report.values, report.actions, report.refs, report.failures, report.dropped) == (
        len({value(i) for i in range(COUNT)}), COUNT, COUNT, 1, 0,
    )  # fmt: skip
    store = Store(directory)
    assert (store.refs.get("stage"), store.actions.lookup([action(i).key for i in range(COUNT)])) == before
    assert store.failures.lookup(["f" * 64]) == failures
    assert sorted(path.name for path in directory.iterdir() if not path.name.startswith("store.db-")) == [
        "objects", "quarantine", "store.db",
    ]  # fmt: skip
    store.close()


@pytest.mark.integration
def test_commits_that_are_only_in_the_log_are_kept(directory):
    """A process that was killed leaves its last commits there."""
    code = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_repair import Provenance, Ref, Store, action
store = Store(Path(sys.argv[2]))
[digest] = store.commit([(action(1000), "late" * 5000, Provenance())]).result()
store.refs.publish([Ref("stage", "p0", action(1000).key, digest)])
os.kill(os.getpid(), 9)
"""
    here = Path(__file__)
    subprocess.run([sys.executable, "-c", code, str(here.parent), str(directory)], cwd=here.parents[2], check=False)
    assert (directory / "store.db-wal").stat().st_size > 0
    damage(directory, lambda data: without_inner_pages(first_page_overwritten(data)))
    report = repair(directory)
    assert report.actions == COUNT + 1
    store = Store(directory)
    assert store.values("stage")["p0"] == "late" * 5000
    assert store.verify() == []
    store.close()


def test_a_ref_whose_action_was_lost_is_kept_so_that_the_miss_says_so(directory):
    with connect(directory / "store.db") as raw:
        raw.execute(
            "DELETE FROM objects WHERE content_digest IN (SELECT content_digest FROM refs WHERE partition = 'p3')"
        )
    raw.close()
    assert repair(directory).dropped == 1
    store = Store(directory)
    assert store.refs.get("stage")["p3"].action_key == action(3).key
    assert store.actions.lookup([action(3).key]) == {}
    store.close()


@pytest.mark.integration
@pytest.mark.skipif(sys.platform == "win32", reason="there the operating system refuses to replace an open file")
def test_a_store_that_another_process_uses_is_left_alone(directory):
    code = """
import sys
from pathlib import Path
from io_managers.store.store import Store
store = Store(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
store.close()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(directory)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"open\n"
    with pytest.raises(StoreUnavailableError, match="in use"):
        repair(directory)
    child.communicate(b"\n")
    assert not (directory / "quarantine").exists()
    assert repair(directory).actions == COUNT


def test_a_store_of_a_newer_version_is_not_repaired(directory):
    with connect(directory / "store.db") as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    before = (directory / "store.db").read_bytes()
    with pytest.raises(StoreVersionError):
        repair(directory)
    assert (directory / "store.db").read_bytes() == before


def test_where_there_is_no_store_nothing_is_made(tmp_path):
    with pytest.raises(StoreUnavailableError, match="no store"):
        repair(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_repair_that_is_interrupted_changes_nothing(directory, monkeypatch):
    before = (directory / "store.db").read_bytes()
    names = sorted(path.name for path in directory.iterdir())

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("io_managers.store.repair._copy_the_rest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        repair(directory)
    assert (directory / "store.db").read_bytes() == before
    assert sorted(path.name for path in directory.iterdir()) == names
