"""Which files are documents, what they are called, and whether a change of one is ever missed."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from hypothesis import assume, example, given
from hypothesis import strategies as st

from resources import corpus, corpus_index
from resources.corpus import Corpus, Scan, document_id
from resources.corpus_index import Seen
from resources.errors import ConfigurationError, DocumentError
from resources.regular_files import open_regular
from seed_assets.partitions import DOCUMENTS

MB = 1 << 20
ROOT = Path(__file__).resolve().parent.parent
TEN_SECONDS_NS = 10_000_000_000

# --- names


def paths() -> st.SearchStrategy[str]:
    """Relative paths as os.fsdecode gives them, of any bytes, made of what is troublesome more often than not."""
    troublesome = st.sampled_from(
        [b"%", b",", b".", b"..", b"...", b"\n", b"%2C", b"\xc3", b"\xcc\x81", b"e", "é".encode()]
    )
    part = st.lists(
        st.one_of(troublesome, st.binary(max_size=3), st.text(max_size=2).map(_encoded)), min_size=1, max_size=8
    )
    parts = st.lists(part.map(b"".join), min_size=1, max_size=3)
    return parts.map(lambda parts: os.fsdecode(b"/".join(parts).replace(b"\0", b"0")) + ".md")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "ignore")


@given(paths(), paths())
@example("a,b.md", "a%2Cb.md")
@example("a...b.md", "a%2E..b.md")
@example("a....md", "a...md")
@example(os.fsdecode(b"\xc2.md"), "\u0082.md")
def test_two_names_have_two_ids_unless_they_differ_in_nothing_but_normalisation(one: str, other: str) -> None:
    assume(unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other))
    assert document_id(one) != document_id(other)


@given(paths())
@example("é.md")
@example("e\u0301.md")
def test_forms_of_one_name_have_one_id(name: str) -> None:
    assert len({document_id(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}) == 1


@given(paths(), paths())
def test_an_id_survives_what_dagster_and_its_command_line_split_at(one: str, other: str) -> None:
    first, last = document_id(one), document_id(other)
    for name in (first, last):
        assert "..." not in name
        assert "," not in name
        assert not [character for character in name if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")]
        name.encode()
        assert name.endswith(".md")
    assert f"{first}...{last}".split("...") == [first, last]


def test_dagster_takes_every_id_as_a_partition_key() -> None:
    """Any that it refused, or gave back otherwise, would be a document that no run can be for."""
    ids: list[str] = []
    collecting = given(paths())(lambda name: ids.append(document_id(name)))
    collecting()
    ids = sorted(set(ids))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("documents", ids)
        assert set(instance.get_dynamic_partitions("documents")) == set(ids)
        with partition_loading_context(dynamic_partitions_store=instance):
            order = list(DOCUMENTS.get_partition_keys())
            ends = dg.PartitionKeyRange(order[0], order[-1])
            assert list(DOCUMENTS.get_partition_keys_in_range(ends)) == order


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes/plain.md", "notes/plain.md"),
        ("with space, comma.md", "with space%2C comma.md"),
        ("wait...what....md", "wait%2E..what%2E%2E..md"),
        ("two..dots.md", "two..dots.md"),
        ("100%.md", "100%25.md"),
        ("line\nbreak\ttab.md", "line%0Abreak%09tab.md"),
        ("e\u0301.md", "é.md"),
        (os.fsdecode(b"latin\xe9.md"), "latin%E9.md"),
        ("\u0085\u2028.md", "%C2%85%E2%80%A8.md"),
        ("👩\u200d🌾 #1 [x] 'q' \"q\".md", "👩\u200d🌾 #1 [x] 'q' \"q\".md"),
        ("CON.txt", "CON.txt"),
    ],
)
def test_ids_stay_what_they_are(name: str, expected: str) -> None:
    """They are partition keys and stand in the tables: another spelling would be another document."""
    assert document_id(name) == expected


# --- scanning


class Folder:
    """A corpus, with the home's memory beside it."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "corpus"
        self.root.mkdir()
        self.index = directory / "home" / "corpus.index"

    def write(self, name: str | bytes, content: bytes = b"text") -> Path:
        """A file, with the folders above it."""
        path = self.root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    @property
    def corpus(self) -> Corpus:
        """As a new process sees it."""
        return Corpus(self.root, self.index, MB)

    def scan(self, *, verify: bool = False) -> Scan:
        """As a new process does it."""
        return self.corpus.scan(verify=verify)

    def documents(self) -> set[str]:
        """The ids of all documents."""
        return set(self.scan().documents)


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

    monkeypatch.setattr(corpus, "open_regular", recording)
    return names


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are hashed long after they were written."""
    now = corpus.time.time_ns
    monkeypatch.setattr(corpus.time, "time_ns", lambda: now() + TEN_SECONDS_NS)


def digest(content: bytes) -> str:
    """What a scan should say of a content."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def test_documents_are_files_by_suffix_in_any_case_below_any_folder(folder: Folder) -> None:
    for name in (
        "a.md",
        "B.TXT",
        "sub/c.Html",
        "sub/sub/d.pdf",
        "x.md/inside.docx",
        "CON.txt",
        "dir./e.rst",
        "-f.text",
    ):
        folder.write(name)
    for name in ("picture.png", "none", "trailing.txt.", "trailing.txt ", "md", "sub/.hidden.md", ".git/config.md"):
        folder.write(name)
    scan = folder.scan()
    assert list(scan.documents) == sorted(
        ["a.md", "B.TXT", "sub/c.Html", "sub/sub/d.pdf", "x.md/inside.docx", "CON.txt", "dir./e.rst", "-f.text"]
    )
    assert scan.documents["B.TXT"].format == "text"
    assert scan.documents["a.md"].content_digest == digest(b"text")
    assert (scan.problems, scan.unreadable, scan.skipped) == ({}, {}, 7)


