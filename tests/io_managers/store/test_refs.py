"""The digest of what is published of a stage, which a plan compares with that of an earlier plan."""

from collections.abc import Callable
from pathlib import Path

import pytest

from io_managers.store import refs as refs_module
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import Action
from io_managers.store.refs import Ref
from io_managers.store.store import Store

NAMES = [f"reefs/{name}.md" for name in ("a", "b%20", "c", "é", "漢", "𝄞")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in which six documents have a result of the stage `texts`."""
    store = Store(tmp_path / "store")
    actions = [Action("texts", f"{number:064}", {}) for number in range(len(NAMES))]
    digests = store.commit([(action, name, Provenance()) for action, name in zip(actions, NAMES, strict=True)]).result()
    store.refs.publish([Ref("texts", n, a.key, d) for n, a, d in zip(NAMES, actions, digests, strict=True)])
    store.refs.publish([Ref("corpus", "", "1" * 64, "sha256:1")])
    return store


def change(store: Store, statement: str, *values: object) -> None:
    store.database.write((statement, [values])).result()


CHANGES: dict[str, Callable[[Store], None]] = {
    "a ref is gone": lambda store: store.refs.drop("texts", [NAMES[3]]),
    "one more": lambda store: store.refs.publish([Ref("texts", "reefs/d.md", "2" * 64, "sha256:2")]),
    "another key": lambda store: change(store, "UPDATE refs SET action_key = 'k' WHERE partition = ?", NAMES[1]),
    "another result": lambda store: change(store, "UPDATE refs SET content_digest = 'd' WHERE partition = ?", NAMES[5]),
    "another state": lambda store: change(store, "UPDATE refs SET state = 's' WHERE partition = ?", NAMES[0]),
    "another name": lambda store: change(store, "UPDATE refs SET partition = 'z' WHERE partition = ?", NAMES[4]),
    "no action": lambda store: change(store, "DELETE FROM actions WHERE action_key = ?", f"{2:064}"),
    "an action with another result": lambda store: change(
        store, "UPDATE actions SET content_digest = 'd' WHERE action_key = ?", f"{2:064}"
    ),
}


@pytest.mark.parametrize("part", [1, 2, 3, 6, 7])
def test_the_digest_is_the_same_however_many_rows_are_read_at_a_time(
    store: Store, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refs_module, "_PART", part)
    for stage in ("texts", "corpus", "nothing"):
        for results in (True, False):
            published, digest = store.refs.published_with_digest(stage, results=results, digest=True)
            assert store.refs.digest(stage, results=results) == digest
            assert published == store.refs.published(stage, results=results)
    assert dict(store.refs.keys("texts")) == {name: ref.action_key for name, ref in store.refs.get("texts").items()}
    assert len(list(store.refs.keys("texts"))) == len(NAMES)
    store.close()


@pytest.mark.parametrize("what", CHANGES)
def test_the_digest_changes_with_every_row_that_a_plan_reads(store: Store, what: str) -> None:
    before = store.refs.digest("texts", results=True)
    CHANGES[what](store)
    after = store.refs.digest("texts", results=True)
    assert after != before
    assert after == store.refs.published_with_digest("texts", results=True, digest=True)[1]
    store.close()


@pytest.mark.parametrize("column", ["partition", "action_key", "content_digest"])
@pytest.mark.parametrize("value", ["CAST('reefs/c.md' AS BLOB)", "CAST(X'72ff' AS TEXT)"])
def test_a_damaged_row_is_read_to_the_end_and_changes_the_digest(
    store: Store, column: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.refs.digest("texts", results=True)
    change(store, f"UPDATE refs SET {column} = {value} WHERE partition = ?", NAMES[2])
    for part in (1, 10):
        monkeypatch.setattr(refs_module, "_PART", part)
        assert store.refs.digest("texts", results=True) != before
        assert NAMES[2] not in dict(store.refs.keys("texts"))
    assert NAMES[2] not in store.refs.published("texts", results=True)
    store.close()


def test_the_digest_of_failures_changes_with_each(store: Store) -> None:
    from io_managers.store.failures import FailureRecord

    empty = store.failures.digest()
    store.failures.record([FailureRecord("k", "texts", NAMES[0], "It failed.", "Ask.", transient=False)])
    one = store.failures.digest()
    store.failures.forget(["k"])
    assert len({empty, one}) == 2
    assert store.failures.digest() == empty
    store.close()
