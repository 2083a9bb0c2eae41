"""Paid answers that a full disk does not take wait in a reserve, and the next store that is opened takes them in."""

import errno
import multiprocessing
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from io_managers.store import reserve as reserve_module
from io_managers.store import reserve_file
from io_managers.store.action_cache import Provenance
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.request_ledger import ANSWERED, Attempt
from io_managers.store.reserve import Reserve
from io_managers.store.reserve_file import ReserveFile
from io_managers.store.sqlite import connection as connection_module
from io_managers.store.sqlite import database as database_module
from io_managers.store.sqlite.connection import connect
from io_managers.store.store import Store

TEMPLATE = KeyTemplate("stage", {"version": "1"})
PAID = Provenance(seconds=0.5, requests=1, input_tokens=10, output_tokens=5, usd=0.25, model="writer-1")
ANSWER = Attempt("key", "stage", "writer-1", ANSWERED, usd=0.25)


def action(name: object) -> Action:
    return TEMPLATE.action({"input": str(name)})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The other places are this test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """SQLite is made to believe that no page is left; undo it to have space again."""

    def limited(*arguments):
        connection = connect(*arguments)
        connection.execute("PRAGMA max_page_count = 60")
        return connection

    patch = pytest.MonkeyPatch()
    patch.setattr(database_module, "connect", limited)
    return patch


def commit_until_it_fails(store: Store) -> tuple[list[int], int]:
    """The numbers that were committed, and the first that was not."""
    done: list[int] = []
    for number in range(1000):
        try:
            store.commit([(action(number), os.urandom(2000), PAID)], attempts=[ANSWER]).result()
        except StoreUnavailableError:
            return done, number
        done.append(number)
    raise AssertionError("it never became full")


def test_what_a_full_disk_does_not_take_is_there_when_the_store_is_opened_again(
    tmp_path: Path, full: pytest.MonkeyPatch
) -> None:
    with closing(Store(tmp_path / "store")) as store:
        store.prepare_to_pay()
        done, first = commit_until_it_fails(store)
        with pytest.raises(StoreUnavailableError):
            store.commit([(action("large"), os.urandom(40_000).hex(), PAID)], replace=True).result()
        assert store.reserve.kept == 2
        assert str(tmp_path / "store" / "reserve") in store.reserve.kept_words()
        assert store.actions.existing([action(first).key, action("large").key]) == {}
    with closing(Store(tmp_path / "store")) as store:  # still full
        assert store.actions.existing([action(first).key]) == {}
    full.undo()
    with closing(Store(tmp_path / "store")) as store:
        keys = [action(number).key for number in (*done, first, "large")]
        found = store.actions.lookup(keys)
        assert found.keys() == set(keys)
        assert found[action(first).key].provenance == PAID
        assert store.actions.parts([action(first).key]) == {action(first).key: action(first).parts}
        assert len(store.load(found[action("large").key].content_digest)) == 80_000
        assert store.requests.spent_usd(0) == 0.25 * (len(done) + 1)
        assert store.verify() == []
        assert not store.reserve.is_waiting()