def test_a_link_is_a_document_only_where_it_leads_to_a_file_of_the_corpus(folder: Folder, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("not for the corpus")
    folder.write("real.md", b"real")
    folder.write("sub/other.md")
    links = {
        "inside.md": "real.md",
        "sub/up.md": "../real.md",
        "outside.md": str(secret),
        "sub/outside.md": "../../secret.md",
        "by detour.md": "../corpus/../secret.md",
        "dangling.md": "nothing.md",
        "self.md": "self.md",
        "loop1.md": "loop2.md",
        "loop2.md": "loop1.md",
        "folder.md": "sub",
        "linked folder": "sub",
        "circle": "..",
    }
    for name, target in links.items():
        (folder.root / name).symlink_to(target)
    scan = folder.scan()
    assert set(scan.documents) == {"real.md", "sub/other.md", "inside.md", "sub/up.md"}
    assert scan.documents["inside.md"].content_digest == digest(b"real")
    assert folder.corpus.read(scan.documents["sub/up.md"]) == b"real"
    assert (scan.problems, scan.unreadable) == ({}, {})


def test_a_file_that_is_replaced_by_a_link_out_of_the_corpus_is_not_followed(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("not for the corpus")
    path = folder.write("a.md")

    def swapping(path: Path) -> object:
        path.unlink()
        path.symlink_to(secret)
        return open_regular(path)

    monkeypatch.setattr(corpus, "open_regular", swapping)
    scan = folder.scan()
    assert scan.documents == {}
    assert "changed during the run" in scan.problems["a.md"].reason
    assert path.is_symlink()


def test_pipes_and_sockets_are_skipped_and_hang_nothing(folder: Folder) -> None:
    os.mkfifo(folder.root / "pipe.txt")
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{short}/s.txt")
        os.link(f"{short}/s.txt", folder.root / "socket.txt")
        assert (folder.documents(), folder.scan().skipped) == (set(), 2)


def test_a_document_that_becomes_a_pipe_is_a_named_failure_and_hangs_nothing(folder: Folder) -> None:
    path = folder.write("a.md")
    source = folder.scan().documents["a.md"]
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DocumentError, match="not a regular file") as raised:
        folder.corpus.read(source)
    assert raised.value.transient


def test_names_that_normalise_alike_are_both_named_and_neither_is_taken(folder: Folder) -> None:
    folder.write("caf\u00e9.md", b"composed")
    folder.write("cafe\u0301.md", b"decomposed")
    folder.write("e\u0301/only.md")
    scan = folder.scan()
    assert set(scan.documents) == {"é/only.md"}
    (name,) = scan.problems
    assert name == "café.md"
    assert r"'caf\xe9.md'" in scan.problems[name].reason
    assert r"'cafe\u0301.md'" in scan.problems[name].reason
    assert "Rename" in scan.problems[name].remedy
    assert scan.gone({"café.md"}) == set()

    (folder.root / "caf\u00e9.md").unlink()
    alone = folder.scan()
    assert alone.documents["café.md"].content_digest == digest(b"decomposed")
    assert folder.corpus.read(alone.documents["café.md"]) == b"decomposed"


def test_names_of_any_bytes_are_found_again_by_the_memory(folder: Folder, opened: list[str], later: None) -> None:
    folder.write(b"latin\xe9.md")
    folder.write("n" * 252 + ".md")
    folder.write("new\nline.md")
    assert folder.documents() == {"latin%E9.md", "n" * 252 + ".md", "new%0Aline.md"}
    opened.clear()
    folder.scan()
    assert opened == []


def test_very_deep_folders_are_walked_and_what_the_system_cannot_reach_is_named(folder: Folder) -> None:
    """Deeper than Python's calls may be nested, and then deeper than a path may be long."""
    descriptor = os.open(folder.root, os.O_RDONLY)
    for depth in range(2_100):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
        if depth in (1_200, 2_090):
            os.close(os.open("deep.md", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    try:
        scan = folder.scan()
    finally:
        subprocess.run(["rm", "-rf", folder.root], check=True)
    assert list(scan.documents) == ["d/" * 1_201 + "deep.md"]
    (reason,) = scan.unreadable.values()
    assert "too long" in reason.reason
    assert "Move it up" in reason.remedy
    assert scan.gone({"d/" * 2_091 + "deep.md"}) == set()


# --- what is left out


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_ignored_files_are_no_documents(folder: Folder, form: Literal["NFC", "NFD"]) -> None:
    """As git does it: nested patterns, negation, folders; and names compare in any Unicode form."""
    for name in ("a.md", "draft.md", "drafts/b.md", "sub/drafts/c.md", "top.txt", "sub/top.txt", "x/1/2/z.txt"):
        folder.write(name)
    for name in ("logs/keep.md", "logs/drop.md", "#hash.md", "sp ace.md", unicodedata.normalize(form, "é.md")):
        folder.write(name)
    lines = ["\ufeff# comment", "", "drafts/", "draft.md", "/top.txt", "x/**/z.txt", "logs/*", "!logs/keep.md"]
    lines += ["\\#hash.md", "sp ace.md", "e\u0301.md"]
    (folder.root / ".seedbankignore").write_text("\r\n".join(lines), encoding="utf-8")
    (folder.root / "sub" / ".seedbankignore").write_text("top.txt")
    assert folder.documents() == {"a.md", "sub/top.txt", "logs/keep.md"}
    assert not folder.scan().problems


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_bytes(b"caf\xe9\n"), "not UTF-8"),
        (lambda path: path.mkdir(), "not a regular file"),
        (lambda path: os.mkfifo(path), "not a regular file"),
        (lambda path: path.write_text("fine\n!\n"), "Invalid git pattern"),
    ],
)
def test_an_ignore_file_that_cannot_be_read_stops_everything(
    folder: Folder, make: Callable[[Path], object], told: str
) -> None:
    """Going on would take in what was to stay out."""
    folder.write("a.md")
    make(folder.root / ".seedbankignore")
    with pytest.raises(ConfigurationError, match=told) as raised:
        folder.scan()
    assert ".seedbankignore" in str(raised.value)


