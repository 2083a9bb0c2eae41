"""Editions of files: what is sent and fetched, who may publish, what is never used, and that readers see one as a whole.

What belongs here: files without a meaning. What does not: tables (tests/seeding/published).
"""

import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.editions import edition as edition_form
from io_managers.sharing.editions.edition import (
    Edition,
    EditionFile,
    decode_edition,
    described,
    edition_name,
    encode_edition,
    piece_name,
)
from io_managers.sharing.editions.mirror import Mirror, Pulled
from io_managers.sharing.editions.publishing import Files, OtherPublisherError, Published, publish
from io_managers.sharing.remote import Access
from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.errors import RemoteError, SegmentError, StoreUnavailableError
from tests.support.sharing import KEY, OTHER

FIRST = {"chunks.lance/data/one.lance": b"one" * 1000, "chunks.lance/_versions/1.manifest": b"m1", "empty": b""}
SECOND = FIRST | {"chunks.lance/_versions/1.manifest": b"m2", "chunks.lance/data/two.lance": b"two"}


class Publisher:
    """A home that publishes files."""

    def __init__(self, folder: Path, access: Access) -> None:
        self.folder = folder
        self.access = access
        self.known: list[str] = []
        self.last = 0
        self.rounds = 0

    def publish(
        self,
        contents: dict[str, bytes],
        *,
        keep: float = 3600,
        facts: dict[str, object] | None = None,
        take_over: bool = False,
        verify: bool = False,
        withdraw: bool = False,
    ) -> Published:
        def files() -> Files:
            self.rounds += 1
            paths = {name: self.folder / str(self.rounds) / name for name in contents}
            for name, path in paths.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(contents[name])
            return Files(paths, facts or {"tables": {"chunks": "a@1"}})

        published = publish(
            self.access,
            files,
            lambda: self.known,
            self.known.append,
            keep_seconds=keep,
            last=self.last,
            take_over=take_over,
            verify=verify,
            withdraw=withdraw,
        )
        self.last = published.number
        return published


def access_of(bucket: Bucket, *, trust: Trust | None = None, reads: bool = False) -> Access:
    return Access(bucket, trust or Trust([KEY.public]), None if reads else KEY, not reads)


