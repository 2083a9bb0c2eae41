"""Which files are documents, and how files that cannot be read are reported."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from io_managers.store.whole_files import open_regular
from resources.corpus import folder_files
from resources.corpus.corpus import Corpus, Scan
from resources.corpus.formats import remedies_for
from resources.corpus.skipped_files import SkippedFiles
from resources.errors import ConfigurationError, DocumentError
from tests.support.corpus_folder import MB, Folder, digest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty corpus."""
    return Folder(tmp_path)


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
    for name in ("picture.gif", "none", "trailing.txt.", "trailing.txt ", "md", "sub/.hidden.md", ".git/config.md"):
        folder.write(name)
    scan = folder.scan()
    assert list(scan.documents) == sorted(
        ["a.md", "B.TXT", "sub/c.Html", "sub/sub/d.pdf", "x.md/inside.docx", "CON.txt", "dir./e.rst", "-f.text"]
    )
    assert scan.documents["B.TXT"].format == "text"
    assert scan.documents["a.md"].content_digest == digest(b"text")
    assert (scan.problems, scan.unreadable, scan.skipped.total) == ({}, {}, 7)


def test_files_that_can_be_saved_in_another_format_are_counted_by_suffix(folder: Folder) -> None:
    """A folder of old Word files was reported as "3 files of other kinds", with no word of what could be done."""
    for name in ("a.md", "old.doc", "sub/older.DOC", "slides.ppt", "picture.gif", "ignored/x.doc", ".hidden.doc"):
        folder.write(name)
    folder.write(".seedbankignore", b"ignored/x.doc")
    scan = folder.scan()
    assert list(scan.documents) == ["a.md"]
    assert scan.skipped == SkippedFiles({".doc": 2, ".ppt": 1, ".gif": 1}, hidden=1, ignored=1)
    assert remedies_for(scan.skipped.by_suffix) == [
        "2 .doc files are not read. Save such files in a word processor as DOCX.",
        "1 .ppt file is not read. Save such files in a presentation program as PPTX or PDF.",
    ]


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

    monkeypatch.setattr(folder_files, "open_regular", swapping)
    scan = folder.scan()
    assert scan.documents == {}
    assert "changed during the run" in scan.problems["a.md"].reason
    assert path.is_symlink()


def test_pipes_and_sockets_are_skipped_and_hang_nothing(folder: Folder) -> None:
    os.mkfifo(folder.root / "pipe.txt")
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{short}/s.txt")
        os.link(f"{short}/s.txt", folder.root / "socket.txt")
        assert (folder.documents(), folder.scan().skipped.total) == (set(), 2)


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


@pytest.mark.integration
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
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"caf\xe9\n"), "not UTF-8"),
        (lambda path: path.mkdir(), "not a regular file"),
        (lambda path: os.mkfifo(path), "not a regular file"),
        (lambda path: path.write_text("fine\n!\n"), "Invalid git pattern"),
    ],
)
def test_an_ignore_file_that_cannot_be_read_stops_everything(
    folder: Folder, make: Callable[[Path], object], message: str
) -> None:
    """Going on would take in what was to stay out."""
    folder.write("a.md")
    make(folder.root / ".seedbankignore")
    with pytest.raises(ConfigurationError, match=message) as raised:
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
from resources.corpus.corpus import Corpus
from resources.corpus.corpus_walk import read_ignored
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


@pytest.mark.integration
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


@pytest.mark.integration
@pytest.mark.parametrize("which", ["root", "ignore", "above"])
def test_a_corpus_that_this_user_may_not_look_into_is_refused(public_folder: Folder, which: str) -> None:
    public_folder.write("a.md")
    ignore = public_folder.write(".seedbankignore", b"*.txt")
    locked = {"root": public_folder.root, "ignore": ignore, "above": public_folder.root.parent}[which]
    locked.chmod(0)
    found = scan_as_nobody(public_folder)
    locked.chmod(0o755)
    assert "Permission denied" in str(found.get("refused")), found