def test_a_home_inside_its_corpus_is_no_part_of_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.index = folder.root / "state" / "corpus.index"
    for name in ("a.md", "state/logs/run.txt", "state/x.md", "sub/state/b.md"):
        folder.write(name)
    assert folder.documents() == {"a.md", "sub/state/b.md"}
    linked = tmp_path / "link"
    linked.symlink_to(folder.root)
    assert set(Corpus(linked, linked / "state" / "corpus.index", MB).scan().documents) == {"a.md", "sub/state/b.md"}


def test_a_corpus_inside_its_home_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "home" / "corpus").mkdir(parents=True)
    (tmp_path / "home" / "corpus" / "a.md").write_text("a")
    scan = Corpus(tmp_path / "home" / "corpus", tmp_path / "home" / "corpus.index", MB).scan()
    assert set(scan.documents) == {"a.md"}


@pytest.mark.parametrize("missing", ["nothing", "file.md"])
def test_a_corpus_that_is_no_folder_is_refused(tmp_path: Path, missing: str) -> None:
    (tmp_path / "file.md").write_text("")
    with pytest.raises(ConfigurationError, match="--corpus DIR") as raised:
        Corpus(tmp_path / missing, tmp_path / "index", MB).scan()
    assert missing in str(raised.value)


def test_an_empty_corpus_has_no_documents(folder: Folder) -> None:
    assert folder.scan() == Scan()


