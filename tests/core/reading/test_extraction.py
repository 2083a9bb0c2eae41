"""Extraction: what each format gives, what is wrong with a file in words, and that equal bytes give an equal result."""

import csv
import hashlib
import io
import logging
import os
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.corpus.formats import PICTURE, SUFFIXES
from resources.errors import DocumentError
from seed_assets.core.reading.extraction import ExtractedText, extract
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.titles import first_line_title
from tests.support.document_samples import SAMPLES
from tests.text_growth import seconds

CORPORA = Path(os.environ.get("SEEDBANK_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
PDFS = CORPORA / "pdfs"
FORMATS = sorted({*SUFFIXES.values()} - {PICTURE})

pdf_corpus = pytest.mark.skipif(not (PDFS / "manifest.csv").exists(), reason=f"no PDF corpus at {PDFS}")


def text_of(content: str | bytes, format: str = "text") -> str:
    return extract(content.encode() if isinstance(content, str) else content, format).text


def title_of(content: str, format: str = "text") -> str:
    return extract(content.encode(), format).title


def reason_of(data: bytes, format: str) -> str:
    with pytest.raises(DocumentError) as caught:
        extract(data, format)
    assert caught.value.remedy
    assert not caught.value.transient
    return caught.value.reason


# Text files


@pytest.mark.parametrize(
    ("text", "codec", "named"),
    [
        ("Plain words.", "ascii", "utf-8"),
        ("Zażółć gęślą jaźń", "utf-8", "utf-8"),
        ("Zażółć gęślą jaźń", "utf-8-sig", "utf-8"),
        ("Zażółć gęślą jaźń 漢字", "utf-16", "utf-16-le"),
        ("Plain words, and a résumé.", "utf-16-le", "utf-16-le"),
        ("Plain words, and a résumé.", "utf-16-be", "utf-16-be"),
        ("Zażółć gęślą jaźń 漢字", "utf-32", "utf-32-le"),
        ("El niño comió mañana; ¿dónde está la señora? ¡Qué lástima!", "latin-1", "windows-1252"),
        ("The company’s “new” policy — at a cost of £5 — was naïve.", "cp1252", "windows-1252"),
        ("It’s fine.", "cp1252", "windows-1252"),
        ("Le café était fermé. Où êtes-vous allé, élève naïf ?", "cp1252", "windows-1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy. Všichni lidé rodí se svobodní.", "cp1250", "windows-1250"),
        ("Привет, мир. Это небольшой текст на русском языке для проверки.", "cp1251", "windows-1251"),
        ("これは日本語の文章です。文字コードの判定を試すために書かれました。", "shift_jis", "shift_jis"),
        ("これは日本語の文章です。文字コードの判定を試すために書かれました。", "euc_jp", "euc-jp"),
        ("これは日本語の文章です。文字コードの判定を試すために書かれました。", "iso2022_jp", "iso2022-jp"),
        ("这是一个中文文本，用来测试编码检测。北京是中华人民共和国的首都。", "gb18030", "gb18030"),
    ],
)
def test_text_is_decoded_and_its_encoding_named(text: str, codec: str, named: str):
    assert extract(text.encode(codec), "text") == ExtractedText(text, first_line(text), named)


def first_line(text: str) -> str:
    return text.splitlines()[0]


def test_one_broken_byte_does_not_turn_a_utf8_book_into_another_encoding():
    page = "Žluťoučký kůň úpěl. " * 40
    data = page.encode()[:-3] + b"\xff" + b"end."
    result = extract(data, "text")
    assert result.encoding == "utf-8 (1 undecodable replaced)"
    assert "Žluťoučký kůň" in result.text
    assert result.text.endswith("\ufffdend.")


def test_a_file_in_several_encodings_keeps_its_plain_words():
    """A log or mailbox: no single encoding fits, and it is no binary file for that."""
    data = b"".join(
        b"Line %d of the log, in plain words: %s\n" % (n, bytes([0x81 + n, 0x41, 0xFF - n])) for n in range(30)
    )
    result = extract(data, "text")
    assert "Line 29 of the log, in plain words" in result.text
    assert result.encoding


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_file_is_named_as_such(format: str):
    assert reason_of(b"", format) == "the file is empty (0 bytes)."


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
@pytest.mark.parametrize("data", [b" \n\t\r\n", b"\xef\xbb\xbf", "\u200b\u00a0\u2028".encode(), b"\x0c"])
def test_white_space_is_no_text(data: bytes, format: str):
    assert "holds no text" in reason_of(data, format)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a PNG picture"),
        (b"PK\x03\x04\x14\x00\x00\x00", "a ZIP archive"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\x00", "a PDF"),
        (b"GIF89a\x01\x00\x01\x00", "a GIF picture"),
        (b"\x00w\x00o\x00\x01\x02\x00r\x00\x03d\x00s" * 20, "binary"),
        (bytes(range(1, 32)) * 50, "binary"),
        (hashlib.sha512(b"noise").digest() * 3, "binary"),
    ],
)
@pytest.mark.parametrize("format", ["text", "markdown", "html"])
def test_binary_content_under_the_name_of_a_text_is_named(data: bytes, found: str, format: str):
    assert found in reason_of(data, format)


def test_a_text_that_breaks_its_byte_order_mark_is_named():
    assert "begins like UTF-16-LE but is not valid" in reason_of(b"\xff\xfea\xd8b\x00", "text")


def test_line_ends_blanks_controls_and_composition_are_normalised():
    raw = "\r\n\r\ne\u0301t\u0065\u0301  \r\nold\rmac\tx\x07 \u2028page\x0cnext\x85end\n\n"
    assert text_of(raw) == "été\nold\nmac\tx\npage\nnext\nend"


@given(st.text())
def test_a_normalised_text_keeps_its_promises_and_stays_as_it_is(raw: str):
    text = normalised(raw)
    assert normalised(text) == text
    assert unicodedata.is_normalized("NFC", text)
    assert all(line == line.rstrip() for line in text.split("\n"))
    assert not set(text) & set("\r\x00\x0b\x0c\ufeff")
    text.encode()  # no lone surrogate


# Titles


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "PEP: 8\nTitle: Style Guide for\n  Python Code\nAuthor: Guido\n\nIntroduction\n============\n",
            "Style Guide for Python Code",
        ),
        ("From: a@b\nSubject: The tides\n\nText.\n", "The tides"),
        ("=====\nTides\n=====\n\nText about tides.\n", "Tides"),
        (".. comment\n\nThe *Moon* and ``tides``\n------------------------\n\nText.\n", "The Moon and tides"),
        ("A short first line\n\nThen a paragraph.", "A short first line"),
        ("It was the best of times,\nit was the worst of times.", ""),
        ("x" * 101 + " and so on without an end", ""),
        ("* * *\n\ntext", ""),
    ],
)
def test_the_title_of_a_text_is_what_it_calls_itself(text: str, title: str):
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: 'It''s the front'\ntags: [a, b]\n---\n# Heading\n", "It's the front"),
        ('---\nlayout: post\ntitle: "A \\"quoted\\" one" # comment\n---\nText\n', 'A "quoted" one'),
        ("---\ntitle: >-\n  Folded\n  title\n---\nText\n", "Folded title"),
        ("# The **bold** [link](http://x) `code` #\n\nText", "The bold link code"),
        ("Setext *heading*\n================\n\nText", "Setext heading"),
        ("```sh\n# no heading\n```\n\n## Heading\n", "Heading"),
        ('<h1 align="center">Centred <b>title</b></h1>\n\n## Other\n', "Centred title"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n# After a table\n", "After a table"),
        ("- item\n---\n\n# After a list\n", "After a list"),
        ("Just a line.\n\nAnd another.", "Just a line."),
    ],
)
def test_the_title_of_markdown_is_its_front_matter_or_first_heading(text: str, title: str):
    assert title_of(text, "markdown") == title


