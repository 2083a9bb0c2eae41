"""EPUB: chapters in the order of the spine."""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract
from tests.support.zip_files import bomb, zipped

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" '
    'media-type="application/oebps-package+xml"/></rootfiles></container>'
)
BOOK = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/" version="3.0">
<metadata><dc:title>Gezeiten der Größe</dc:title><dc:creator>Änne Kai</dc:creator><dc:creator>B. Bo</dc:creator></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="two" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="cover" href="cover.svg" media-type="image/svg+xml"/>
<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>
</manifest>
<spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/></spine></package>"""


def chapter(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title/>'
        f"<script/></head><body>{body}</body></html>"
    )


PARTS = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "OEBPS/book.opf": BOOK,
    "OEBPS/nav.xhtml": chapter("<nav><ol><li><a href='one'>Contents entry</a></li></ol></nav>"),
    "OEBPS/text/one.xhtml": chapter(
        "<h1><a id='a'/>Ebbe</h1><p>Short.</p><ul><li>first</li><li>second</li></ul>"
        "<table><tr><th>Tor</th><th>cm</th></tr><tr><td>Oben</td><td>4</td></tr></table>"
    ),
    "OEBPS/text/two b.xhtml": chapter(
        "<h2>Flut</h2><p>10<sup>6</sup> m<br/>next line</p><footer>kept as well</footer>"
    ),
}


def test_every_chapter_is_read_in_order_with_title_and_authors():
    result = extract(zipped(PARTS), "epub")
    assert result.title == "Gezeiten der Größe"
    assert result.text == (
        "# Gezeiten der Größe\n\nBy Änne Kai, B. Bo\n\n# Ebbe\n\nShort.\n\n- first\n- second\n\n"
        "| Tor | cm |\n| --- | --- |\n| Oben | 4 |\n\n## Flut\n\n10⁶ m\nnext line\n\nkept as well"
    )
    assert result.warnings == ()


def test_chapters_that_cannot_be_read_are_named():
    spine = BOOK.replace("<spine>", '<spine><itemref idref="cover"/><itemref idref="gone"/>')
    result = extract(zipped({**PARTS, "OEBPS/book.opf": spine}), "epub")
    assert "# Ebbe" in result.text
    assert result.warnings == (
        "Chapters that are missing, damaged or pictures are not read: OEBPS/cover.svg, OEBPS/gone.xhtml.",
    )


def protected(name: str) -> dict[str, str]:
    reference = f'<e><CipherReference URI="{name}"/></e>'
    return {**PARTS, "META-INF/encryption.xml": reference}


def test_a_protected_book_is_named_and_encrypted_fonts_are_not():
    with pytest.raises(DocumentError, match="protected against copying"):
        extract(zipped(protected("OEBPS/text/two%20b.xhtml")), "epub")
    assert "Ebbe" in extract(zipped(protected("OEBPS/font.otf")), "epub").text


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"a.txt": "x"}, "without an electronic book"),
        ({**PARTS, "META-INF/container.xml": "<container/>"}, "names no package"),
        ({name: part for name, part in PARTS.items() if "opf" not in name}, "OEBPS/book.opf is missing"),
        ({**PARTS, "OEBPS/book.opf": "<package"}, "not valid XML"),
        ({**PARTS, "OEBPS/text/one.xhtml": chapter("<div>" * 100_000 + "x")}, "nested too deeply"),
        ({**PARTS, "OEBPS/book.opf": BOOK.partition("<spine>")[0] + "<spine/></package>"}, "no text"),
    ],
)
def test_a_broken_book_is_named(parts: dict[str, str | bytes], reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(zipped(parts), "epub")
    assert caught.value.remedy


def test_a_zip_bomb_is_named():
    with pytest.raises(DocumentError, match="ZIP bomb") as caught:
        extract(zipped({**PARTS, "OEBPS/text/one.xhtml": bomb()}), "epub")
    assert caught.value.remedy


def test_other_files_are_named():
    for data, reason in ((zipped(PARTS)[:300], "broken or truncated"), (b"%PDF-1.7", "not an EPUB: it is a PDF")):
        with pytest.raises(DocumentError, match=reason):
            extract(data, "epub")
