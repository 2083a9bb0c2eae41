"""Archives whose files are documents of their own."""

import gzip
import os
import shutil
from pathlib import Path

import pytest

from resources.corpus import corpus_index
from resources.corpus.archives import opening
from resources.corpus.corpus import Corpus, Scan
from resources.corpus.corpus_stamp import corpus_stamp
from resources.errors import DocumentError
from tests.support.archive_files import tarred
from tests.support.corpus_folder import MB, Folder, digest
from tests.support.zip_files import zipped

FILES = {
    "in/a.md": "text a",
    "in/b.csv": "x,y\n",
    "tool.bin": b"\x00",
    ".hidden.md": "no",
    "deep.zip": zipped({"c.txt": "c"}),
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty corpus."""
    return Folder(tmp_path)


def corpus(folder: Folder, most_bytes: int = MB) -> Corpus:
    """As a new process sees it."""
    return Corpus(folder.root, folder.index, most_bytes, archives_are_folders=True)


def scan(folder: Folder, most_bytes: int = MB, *, verify: bool = False) -> Scan:
    return corpus(folder, most_bytes).scan(verify=verify)


@pytest.mark.parametrize("data", [zipped(FILES), tarred(FILES), gzip.compress(tarred(FILES))])
@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_each_file_of_an_archive_is_a_document(folder: Folder, data: bytes, suffix: str) -> None:
    folder.write(f"notes/all{suffix}", data)
    folder.write("plain.md")
    found = scan(folder)
    top = f"notes/all{suffix}"
    assert {name: file.format for name, file in found.documents.items()} == {
        f"{top}/deep.zip": "archive",
        f"{top}/in/a.md": "markdown",
        f"{top}/in/b.csv": "csv",
        "plain.md": "markdown",
    }
    document = found.documents[f"{top}/in/a.md"]
    assert (document.size_bytes, document.content_digest) == (6, digest(b"text a"))
    assert {name: corpus(folder).read(file) for name, file in found.documents.items()}[f"{top}/in/b.csv"] == b"x,y\n"
    assert found.skipped.by_suffix == {".bin": 1}
    assert found.problems == {}


def test_an_archive_is_one_document_where_that_is_set(folder: Folder) -> None:
    folder.write("all.zip", zipped(FILES))
    assert set(folder.scan().documents) == {"all.zip"}
    assert len(scan(folder).documents) == 3
    assert set(folder.scan().documents) == {"all.zip"}


def test_an_unchanged_archive_is_not_unpacked_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.write("all.zip", zipped(FILES))
    first = scan(folder)

    def opened(data: bytes, *, counted: bool = True) -> None:
        raise AssertionError("it was unpacked")

    monkeypatch.setattr(opening, "opened_archive", opened)
    assert scan(folder) == first
    path.write_bytes(path.read_bytes())  # other times, the same bytes
    assert scan(folder) == first
    path.write_bytes(zipped({"new.md": "new"}))
    assert "the archive cannot be opened: AssertionError" in str(scan(folder).problems["all.zip"])


def test_what_is_read_is_what_was_seen(folder: Folder) -> None:
    path = folder.write("all.zip", zipped({"a.md": "old", "b.md": "b"}))
    one = corpus(folder)
    found = one.scan()
    assert one.read(found.documents["all.zip/a.md"]) == b"old"
    for changed in (zipped({"a.md": "new", "b.md": "b"}), zipped({"b.md": "b"}), b"damaged"):
        path.write_bytes(changed)
        with pytest.raises(DocumentError, match="changed during the run") as caught:
            one.read(found.documents["all.zip/a.md"])
        assert caught.value.transient
    path.unlink()
    with pytest.raises(DocumentError, match="deleted during the run"):
        one.read(found.documents["all.zip/a.md"])


def test_only_the_files_that_changed_have_other_digests(folder: Folder) -> None:
    path = folder.write("all.zip", zipped({"a.md": "a", "b.md": "b"}))
    before = scan(folder).documents
    path.write_bytes(zipped({"a.md": "a", "b.md": "changed", "c.md": "c"}))
    after = scan(folder).documents
    assert after["all.zip/a.md"] == before["all.zip/a.md"]
    assert {name for name in after if after[name] != before.get(name)} == {"all.zip/b.md", "all.zip/c.md"}


def test_a_damaged_archive_is_named_and_its_documents_stay(folder: Folder) -> None:
    """An archive that is being copied would otherwise take its documents out of the knowledge base."""
    path = folder.write("all.zip", zipped({"a.md": "a", "in/b.md": "b"}))
    known = set(scan(folder).documents)
    path.write_bytes(path.read_bytes()[:-10])
    for _ in range(2):
        found = scan(folder)
        assert "damaged or truncated" in found.problems["all.zip"].reason
        assert found.documents == {}
        assert found.gone(known | {"other.md"}) == {"other.md"}
    path.unlink()
    assert scan(folder).gone(known) == known


def test_files_that_cannot_be_read_are_named(folder: Folder) -> None:
    data = bytearray(zipped({"a.md": "good", "b.md": "secret"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    folder.write("all.zip", bytes(data))
    folder.write("large.zip", zipped({"large.md": b"a" * (2 * MB), "small.md": "small"}))
    found = scan(folder)
    assert set(found.documents) == {"all.zip/a.md", "large.zip/small.md"}
    assert found.problems["all.zip/b.md"].reason == "it is encrypted."
    assert "more than the 1 allowed" in found.problems["large.zip/large.md"].reason
    assert set(scan(folder, 4 * MB).documents) == {"all.zip/a.md", "large.zip/small.md", "large.zip/large.md"}


@pytest.mark.parametrize(
    "names",
    [
        ("[Content_Types].xml", "word/document.xml"),
        ("mimetype", "META-INF/container.xml"),
        ("mimetype", "META-INF/manifest.xml"),
    ],
)
def test_a_document_under_the_name_of_an_archive_is_named(folder: Folder, names: tuple[str, ...]) -> None:
    """Guards against an Office document that is taken for a folder of its pictures, or for one without documents."""
    folder.write("report.zip", zipped({**dict.fromkeys(names, "x"), "media/image1.png": "x", "notes.html": "x"}))
    found = scan(folder)
    assert found.documents == {}
    assert "Office document" in found.problems["report.zip"].reason


def test_ignored_files_inside_of_archives_are_no_documents(folder: Folder) -> None:
    folder.write(".seedbankignore", b"drafts/\n*.csv\n/whole.zip\n")
    folder.write("all.zip", zipped({"a.md": "a", "drafts/b.md": "b", "c.csv": "c"}))
    folder.write("whole.zip", zipped({"a.md": "a"}))
    found = scan(folder)
    assert set(found.documents) == {"all.zip/a.md"}
    assert found.skipped.ignored == 3
    folder.write(".seedbankignore", b"")
    assert len(scan(folder).documents) == 4


def test_the_stamp_is_that_of_the_files(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seed with nothing to do compares it without opening archives."""
    monkeypatch.setattr(corpus_index, "_SETTLED_NS", -1)
    folder.write("all.zip", zipped(FILES))
    stamp = scan(folder).stamp
    assert stamp
    assert stamp == corpus_stamp(folder.root, folder.index.parent)


def test_an_archive_without_documents_has_none(folder: Folder) -> None:
    folder.write("pictures.zip", zipped({"a.bin": b"\x00", "b.xyz": b"\x00"}))
    found = scan(folder)
    assert (found.documents, found.problems, found.skipped.by_suffix) == ({}, {}, {".bin": 1, ".xyz": 1})


def test_a_document_was_modified_when_its_file_or_its_archive_was(folder: Folder) -> None:
    """A search for new documents would miss those inside of an archive; the folder itself may be gone by then."""
    for name, data, at in (("notes/all.zip", zipped(FILES), 1_000_000), ("plain é.md", b"text", 2_000_000)):
        folder.write(name, data)
        os.utime(folder.root / name, (at, at))
    documents = scan(folder).documents
    shutil.rmtree(folder.root)
    found = corpus(folder).modified_at()
    assert {name: found[name] for name in documents} == {
        name: 1_000_000.0 if name.startswith("notes/all.zip/") else 2_000_000.0 for name in documents
    }
    assert len(documents) == 4
