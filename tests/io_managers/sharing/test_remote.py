"""What hosts share through a remote: found once pushed, fetched when opened, and never served if it is wrong."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from io_managers.sharing import pushing
from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.pushing import compact, erase
from io_managers.sharing.segments.segment import SharedAction, encode_segment, segment_name
from io_managers.sharing.segments.signatures import Trust
from io_managers.store.errors import MissingObjectError, RemoteError
from tests.io_managers.sharing.conftest import S3
from tests.support.sharing import KEY, OTHER, Host, action_of

MakeHost = Callable[..., Host]
# What a remote relies on is tested of each kind of bucket in test_buckets, so one kind is enough for most of the tests here.
IN_FOLDER = pytest.mark.parametrize("opened", ["folder"], indirect=True)
EVERYWHERE = pytest.mark.parametrize("opened", ["folder", "memory", S3], indirect=True)


@pytest.fixture
def host(tmp_path: Path, opened: Callable[[], Bucket]) -> Iterator[MakeHost]:
    """Makes hosts with stores of their own; of equal names, it is the same store again."""
    made: list[Host] = []

    def make(name: str, **options: Any) -> Host:
        made.append(Host(tmp_path / name, opened, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@EVERYWHERE
def test_what_one_host_pushes_another_finds(host: MakeHost) -> None:
    one, two = host("one"), host("two")
    actions = [one.commit(n) for n in range(30)]
    pushed = one.push()
    assert (pushed.results, pushed.values, pushed.twice) == (30, 30, 0)
    assert two.value(actions[0]) is None
    two.remote.pull()
    assert [two.value(action) for action in actions] == [f"value {n}" for n in range(30)]


@IN_FOLDER
def test_a_second_push_sends_nothing(host: MakeHost) -> None:
    one, two = host("one"), host("two")
    action = one.commit(1)
    one.push()
    assert one.push().results == 0
    two.remote.pull()
    assert two.value(action) == "value 1"
    assert two.push().results == 0


@IN_FOLDER
def test_a_look_up_needs_no_request_and_a_value_needs_one(host: MakeHost) -> None:
    one, two = host("one"), host("two")
    actions = [one.commit(n) for n in range(5)]
    one.push()
    two.remote.pull()
    assert set(two.store.actions.existing(action.key for action in actions)) == {a.key for a in actions}
    assert len(two.store.actions.lookup(action.key for action in actions)) == 5
    assert two.remote.fetched == 0
    assert (two.value(actions[0]), two.value(actions[0])) == ("value 0", "value 0")
    assert two.remote.fetched == 1


@IN_FOLDER
def test_values_are_fetched_many_at_once(host: MakeHost) -> None:
    one, two = host("one"), host("two")
    actions = [one.commit(n) for n in range(70)]
    one.push()
    two.remote.pull()
    records = two.store.actions.lookup(action.key for action in actions)
    two.store.content.fetch(record.content_digest for record in records.values())
    assert two.remote.fetched == 70
    assert [two.value(action) for action in actions] == [f"value {n}" for n in range(70)]
    assert two.remote.fetched == 70


@IN_FOLDER
def test_everything_that_is_known_of_an_action_comes_along(host: MakeHost) -> None:
    """Its costs say what reuse saves, and its parts explain later misses; it was not computed here, though."""
    one, two = host("one"), host("two")
    action = one.commit(1, usd=0.25)
    one.push()
    two.remote.pull()
    record = two.store.actions.lookup([action.key])[action.key]
    assert (record.provenance.usd, record.provenance.preview) == (0.25, "number 1")
    assert two.store.actions.parts([action.key])[action.key]["text"] == "text 1"
    assert two.store.actions.made_at(action.key) == one.store.actions.made_at(action.key)
    assert two.store.database.read("SELECT * FROM computed") == []
    assert one.store.database.read("SELECT sum(results) FROM computed") == [(1,)]
    assert two.store.actions.damaged() == []


@EVERYWHERE
def test_of_two_results_of_one_action_the_first_is_shared_and_counted(host: MakeHost) -> None:
    """Two hosts that did the same at once: each keeps its own, and everybody else gets the first one."""
    one, two, three = host("one"), host("two"), host("three")
    action = one.commit(1, "of one")
    two.commit(1, "of two")
    one.push()
    pushed = two.push()
    assert (pushed.results, pushed.twice) == (0, 1)
    three.remote.pull()
    assert (one.value(action), two.value(action), three.value(action)) == ("of one", "of two", "of one")


@IN_FOLDER
def test_of_two_results_that_were_pushed_at_once_all_choose_the_same(host: MakeHost) -> None:
    one, two, three, four = (host(name) for name in ("one", "two", "three", "four"))
    action = one.commit(1, "of one")
    two.commit(1, "of two")
    for each in (one, two):  # neither has seen the other's
        each.remote.check_writable()
        pushing.push(each.store, each.remote)
    for each in (three, four):
        each.remote.pull()
    assert three.value(action) == four.value(action) == "of one"


@IN_FOLDER
def test_a_damaged_value_here_comes_from_the_remote_again(host: MakeHost) -> None:
    one = host("one")
    action = one.commit(1)
    one.push()
    one.store.database.write(("UPDATE objects SET data = x'00'", [()])).result()
    with pytest.raises(Exception, match="corrupt"):
        one.value(action)
    assert one.value(action) == "value 1"


@IN_FOLDER
def test_a_host_that_only_reads_pushes_nothing(host: MakeHost) -> None:
    one = host("one", writable=False)
    one.commit(1)
    with pytest.raises(RemoteError, match="only read from here"):
        one.push()


@IN_FOLDER
def test_what_nobody_would_use_is_not_pushed(host: MakeHost) -> None:
    one = host("one", key=None)
    one.commit(1)
    with pytest.raises(RemoteError, match="would not be signed"):
        one.push()


@IN_FOLDER
def test_without_a_trusted_key_nothing_is_read(host: MakeHost) -> None:
    with pytest.raises(RemoteError, match="No key is trusted"):
        host("one", trust=Trust()).remote.pull()


@IN_FOLDER
def test_questions_stay_at_home(host: MakeHost) -> None:
    """Neither the answers themselves are pushed, nor the replies that they paid for."""
    one, two = host("one"), host("two")
    private, public = one.commit(1, stage="answer"), one.commit(2)
    one.remote.check_writable()
    pushing.push(one.store, one.remote, private=("answer",))
    two.remote.pull()
    assert (two.value(private), two.value(public)) == (None, "value 2")


def value_file(host: Host, number: int) -> str:
    """The name of the file with the value of an action."""
    digest = host.store.actions.existing([action_of(number).key])[action_of(number).key].removeprefix("sha256:")
    return f"values/{digest[:2]}/{digest[2:]}"


def flipped(data: bytes) -> bytes:
    """The same with one bit changed."""
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("again_other", [False, True], ids=["same", "other"])
@pytest.mark.parametrize("damage", ["changed", "cut", "other", "huge", "missing"])
@IN_FOLDER
def test_a_wrong_value_is_never_served_and_is_named(host: MakeHost, damage: str, again_other: bool) -> None:
    """The action is a miss, so it is computed again; the next push cures the remote for all."""
    one, two, three = host("one"), host("two"), host("three")
    actions = [one.commit(n) for n in range(2)]
    one.push()
    bucket, name = one.remote.bucket, value_file(one, 0)
    whole = bucket.get(name, 1 << 20)
    other = bucket.get(value_file(one, 1), 1 << 20)
    assert whole is not None
    assert other is not None
    wrong = {"changed": flipped(whole), "cut": whole[:-3], "other": other, "huge": whole + b"x" * 10_000}
    if damage == "missing":
        bucket.delete(name)
    else:
        bucket.replace(name, wrong[damage])
    two.remote.pull()
    with pytest.raises(MissingObjectError):
        two.value(actions[0])
    assert two.value(actions[0]) is None
    assert two.value(actions[1]) == "value 1"
    (reason,) = two.remote.index.withheld().values()
    assert "remote" in reason
    two.commit(0, "computed again" if again_other else None)
    assert two.push().results == 1
    three.remote.pull()
    assert three.value(actions[0]) == ("computed again" if again_other else "value 0")
    one.remote.pull()
    assert two.push().results == one.push().results == 0


@pytest.mark.parametrize(
    "damage", ["changed", "cut", "newer", "unsigned", "stranger", "renamed", "forged", "garbage", "empty"]
)
@IN_FOLDER
def test_a_wrong_segment_is_never_used_and_is_named(host: MakeHost, damage: str) -> None:
    """The right key with another's value is what only a signature can refuse."""
    one, two = host("one"), host("two")
    good, wrong = one.commit(0), one.commit(1)
    record = one.store.actions.lookup([wrong.key])[wrong.key]
    # The value is there and right by its digest; only the action that it is filed under is another.
    poison = [SharedAction("summaries", wrong.key, record.content_digest, 100, "builtins:str", "{}", "{}", 0.0)]
    signed, unsigned = encode_segment(poison, KEY), encode_segment(poison, None)
    stranger = encode_segment(poison, OTHER)
    data = {
        "changed": flipped(signed),
        "cut": signed[: len(signed) // 2],
        "newer": signed.replace(b"segment 1\n", b"segment 9\n"),
        "unsigned": unsigned,
        "stranger": stranger,
        "renamed": signed,
        "forged": stranger.replace(OTHER.public, KEY.public),
        "garbage": b"\0" * 500,
        "empty": b"",
    }[damage]
    signer = {"unsigned": "unsigned", "stranger": OTHER.public.hex()[:16]}.get(damage, KEY.public.hex()[:16])
    name = f"segments/{signer}/{hashlib.sha256(b'other' if damage == 'renamed' else data).hexdigest()}"
    one.remote.bucket.put_first(name, data)
    pulled = two.remote.pull()
    assert pulled.refused.keys() == {name}
    assert pulled.results == 0
    assert two.value(wrong) is None
    one.push()
    two.remote.pull()
    assert (two.value(good), two.value(wrong)) == ("value 0", "value 1")


@IN_FOLDER
def test_a_refused_segment_is_not_fetched_again_until_a_new_start(host: MakeHost) -> None:
    one = host("one")
    name = f"segments/{KEY.public.hex()[:16]}/{'0' * 64}"
    one.remote.bucket.put_first(name, b"garbage")
    assert one.remote.pull().refused.keys() == {name}
    one.remote.bucket.delete(name)
    data = encode_segment([], KEY)
    one.remote.bucket.put_first(segment_name(data), data)
    assert one.remote.pull(again=True).refused == {}


@EVERYWHERE
def test_many_segments_become_one_and_nothing_is_lost(host: MakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A push every few seconds leaves thousands of small files, which each reader would have to list and fetch."""
    monkeypatch.setattr(pushing, "_MOST_SEGMENTS", 5)
    one, two, three = host("one"), host("two"), host("three")
    actions = []
    for n in range(12):
        actions.append(one.commit(n))
        one.push()
        two.remote.pull()
    assert len(list(one.remote.bucket.list("segments"))) <= 6
    three.remote.pull()
    for each in (one, two, three):
        assert [each.value(action) for action in actions] == [f"value {n}" for n in range(12)]
    assert one.remote.index.known().results == two.remote.index.known().results == 12


@IN_FOLDER
def test_nobody_rewrites_what_others_have_signed(host: MakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a key is not trusted any more, everything that it has signed must be recognisable."""
    monkeypatch.setattr(pushing, "_MOST_SEGMENTS", 1)
    both = Trust([KEY.public, OTHER.public])
    one, two = host("one", trust=both), host("two", key=OTHER, trust=both)
    for n in range(3):
        one.commit(n)
        one.push()
        two.commit(10 + n)
        two.push()
    only = host("three", trust=Trust([OTHER.public]))
    only.remote.pull()
    assert [only.value(action_of(n)) is None for n in (0, 1, 2, 10, 11, 12)] == [True] * 3 + [False] * 3


@IN_FOLDER
def test_a_reader_between_the_two_steps_of_a_compaction_misses_nothing(host: MakeHost) -> None:
    """A listing may show a file that is gone when it is fetched; what replaced it is in the next listing."""
    one, two = host("one"), host("two")
    for n in range(2):
        one.commit(n)
        one.push()
    listing, bucket = list(one.remote.bucket.list("segments")), two.remote.bucket
    listings = iter([listing])

    class Outdated:
        address = bucket.address
        get, delete, put_first, replace, is_own = (
            bucket.get,
            bucket.delete,
            bucket.put_first,
            bucket.replace,
            bucket.is_own,
        )

        def list(self, folder: str) -> object:
            return iter(next(listings, None) or list(bucket.list(folder)))

    compact_all(one)
    two.remote.__dict__["access"] = two.remote.access._replace(bucket=Outdated())
    two.remote.pull()
    assert [two.value(action_of(n)) for n in range(2)] == ["value 0", "value 1"]


def compact_all(host: Host) -> None:
    """Make one segment of all that the host has signed."""
    compact(host.remote, {action_of(0).key, action_of(1).key})


@EVERYWHERE
def test_what_is_erased_is_gone_for_all(host: MakeHost) -> None:
    """Its rows are in no file that this signer wrote, its value is deleted, and no reader uses it again."""
    one, two = host("one"), host("two")
    gone, kept = one.commit(1, "canary text"), one.commit(2)
    one.push()
    two.remote.pull()
    digest = one.store.actions.existing([gone.key])[gone.key]
    one.store.database.write(("DELETE FROM actions WHERE action_key = ?", [(gone.key,)])).result()
    assert erase(one.remote, {gone.key}, {digest}, at=1e11) == []
    for name in [file.name for folder in ("segments", "values") for file in one.remote.bucket.list(folder)]:
        assert digest.removeprefix("sha256:") not in name.replace("/", "")
    two.remote.pull()
    assert (two.value(gone), two.value(kept)) == (None, "value 2")
    two.commit(1, "canary text")
    assert two.push().results == 0


@IN_FOLDER
def test_files_of_others_that_hold_what_was_erased_are_named_until_they_compact(host: MakeHost) -> None:
    both = Trust([KEY.public, OTHER.public])
    one, two = host("one", trust=both), host("two", key=OTHER, trust=both)
    gone = two.commit(1)
    two.push()
    assert len(erase(one.remote, {gone.key}, set(), at=1e11)) == 1
    two.remote.pull()
    compact(two.remote, {gone.key})
    assert one.remote.pull().refused == {}
    assert one.remote.index.segments_with({gone.key}) == set()


@IN_FOLDER
def test_a_result_that_was_made_after_the_erasure_is_shared(host: MakeHost) -> None:
    """A document that comes back to the corpus is a document like any other."""
    one, two = host("one"), host("two")
    action = one.commit(1)
    one.push()
    erase(one.remote, {action.key}, set(), at=1.0)
    two.commit(1)
    two.push()
    assert host("three").remote.pull().results >= 1
    three = host("four")
    three.remote.pull()
    assert three.value(action) == "value 1"


@IN_FOLDER
def test_other_trust_begins_with_an_empty_index(host: MakeHost) -> None:
    """What a key has signed must not stay in use after the key is not trusted any more."""
    one = host("one")
    action = one.commit(1)
    one.push()
    two = host("two")
    two.remote.pull()
    two.close()
    changed = host("two", trust=Trust([OTHER.public]))
    assert changed.value(action) is None
    assert changed.remote.pull().results == 0


@IN_FOLDER
def test_a_damaged_index_is_made_again(host: MakeHost, tmp_path: Path) -> None:
    one = host("one")
    action = one.commit(1)
    one.push()
    two = host("two")
    two.remote.pull()
    two.close()
    for path in (tmp_path / "two" / "store").glob("remote.db*"):
        path.write_bytes(b"garbage" * 1000)
    again = host("two")
    again.remote.pull()
    assert again.value(action) == "value 1"
