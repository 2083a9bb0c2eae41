"""What every content store must do. Another implementation joins by adding its harness to HARNESSES."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.read_through import SharedContent
from io_managers.sharing.remote import Access, Remote
from io_managers.sharing.remote_index import RemoteIndex
from io_managers.sharing.segments.signatures import Trust
from io_managers.store import content_store
from io_managers.store.action_cache import ActionCache, Provenance
from io_managers.store.content_store import ContentStore, SqliteContentStore
from io_managers.store.errors import CorruptObjectError, MissingObjectError
from io_managers.store.fingerprint import KeyTemplate, content_digest
from io_managers.store.sqlite.database import Database


class Harness(Protocol):
    """A store under test, and the hands of the disk on it."""

    content: ContentStore
    database: Database

    def damage(self, digest: str) -> None:
        """Flip a bit of the stored bytes."""
        ...

    def lose(self, digest: str) -> None:
        """Take the bytes away, and leave the record of them."""
        ...


class SqliteRows:
    """SqliteContentStore whose values are all rows."""

    def __init__(self, directory: Path) -> None:
        self.database = Database(directory / "store.db")
        self.content: ContentStore = SqliteContentStore(self.database, directory / "objects")
        self.directory = directory

    def damage(self, digest: str) -> None:
        [(data,)] = self.database.read("SELECT data FROM objects WHERE content_digest = ?", (digest,))
        flipped = bytes([data[0] ^ 4]) + data[1:]
        self.database.write(("UPDATE objects SET data = ? WHERE content_digest = ?", [(flipped, digest)])).result()

    def lose(self, digest: str) -> None:
        self.database.write(("DELETE FROM objects WHERE content_digest = ?", [(digest,)])).result()


class SqliteFiles(SqliteRows):
    """SqliteContentStore whose values are all files."""

    def path(self, digest: str) -> Path:
        return self.directory / "objects" / digest[7:9] / digest[9:]

    def damage(self, digest: str) -> None:
        data = self.path(digest).read_bytes()
        self.path(digest).write_bytes(data[:-1] + bytes([data[-1] ^ 4]))

    def lose(self, digest: str) -> None:
        self.path(digest).unlink()


class ReadThrough(SqliteRows):
    """SharedContent in front of a remote that has none of the values."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        (directory / "remote").mkdir()
        access = Access(FolderBucket(directory / "remote"), Trust(unsigned=True), None, False)
        self.remote = Remote(lambda: access, RemoteIndex(directory / "remote.db", "remote"))
        self.content: ContentStore = SharedContent(self.content, self.database, self.remote)


HARNESSES: dict[str, Callable[[Path], Harness]] = {"rows": SqliteRows, "files": SqliteFiles, "remote": ReadThrough}


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setattr(content_store, "LARGE_BYTES", -1 if request.param == "files" else 1 << 30)
    made = HARNESSES[request.param](tmp_path)
    yield made
    if isinstance(made, ReadThrough):
        made.remote.close()
    made.database.close()


def put(harness: Harness, data: bytes, *, compressible: bool = True) -> str:
    """Commit bytes and an action that led to them."""
    digest, writes = harness.content.prepare(data, compressible=compressible)
    action = KeyTemplate("stage", {}).action({"of": digest})
    harness.database.write(*writes, ActionCache.put(action, digest, "builtins:bytes", Provenance())).result()
    return digest


def actions_of(harness: Harness, digest: str) -> int:
    return len(ActionCache(harness.database).lookup([KeyTemplate("stage", {}).action({"of": digest}).key]))


CONTENTS = {
    "empty": b"",
    "small": b"a\0",
    "text": b"compresses well " * 5000,
    "noise": random.Random(1).randbytes(20_000),
}


