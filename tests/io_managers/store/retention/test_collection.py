"""Collections of a store: what they remove by which rule, and what they never remove."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from io_managers.store import content_store
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action, KeyTemplate, content_digest
from io_managers.store.refs import Ref
from io_managers.store.request_ledger import Attempt
from io_managers.store.retention.collection import collect
from io_managers.store.retention.rules import Rules
from io_managers.store.retention.space import vacuum
from io_managers.store.store import Store

DAY = 86_400
# Everything of these rules that is not in use goes after ten days.
SHORT = Rules(ttl_days={"summaries": 10, "model_request": 10}, free_ttl_days=10, grace_days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store")) as opened:
        yield opened


def commit(store: Store, stage: str, name: str, value: object = None, *, usd: float = 0.0, **inputs: str) -> Action:
    """Commit a result of a stage; what costs dollars was one request."""
    action = KeyTemplate(stage, {"version": "1"}).action({"name": name, **inputs})
    paid = Provenance(0.5, 1, 100, 10, usd) if usd else Provenance(0.01)
    store.commit([(action, value if value is not None else f"the value of {name}", paid)]).result()
    return action


def publish(store: Store, action: Action, partition: str = "a.md") -> str:
    digest = store.actions.existing([action.key])[action.key]
    store.refs.publish([Ref(action.stage, partition, action.key, digest)])
    return digest


def age(store: Store, days: float, *actions: Action) -> None:
    """Make results look as if they were computed, and last used, so many days ago."""
    with closing(sqlite3.connect(store.database.path)) as raw:
        for action in actions:
            raw.execute(
                "UPDATE actions SET created_at = ?, used_on = NULL WHERE action_key = ?",
                (time.time() - days * DAY, action.key),
            )
        raw.commit()


def there(store: Store, *actions: Action) -> list[bool]:
    found = store.actions.existing(action.key for action in actions)
    return [action.key in found for action in actions]


def test_what_is_published_stays_however_old_it_is(store: Store) -> None:
    current = commit(store, "summaries", "current")
    digest = publish(store, current)
    age(store, 1000, current)
    found = collect(store, Rules(ttl_days={"summaries": 1}, grace_days=0, limit_bytes=1), dry_run=False)
    assert there(store, current) == [True]
    assert store.load(digest) == "the value of current"
    assert found.is_empty
    assert found.still_over_bytes > 0


def test_an_unused_result_goes_after_its_time_to_live_and_its_value_with_it(store: Store) -> None:
    old, young = commit(store, "summaries", "old"), commit(store, "summaries", "young")
    digest = store.actions.existing([old.key])[old.key]
    age(store, 11, old)
    age(store, 9, young)
    planned = collect(store, SHORT, dry_run=True)
    assert there(store, old, young) == [True, True], "a dry run removes nothing"
    done = collect(store, SHORT, dry_run=False)
    assert there(store, old, young) == [False, True]
    assert not store.content.contains(digest)
    assert planned.stages.keys() == done.stages.keys() == {("summaries", "unused")}
    assert planned.total == done.total
    assert store.verify() == []


def test_paid_results_are_kept_for_ever_unless_a_time_is_set(store: Store) -> None:
    paid, request = commit(store, "summaries", "paid", usd=0.1), commit(store, "model_request", "paid", usd=0.1)
    replaced = commit(store, "summaries", "free")
    vector = commit(store, "text_embedding", "free")
    publish(store, commit(store, "summaries", "current"))
    age(store, 1000, paid, request, replaced, vector)
    collect(store, Rules(), dry_run=False)
    # The vector of a text is of no stage, so that nothing newer has replaced it.
    assert there(store, paid, request, replaced, vector) == [True, True, False, True]


def test_a_result_that_was_current_until_now_begins_its_time_to_live_now(store: Store) -> None:
    """Who undoes a change of the settings the day after must not pay again."""
    before = commit(store, "summaries", "before", usd=0.1)
    publish(store, before)
    dropped = commit(store, "summaries", "dropped")
    publish(store, dropped, "b.md")
    age(store, 500, before, dropped)
    publish(store, commit(store, "summaries", "after", usd=0.1))
    store.refs.drop_partitions(["b.md"])
    collect(store, SHORT, dry_run=False)
    assert there(store, before, dropped) == [True, True]


def test_what_was_current_before_is_recorded_as_made_for_its_document(store: Store) -> None:
    """Settings that are changed and changed back publish, and replace, the same results again and again."""
    one, other = commit(store, "summaries", "one"), commit(store, "summaries", "other")
    for action in (one, other, one, other):
        publish(store, action)
    store.refs.drop_partitions(["a.md"])
    assert set(store.database.read("SELECT * FROM origins")) == {("a.md", one.key), ("a.md", other.key)}


def test_a_result_that_was_found_again_is_in_use(store: Store) -> None:
    old = commit(store, "summaries", "old")
    age(store, 50, old)
    assert store.actions.note_use([old.key]) == [old.key]
    assert store.actions.note_use([old.key]) == [], "once a day is enough"
    collect(store, SHORT, dry_run=False)
    assert there(store, old) == [True]


def test_what_is_current_is_in_use_without_a_note(store: Store) -> None:
    """A seed over ten thousand current documents writes no days of use."""
    current = commit(store, "summaries", "current")
    publish(store, current)
    age(store, 50, current)
    assert store.actions.note_use([current.key]) == []


def test_a_limit_removes_the_cheapest_per_byte_first(store: Store) -> None:
    free = [commit(store, "summaries", f"free {i}", "x" * 3000 + str(i)) for i in range(10)]
    cheap = [commit(store, "summaries", f"cheap {i}", "y" * 3000 + str(i), usd=0.001) for i in range(10)]
    dear = [commit(store, "summaries", f"dear {i}", "z" * 3000 + str(i), usd=1.0) for i in range(10)]
    everything = [*dear, *cheap, *free]
    age(store, 100, *everything)
    rules = Rules(free_ttl_days=0, limit_bytes=1)
    whole = collect(store, rules, dry_run=True).total.bytes
    used = collect(store, Rules(free_ttl_days=0), dry_run=True).after_bytes
    half = Rules(free_ttl_days=0, limit_bytes=used - whole // 2)
    done = collect(store, half, dry_run=False)
    assert there(store, *free) == [False] * 10
    assert there(store, *dear) == [True] * 10
    assert 0 < sum(there(store, *cheap)) < 10
    assert done.stages.keys() == {("summaries", "over the limit")}
    assert done.still_over_bytes == 0


def test_of_equally_cheap_results_the_least_recently_used_go_first(store: Store) -> None:
    results = [commit(store, "summaries", f"{i}", "x" * 3000 + str(i)) for i in range(10)]
    for i, one in enumerate(results):
        age(store, 100 + i, one)
    used = collect(store, Rules(free_ttl_days=0), dry_run=True).after_bytes
    collect(store, Rules(free_ttl_days=0, limit_bytes=used - 4 * 3000), dry_run=False)
    kept = there(store, *results)
    assert kept == sorted(kept, reverse=True)
    assert 0 < sum(kept) < 10


def test_nothing_within_the_grace_is_removed_for_a_limit(store: Store) -> None:
    young = commit(store, "summaries", "young")
    age(store, 3, young)
    collect(store, Rules(limit_bytes=1), dry_run=False)
    assert there(store, young) == [True]


def test_the_basis_of_a_published_result_stays(store: Store) -> None:
    """Without the basis of its clustering, a home would cluster from scratch, and pay for its summaries again."""
    digest = publish(store, commit(store, "clusters", "now"), "topic")
    basis = commit(store, "topic_basis", "basis", clustering=digest)
    earlier = commit(store, "topic_basis", "earlier", clustering=content_digest(b"another"))
    age(store, 500, basis, earlier)
    collect(store, Rules(ttl_days={"topic_basis": 1}, grace_days=0, limit_bytes=1), dry_run=False)
    assert there(store, basis, earlier) == [True, False]


def test_a_value_that_another_result_has_stays(store: Store) -> None:
    old, other = commit(store, "summaries", "old", "the same"), commit(store, "fields", "other", "the same")
    age(store, 50, old)
    collect(store, SHORT, dry_run=False)
    assert there(store, old, other) == [False, True]
    assert store.load(store.actions.existing([other.key])[other.key]) == "the same"


def test_values_without_a_name_go_and_prompts_and_replies_stay(store: Store) -> None:
    lost = commit(store, "summaries", "lost")
    digest = store.actions.existing([lost.key])[lost.key]
    store.actions.remove(["summaries"])
    prompt, reply = b"Summarise this.", b"not what was asked for"
    store.keep_texts({content_digest(prompt): prompt, content_digest(b"long " * 2000): b"long " * 2000})
    store.keep_failed(Attempt("a" * 64, "summaries", "a model", "wrong shape"), reply)
    store.database.write().result()
    found = collect(store, Rules(), dry_run=False)
    assert found.orphans == 1
    assert not store.content.contains(digest)
    assert store.kept_text(content_digest(prompt)) == prompt.decode()
    assert store.kept_text(content_digest(b"long " * 2000)) is not None
    ((response,),) = store.database.read("SELECT response FROM requests")
    assert store.load(response) == reply


def test_files_go_with_their_values_but_not_while_they_are_young(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is written before its row: another process may be about to commit it."""
    monkeypatch.setattr(content_store, "LARGE_BYTES", 10)
    old = commit(store, "summaries", "old", os.urandom(2000))
    waiting = commit(store, "summaries", "waiting", os.urandom(2000))
    age(store, 50, old, waiting)
    objects = store.directory / "objects"
    paths = {action.key: _file_of(store, action) for action in (old, waiting)}
    left_over = objects / "ab" / ".unfinished"
    left_over.parent.mkdir(exist_ok=True)
    left_over.write_bytes(b"half a value")
    for path in (paths[old.key], left_over):
        os.utime(path, (0, 0))
    found = collect(store, SHORT, dry_run=False)
    assert there(store, old, waiting) == [False, False]
    assert [paths[old.key].exists(), paths[waiting.key].exists(), left_over.exists()] == [False, True, False]
    assert found.files == 1
    os.utime(paths[waiting.key], (0, 0))
    assert collect(store, SHORT, dry_run=False).files == 1
    assert not paths[waiting.key].exists()