def test_front_matter_is_not_part_of_the_text_and_the_markup_is():
    source = "---\ntitle: T\n---\n\n# T\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx  =  1\n```\n"
    assert text_of(source, "markdown") == source.split("---\n", 2)[2].strip()


@pytest.mark.parametrize(
    "source",
    [
        "---\n\nA rule, then text.\n\n---\n\nMore.",
        "---\ntitle: never closed\n\ntext",
        "---\nA rule, and prose: more prose.\n---\ntext",
        '{"a": 1}\n{"a": 2}',
        '{\n"a": 1\n}',
        "{% include header %}\n\ntext",
    ],
)
def test_what_only_looks_like_front_matter_stays(source: str):
    assert text_of(source, "markdown") == source


def test_a_document_of_front_matter_alone_holds_no_text():
    assert "holds no text" in reason_of(b"---\ntitle: T\n---\n", "markdown")


# HTML

PARAGRAPHS = "".join(
    f"<h2>Part {number}</h2><p>Paragraph {number} tells of <a href='/x'>the tide</a> and the moon, at <b>some</b> "
    f"length, so that it counts as the text of this page, with {number * 7} numbers in it.</p>"
    for number in range(20)
)
BOILERPLATE = "<div class='navbar'><a href='/'>Home</a> <a href='/n'>News</a></div>"
FOOTER = "<div id='footer'>All rights reserved. Cookie policy.</div><script>var tracker = 1;</script>"
TABLE = "<table><tr><th>Port</th><th>Range</th></tr><tr><td>Brest</td><td>6 m</td></tr></table>"


