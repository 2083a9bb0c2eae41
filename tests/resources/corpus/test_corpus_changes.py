"""Whether a change of a file is ever missed, or an unchanged one read for nothing; and the memory that this rests on."""

import hashlib
import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from io_managers.store.whole_files import open_regular
from resources.corpus import corpus_index, folder_files
from resources.corpus import corpus_stamp as corpus_stamp_module
from resources.corpus.corpus import Corpus, Scan
from resources.corpus.corpus_index import SeenFile
from resources.corpus.corpus_stamp import corpus_stamp
from resources.corpus.skipped_files import SkippedFiles
from resources.errors import DocumentError
from tests.support.corpus_folder import MB, Folder, digest

TEN_SECONDS_NS = 10_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty corpus."""
    return Folder(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all documents that are opened."""
    names: list[str] = []

    def recording(path: Path) -> object:
        names.append(path.name)
        return open_regular(path)

    monkeypatch.setattr(folder_files, "open_regular", recording)
    return names


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are hashed long after they were written."""
    now = folder_files.time.time_ns
    monkeypatch.setattr(folder_files.time, "time_ns", lambda: now() + TEN_SECONDS_NS)


def test_names_of_any_bytes_are_found_again_by_the_memory(folder: Folder, opened: list[str], later: None) -> None:
    folder.write(b"latin\xe9.md")
    folder.write("n" * 252 + ".md")
    folder.write("new\nline.md")
    assert folder.documents() == {"latin%E9.md", "n" * 252 + ".md", "new%0Aline.md"}
    opened.clear()
    folder.scan()
    assert opened == []


def test_an_unchanged_file_is_not_read_again(folder: Folder, opened: list[str], later: None) -> None:
    folder.write("a.md")
    old = folder.write("old.md")
    os.utime(old, (0, 0))
    future = folder.write("future.md")
    os.utime(future, (4e9, 4e9))
    first = folder.scan()
    assert sorted(opened) == ["a.md", "future.md", "old.md"]
    opened.clear()
    assert folder.scan() == first
    assert opened == []
    assert folder.scan(verify=True) == first
    assert sorted(opened) == ["a.md", "future.md", "old.md"]


def test_a_file_that_changed_just_before_it_was_hashed_is_read_again(folder: Folder, opened: list[str]) -> None:
    """It may change once more within the same tick of the clock that stamps files."""
    folder.write("a.md")
    folder.scan()
    folder.scan()
    assert opened == ["a.md", "a.md"]
    status = (folder.root / "a.md").stat()
    for seconds, trusted in ((0, False), (1, False), (2, False), (3, True)):
        assert SeenFile.of(status, status.st_ctime_ns + seconds * 10**9, "").describes(status) is trusted


@pytest.mark.parametrize("hashed", ["at once", "later", "by a clock that is behind"])
def test_a_rewritten_file_of_the_same_size_and_time_is_noticed(
    folder: Folder, hashed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = folder_files.time.time_ns
    shift = {"at once": 0, "later": TEN_SECONDS_NS, "by a clock that is behind": -(10**18)}[hashed]
    monkeypatch.setattr(folder_files.time, "time_ns", lambda: now() + shift)
    path = folder.write("a.md", b"before")
    times = path.stat().st_mtime_ns
    folder.scan()
    path.write_bytes(b"after!")
    os.utime(path, ns=(times, times))
    assert folder.scan().documents["a.md"].content_digest == digest(b"after!")


def test_a_file_replaced_by_another_of_the_same_size_and_time_is_noticed(folder: Folder, later: None) -> None:
    path = folder.write("a.md", b"before")
    other = folder.write("new", b"after!")
    times = path.stat().st_mtime_ns
    folder.scan()
    os.utime(other, ns=(times, times))
    other.replace(path)
    assert folder.scan().documents["a.md"].content_digest == digest(b"after!")


def test_a_memory_that_is_wrong_fails_one_read_and_is_right_the_next_time(folder: Folder) -> None:
    """A network share may show the same time and size for changed content: `read` finds the change, and it is reported."""
    path = folder.write("a.md", b"before")
    status = path.stat()
    lying = SeenFile.of(status, status.st_ctime_ns + TEN_SECONDS_NS, digest(b"what it was"))
    corpus_index.save(folder.index, {b"a.md": lying, b"b.md": lying})
    source = folder.scan().documents["a.md"]
    with pytest.raises(DocumentError, match="changed during the run"):
        folder.corpus.read(source)
    assert folder.corpus.read(folder.scan().documents["a.md"]) == b"before"


def test_a_file_that_goes_or_changes_between_the_scan_and_the_read_is_a_passing_failure(folder: Folder) -> None:
    for name in ("gone.md", "changed.md", "grown.md", "cut.md", "kept.md"):
        folder.write(name, b"as it was")
    found = folder.scan().documents
    (folder.root / "gone.md").unlink()
    folder.write("changed.md", b"as it is.")
    folder.write("cut.md", b"as")
    with (folder.root / "grown.md").open("ab") as file:
        file.truncate(200 * MB)
    for name, reason in (
        ("gone.md", "deleted"),
        ("changed.md", "changed"),
        ("cut.md", "changed"),
        ("grown.md", "changed"),
    ):
        tracemalloc.start()
        with pytest.raises(DocumentError, match=f"{reason} during the run") as raised:
            folder.corpus.read(found[name])
        assert tracemalloc.get_traced_memory()[1] < MB
        tracemalloc.stop()
        assert raised.value.transient
        assert raised.value.remedy
    assert folder.corpus.read(found["kept.md"]) == b"as it was"


class WrittenToWhileRead:
    """A file to which somebody writes after the first block of it was read."""

    def __init__(self, path: Path, write: Callable[[Path], object]) -> None:
        self._file = open_regular(path)
        self._write: Callable[[], object] | None = lambda: write(path)

    def __enter__(self) -> "WrittenToWhileRead":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        """That of the file."""
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        """As a file."""
        block = self._file.read(size)
        if self._write is not None:
            self._write()
            self._write = None
        return block


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _rewrite(path: Path) -> None:
    path.write_bytes(b"z" * path.stat().st_size)


def _cut(path: Path) -> None:
    os.truncate(path, 10)


@pytest.mark.parametrize("write", [_append, _rewrite, _cut])
def test_a_file_that_is_written_to_while_it_is_hashed_is_a_passing_failure(
    folder: Folder, write: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_files, "_BLOCK_BYTES", 1_000)
    path = folder.write("a.md", b"y" * 5_000)
    os.utime(path, (0, 0))
    with monkeypatch.context() as patch:
        patch.setattr(folder_files, "open_regular", lambda path: WrittenToWhileRead(path, write))
        problem = folder.scan().problems["a.md"]
    assert "changed during the run" in problem.reason
    assert problem.transient
    assert folder.scan().documents["a.md"].content_digest == digest(path.read_bytes())


@pytest.mark.parametrize("content", [b"less", b"more than the four bytes that it had"])
def test_a_file_that_holds_another_length_than_its_status_says_is_a_passing_failure(
    folder: Folder, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share may show the size of a moment ago."""
    path = folder.write("a.md", b"it had these")

    class OfAShare(WrittenToWhileRead):
        def read(self, size: int = -1) -> bytes:
            nonlocal content
            block, content = content[:size], content[size:]
            return block

    with monkeypatch.context() as patch:
        patch.setattr(folder_files, "open_regular", lambda path: OfAShare(path, lambda _: None))
        assert "changed during the run" in folder.scan().problems["a.md"].reason
    assert folder.scan().documents["a.md"].content_digest == digest(path.read_bytes())


