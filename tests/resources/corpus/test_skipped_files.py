"""Files of a corpus that are not documents are counted by the reason for which they are skipped."""

import os
from pathlib import Path

import pytest

from resources.corpus.corpus_stamp import corpus_stamp
from resources.corpus.skipped_files import SkippedFiles
from tests.support.corpus_folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty corpus."""
    return Folder(tmp_path)


def test_each_skipped_file_is_counted_under_one_reason(folder: Folder) -> None:
    """A number without a reason does not help a user whose files are missing."""
    for name in (
        "a.md",
        "one.XYZ",
        "two.xyz",
        "sub/three.gz",
        "README",
        "ends with a dot.",
        ".hidden.md",
        ".git/x.md",
    ):
        folder.write(name)
    folder.write("Dr. Smith to the committee, second letter")
    folder.write(".seedbankignore", b"drafts/\nold.md\n")
    folder.write("old.md")
    folder.write("drafts/b.md")
    os.symlink(folder.root / "nowhere.md", folder.root / "link.md")
    os.mkfifo(folder.root / "pipe.txt")

    scan = folder.scan()

    assert set(scan.documents) == {"a.md"}
    assert scan.skipped == SkippedFiles({".xyz": 2, ".gz": 1, "": 3}, hidden=2, ignored=2, special=2)
    assert scan.skipped.total == 12
    assert scan.skipped.sentence() == (
        "12 files skipped: 2 .xyz, 1 .gz, 3 without a suffix, 2 hidden, 2 ignored, 2 links or special files"
    )


def test_the_sentence_is_as_people_write_it() -> None:
    assert SkippedFiles().sentence() == ""
    assert SkippedFiles({".xyz": 7, ".bin": 5}).sentence() == "12 files skipped: 7 .xyz, 5 .bin"
    assert SkippedFiles({".xyz": 1}).sentence() == "1 file skipped: 1 .xyz"
    assert SkippedFiles(special=1).sentence() == "1 file skipped: 1 link or special file"


def test_the_ten_most_frequent_suffixes_are_named_and_the_others_are_counted() -> None:
    """A corpus with a thousand suffixes must not fill the screen."""
    found = SkippedFiles({f".s{number:02}": 100 - number for number in range(13)})
    shown = found.as_json()
    assert list(shown["suffixes"]) == [f".s{number:02}" for number in range(10)]
    assert shown["other_suffixes"] == {"suffixes": 3, "files": 90 + 89 + 88}
    assert shown["total"] == found.total == sum(range(88, 101))
    assert found.sentence().endswith(", 91 .s09, 267 of 3 other suffixes")
    assert SkippedFiles({f".{number:02}": 1 for number in range(11)}).sentence().endswith(", 1 of 1 other suffix")


def test_the_stamp_of_a_corpus_changes_with_the_suffix_of_a_skipped_file(folder: Folder) -> None:
    """Otherwise a seed that is answered from memory would print the numbers of before."""
    skipped = folder.write("a.xyz")
    before = corpus_stamp(folder.root, folder.index.parent)
    skipped.rename(folder.root / "b.xyz")
    assert corpus_stamp(folder.root, folder.index.parent) == before
    (folder.root / "b.xyz").rename(folder.root / "b.bin")
    assert corpus_stamp(folder.root, folder.index.parent) != before