def page(body: str, head: str = "<title>Tides - The Site</title>") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


@pytest.mark.parametrize("paragraphs", [PARAGRAPHS, "<p>Only <i>one</i> short paragraph.</p>"], ids=["long", "short"])
def test_html_loses_its_boilerplate_and_keeps_its_tables(paragraphs: str):
    result = extract(page(f"{BOILERPLATE}<h1>Tides</h1>{paragraphs}{TABLE}{FOOTER}").encode(), "html")
    assert result.title == "Tides"
    assert result.text.startswith("# Tides\n\n")
    assert "| Brest | 6 m |" in result.text
    assert not any(word in result.text for word in ("Home", "Cookie", "tracker", "<", "**"))


def test_every_part_of_a_long_page_is_kept():
    text = text_of(page(f"<article><h1>Tides</h1>{PARAGRAPHS}</article>"), "html")
    assert [f"Paragraph {number} tells of the tide and the moon, at some length" in text for number in range(20)] == [
        True
    ] * 20


def test_a_short_page_keeps_lists_breaks_code_and_loose_text():
    body = "<div>Loose<br>text <p>one<ul><li>first<li>second <ol><li>deep</ol></ul><pre>x  =  1\n  y</pre><dl><dt>a<dd>b</dl>"
    assert text_of(page(body), "html") == "Loose\ntext\n\none\n\n- first\n- second\n  1. deep\n\nx  =  1\n  y\n\na\n\nb"


def test_the_same_page_twice_is_not_a_duplicate():
    """trafilatura can drop paragraphs that it met in earlier documents of the same process."""
    source = page(f"<article><h1>Tides</h1>{PARAGRAPHS * 2}</article>").encode()
    assert len({extract(source, "html") for _ in range(5)}) == 1


@pytest.mark.slow
def test_reading_html_writes_no_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    text_of(page("<p></p>" * 2000 + "<form>" + "x " * 1000 + "</form>"), "html")
    assert not caplog.records


@pytest.mark.parametrize(
    ("codec", "declaration", "named"),
    [
        ("shift_jis", '<meta charset="Shift_JIS">', "shift_jis"),
        ("windows-1251", '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', "windows-1251"),
        ("iso8859-2", "<meta charset=iso-8859-2>", "iso-8859-2"),
        ("utf-8", '<meta charset="iso-8859-1">', "utf-8"),
        ("utf-8", "", "utf-8"),
        ("utf-16", '<meta charset="utf-8">', "utf-16-le"),
        ("cp1252", '<meta charset="no-such-encoding">', "windows-1252"),
    ],
)
def test_html_is_read_in_the_encoding_that_it_has(codec: str, declaration: str, named: str):
    word = {"shift_jis": "日本語", "windows-1251": "Привет", "iso8859-2": "žluťoučký", "cp1252": "déjà"}.get(
        codec, "déjà 漢字"
    )
    result = extract(page(f"<p>{word} vu", declaration).encode(codec), "html")
    assert (result.text, result.encoding) == (f"{word} vu", named)