@pytest.fixture
def publisher(tmp_path: Path, opened: Callable[[], Bucket]) -> Publisher:
    return Publisher(tmp_path / "home", access_of(opened()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "bucket"
    place.mkdir()
    return place


@pytest.fixture
def local(tmp_path: Path, folder: Path) -> Publisher:
    return Publisher(tmp_path / "home", access_of(FolderBucket(folder)))


def pull(
    mirror: Mirror,
    bucket: Bucket,
    *,
    trust: Trust | None = None,
    accept: Callable[[Path, Edition], object] = lambda *_: None,
    keep: float = 3600,
    again: bool = False,
) -> Pulled:
    return mirror.pull(access_of(bucket, trust=trust, reads=True), accept, keep_seconds=keep, again=again)


def contents_of(mirror: Mirror) -> dict[str, bytes]:
    current = mirror.current()
    assert current is not None
    return {file.path: (current.folder / file.path).read_bytes() for file in current.edition.files}


def test_a_reader_gets_what_was_published(
    publisher: Publisher, opened: Callable[[], Bucket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every kind of bucket, with files of several pieces, one piece, and none."""
    monkeypatch.setattr("io_managers.sharing.editions.edition.PIECE_BYTES", 1024)
    monkeypatch.setattr("io_managers.sharing.editions.publishing.PIECE_BYTES", 1024)
    monkeypatch.setattr("io_managers.sharing.editions.mirror.PIECE_BYTES", 1024)
    sent = publisher.publish(FIRST)
    assert (sent.number, sent.new, sent.files, sent.bytes) == (1, True, 3, 3002)
    mirror = Mirror(tmp_path / "mirror")
    pulled = pull(mirror, opened())
    assert pulled.new
    assert not pulled.refused
    assert contents_of(mirror) == FIRST
    assert pulled.current is not None
    assert pulled.current.edition.facts == {"tables": {"chunks": "a@1"}}
    assert mirror.faults() == {}


def test_what_has_not_changed_is_neither_sent_nor_fetched(
    publisher: Publisher, opened: Callable[[], Bucket], tmp_path: Path
) -> None:
    mirror = Mirror(tmp_path / "mirror")
    publisher.publish(FIRST)
    pull(mirror, opened())
    again = publisher.publish(FIRST)
    assert (again.number, again.new, again.sent_pieces) == (1, False, 0)
    assert not pull(mirror, opened()).new
    more = publisher.publish(SECOND)
    assert (more.number, more.new, more.sent_pieces, more.sent_bytes) == (2, True, 2, 5)
    pulled = pull(mirror, opened())
    assert (pulled.fetched_pieces, pulled.fetched_bytes) == (2, 5)
    assert contents_of(mirror) == SECOND


def test_a_file_of_two_editions_is_on_the_disk_once(local: Publisher, folder: Path, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    first = pull(mirror, FolderBucket(folder)).current
    local.publish(SECOND)
    second = pull(mirror, FolderBucket(folder)).current
    assert first is not None
    assert second is not None
    name = "chunks.lance/data/one.lance"
    assert (first.folder / name).samefile(second.folder / name)


def test_earlier_editions_go_after_their_time_with_the_pieces_that_nobody_needs(
    local: Publisher, folder: Path, tmp_path: Path
) -> None:
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    pull(mirror, FolderBucket(folder))
    assert local.publish(SECOND, keep=3600).removed == 0
    pull(mirror, FolderBucket(folder), keep=3600)
    assert len(list(mirror.directory.glob("[0-9]*"))) == 2
    assert local.publish({"empty": b"", "new": b"new"}, keep=0).removed == 2
    assert [path.name for path in (folder / "editions").iterdir()] == [f"{3:020d}"]
    assert [path.read_bytes() for path in (folder / "pieces").rglob("*") if path.is_file()] == [b"new"]
    pull(mirror, FolderBucket(folder), keep=0)
    assert len(list(mirror.directory.glob("[0-9]*"))) == 1
    assert contents_of(mirror) == {"empty": b"", "new": b"new"}


def pulled_and_emptied(local: Publisher, folder: Path, tmp_path: Path) -> Mirror:
    """A mirror that has the second edition of a place in which nothing is left."""
    mirror = Mirror(tmp_path / "mirror")
    for contents in (FIRST, SECOND):
        local.publish(contents)
        pull(mirror, FolderBucket(folder))
    for there in folder.iterdir():
        shutil.rmtree(there)
    return mirror


def test_after_a_bucket_was_emptied_readers_use_what_is_published_next(
    local: Publisher, folder: Path, tmp_path: Path
) -> None:
    """Numbers go on, since readers use no edition with a lower number than the one that they have."""
    mirror = pulled_and_emptied(local, folder, tmp_path)
    assert local.publish(SECOND).number == 3
    pulled = pull(mirror, FolderBucket(folder))
    assert (pulled.new, pulled.refused) == (True, {})
    assert contents_of(mirror) == SECOND


def test_a_reader_that_has_a_higher_number_says_how_to_use_the_lower_one(
    local: Publisher, folder: Path, tmp_path: Path
) -> None:
    """Another home, which does not know the last number, may have begun at an emptied place."""
    mirror = pulled_and_emptied(local, folder, tmp_path)
    Publisher(tmp_path / "other", access_of(FolderBucket(folder))).publish(FIRST)
    assert f"delete the folder {mirror.directory}" in pull(mirror, FolderBucket(folder)).refused[edition_name(1)]
    shutil.rmtree(mirror.directory)
    assert pull(mirror, FolderBucket(folder)).new
    assert contents_of(mirror) == FIRST


def test_what_was_erased_goes_at_once_and_readers_are_asked_to_remove_it(
    local: Publisher, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document that was erased must not stay for the time of grace; a search that runs may end."""
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    pull(mirror, FolderBucket(folder))
    assert local.publish({"empty": b"", "left": b"left"}, withdraw=True).removed == 1
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"oneone" not in everything
    pull(mirror, FolderBucket(folder))
    assert len(list(mirror.directory.glob("[0-9]*"))) == 2
    monkeypatch.setattr("io_managers.sharing.editions.mirror.WITHDRAWN_SECONDS", 0.0)
    pull(mirror, FolderBucket(folder))
    assert len(list(mirror.directory.glob("[0-9]*"))) == 1
    assert b"oneone" not in b"".join(path.read_bytes() for path in mirror.directory.rglob("*") if path.is_file())


def test_a_second_home_is_refused_until_it_takes_over(local: Publisher, folder: Path, tmp_path: Path) -> None:
    """Two homes at one address would replace each other's tables in turn."""
    local.publish(FIRST)
    other = Publisher(tmp_path / "other", access_of(FolderBucket(folder)))
    with pytest.raises(OtherPublisherError, match=r"Edition 1 .* was not published by this home.*--take-over"):
        other.publish(SECOND)
    assert other.publish(SECOND, take_over=True).number == 2
    with pytest.raises(OtherPublisherError):
        local.publish(FIRST)
    assert other.publish(FIRST).number == 3


def test_an_older_copy_of_a_home_does_not_replace_what_is_newer(local: Publisher, folder: Path, tmp_path: Path) -> None:
    """A backup that is put to use beside its original knows an earlier edition only."""
    local.publish(FIRST)
    copy = Publisher(tmp_path / "copy", access_of(FolderBucket(folder)))
    copy.known = list(local.known)
    local.publish(SECOND)
    with pytest.raises(OtherPublisherError):
        copy.publish(FIRST)


def test_a_home_that_was_killed_after_it_published_knows_its_edition(local: Publisher) -> None:
    """The digest is noted before the edition is written, so that the next seed does not find a stranger's."""
    local.publish(FIRST)
    assert len(local.known) == 1
    assert local.publish(SECOND).number == 2


def test_of_homes_that_publish_first_at_once_one_wins(opened: Callable[[], Bucket], tmp_path: Path) -> None:
    homes = [Publisher(tmp_path / str(number), access_of(opened())) for number in range(4)]

    def begin(home: Publisher) -> int | None:
        try:
            return home.publish({"who": home.folder.name.encode()}).number
        except OtherPublisherError:
            return None

    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(begin, homes))
    assert sorted(won, key=str) == [1, None, None, None]
    mirror = Mirror(tmp_path / "mirror")
    pull(mirror, opened())
    assert contents_of(mirror) == {"who": str(won.index(1)).encode()}


def test_a_process_that_lost_its_number_begins_again_with_the_files_of_now(
    local: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of the same home that was stopped in mid-publish must not publish what is older."""
    local.publish(FIRST)
    put_first = FolderBucket.put_first
    raced: list[int] = []

    def racing(self: FolderBucket, name: str, data: bytes) -> bool:
        if name == edition_name(2) and not raced:
            raced.append(1)
            local.publish({"newer": b"newer"})
        return put_first(self, name, data)

    monkeypatch.setattr(FolderBucket, "put_first", racing)
    rounds = local.rounds
    assert local.publish(SECOND).number == 3
    assert local.rounds == rounds + 3


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) // 2],
    "changed": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "of a newer version": lambda data: data.replace(b"edition 1\n", b"edition 2\n"),
    "empty": lambda data: b"",
    "something else": lambda data: b"<html>",
    "a segment": lambda data: data.replace(b"edition 1\n", b"segment 1\n"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_edition_is_named_and_the_one_before_it_stays_in_use(
    damage: str, local: Publisher, folder: Path, tmp_path: Path
) -> None:
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    pull(mirror, FolderBucket(folder))
    local.publish(SECOND)
    path = folder / edition_name(2)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    pulled = pull(mirror, FolderBucket(folder))
    assert list(pulled.refused) == [edition_name(2)]
    assert pulled.refused[edition_name(2)]
    assert contents_of(mirror) == FIRST
    with pytest.raises(OtherPublisherError, match="cannot be used"):
        local.publish(SECOND)
    assert local.publish(SECOND, take_over=True).number == 3
    assert pull(mirror, FolderBucket(folder)).new
    assert contents_of(mirror) == SECOND


@pytest.mark.parametrize(
    ("signer", "words"), [(OTHER, r"public:[0-9a-f]{64}, which is not trusted"), (None, "It is not signed")]
)
def test_an_edition_of_a_stranger_is_never_used(
    signer: SigningKey | None, words: str, local: Publisher, folder: Path, tmp_path: Path
) -> None:
    local.publish(FIRST)
    stranger = Publisher(
        tmp_path / "stranger", Access(FolderBucket(folder), Trust([OTHER.public], unsigned=True), signer, True)
    )
    stranger.publish({"evil": b"evil"}, take_over=True)
    mirror = Mirror(tmp_path / "mirror")
    pulled = pull(mirror, FolderBucket(folder))
    assert contents_of(mirror) == FIRST
    (reason,) = pulled.refused.values()
    assert re.search(words, reason)


def test_an_edition_under_another_number_is_refused(local: Publisher, folder: Path, tmp_path: Path) -> None:
    """An older one that somebody has put under a higher number is signed rightly."""
    local.publish(FIRST)
    local.publish(SECOND)
    (folder / edition_name(9)).write_bytes((folder / edition_name(1)).read_bytes())
    mirror = Mirror(tmp_path / "mirror")
    pulled = pull(mirror, FolderBucket(folder))
    assert "under another number" in pulled.refused[edition_name(9)]
    assert contents_of(mirror) == SECOND


def test_readers_do_not_go_back_to_an_older_edition(local: Publisher, folder: Path, tmp_path: Path) -> None:
    """Somebody who can remove files could bring back documents that were erased."""
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    local.publish(SECOND)
    pull(mirror, FolderBucket(folder))
    (folder / edition_name(2)).unlink()
    pulled = pull(mirror, FolderBucket(folder))
    assert "older than edition 2" in pulled.refused[edition_name(1)]
    assert contents_of(mirror) == SECOND


@pytest.mark.parametrize("damage", ["changed", "cut off", "missing", "longer"])
def test_a_damaged_piece_is_named_and_publishing_again_replaces_it(
    damage: str, local: Publisher, folder: Path, tmp_path: Path
) -> None:
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    pull(mirror, FolderBucket(folder))
    local.publish(SECOND)
    piece = folder / piece_name(edition_form.piece_digest(b"two"))
    if damage == "missing":
        piece.unlink()
    else:
        piece.write_bytes({"changed": b"twO", "cut off": b"tw", "longer": b"twoo"}[damage])
    pulled = pull(mirror, FolderBucket(folder))
    assert "a piece of chunks.lance/data/two.lance" in pulled.refused[edition_name(2)]
    assert contents_of(mirror) == FIRST
    healed = local.publish(SECOND, verify=True)
    assert (healed.number, healed.sent_pieces, healed.replaced_pieces) == (2, 1, int(damage != "missing"))
    assert pull(mirror, FolderBucket(folder)).new
    assert contents_of(mirror) == SECOND


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", ".hidden", "a//b", "", "a/.ssh/b", "x" * 401])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    data = encode_edition(Edition(1, time.time(), (EditionFile(path, 0, ()),), {}), KEY)
    with pytest.raises(SegmentError, match="no edition can have"):
        decode_edition(data, edition_name(1), Trust([KEY.public]))


@pytest.mark.parametrize(
    "file",
    [
        EditionFile("a", -1, ()),
        EditionFile("a", 1 << 50, ()),
        EditionFile("a", 3, ()),
        EditionFile("a", 0, ("ab" * 32,)),
        EditionFile("a", 3, ("../../etc/passwd",)),
    ],
)
def test_sizes_and_digests_that_cannot_be_are_refused(file: EditionFile) -> None:
    data = encode_edition(Edition(1, time.time(), (file,), {}), KEY)
    with pytest.raises(SegmentError, match="no edition can have"):
        decode_edition(data, edition_name(1), Trust([KEY.public]))


def test_what_readers_cannot_use_does_not_become_current(local: Publisher, folder: Path, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    pull(mirror, FolderBucket(folder))
    local.publish(SECOND)

    def refuse(directory: Path, edition: Edition) -> None:
        assert (directory / "chunks.lance/data/two.lance").read_bytes() == b"two"
        raise SegmentError("Its tables have other columns.")

    pulled = pull(mirror, FolderBucket(folder), accept=refuse)
    assert pulled.refused == {edition_name(2): "Its tables have other columns."}
    assert contents_of(mirror) == FIRST
    # Another release takes it without fetching anything once more.
    pulled = pull(mirror, FolderBucket(folder))
    assert pulled.new
    assert pulled.fetched_pieces == 0


def test_an_edition_that_goes_while_it_is_fetched_is_followed_by_the_next(
    local: Publisher, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.publish(FIRST)
    mirror = Mirror(tmp_path / "mirror")
    get = FolderBucket.get

    def late(self: FolderBucket, name: str, most_bytes: int) -> bytes | None:
        if name.startswith("pieces/"):
            monkeypatch.setattr(FolderBucket, "get", get)
            local.publish({"newer": b"newer"}, keep=0)
        return get(self, name, most_bytes)

    monkeypatch.setattr(FolderBucket, "get", late)
    pulled = pull(mirror, FolderBucket(folder))
    assert contents_of(mirror) == {"newer": b"newer"}
    assert pulled.refused == {}


def test_a_pull_that_was_interrupted_goes_on_where_it_ended(
    local: Publisher, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fetched and is right is not fetched again; what is half there is."""
    local.publish(SECOND)
    mirror = Mirror(tmp_path / "mirror")
    get, fetched = FolderBucket.get, list[str]()

    def broken(self: FolderBucket, name: str, most_bytes: int) -> bytes | None:
        if name.startswith("pieces/"):
            if fetched:
                raise RemoteError("The network is down.")
            fetched.append(name)
        return get(self, name, most_bytes)

    monkeypatch.setattr(FolderBucket, "get", broken)
    with pytest.raises(RemoteError):
        pull(mirror, FolderBucket(folder))
    assert mirror.current() is None
    (half,) = mirror.directory.glob(".incoming-*/chunks.lance/data/one.lance")
    half.write_bytes(half.read_bytes()[:100])
    monkeypatch.setattr(FolderBucket, "get", get)
    pull(mirror, FolderBucket(folder))
    assert contents_of(mirror) == SECOND


def test_a_mirror_that_was_damaged_is_found_and_repaired(local: Publisher, folder: Path, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    local.publish(FIRST)
    current = pull(mirror, FolderBucket(folder)).current
    assert current is not None
    (current.folder / "chunks.lance/data/one.lance").write_bytes(b"one" * 999 + b"onE")
    (current.folder / "empty").unlink()
    assert sorted(mirror.faults()) == ["chunks.lance/data/one.lance", "empty"]
    assert not pull(mirror, FolderBucket(folder)).new
    assert pull(mirror, FolderBucket(folder), again=True).new
    assert mirror.faults() == {}
    assert contents_of(mirror) == FIRST


def test_an_empty_bucket_and_a_missing_one_are_told_apart(folder: Path, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    assert pull(mirror, FolderBucket(folder)).current is None
    with pytest.raises(RemoteError, match=r"does not exist.*correct tables\.read_from"):
        pull(mirror, FolderBucket(tmp_path / "missing", "tables.read_from"))


def test_without_a_trusted_key_nothing_is_read(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="No key is trusted"):
        pull(Mirror(tmp_path / "mirror"), FolderBucket(folder), trust=Trust())


def test_too_little_space_is_said_before_anything_is_fetched(
    local: Publisher, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.publish(FIRST)
    monkeypatch.setattr("io_managers.sharing.editions.mirror._LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(StoreUnavailableError, match="MB are free"):
        pull(Mirror(tmp_path / "mirror"), FolderBucket(folder))


def test_a_home_that_only_reads_publishes_nothing(local: Publisher, folder: Path) -> None:
    local.access = access_of(FolderBucket(folder), reads=True)
    with pytest.raises(RemoteError, match="only read from here"):
        local.publish(FIRST)
    assert not list((folder).rglob("*/*"))


def test_readers_see_one_edition_as_a_whole_while_others_are_published(
    local: Publisher, folder: Path, tmp_path: Path
) -> None:
    """Each edition has the same number in every file; a reader that saw two numbers would have a mixture."""
    mirror = Mirror(tmp_path / "mirror")
    ended = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not ended.is_set():
            if (current := mirror.current()) is not None:
                found = {(current.folder / name).read_bytes() for name in ("a", "b", "c")}
                assert len(found) == 1
                seen.update(found)

    with ThreadPoolExecutor(2) as threads:
        readers = [threads.submit(read) for _ in range(2)]
        for number in range(12):
            local.publish(dict.fromkeys(("a", "b", "c"), b"%d" % number))
            pull(mirror, FolderBucket(folder))
        ended.set()
        for reader in readers:
            reader.result()
    assert seen


def test_a_described_file_has_the_digests_of_its_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition_form, "PIECE_BYTES", 4)
    path = tmp_path / "file"
    path.write_bytes(b"abcdefghij")
    found = described("file", path)
    assert found.size_bytes == 10
    assert found.pieces == tuple(edition_form.piece_digest(piece) for piece in (b"abcd", b"efgh", b"ij"))
    assert dict(edition_form.sized_pieces(found)) == dict(zip(found.pieces, (4, 4, 2), strict=True))


def test_who_may_not_delete_publishes_all_the_same(
    local: Publisher, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights to a bucket are often without deletion. What has to be erased is an error then."""
    local.publish(FIRST)

    def refuse(self: FolderBucket, name: str) -> None:
        if not name.startswith("probes/"):
            raise RemoteError("It denies access.")

    monkeypatch.setattr(FolderBucket, "delete", refuse)
    assert local.publish(SECOND, keep=0).number == 2
    with pytest.raises(RemoteError, match="denies access"):
        local.publish(SECOND, withdraw=True)
    pull(Mirror(tmp_path / "mirror"), FolderBucket(folder))
    assert contents_of(Mirror(tmp_path / "mirror")) == SECOND
