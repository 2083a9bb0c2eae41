"""A flipped bit in the rows that say whose a value is: never another's value, and healed by what is computed next."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from io_managers.store.action_cache import Provenance
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreUnavailableError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.sqlite.schema import PAGE_BYTES
from io_managers.store.store import Store

TEMPLATE = KeyTemplate("stage", {"version": "1"})
COUNT = 120
_INDEX_LEAF = 0x0A


def action(number: int) -> Action:
    return TEMPLATE.action({"input": number})


def value(number: int) -> str:
    return f"the value of {number}"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of many actions, their refs, and failures; closed."""
    directory = tmp_path_factory.mktemp("sound") / "store"
    store = Store(directory)
    digests = store.commit([(action(i), value(i), Provenance(usd=i)) for i in range(COUNT)]).result()
    store.refs.publish([Ref("stage", f"p{i}", action(i).key, digest) for i, digest in enumerate(digests)])
    store.failures.record(
        [FailureRecord(action(COUNT + i).key, "stage", f"p{i}", f"reason {i}", "fix it", True) for i in range(COUNT)]
    )
    store.close()
    return directory


def places(data: bytes, text: bytes) -> Iterator[int]:
    """Where a text stands."""
    at = data.find(text)
    while at >= 0:
        yield at
        at = data.find(text, at + 1)