def test_xhtml_with_an_xml_declaration_is_read():
    source = '<?xml version="1.0" encoding="ISO-8859-1"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>déjà</p></body></html>'
    assert extract(source.encode("latin-1"), "html").text == "déjà"


def test_a_page_without_text_says_so():
    assert "holds no text" in reason_of(page("<div id=root></div><script>run()</script>", "").encode(), "html")


def test_html_nested_without_end_is_read_or_named():
    depth = 20_000
    data = ("<p>start</p>" + "<div>" * depth + "deep" + "</div>" * depth).encode()
    assert "nested too deeply" in reason_of(data, "html")


def test_elements_that_the_parser_would_leave_out_for_their_depth_are_named():
    """Emphasis is taken off the page: what the parser dropped must not pass for a page without text."""
    assert "nested too deeply" in reason_of(page("<p>start</p>" + "<b>" * 20_000 + "deep").encode(), "html")


@pytest.mark.slow
@pytest.mark.parametrize(
    "attributes", ["a{}=1 ", "a{}='>' ", 'a{}="<" ', "a{}\n", "a{}/", 'a{} = "x>y" '], ids=lambda each: repr(each)
)
def test_time_grows_with_the_number_of_attributes_of_a_tag(attributes: str):
    """The parser compares each with all before it, which takes minutes for these; how they are quoted changes nothing."""

    def spent(count: int) -> float:
        many = "".join(map(attributes.format, range(count)))
        data = page(f'<a href=">" {many}>The tide</a> <i title="a > b">rises</i>').encode()
        assert extract(data, "html").text == "The tide rises"
        return min(seconds(lambda _: extract(data, "html"), "") for _ in range(3))

    assert spent(200_000) < 2.6**2 * spent(50_000)


# DOCX