def test_what_costs_nothing_is_not_put_aside(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    with closing(Store(tmp_path / "store")) as store:
        commit_until_it_fails(store)
        kept = store.reserve.kept
        with pytest.raises(StoreUnavailableError):
            store.commit([(action("free"), os.urandom(50_000).hex(), Provenance())]).result()
        assert store.reserve.kept == kept
    full.undo()


def test_a_large_value_that_no_file_can_hold_is_put_aside_too(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "objects").write_text("in the way")
    value = os.urandom(2_000_000)
    with closing(Store(tmp_path / "store")) as store:
        store.prepare_to_pay()
        with pytest.raises(StoreUnavailableError):
            store.commit([(action("large"), value, PAID)])
    (tmp_path / "store" / "objects").unlink()
    with closing(Store(tmp_path / "store")) as store:
        [record] = store.actions.lookup([action("large").key]).values()
        assert store.load(record.content_digest) == value


def test_after_a_commit_that_the_disk_refused_nothing_may_be_paid_for_in_any_process(
    tmp_path: Path, full: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Store(tmp_path / "store")) as store, closing(Store(tmp_path / "store")) as other:
        store.prepare_to_pay()
        other.prepare_to_pay()
        began = store.database.refusals
        assert store.refusal(began) is other.refusal(0) is None
        commit_until_it_fails(store)
        refusal = store.refusal(began)
        assert refusal is not None
        assert "full" in refusal.reason
        assert "Free some space" in refusal.remedy
        beside = other.refusal(0)
        assert beside is not None
        assert "Another process" in beside.reason
        with pytest.raises(StoreUnavailableError):
            other.prepare_to_pay()
    full.undo()
    with closing(Store(tmp_path / "store")) as store:
        store.prepare_to_pay()
        assert store.refusal(store.database.refusals) is None


def test_where_the_store_has_no_room_for_the_reserve_another_place_has_it_and_is_found_again(
    tmp_path: Path, full: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = ReserveFile.prepare

    def refused(self: ReserveFile, size_bytes: int) -> None:
        if self.path.parent.name == "store":
            raise OSError(errno.ENOSPC, "No space left on device")
        prepare(self, size_bytes)

    monkeypatch.setattr(ReserveFile, "prepare", refused)
    with closing(Store(tmp_path / "store")) as store:
        store.prepare_to_pay()
        place = store.reserve.is_elsewhere()
        assert place is not None
        assert place.is_relative_to(tmp_path / "state")
        assert place.stat().st_size >= reserve_module.RESERVE_BYTES
        assert place.stat().st_mode & 0o077 == 0
        _, first = commit_until_it_fails(store)
        assert str(place) in store.reserve.kept_words()
    full.undo()
    with closing(Store(tmp_path / "store")) as store:
        assert action(first).key in store.actions.existing([action(first).key])
        assert not place.exists()


def test_where_no_place_has_room_nothing_may_be_paid_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: ReserveFile, size_bytes: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ReserveFile, "prepare", refused)
    with (
        closing(Store(tmp_path / "store")) as store,
        pytest.raises(StoreUnavailableError, match=r"No space left on device.*Free some space.*Nothing was sent"),
    ):
        store.prepare_to_pay()


def test_a_reserve_has_its_bytes_before_they_are_needed(tmp_path: Path) -> None:
    file = ReserveFile(tmp_path / "reserve")
    file.prepare(1 << 20)
    status = file.path.stat()
    assert status.st_size == 1 << 20
    assert status.st_blocks * 512 >= 1 << 20
    file.close()


def test_a_record_that_a_crash_cut_off_ends_the_list_and_those_before_it_stay(tmp_path: Path) -> None:
    file = ReserveFile(tmp_path / "reserve")
    file.prepare(1 << 16)
    for name in (b"first" * 100, b"second" * 100):
        file.add(name)
    data = bytearray(file.path.read_bytes())
    data[data.index(b"secondsecond") + 300] ^= 1
    file.path.write_bytes(data)
    with file.taking_out() as records:
        assert records == [b"first" * 100]
    assert not file.holds_records()
    file.add(b"third")
    with file.taking_out() as records:
        assert records == [b"third"]
    file.close()


def test_a_reserve_that_is_used_up_on_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ReserveFile(tmp_path / "reserve")
    file.prepare(1 << 16)
    file.add(bytes(50_000))

    def refuse(descriptor: int, size_bytes: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(reserve_file, "_allocate", refuse)
    with pytest.raises(OSError, match="no room is left"):
        file.add(bytes(20_000))
    file.close()


def test_a_reserve_grows_while_the_disk_has_room(tmp_path: Path) -> None:
    """A store that is locked or damaged fails without a full disk: then no number of paid answers may be too many."""
    file = ReserveFile(tmp_path / "reserve")
    file.prepare(1 << 16)
    added = [bytes([number]) * 50_000 for number in range(10)]
    for payload in added:
        file.add(payload)
    file.close()
    again = ReserveFile(file.path)
    with again.taking_out() as records:
        assert records == added
    assert not again.holds_records()
    again.close()


def test_paid_results_of_a_store_that_is_locked_are_taken_in_by_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup program, or a process on another host, may hold the lock of the file for longer than a commit waits."""
    monkeypatch.setattr(connection_module, "BUSY_SECONDS", 0.01)
    actions = [action(number) for number in range(20)]
    store = Store(tmp_path / "store")
    store.commit([(actions[0], "first", PAID)]).result()
    with closing(sqlite3.connect(store.database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for one in actions[1:]:
            with pytest.raises(StoreUnavailableError, match="lock"):
                store.commit([(one, "x" * 1_000_000, PAID)]).result()
        assert store.reserve.kept == 19
        other.execute("ROLLBACK")
    store.close()
    with closing(Store(tmp_path / "store")) as again:
        assert again.actions.existing(one.key for one in actions).keys() == {one.key for one in actions}
        assert again.verify() == []


def add_some(path: Path, name: int) -> None:
    file = ReserveFile(path)
    for number in range(20):
        file.add(f"{name}.{number}".encode())


@pytest.mark.integration
def test_processes_that_put_aside_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    file = ReserveFile(tmp_path / "reserve")
    file.prepare(1 << 20)
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=add_some, args=(file.path, name)) for name in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    with file.taking_out() as records:
        assert sorted(records) == sorted(f"{name}.{number}".encode() for name in range(3) for number in range(20))
    file.close()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file to somebody")
def test_a_file_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    """In a directory that all share, anybody may put a file where ours would be."""
    file = ReserveFile(tmp_path / "reserve")
    file.prepare(1 << 16)
    file.add(b"made up")
    shutil.chown(file.path, 65534)
    assert not file.holds_records()
    with pytest.raises(PermissionError):
        ReserveFile(file.path).prepare(1 << 16)
    file.close()


def test_an_answer_is_not_put_into_a_file_that_another_process_took_away(tmp_path: Path) -> None:
    """One that had prepared a place elsewhere, and goes on when another has taken in what waited there."""
    store = tmp_path / "store"
    store.write_text("a file, so that nothing can be kept in it")
    one, other = Reserve(store), Reserve(store)
    place = one.prepare()
    assert one.put(b"first")
    taken: list[bytes] = []
    assert other.take_in(taken.append) == 1
    assert not place.exists()
    assert one.put(b"second")
    assert place.exists()
    assert other.take_in(taken.append) == 1
    assert taken == [b"first", b"second"]
    one.close()
    other.close()


def test_waiting_to_add_a_record_to_a_file_that_is_taken_away_fails(tmp_path: Path) -> None:
    one, other = ReserveFile(tmp_path / "reserve"), ReserveFile(tmp_path / "reserve")
    one.prepare(1 << 16)
    one.add(b"first")
    with ThreadPoolExecutor(1) as threads:
        with other.taking_out(remove=True) as payloads:
            adding = threads.submit(one.add, b"second")
        with pytest.raises(FileNotFoundError):
            adding.result()
    assert payloads == [b"first"]
    one.close()


def test_answers_that_another_version_has_put_aside_are_named_and_wait_on(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "store")) as store:
        store.prepare_to_pay()
        store.reserve.put(b"\x81\xa1x\x01")
    with closing(Store(tmp_path / "store")) as store:
        with pytest.raises(StoreUnavailableError, match="another version of Seedbank"):
            store.prepare_to_pay()
        assert store.reserve.is_waiting()