def is_index(data: bytes, at: int) -> bool:
    return data[at // PAGE_BYTES * PAGE_BYTES] == _INDEX_LEAF


def aimed(data: bytes, kind: str, number: int) -> int:
    """The byte to damage so that, as far as one bit can, another's value is found for this one."""
    key, partition = action(number).key.encode(), f"p{number}".encode()
    found = list(places(data, key))
    # In the row of a ref, which lies in such a page too, a digest follows the key.
    in_index = [at for at in found if is_index(data, at) and data[at + len(key) :][:7] != b"sha256:"]
    match kind:
        case "number of the row in the index of keys":
            return in_index[0] + len(key)
        case "key in the index":
            return in_index[0] + 3
        case "key in the row":
            return next(at for at in found if not is_index(data, at)) + 5
        case "digest in the row":
            at = next(at for at in found if not is_index(data, at))
            return data.index(b"sha256:", at) + 20
        case "partition of the ref":
            # In its row the key follows it at once.
            return next(places(data, partition + key)) + len(partition) - 1
        case "key of the ref":
            return next(places(data, partition + key)) + len(partition) + 9
        case _:
            return next(places(data, partition + key)) + len(partition) + len(key) + 11


KINDS = [
    "number of the row in the index of keys",
    "key in the index",
    "key in the row",
    "digest in the row",
    "partition of the ref",
    "key of the ref",
    "digest of the ref",
]


def served(store: Store) -> dict[int, str]:
    """What each key and each partition leads to, in all ways in which it is looked up."""
    found: dict[int, str] = {}
    keys = {action(i).key: i for i in range(COUNT)}
    ways = [
        {keys[key]: digest for key, digest in store.actions.existing(keys).items()},
        {keys[key]: record.content_digest for key, record in store.actions.lookup(keys).items()},
        {int(p[1:]): ref.content_digest for p, ref in store.refs.get("stage").items()},
        {int(p[1:]): ref.content_digest for p, ref in store.refs.published("stage", results=False).items()},
        {int(p[1:]): r.result for p, r in store.refs.published("stage", results=True).items() if r.result},
    ]
    for way in ways:
        for number, digest in way.items():
            try:
                text = store.load(digest)
            except (MissingObjectError, CorruptObjectError):
                continue
            if text != value(number) or number not in found:
                found[number] = text
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_none_of_a_hundred_flipped_bits_serves_the_value_of_another(kind: str, sound: Path, tmp_path: Path) -> None:
    chance = random.Random(kind)
    data = (sound / "store.db").read_bytes()
    for number, bit in [(chance.randrange(COUNT), chance.randrange(7)) for _ in range(100 // len(KINDS) + 1)]:
        directory = tmp_path / f"{number}.{bit}"
        shutil.copytree(sound, directory)
        damaged = bytearray(data)
        damaged[aimed(data, kind, number)] ^= 1 << bit
        (directory / "store.db").write_bytes(damaged)
        with closing(Store(directory)) as store:
            found, refusal = {}, ""
            try:
                found = served(store)
            except StoreUnavailableError as error:
                refusal = str(error)
            assert {i: text for i, text in found.items() if text != value(i)} == {}
            assert len(found) >= COUNT - 1 or "seedbank cache repair" in refusal


@pytest.mark.parametrize("kind", ["digest in the row", "key in the row"])
def test_a_flip_is_a_miss_that_verify_names_and_the_next_commit_heals(kind: str, sound: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(sound, tmp_path / "store"))
    data = bytearray((directory / "store.db").read_bytes())
    data[aimed(bytes(data), kind, 7)] ^= 2
    (directory / "store.db").write_bytes(data)
    with closing(Store(directory)) as store:
        # Where the index still has the key, it leads to the right value.
        assert len(store.actions.lookup([action(7).key])) == (kind == "key in the row")
        assert "changed on the disk" in "".join(store.verify())
        assert store.actions.lookup([action(7).key]) == {}
        [digest] = store.commit([(action(7), value(7), Provenance())]).result()
        assert store.actions.existing([action(7).key]) == {action(7).key: digest}
        assert store.verify() == []


def test_a_damaged_row_is_replaced_by_the_result_that_is_computed_and_a_sound_one_is_not(
    sound: Path, tmp_path: Path
) -> None:
    with closing(Store(Path(shutil.copytree(sound, tmp_path / "store")))) as store:
        key = action(3).key
        other = store.actions.existing([action(4).key])[action(4).key]
        store.database.write(("UPDATE actions SET content_digest = ? WHERE action_key = ?", [(other, key)])).result()
        assert store.actions.existing([key]) == {}
        [digest] = store.commit([(action(3), value(3), Provenance())]).result()
        assert store.actions.existing([key]) == {key: digest}
        store.commit([(action(3), "another", Provenance())]).result()
        assert store.actions.existing([key]) == {key: digest}


def test_an_index_that_leads_to_another_row_costs_no_other_value(sound: Path, tmp_path: Path) -> None:
    """What is wrong is the way to a value; the value at its end is another's, and sound."""
    directory = Path(shutil.copytree(sound, tmp_path / "store"))
    data = bytearray((directory / "store.db").read_bytes())
    with closing(sqlite3.connect(directory / "store.db")) as raw:
        digests = [row[0] for row in raw.execute("SELECT content_digest FROM objects ORDER BY rowid")]
    digest = digests[10].encode()
    at = next(at for at in places(bytes(data), digest) if is_index(bytes(data), at)) + len(digest)
    data[at] ^= 1
    (directory / "store.db").write_bytes(data)
    with closing(Store(directory)) as store:
        assert sorted(store.load(found) for found in digests) == sorted(value(i) for i in range(COUNT))
        assert store.verify() == []


def test_a_failure_that_was_changed_on_the_disk_is_forgotten(sound: Path, tmp_path: Path) -> None:
    """One bit makes a failure that may pass one that is never tried again."""
    with closing(Store(Path(shutil.copytree(sound, tmp_path / "store")))) as store:
        key = action(COUNT + 5).key
        assert store.failures.lookup([key])[key].transient
        store.database.write(("UPDATE failures SET transient = 0 WHERE action_key = ?", [(key,)])).result()
        assert store.failures.lookup([key]) == {}
        assert "failure recorded" in "".join(store.verify())
        assert store.verify() == []


@pytest.mark.parametrize("column", ["parts", "provenance"])
def test_damage_to_what_an_action_was_made_of_costs_only_that(column: str, sound: Path, tmp_path: Path) -> None:
    with closing(Store(Path(shutil.copytree(sound, tmp_path / "store")))) as store:
        key = action(8).key
        text = store.database.read(f"SELECT {column} FROM actions WHERE action_key = ?", (key,))[0][0]
        changed = text.replace("8", "9", 1)
        assert changed != text
        store.database.write((f"UPDATE actions SET {column} = ? WHERE action_key = ?", [(changed, key)])).result()
        assert store.actions.lookup([key])[key].content_digest
        assert (key in store.actions.parts([key])) == (column == "provenance")
        assert (store.actions.lookup([key])[key].provenance == Provenance()) == (column == "provenance")
        assert "results are intact" in "".join(store.verify())
        assert store.verify() == []
        assert store.actions.existing([key])