def docx_bytes(document) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def repacked(data: bytes, **parts: bytes | None) -> bytes:
    """A package with parts replaced or, by None, left out; `__` in a name stands for `/`, the suffix is .xml."""
    changes = {name.replace("__", "/") + ".xml": content for name, content in parts.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def tides():
    document = docx.Document()
    document.core_properties.title = ""
    return document


def test_docx_is_read_in_document_order(tides):
    tides.add_heading("The tides", 0)
    tides.add_paragraph("First paragraph.")
    tides.add_heading("Ports", 1)
    tides.add_paragraph("one", "List Bullet")
    tides.add_paragraph("two", "List Bullet")
    table = tides.add_table(2, 2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Port", "Range", "Brest", "6 m"), strict=True
    ):
        cell.text = text
    tides.add_paragraph("Last paragraph.")
    result = extract(docx_bytes(tides), "docx")
    assert result.title == "The tides"
    assert result.encoding == ""
    assert result.text == (
        "# The tides\n\nFirst paragraph.\n\n# Ports\n\n- one\n- two\n\n"
        "| Port | Range |\n| --- | --- |\n| Brest | 6 m |\n\nLast paragraph."
    )


def test_docx_merged_cells_are_not_repeated(tides):
    table = tides.add_table(3, 3)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"c{number}"
    wide = table.cell(0, 0).merge(table.cell(0, 1))
    wide.text = "wide"
    table.cell(1, 2).merge(table.cell(2, 2)).text = "tall"
    text = text_of(docx_bytes(tides), "docx")
    assert (text.count("wide"), text.count("tall")) == (1, 1)
    assert text.splitlines()[-1] == "| c6 | c7 |  |"


def test_docx_nested_tables_and_layout_tables_keep_their_text_in_order(tides):
    outer = tides.add_table(1, 2)
    outer.cell(0, 0).text = "before"
    inner = outer.cell(0, 1).add_table(2, 2)
    for number, cell in enumerate(cell for row in inner.rows for cell in row.cells):
        cell.text = f"inner {number}"
    assert text_of(docx_bytes(tides), "docx") == "before\n\n| inner 0 | inner 1 |\n| --- | --- |\n| inner 2 | inner 3 |"


def test_docx_links_insertions_controls_boxes_and_breaks_are_read_and_deletions_are_not(tides):
    namespaces = nsdecls("w")
    paragraph = tides.add_paragraph("A ")
    for xml in (
        "<w:hyperlink {0}><w:r><w:t>link</w:t></w:r></w:hyperlink>",
        "<w:ins {0}><w:r><w:t xml:space='preserve'> inserted</w:t></w:r></w:ins>",
        "<w:del {0}><w:r><w:delText>deleted</w:delText></w:r></w:del>",
        "<w:r {0}><w:tab/><w:t>tab</w:t><w:br/><w:t>line</w:t></w:r>",
        "<w:r {0}><w:instrText>PAGEREF</w:instrText></w:r>",
        "<w:r {0}><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>",
    ):
        paragraph._p.append(parse_xml(xml.format(namespaces)))
    tides.element.body.insert(
        1,
        parse_xml(
            f"<w:sdt {namespaces}><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        ),
    )
    assert text_of(docx_bytes(tides), "docx") == "A link inserted\ttab\nline\n\nboxed\n\ncontrolled"


def test_docx_takes_a_sane_core_title_and_no_other(tides):
    tides.add_heading("Heading", 1)
    tides.core_properties.title = "From the properties"
    assert extract(docx_bytes(tides), "docx").title == "From the properties"
    tides.core_properties.title = "Microsoft Word - report.doc"
    assert extract(docx_bytes(tides), "docx").title == "Heading"


def test_a_docx_that_lacks_a_picture_is_read_all_the_same(tides):
    tides.add_paragraph("Text beside a lost picture.")
    tides.part.relate_to(tides.part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image")
    data = repacked(docx_bytes(tides), word__styles=None, docProps__core=None)
    assert text_of(data, "docx") == "Text beside a lost picture."


@pytest.mark.slow
def test_what_is_wrong_with_a_docx_is_named(tides):
    tides.add_paragraph("Text.")
    data = docx_bytes(tides)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("notes.txt", "text")
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
    bomb = repacked(data, word__document=b"<w>" + b" " * (32 << 20) + b"</w>")
    assert reason_of(data[: len(data) // 2], "docx").startswith("the DOCX is broken or truncated")
    assert "without a Word document" in reason_of(other.getvalue(), "docx")
    assert "encrypted and needs a password" in reason_of(ole + "EncryptedPackage".encode("utf-16-le"), "docx")
    assert "old kind (.doc)" in reason_of(ole, "docx")
    assert "it is a PDF" in reason_of(b"%PDF-1.7 and so on", "docx")
    assert "not a ZIP archive" in reason_of(b"Just words.", "docx")
    assert "a ZIP bomb" in reason_of(bomb, "docx")
    assert "word/document.xml is not valid XML" in reason_of(repacked(data, word__document=b"<w:broken"), "docx")
    assert "word/document.xml is missing" in reason_of(repacked(data, word__document=None), "docx")
    assert "another kind (workbook)" in reason_of(
        repacked(data, word__document=b"<w xmlns='x'/>".replace(b"w ", b"workbook ")), "docx"
    )
    assert "holds no text" in reason_of(docx_bytes(docx.Document()), "docx")


def test_a_docx_nested_without_end_is_named(tides):
    body = b"<w:tbl><w:tr><w:tc>" * 20_000 + b"</w:tc></w:tr></w:tbl>" * 20_000
    space = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    document = b"<w:document " + space + b"><w:body>" + body + b"</w:body></w:document>"
    assert "nested too deeply" in reason_of(repacked(docx_bytes(tides), word__document=document), "docx")


def test_a_docx_with_flipped_bits_is_named(tides):
    tides.add_paragraph("Text. " * 1000)
    data = bytearray(docx_bytes(tides))
    start = data.index(b"word/document.xml") + 60
    data[start : start + 40] = bytes(40)
    assert reason_of(bytes(data), "docx").startswith("the DOCX is broken")


def test_entities_of_a_docx_are_not_expanded(tides):
    """ "Billion laughs": a few lines of entities that refer to each other grow to gigabytes."""
    laughs = b'<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
    body = b"<w:document xmlns:w='x'><w:body><w:p><w:r><w:t>start &c;</w:t></w:r></w:p></w:body></w:document>"
    assert "ha" not in text_of(repacked(docx_bytes(tides), word__document=laughs + body), "docx")


# PDF


def pdf_bytes(*contents: str, title: str = "") -> bytes:
    """A PDF with a page of each content, given as the operators of its content stream."""
    count = len(contents)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, content in enumerate(contents):
        resources = "/Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 400 400]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {resources} /Contents {5 + 2 * number} 0 R >>")
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    objects.append(f"<< /Title ({title}) >>")
    data = "%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n{trailer}\nstartxref\n{len(data)}\n%%EOF\n"
    return (data + end).encode("latin-1")


def lines(*texts: str) -> str:
    return "BT /F1 12 Tf 14 TL 20 380 Td " + " ".join(f"({text}) Tj T*" for text in texts) + " ET"


def test_pdf_pages_are_apart_and_the_metadata_title_is_taken():
    result = extract(pdf_bytes(lines("First page."), lines("Second page."), title="The tides"), "pdf")
    assert result == ExtractedText("First page.\n\nSecond page.", "The tides", "", (), (0, 13))


def test_a_sentence_that_goes_on_over_the_page_is_not_cut():
    pages = pdf_bytes(
        lines("It takes 30 grams of"), "", lines("water. Then a sen-"), lines("tence more."), lines("End.")
    )
    assert text_of(pages, "pdf") == "It takes 30 grams of\nwater. Then a sentence more.\n\nEnd."


@pytest.mark.parametrize("title", ["", "Microsoft Word - tides.doc", "untitled", "tides.dvi"])
def test_a_pdf_title_that_a_program_put_there_is_not_taken(title: str):
    assert extract(pdf_bytes(lines("The first line", "And then text."), title=title), "pdf").title == "The first line"


def test_words_divided_at_the_end_of_a_line_are_joined_and_compounds_keep_their_hyphen():
    content = lines(
        "Here is infor-", "mation on a well-", "known port. It is known", "well, and so is the North-", "South line."
    )
    text = text_of(pdf_bytes(content), "pdf")
    assert "information on" in text
    assert "well-known port" in text
    assert "North-" in text


def test_what_is_wrong_with_a_pdf_is_named():
    assert "truncated" in reason_of(b"%PDF-1.4\n1 0 obj\n<< /Type", "pdf")
    assert "its structure cannot be read" in reason_of(b"%PDF-1.4\nnothing\n%%EOF\n", "pdf")
    assert "it is a PNG picture" in reason_of(b"\x89PNG\r\n\x1a\n", "pdf")
    assert "not a PDF" in reason_of(b"Just words.", "pdf")
    assert "2 pages and no text layer (empty pages" in reason_of(pdf_bytes("", ""), "pdf")
    assert "no pages" in reason_of(pdf_bytes(), "pdf")


@pytest.mark.slow
@pdf_corpus
def test_every_pdf_of_the_corpus_ends_as_text_or_as_a_named_reason():
    with (PDFS / "manifest.csv").open() as file:
        manifest = list(csv.DictReader(file))
    assert len(manifest) == 35
    wrong = {}
    for row in manifest:
        data = (PDFS / row["file"]).read_bytes()
        try:
            outcome = extract(data, "pdf").text
        except DocumentError as error:
            outcome = error
        if row["needs_password"] == "1":
            fits = isinstance(outcome, DocumentError) and "needs a password" in outcome.reason
        elif row["has_text_layer"] == "1":
            if isinstance(outcome, str):
                fits = len(outcome) >= 0.9 * int(row["text_chars"]) - 20
            else:
                fits = "pages hold no text: they are pictures or scans" in outcome.reason
        elif row["image_only"] == "1":
            fits = isinstance(outcome, DocumentError) and "no text layer (a scan)" in outcome.reason
        elif row["bytes"] == "0":
            fits = isinstance(outcome, DocumentError) and "0 bytes" in outcome.reason
        else:
            fits = isinstance(outcome, str) or "PDF" in outcome.reason
        if not fits:
            wrong[row["file"]] = str(outcome)[:200]
    assert not wrong


# All formats


def test_an_unknown_format_is_an_error_of_the_caller():
    with pytest.raises(ValueError, match="dvi"):
        extract(b"text", "dvi")


def small_docx() -> bytes:
    document = docx.Document()
    document.add_paragraph("Text of a document.")
    return docx_bytes(document)


SEEDS = {
    "text": "Title: x\n\nZażółć gęślą jaźń".encode(),
    "markdown": b"---\ntitle: x\n---\n# Heading\n\n| a | b |\n|---|---|\n",
    "html": page(f"<h1>Tides</h1><p>Text{TABLE}").encode(),
    "docx": small_docx(),
    "pdf": pdf_bytes(lines("Text of a page.")),
    **SAMPLES,
}


def check_outcome(data: bytes, format: str) -> None:
    try:
        result = extract(data, format)
    except DocumentError:
        return
    assert result.text.strip()
    assert normalised(result.text) == result.text
    assert len(result.title) <= 302
    assert "\n" not in result.title


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=2000), format=st.sampled_from(FORMATS))
def test_arbitrary_bytes_give_a_text_or_a_document_error(data: bytes, format: str):
    check_outcome(data, format)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=2000), codec=st.sampled_from(["utf-8", "utf-16", "cp1252", "shift_jis"]), data=st.data())