def _file_of(store: Store, action: Action) -> Path:
    digest = store.actions.existing([action.key])[action.key].removeprefix("sha256:")
    path = store.directory / "objects" / digest[:2] / digest[2:]
    assert path.exists()
    return path


def test_a_file_that_is_stored_again_is_young_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_store, "LARGE_BYTES", 10)
    data = os.urandom(2000)
    path = _file_of(store, commit(store, "summaries", "first", data))
    os.utime(path, (0, 0))
    store.content.prepare(b"seedbank bytes 1\n" + data, compressible=False)
    assert path.stat().st_mtime > time.time() - 60


def test_old_damaged_values_leave_the_quarantine(store: Store) -> None:
    action = commit(store, "summaries", "damaged")
    store.database.write(("UPDATE objects SET data = ?", [(b"other bytes",)])).result()
    assert store.verify()
    age(store, 0, action)
    assert collect(store, Rules(), dry_run=False).quarantined == 0
    store.database.write(("UPDATE quarantine SET found_at = 0", [()])).result()
    assert collect(store, Rules(), dry_run=False).quarantined == 1
    assert store.database.read("SELECT * FROM quarantine") == []


def test_a_collection_beside_writers_loses_nothing(store: Store) -> None:
    """Others commit, publish and find results again while results go."""
    old = [commit(store, "summaries", f"old {i}") for i in range(60)]
    age(store, 50, *old)
    stop = threading.Event()
    done: list[tuple[Action, str]] = []

    def write() -> None:
        with closing(Store(store.directory)) as other:
            i = 0
            while not stop.is_set():
                # Every other value equals one that is being removed.
                name = f"old {i % 60}"
                action = commit(other, "fields", f"new {i}", f"the value of {name}" if i % 2 else None)
                done.append((action, publish(other, action, f"{i}.md")))
                i += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            collect(store, SHORT, dry_run=False)
            collect(store, Rules(free_ttl_days=0, grace_days=0, limit_bytes=1), dry_run=False)
    finally:
        stop.set()
        writer.join()
    assert len(done) > 5
    assert all(there(store, *(action for action, _ in done)))
    for _, digest in done:
        store.load(digest)
    assert store.verify() == []


