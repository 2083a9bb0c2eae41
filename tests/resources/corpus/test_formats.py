"""Which names are documents, and of which format."""

import pytest

from resources.corpus.formats import REMEDIES, SUFFIXES, format_of, is_format, suffixes


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.MD", "markdown"),
        ("report.DOCM", "docx"),
        ("slides.ppsx", "pptx"),
        ("a.fodt", "odt"),
        ("box.mbox", "mail"),
        ("a.zip", "archive"),
        ("a.tar.gz", "archive"),
        ("a.tar.bz2", "archive"),
        ("a.tar.xz", "archive"),
        ("a.TGZ", "archive"),
        ("levels.csv.gz", "packed csv"),
        ("folder/notes.md.XZ", "packed markdown"),
        ("notes.zip.gz", "archive"),
        ("dump.gz", None),
        ("picture.raw.gz", None),
        ("a.gz.gz", None),
        ("README", None),
        ("gz", None),
    ],
)
def test_the_format_is_found_by_the_suffix(name: str, format: str | None) -> None:
    assert format_of(name) == format
    assert format is None or is_format(format)


def test_what_no_name_has_is_no_format() -> None:
    assert not any(map(is_format, ("", "packed", "packed ", "packed archive", "packed packed csv", "md")))


def test_no_suffix_has_both_a_reader_and_a_remedy() -> None:
    assert not SUFFIXES.keys() & REMEDIES.keys()
    assert ".*.gz" in suffixes()