def test_arbitrary_characters_give_a_text_or_a_document_error(text: str, codec: str, data: st.DataObject):
    check_outcome(text.encode(codec, "replace"), data.draw(st.sampled_from(["text", "markdown", "html"])))


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(format=st.sampled_from(FORMATS), data=st.data())
def test_damaged_documents_give_a_text_or_a_document_error(format: str, data: st.DataObject):
    damaged = bytearray(SEEDS[format])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    check_outcome(bytes(damaged[: data.draw(st.integers(1, len(damaged)))]), format)


@pytest.mark.integration
def test_equal_bytes_give_an_equal_result_in_every_process():
    """Names of encodings, sets and caches must not depend on the hash seed of the process."""
    program = (
        "import sys, msgspec; from seed_assets.core.reading.extraction import extract; "
        "seeds = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=dict[str, bytes]); "
        "sys.stdout.buffer.write(msgspec.msgpack.encode([extract(seeds[name], name.split()[0]) for name in sorted(seeds)]))"
    )
    import msgspec

    seeds = {
        **SEEDS,
        "text cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy.".encode("cp1250"),
        "html long": page(f"{BOILERPLATE}<h1>Tides</h1>{PARAGRAPHS}{TABLE}{FOOTER}").encode(),
    }
    results = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=msgspec.msgpack.encode(seeds),
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert not done.stderr
        results.add(done.stdout)
    here = msgspec.msgpack.encode([extract(seeds[name], name.split()[0]) for name in sorted(seeds)])
    assert results == {here}