def test_an_empty_store_has_nothing_to_collect(store: Store) -> None:
    found = collect(store, Rules(limit_bytes=1 << 30), dry_run=False)
    assert found.is_empty
    assert found.still_over_bytes == 0


def test_vacuum_gives_space_back_to_the_disk_and_keeps_everything(store: Store) -> None:
    results = [commit(store, "summaries", f"{i}", os.urandom(4000).hex()) for i in range(200)]
    age(store, 50, *results[:150])
    before = store.database.path.stat().st_size
    found = collect(store, SHORT, dry_run=False)
    assert found.free_bytes > 0
    assert (vacuum(store) or 0) > 0
    assert store.database.path.stat().st_size < before
    assert all(there(store, *results[150:]))
    assert store.verify() == []
    assert vacuum(store) is None
    with closing(Store(store.directory)) as again:
        assert all(there(again, *results[150:]))


def test_a_store_that_was_vacuumed_is_not_taken_for_one_without_its_log(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows get new numbers, by which a lost log is recognised."""
    results = [commit(store, "summaries", f"{i}") for i in range(50)]
    age(store, 50, *results[:40])
    collect(store, SHORT, dry_run=False)
    vacuum(store, always=True)
    commit(store, "summaries", "another")
    store.close()
    with closing(Store(store.directory)):
        assert not caplog.records
