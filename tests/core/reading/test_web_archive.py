"""MHTML: the page that a browser saved, in its encoding."""

from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract


def page_part(html: str, charset: str, content_id: str = "") -> MIMEBase:
    part = MIMEBase("text", "html", charset=charset)
    part.set_payload(html.encode(charset))
    if content_id:
        part["Content-ID"] = content_id
    from email.encoders import encode_quopri

    encode_quopri(part)
    return part


def saved(*parts: MIMEBase, start: str = "") -> bytes:
    made = MIMEMultipart("related")
    if start:
        made.set_param("start", start)
    made["From"] = "<Saved by Blink>"
    made["Subject"] = "=?utf-8?Q?Gezeiten?="
    for part in parts:
        made.attach(part)
    return made.as_bytes()


PAGE = (
    '<html><head><meta charset="utf-8"></head><body><nav><a href="/">Home</a></nav><h1>Größe</h1><p>Die Flut = kommt.</p>'
    "<table><tr><th>Tor</th><th>cm</th></tr><tr><td>Oben</td><td>4</td></tr></table></body></html>"
)
TEXT = "# Größe\n\nDie Flut = kommt.\n\n| Tor | cm |\n| --- | --- |\n| Oben | 4 |"


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_the_page_is_read_in_the_charset_of_its_part(charset: str):
    result = extract(saved(page_part(PAGE, charset), MIMEImage(b"\x89PNG", "png")), "mhtml")
    assert (result.text, result.title, result.encoding, result.warnings) == (TEXT, "Größe", charset, ())


def test_the_page_that_is_named_as_the_start_is_read_and_frames_are_counted():
    data = saved(page_part("<p>Frame</p>", "utf-8", "<f>"), page_part("<p>Page</p>", "utf-8", "<p>"), start="<p>")
    result = extract(data, "mhtml")
    assert (result.text, result.title) == ("Page", "Gezeiten")
    assert result.warnings == ("1 page in frames of the page is not read.",)


def test_a_page_that_was_saved_alone_is_read():
    assert extract(PAGE.encode(), "mhtml").text == TEXT


@pytest.mark.parametrize("data", [b"plain text", b"From: a@b\n\nA mail.", b"\x00\x01\x02"])
def test_a_file_without_a_page_is_named(data: bytes):
    with pytest.raises(DocumentError, match="no web page"):
        extract(data, "mhtml")