@pytest.mark.integration
def test_importing_extraction_loads_no_parser():
    program = (
        "import sys, seed_assets.core.reading.extraction, seed_assets.core.workers.parser_pool; "
        "heavy = {'lxml', 'trafilatura', 'docx', 'pypdfium2', 'chardet', 'dagster'}; "
        "print(sorted(heavy & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, env=environment)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("| Port | Depth |\n| --- | --- |\n| Brest | 5 |\n\nDepths of ports\n\nMore.", "Depths of ports"),
        ("| Port | Depth \\| m |\n| --- | --- |\n| Brest | 5 |", "Port, Depth | m"),
        ("Port | Depth\n--- | ---\nBrest | 5\n\nthe depths, as they\nare", "Port, Depth"),
        ("||\n", ""),
    ],
)
def test_a_row_of_a_table_is_no_title(text: str, title: str):
    """Guards against titles with the borders of a table in them."""
    assert first_line_title(text) == title


def test_a_title_keeps_the_joiners_of_its_text():
    """Guards against words in Persian that fall apart, and against a family of emoji that becomes three people."""
    assert extract("می‌خواهم بروم.\n".encode(), "text").title == "می‌خواهم بروم."
    assert extract("# 👨‍👩‍👧 family\n".encode(), "markdown").title == "👨‍👩‍👧 family"
    assert extract("# wi‌de\n".encode(), "markdown").title == "wide"