def test_a_file_that_goes_while_the_corpus_is_scanned_is_gone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("a.md")

    def too_late(path: Path) -> object:
        path.unlink()
        return open_regular(path)

    monkeypatch.setattr(folder_files, "open_regular", too_late)
    scan = folder.scan()
    assert (scan.documents, scan.problems, scan.gone({"a.md"})) == ({}, {}, {"a.md"})


@pytest.mark.slow
def test_a_file_above_the_limit_is_named_and_one_below_it_is_hashed_in_blocks(
    folder: Folder, opened: list[str]
) -> None:
    path = folder.write("large.txt", b"")
    os.truncate(path, 200 * MB)
    tracemalloc.start()
    problem = folder.scan().problems["large.txt"]
    assert opened == []
    assert "200.0 MB" in problem.reason
    assert "1 allowed" in problem.reason
    assert "SEEDBANK_MAX_DOCUMENT_MB" in problem.remedy
    assert not problem.transient

    found = Corpus(folder.root, folder.index, 300 * MB).scan().documents["large.txt"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    zeros = hashlib.sha256()
    for _ in range(200):
        zeros.update(bytes(MB))
    assert (found.size_bytes, found.content_digest) == (200 * MB, f"sha256:{zeros.hexdigest()}")
    assert peak < 8 * MB
    # A file at the limit is within it.
    exact = folder.write("exact.txt", bytes(MB))
    assert folder.scan().documents["exact.txt"].relative == exact.name


# --- the memory


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not what it should be"),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(path.read_bytes()[:-3]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"sha256:", b"sha512:")),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path)),
        lambda path: path.unlink(),
    ],
    ids=["empty", "garbage", "zeros", "cut", "flipped", "folder", "pipe", "missing"],
)
def test_a_spoilt_memory_is_left_aside(
    folder: Folder, opened: list[str], later: None, spoil: Callable[[Path], object]
) -> None:
    folder.write("a.md", b"before")
    first = folder.scan()
    spoil(folder.index)
    opened.clear()
    assert folder.scan() == first
    assert opened == ["a.md"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to somebody else")
def test_the_memory_of_another_user_is_left_aside(folder: Folder, opened: list[str], later: None) -> None:
    folder.write("a.md")
    folder.scan()
    os.chown(folder.index, 65534, 65534)
    opened.clear()
    folder.scan()
    assert opened == ["a.md"]
    assert folder.index.stat().st_uid == 0


def test_a_home_that_cannot_be_written_costs_only_the_memory(folder: Folder) -> None:
    folder.write("a.md")
    folder.index.parent.write_text("a file where the home should be")
    assert folder.documents() == {"a.md"}


@pytest.mark.slow
def test_several_may_scan_at_once_and_the_memory_is_always_whole(folder: Folder, later: None) -> None:
    for number in range(50):
        folder.write(f"{number}.md", str(number).encode())
    expected = folder.scan()
    scans: list[Scan] = []
    torn: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            if len(corpus_index.load(folder.index)) != 50:
                torn.append(1)

    def scan() -> None:
        for _ in range(10):
            scan_anew = folder.corpus
            corpus_index.save(folder.index, corpus_index.load(folder.index))
            scans.append(scan_anew.scan(verify=True))

    watcher = threading.Thread(target=watch)
    workers = [threading.Thread(target=scan) for _ in range(4)]
    watcher.start()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    stop.set()
    watcher.join()
    assert torn == []
    assert scans == [expected] * 40
    assert [path.name for path in folder.index.parent.iterdir()] == ["corpus.index"]


def test_a_stamp_stays_while_nothing_changes_and_is_none_while_times_say_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a.md", b"first")
    folder.write("b.md", b"second")
    assert folder.scan().stamp == ""  # both were written just now
    monkeypatch.setattr(corpus_index, "_SETTLED_NS", -1)
    stamp = folder.scan().stamp
    assert stamp
    assert folder.scan().stamp == stamp
    assert corpus_stamp(folder.root, folder.index.parent) == stamp

    folder.write("b.md", b"SECOND")
    assert folder.scan().stamp not in ("", stamp)
    assert corpus_stamp(folder.root, folder.index.parent) == folder.scan().stamp
    (folder.root / "c.xyz").touch()  # no document, but counted
    assert corpus_stamp(folder.root, folder.index.parent) == folder.scan().stamp != stamp


@pytest.mark.parametrize("part", [1, 2, 3, 4096])
def test_a_stamp_of_many_files_sees_a_change_of_each(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are hashed some at a time; none may be left out, and none may be taken for another."""
    monkeypatch.setattr(corpus_stamp_module, "_PART", part)
    files = [tmp_path / "corpus" / f"{name}.md" for name in "abcde"]
    files[0].parent.mkdir()
    for file in files:
        file.write_text(file.name)
    stamps = {corpus_stamp(tmp_path / "corpus", tmp_path / "home")}
    for number, file in enumerate(files):
        os.utime(file, (number, number))
        stamps.add(corpus_stamp(tmp_path / "corpus", tmp_path / "home"))
    for file in files:
        file.rename(file.with_name(f"{file.stem}{file.stem}.md"))
        stamps.add(corpus_stamp(tmp_path / "corpus", tmp_path / "home"))
    (tmp_path / "corpus" / "ee.md").unlink()
    stamps.add(corpus_stamp(tmp_path / "corpus", tmp_path / "home"))
    assert len(stamps) == 12


def test_a_stamp_needs_no_more_memory_for_more_files(tmp_path: Path) -> None:
    """A seed with nothing to do in a corpus of a million files answers by the stamp alone."""
    status = tmp_path.stat()

    def peak(files: int) -> int:
        tracemalloc.start()
        try:
            stamp = corpus_stamp_module.CorpusStamp()
            for number in range(files):
                stamp.add(f"{number:07}.md", status)
            assert stamp.digest(SkippedFiles())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(40_000) < 1.5 * peak(10_000)