# --- without rights


@pytest.fixture
def public_folder() -> Iterator[Folder]:
    """A corpus that any user can reach, which pytest's own folders are not."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        yield Folder(Path(directory))


_SCAN_AS_NOBODY = """
import json, os, sys
from pathlib import Path
from resources.corpus import Corpus
from resources.corpus_walk import read_ignored
from resources.errors import ConfigurationError, DocumentError
import pathspec  # not to be found any more by an unprivileged user, where Python is in root's home
root, index = map(Path, sys.argv[1:])
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    scan = Corpus(root, index, 1 << 20).scan()
    print(json.dumps({"documents": list(scan.documents),
        "problems": {n: [p.reason, p.remedy, p.transient] for n, p in scan.problems.items()},
        "unreadable": {n: [p.reason, p.remedy, p.transient] for n, p in scan.unreadable.items()}}))
except ConfigurationError as error:
    print(json.dumps({"refused": str(error)}))
"""


def scan_as_nobody(folder: Folder) -> dict[str, object]:
    """What an unprivileged user's scan gives."""
    done = subprocess.run(
        [sys.executable, "-c", _SCAN_AS_NOBODY, str(folder.root), str(folder.index)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_this_user_may_not_read_is_named_and_stops_nothing_else(public_folder: Folder) -> None:
    """Also where a folder lists its files and lets nobody look at them: what was known of those is not gone."""
    public_folder.write("open.md")
    public_folder.write("locked.md").chmod(0)
    closed, listed = public_folder.write("closed/a.md").parent, public_folder.write("listed/b.md").parent
    closed.chmod(0)
    listed.chmod(0o744)
    found = scan_as_nobody(public_folder)
    closed.chmod(0o755)
    remedy = "Make it and the folders above it readable for this user (chmod +rX)."
    denied = ["it cannot be read: Permission denied.", remedy, True]
    assert found == {
        "documents": ["open.md"],
        "problems": {"locked.md": denied, "listed/b.md": denied},
        "unreadable": {"closed/": denied},
    }


@pytest.mark.parametrize("which", ["root", "ignore", "above"])
def test_a_corpus_that_this_user_may_not_look_into_is_refused(public_folder: Folder, which: str) -> None:
    public_folder.write("a.md")
    ignore = public_folder.write(".seedbankignore", b"*.txt")
    locked = {"root": public_folder.root, "ignore": ignore, "above": public_folder.root.parent}[which]
    locked.chmod(0)
    found = scan_as_nobody(public_folder)
    locked.chmod(0o755)
    assert "Permission denied" in str(found.get("refused")), found


# --- changes


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
        assert Seen.of(status, status.st_ctime_ns + seconds * 10**9, "").describes(status) is trusted


@pytest.mark.parametrize("hashed", ["at once", "later", "by a clock that is behind"])
def test_a_rewritten_file_of_the_same_size_and_time_is_noticed(
    folder: Folder, hashed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = corpus.time.time_ns
    shift = {"at once": 0, "later": TEN_SECONDS_NS, "by a clock that is behind": -(10**18)}[hashed]
    monkeypatch.setattr(corpus.time, "time_ns", lambda: now() + shift)
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
    """A share may show neither another time nor another size for another content: `read` finds out, and it is told."""
    path = folder.write("a.md", b"before")
    status = path.stat()
    lying = Seen.of(status, status.st_ctime_ns + TEN_SECONDS_NS, digest(b"what it was"))
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
    monkeypatch.setattr(corpus, "_BLOCK_BYTES", 1_000)
    path = folder.write("a.md", b"y" * 5_000)
    os.utime(path, (0, 0))
    with monkeypatch.context() as patch:
        patch.setattr(corpus, "open_regular", lambda path: WrittenToWhileRead(path, write))
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
        patch.setattr(corpus, "open_regular", lambda path: OfAShare(path, lambda _: None))
        assert "changed during the run" in folder.scan().problems["a.md"].reason
    assert folder.scan().documents["a.md"].content_digest == digest(path.read_bytes())


def test_a_file_that_goes_while_the_corpus_is_scanned_is_gone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("a.md")

    def too_late(path: Path) -> object:
        path.unlink()
        return open_regular(path)

    monkeypatch.setattr(corpus, "open_regular", too_late)
    scan = folder.scan()
    assert (scan.documents, scan.problems, scan.gone({"a.md"})) == ({}, {}, {"a.md"})


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
    assert folder.scan().documents["exact.txt"].path == exact


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