@pytest.mark.parametrize("data", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("compressible", [True, False])
def test_bytes_come_back_under_their_digest(harness, data, compressible):
    digest = put(harness, data, compressible=compressible)
    assert digest == content_digest(data)
    assert harness.content.get(digest) == data
    assert harness.content.contains(digest)
    assert list(harness.content.digests()) == [digest]


def test_the_same_bytes_twice_are_kept_once(harness):
    assert put(harness, CONTENTS["text"]) == put(harness, CONTENTS["text"], compressible=False)
    assert len(list(harness.content.digests())) == 1
    assert harness.content.get(content_digest(CONTENTS["text"])) == CONTENTS["text"]


def test_sizes_are_those_of_the_bytes_before_they_are_compressed(harness):
    small, large = b"a", b"ab" * 5_000
    digests = [put(harness, data) for data in (small, large)]
    assert harness.content.sizes([*digests, "sha256:nothing"]) == dict(zip(digests, (1, 10_000), strict=True))
    assert harness.content.sizes([]) == {}


def test_what_was_never_put_is_missing(harness):
    digest = content_digest(b"never")
    assert not harness.content.contains(digest)
    with pytest.raises(MissingObjectError, match=digest):
        harness.content.get(digest)


@pytest.mark.parametrize("data", [CONTENTS["text"], CONTENTS["noise"]], ids=["text", "noise"])
def test_damaged_bytes_are_found_put_aside_and_their_action_is_a_miss(harness, data):
    digest, other = put(harness, data), put(harness, b"other")
    harness.damage(digest)
    with pytest.raises(CorruptObjectError, match="quarantine"):
        harness.content.get(digest)
    assert not harness.content.contains(digest)
    assert actions_of(harness, digest) == 0
    assert actions_of(harness, other) == 1
    with pytest.raises(MissingObjectError):
        harness.content.get(digest)


def test_lost_bytes_are_missing_by_name_and_their_action_is_a_miss(harness):
    digest = put(harness, CONTENTS["noise"])
    harness.lose(digest)
    assert not harness.content.contains(digest)
    with pytest.raises(MissingObjectError, match=digest):
        harness.content.get(digest)
    assert actions_of(harness, digest) == 0
    assert list(harness.content.digests()) == []


@pytest.mark.parametrize("fault", ["damage", "lose"])
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "unnoticed"])
def test_putting_the_bytes_again_heals_them(harness, fault, noticed):
    """Also before the damage was noticed: a process that computed the value again must not get a false confirmation."""
    digest = put(harness, CONTENTS["noise"])
    getattr(harness, fault)(digest)
    if noticed:
        with pytest.raises((CorruptObjectError, MissingObjectError)):
            harness.content.get(digest)
    put(harness, CONTENTS["noise"])
    assert harness.content.get(digest) == CONTENTS["noise"]
    assert actions_of(harness, digest) == 1


@pytest.mark.parametrize("fault", ["damage", "lose"])
def test_bytes_that_another_process_repaired_meanwhile_are_not_removed(harness, fault, monkeypatch):
    """The reader finds them bad. Another process computes them again and gets them confirmed. Then the reader acts."""
    digest = put(harness, CONTENTS["noise"])
    getattr(harness, fault)(digest)
    transaction = harness.database.volatile_transaction

    def repaired_first():
        put(harness, CONTENTS["noise"])
        return transaction()

    monkeypatch.setattr(harness.database, "volatile_transaction", repaired_first)
    assert harness.content.get(digest) == CONTENTS["noise"]
    assert actions_of(harness, digest) == 1


def test_a_damaged_file_that_is_replaced_while_it_is_moved_is_moved_back(tmp_path, monkeypatch):
    """The file is not under the lock of the database: the last moment is the rename itself."""
    monkeypatch.setattr(content_store, "LARGE_BYTES", -1)
    harness = SqliteFiles(tmp_path)
    digest = put(harness, CONTENTS["noise"])
    sound = harness.path(digest).read_bytes()
    harness.damage(digest)
    replace = os.replace

    def after_the_other(source, target):
        if Path(source) == harness.path(digest):
            harness.path(digest).write_bytes(sound)
        replace(source, target)

    monkeypatch.setattr(os, "replace", after_the_other)
    assert harness.content.get(digest) == CONTENTS["noise"]
    monkeypatch.undo()
    assert harness.content.get(digest) == CONTENTS["noise"]
    assert actions_of(harness, digest) == 1
    harness.database.close()


def test_quarantine_keeps_the_bytes_for_a_person(tmp_path, monkeypatch):
    rows = SqliteRows(tmp_path / "rows")
    digest = put(rows, b"value")
    rows.damage(digest)
    with pytest.raises(CorruptObjectError):
        rows.content.get(digest)
    assert rows.database.read("SELECT content_digest, data FROM quarantine") == [(digest, b"ralue")]
    rows.database.close()
    monkeypatch.setattr(content_store, "LARGE_BYTES", -1)
    files = SqliteFiles(tmp_path / "files")
    digest = put(files, b"value")
    files.damage(digest)
    with pytest.raises(CorruptObjectError):
        files.content.get(digest)
    assert (tmp_path / "files" / "quarantine" / digest[7:]).read_bytes() == b"valua"
    files.database.close()


@pytest.mark.parametrize("said_bytes", [1 << 33, 1 << 62])
def test_a_damaged_header_of_compressed_bytes_asks_for_no_memory(tmp_path, said_bytes):
    """It says how long the data is, and that much would be taken before anything is looked at."""
    harness = SqliteRows(tmp_path)
    digest = put(harness, CONTENTS["text"])
    [(data,)] = harness.database.read("SELECT data FROM objects")
    with_long_size = data[:4] + b"\xe0" + said_bytes.to_bytes(8, "little") + data[13:]
    harness.database.write(("UPDATE objects SET data = ?", [(with_long_size,)])).result()
    with pytest.raises(CorruptObjectError):
        harness.content.get(digest)
    harness.database.close()


def test_large_values_leave_no_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(content_store, "LARGE_BYTES", 10)
    harness = SqliteRows(tmp_path)
    digests = [put(harness, bytes([i]) * 100, compressible=False) for i in range(5)]
    names = {f"{path.parent.name}{path.name}" for path in (tmp_path / "objects").glob("*/*")}
    assert names == {digest[7:] for digest in digests}
    harness.database.close()
