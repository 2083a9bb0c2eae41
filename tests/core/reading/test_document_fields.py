"""Fields of documents: in their files, and in a table beside them."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.corpora import corpora_directory
from resources.errors import ConfigurationError, DocumentError
from seed_assets.core.reading.document_fields import DocumentFields, FieldTable, read_fields
from seed_assets.core.reading.field_values import cleaned_values


def fields(text: str, format: str = "markdown") -> dict[str, tuple[str, ...]]:
    """Return the fields of a file without problems."""
    found = read_fields(text.encode(), format)
    assert found.problems == ()
    return found.fields


def front(yaml: str) -> DocumentFields:
    return read_fields(f"---\n{yaml}\n---\n\n# Text\n".encode(), "markdown")


def test_lists_and_texts_of_front_matter_are_values() -> None:
    text = """---
title: Sourdough
Tags: [bread, "rye, dark", bread]
authors:
  - Ann  Other
  - ' Émile '
keywords: yeast; flour, water,
---

# Sourdough
"""
    assert fields(text) == fields(text, "text")
    assert fields(text) == {
        "title": ("Sourdough",),
        "tags": ("bread", "rye, dark"),
        "authors": ("Ann Other", "Émile"),
        "keywords": ("flour", "water", "yeast"),
    }


def test_keywords_in_front_of_org_files_are_fields() -> None:
    text = (
        "# A comment.\n#+TITLE: The lower gate\n#+Author: Ann Other\n#+DATE: <2024-01-05 Fri>\n#+filetags: :lock:tide:\n"
        "#+keywords: gate, basin\n\nThe gate is open.\n#+author: Nobody\n"
    )
    assert fields(text, "org") == {
        "author": ("Ann Other",),
        "date": ("2024-01-05",),
        "filetags": ("lock", "tide"),
        "keywords": ("basin", "gate"),
        "title": ("The lower gate",),
    }
    assert fields("* A heading\n#+TITLE: None\n", "org") == {}
    assert fields("#+CAPTION: A table\n| a |\n", "org") == {}


def test_the_header_of_asciidoc_files_is_fields() -> None:
    text = "= The lower gate\nAnn Other <ann@example.org>; Bo Kay\n:keywords: gate, basin\n:!sectnums:\n\nOpen.\n\n:later: none\n"
    assert fields(text, "asciidoc") == {
        "author": ("Ann Other", "Bo Kay"),
        "keywords": ("basin", "gate"),
        "title": ("The lower gate",),
    }
    assert fields("A paragraph.\n\n:later: none\n", "asciidoc") == {}


def test_numbers_dates_and_truths_are_as_they_are_written() -> None:
    """1.10 is a version and NO a country, whatever YAML makes of them."""
    found = front(
        "version: 1.10\nyear: 2024\ncreated: 2024-01-05\nat: 2024-01-05T10:00:00Z\ncountry: NO\ndraft: True\n"
        "final: false\nquoted: 'null'\nmixed: [1, two, 3.0, 2024-01-05, true, null, ~]\nbig: 12345678901234567890"
    )
    assert found.problems == ()
    assert found.fields == {
        "at": ("2024-01-05T10:00:00Z",),
        "big": ("12345678901234567890",),
        "country": ("NO",),
        "created": ("2024-01-05",),
        "draft": ("true",),
        "final": ("false",),
        "mixed": ("1", "2024-01-05", "3.0", "true", "two"),
        "quoted": ("null",),
        "version": ("1.10",),
        "year": ("2024",),
    }


@pytest.mark.parametrize("nothing", ["", "null", "~", "''", "[]", "[null, '']", '" , ; "', "[' ']"])
def test_a_field_without_values_is_no_field(nothing: str) -> None:
    assert front(f"tags: {nothing}\ntopic: bread") == DocumentFields({"topic": ("bread",)})


def test_names_and_values_have_one_form() -> None:
    found = front("TAGS: [Cafe\u0301, Café, '  a \t b ']\ntags: [more]\n'Strasse  ß': x").fields
    assert found == {"tags": ("Café", "a b", "more"), "strasse ss": ("x",)}
    assert cleaned_values(["b", "a\u0000", " b", "\u2003"]) == ("a", "b")


def test_what_is_nested_is_refused_field_by_field() -> None:
    found = front("tags: [a, [b, c]]\nauthor: {name: Ann}\npeople:\n  - name: Bo\n  - Cy\ntopic: bread\n? [x, y]\n: z")
    assert found.fields == {"topic": ("bread",)}
    assert found.problems == (
        "tags holds lists or mappings.",
        "author is a mapping.",
        "people holds lists or mappings.",
        "a name in the front matter is no text.",
    )


def test_aliases_are_refused_and_never_followed() -> None:
    """What ten lines can make a gigabyte of."""
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30))
    merges = "\n".join(f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}" for n in range(1, 60))
    found = front(f"l0: &l0 [lol]\n{levels}\nm0: &m0 {{x: y}}\n{merges}\nalso: *l0\ntopic: bread")
    assert found.fields == {"l0": ("lol",), "topic": ("bread",)}
    assert "l29 is an alias." in found.problems
    assert "also is an alias." in found.problems
    assert len(found.problems) == 29 + 1 + 59 + 1


@pytest.mark.parametrize("tagged", ["!!python/object/apply:os.system [ls]", "!!binary aGk=", "!mine x", "!!set {a}"])
def test_tags_make_no_objects(tagged: str) -> None:
    found = front(f"evil: {tagged}\ntopic: !!str bread\nnumber: !!int 3")
    assert found.fields == {"topic": ("bread",), "number": ("3",)}
    assert len(found.problems) == 1
    assert "evil" in found.problems[0]


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("tags: [a\ntopic: b", "not valid YAML"),
        ("tags: 'a\ntopic: b", "not valid YAML"),
        ("topic: b\n\ttags: a", "not valid YAML"),
        ('topic: "\\UFFFFFFFF"', "not valid YAML"),
        ("topic: *nobody", "topic is an alias"),
        ("- a: b\n- c", "no list of"),
        ("tags: " + "[" * 100_000, "nested more than"),
        ("tags: " + "{a: " * 5_000, "nested more than"),
        ("tags: x\n# " + "y" * 600_000, "600,010 characters"),
        ("tags:\n" + "".join(f"- value {number}\n" for number in range(20_000)), "tags has 20,000 values"),
    ],
    ids=["list", "quote", "tab", "escape", "alias", "sequence", "deep", "deep-mapping", "huge", "many"],
)
def test_wrong_front_matter_is_reported_and_gives_no_field(yaml: str, problem: str) -> None:
    found = front(yaml)
    assert found.fields == {}
    assert problem in " ".join(found.problems)
    assert all(len(each) < 400 for each in found.problems)


def test_fifty_thousand_values_lose_their_field_alone() -> None:
    found = front("topic: bread\ntags: [" + ",".join(f"v{number}" for number in range(50_000)) + "]")
    assert found.fields == {"topic": ("bread",)}
    assert found.problems == ("tags has 50,000 values; a field may have 1,000.",)
    assert len(front("tags: [" + ",".join(f"v{number}" for number in range(1_000)) + "]").fields["tags"]) == 1_000


def test_names_in_any_script_are_names() -> None:
    assert front("тема: хлеб\n標籤: [麵包，米, 麥]").fields == {"тема": ("хлеб",), "標籤": ("麥", "麵包，米")}
    assert front("標籤: 麵包、米").fields == {"標籤": ("米", "麵包")}


@pytest.mark.parametrize(
    "text",
    [
        "---\nA rule, and prose: more prose.\n---\nText",
        "---\n\n---\nText",
        "---\ntags: a, b\n",
        "# Title\n---\ntags: a\n---\n",
        "Text.\n\nKeywords: a, b\n",
        "Warning: this is a sentence.\n\nText",
        "Note: a\nand so on\n",
        "",
        "Title\n=====\n",
    ],
)
def test_what_only_looks_like_fields_is_text(text: str) -> None:
    assert read_fields((text or " ").encode(), "markdown") == DocumentFields({})


def test_header_blocks_are_fields() -> None:
    pep = (
        "PEP: 8\nTitle: Style Guide\nAuthor: Guido van Rossum,\n  Barry Warsaw\n"
        "Topic: Typing; Release\nCreated: 05-Jul-2001\n\nText: x\n"
    )
    found = fields(pep, "text")
    assert found["author"] == ("Barry Warsaw", "Guido van Rossum")
    assert found["topic"] == ("Release", "Typing")
    assert found["created"] == ("05-Jul-2001",)
    assert "text" not in found
    assert fields("Keywords: a, b\n\nText", "text") == {"keywords": ("a", "b")}
    assert fields("Keywords: a, b", "text") == {"keywords": ("a", "b")}
    assert fields("Author: A\nAuthor: B\n", "text") == {"author": ("A", "B")}
    both = "---\ntags: x\n---\nKeywords: a\n\nText"
    assert fields(both) == {"tags": ("x",), "keywords": ("a",)}


def test_encodings_and_line_ends_change_nothing() -> None:
    text = "---\r\ntags: [é, ü]\r\n---\r\nText\r\n"
    expected = {"tags": ("é", "ü")}
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode("cp1252")):
        assert read_fields(data, "markdown").fields == expected


def test_keywords_of_a_page_are_in_its_head() -> None:
    page = """<html><head><META NAME="Keywords" content="bread, rye &amp; wheat;  flour"><meta name="keywords" content="oven">
    <meta name="description" content="no"></head><body><meta name="keywords" content="later"></body></html>"""
    assert fields(page, "html") == {"keywords": ("bread", "flour", "oven", "rye & wheat")}
    assert fields("<p>No keywords, <meta name=keywords></p>", "html") == {}
    assert fields("<" * 50_000, "html") == {}


def docx(core: str | None, name: str = "docProps/core.xml") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<w/>")
        if core is not None:
            archive.writestr(name, core)
    return data.getvalue()


CORE = '<c:p xmlns:c="urn:c" xmlns:dc="urn:dc"><c:keywords>bread; rye</c:keywords><dc:subject>Baking</dc:subject></c:p>'


def test_keywords_and_subject_of_a_docx_file_are_fields() -> None:
    assert read_fields(docx(CORE), "docx") == DocumentFields({"keywords": ("bread", "rye"), "subject": ("Baking",)})
    assert read_fields(docx(None), "docx") == DocumentFields({})


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"no archive", "cannot be read"),
        (docx(CORE)[:-30], "cannot be read"),
        (docx("<broken"), "not valid XML"),
        (docx("x" * 2_000_000), "more than 1,000,000 bytes"),
        (docx(f'<!DOCTYPE x [<!ENTITY a "{"b" * 99}">]>{CORE.replace("bread", "&a;")}'), ""),
    ],
    ids=["no-zip", "cut", "xml", "bomb", "entity"],
)
def test_a_damaged_docx_file_has_no_fields(data: bytes, problem: str) -> None:
    found = read_fields(data, "docx")
    assert "bbb" not in str(found.fields)
    assert problem in " ".join(found.problems)
    assert bool(found.problems) == bool(problem)


def test_a_pdf_file_has_no_fields_and_an_unknown_format_no_reader() -> None:
    assert read_fields(b"%PDF-1.4", "pdf") == DocumentFields({})
    with pytest.raises(ValueError, match="no reader for format 'dvi'"):
        read_fields(b"", "dvi")
    with pytest.raises(DocumentError, match="0 bytes"):
        read_fields(b"", "text")


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=120), st.sampled_from(["markdown", "text", "html"]))
@pytest.mark.slow
def test_any_text_has_fields_of_one_form(text: str, format: str) -> None:
    data = f"---\n{text}\n---\nText".encode("utf-8", "surrogatepass")
    try:
        found = read_fields(data, format)
    except DocumentError:
        return
    for name, values in found.fields.items():
        assert name
        assert values == cleaned_values(values) != ()
    assert read_fields(data, format) == found


@pytest.mark.slow
def test_topics_of_real_headers_are_read_as_they_are() -> None:
    corpus = corpora_directory() / "peps"
    if not corpus.is_dir():
        pytest.skip(f"the corpus peps is not in {corpus.parent} (set SEEDBANK_CORPORA)")
    with (corpus / "ground_truth.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["in_corpus"] == "1"]
    wrong = []
    for row in rows:
        found = read_fields((corpus / "docs" / Path(row["file"]).name).read_bytes(), "text").fields
        topics = cleaned_values(row["topic"].split(";"))
        if found.get("topic", ()) != topics or found.get("status") != (row["status"],):
            wrong.append((row["file"], found.get("topic"), topics, found.get("status")))
    assert len(rows) > 600
    assert wrong == []


def table(folder: Path, text: str | bytes) -> FieldTable:
    path = folder / "fields.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return FieldTable(path)


def test_a_table_gives_the_values_of_each_document(tmp_path: Path) -> None:
    found = table(tmp_path, "document,Topic,year\na/one.md,bread;rye,2024\ntwo.md,oven| bread |,\nthree.md,,2023\n")
    assert found.fields == ("topic", "year")
    assert found.values("TOPIC ") == {"a/one.md": ("bread", "rye"), "two.md": ("bread", "oven")}
    assert found.values("year") == {"a/one.md": ("2024",), "three.md": ("2023",)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_usual_separator_of_columns_is_found(delimiter: str, tmp_path: Path) -> None:
    rows = [["topic", " Document ", "note"], ["bread|rye", "a.md", "x, y; z"]]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(rows)
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        found = table(tmp_path, written.getvalue().encode(encoding))
        assert found.values("topic") == {"a.md": ("bread", "rye")}
    assert found.values("note") == {"a.md": ("x, y", "z")}


def test_a_document_is_found_by_its_id_its_path_or_its_file_name(tmp_path: Path) -> None:
    found = table(tmp_path, 'document,topic\nb/one.md,by id\none.md,by name\n"x, y.md",by path\n')
    assert found.of("topic", "b/one.md") == ("by id",)
    assert found.of("topic", "a/one.md") == ("by name",)
    assert found.of("topic", "deep/x%2C y.md") == ("by path",)
    assert found.of("topic", "none.md") == ()


def test_rows_of_one_document_are_taken_together_and_blank_ones_are_none(tmp_path: Path) -> None:
    found = table(tmp_path, "\n\ndocument,topic,\na.md,bread,\n,,\n\na.md,rye;bread\nb.md\n")
    assert found.values("topic") == {"a.md": ("bread", "rye")}
    assert found.fields == ("topic",)


def test_the_digest_is_of_one_column_alone(tmp_path: Path) -> None:
    first = table(tmp_path, "document,topic,year\na.md,x;y,1\nb.md,z,2\n").digest("topic")
    same = 'year;document;topic;new\n9;b.md;z;q\n;c.md;;q\n8;a.md;"y|x";\n'
    assert table(tmp_path, same).digest("topic") == first
    assert table(tmp_path, "document,topic\na.md,x;y\nb.md,Z\n").digest("topic") != first
    assert table(tmp_path, "document,topic\na.md,x;y\nc.md,z\n").digest("topic") != first
    assert table(tmp_path, 'document,topic\na.md,"x, y"\nb.md,z\n').digest("topic") != first
    assert table(tmp_path, "document,topic\n").digest("topic").startswith("sha256:")


def test_a_table_is_read_once_and_not_before_it_is_asked(tmp_path: Path) -> None:
    found = FieldTable(tmp_path / "later.csv")
    (tmp_path / "later.csv").write_text("document,topic\na.md,x\n")
    assert found.values("topic") == {"a.md": ("x",)}
    (tmp_path / "later.csv").unlink()
    assert found.of("topic", "a.md") == ("x",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"0 bytes"),
        ("\n\n", r"no column `document` in its first line; found: nothing"),
        ("file,topic\na.md,x\n", r"no column `document` in its first line; found: file, topic"),
        ("document,topic,Topic\n", r"two columns topic"),
        ("document,topic\na.md,x,y\n", r"3 cells in line 2, and 2 columns"),
        ("document,topic\n ,x\n", r"names no document in line 2"),
        ("document,topic,\na.md,x,y\n", r"cell in line 2 whose column has no name"),
        ('document,topic\na.md,"x\n', r"not valid CSV in line 2"),
        ('document,topic\na.md,"x"y\n', r"not valid CSV in line 2"),
        ("document,topic\na.md," + "x" * 200_000, r"not valid CSV in line 2"),
        (b"\x00\x01\x02\x03" * 50, r"cannot be read: the file is binary"),
        (b"PK\x03\x04\x00\x00" * 50, r"cannot be read: the file is"),
    ],
)
def test_problems_with_a_table_are_reported(text: str | bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        table(tmp_path, text).values("topic")
    assert "fields.csv" in str(caught.value)


def test_an_unknown_field_and_a_missing_table_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no column 'tags'; its fields are: topic, year\."):
        table(tmp_path, "document,year,topic\n").values("tags")
    with pytest.raises(ConfigurationError, match=r"nowhere\.csv cannot be read: No such file"):
        FieldTable(tmp_path / "nowhere.csv").digest("topic")
    with pytest.raises(ConfigurationError, match=r"cannot be read: Is a directory"):
        FieldTable(tmp_path).digest("topic")
