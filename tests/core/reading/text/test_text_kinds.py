"""Files under the name of a text that are something else: mails, HTML pages; for RTF see rtf/test_rtf."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from seed_assets.core.reading.document_fields import read_fields
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.extraction import extract

HEADERS = "From: Harbour <harbour@example.org>\nTo: all@example.org\nDate: Mon, 01 Jan 2024 10:00:00 +0100\nMIME-Version: 1.0\n"


def mail(headers: str, body: bytes) -> ExtractedText:
    return extract(f"{HEADERS}{headers}\n\n".encode() + body, "text")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable",
            b"Die Schleuse ist seit heute fr=C3=BCh ge=C3=B6ffn=\net.\n",
        ),
        (
            "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable",
            b"Die Schleuse ist seit heute fr=FCh ge=F6ffnet.\n",
        ),
        (
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64",
            b"RGllIFNjaGxldXNlIGlzdCBzZWl0IGhldXRlIGZyw7xoIGdlw7ZmZm5ldC4=\n",
        ),
        ("Content-Type: text/plain; charset=no-such", "Die Schleuse ist seit heute früh geöffnet.".encode("cp1252")),
        ("Content-Transfer-Encoding: 8bit", "Die Schleuse ist seit heute früh geöffnet.".encode()),
        (
            "Content-Type: text/plain; charset=utf-8; format=flowed",
            "Die Schleuse ist \nseit heute \nfrüh geöffnet.".encode(),
        ),
        (
            "Content-Type: text/html; charset=iso-8859-1",
            "<html><body><p>Die Schleuse ist seit heute früh geöffnet.</p></body></html>".encode("latin-1"),
        ),
    ],
    ids=["quoted", "latin1", "base64", "unknown", "8bit", "flowed", "html"],
)
def test_a_mail_is_its_main_headers_and_its_decoded_body(headers: str, body: bytes):
    result = mail(f"X-Spam: no\nSubject: =?utf-8?Q?Schleuse_ge=C3=B6ffnet?=\n{headers}", body)
    assert result.title == "Schleuse geöffnet"
    assert result.text == (
        "Subject: Schleuse geöffnet\nFrom: Harbour <harbour@example.org>\nTo: all@example.org\n"
        "Date: Mon, 01 Jan 2024 10:00:00 +0100\n\nDie Schleuse ist seit heute früh geöffnet."
    )


def test_of_several_forms_of_a_body_the_plain_one_is_read_and_attachments_are_named():
    message = EmailMessage()
    message["Subject"] = "Übersicht über die Pegelstände der letzten Monate, mit einer langen Überschrift"
    message["From"] = "Jörg <joerg@example.org>"
    message.set_content("Der Pegel fällt.")
    message.add_alternative("<p>Der Pegel fällt sehr.</p>", subtype="html")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="Pegel März.pdf")
    result = extract(message.as_bytes(policy=SMTP), "text")
    assert result.title == message["Subject"]
    assert result.text.endswith("\n\nDer Pegel fällt.")
    assert "From: Jörg <joerg@example.org>" in result.text
    assert result.warnings == ("The attachments of the mail are not read: Pegel März.pdf.",)
    assert read_fields(message.as_bytes(policy=SMTP), "text").fields["from"] == ("Jörg <joerg@example.org>",)


def test_each_message_of_a_mailbox_is_read():
    message = (
        HEADERS
        + "Subject: One\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
    )
    box = "".join(
        f"From harbour@example.org Mon Jan  1 00:0{number}:00 2024\n{message}Nummer {number}: fr=C3=BCh.\n>From here on.\n\n"
        for number in range(3)
    )
    result = extract(box.encode(), "text")
    assert [f"Nummer {number}: früh.\nFrom here on." in result.text for number in range(3)] == [True] * 3
    assert "00:01:00" not in result.text
    assert result.title == "One"


@pytest.mark.parametrize(
    "text",
    [
        "From: a@b\nSubject: The tides\n\nText with =C3=BC in it.",
        "HTTP/1.1 200 OK\nDate: today\nContent-Type: text/html\n\nbody",
        "From: here\nto there, a story with Content-Type: none.",
    ],
)
def test_a_text_that_needs_no_decoding_stays_as_it_is(text: str):
    assert extract(text.encode(), "text").text == text


@pytest.mark.parametrize("format", ["text", "markdown"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "start", ["<!DOCTYPE html>\n<html lang='en'>", "<HTML>", "<?xml version='1.0'?>\n<html>", "<!-- saved -->\n<html>"]
)
def test_a_page_under_another_name_is_read_as_a_page(start: str, codec: str, format: str):
    page = f"{start}<head><title>Vellin</title></head><body><p>Die Schleuse ist früh geöffnet.</p></body></html>"
    result = extract(page.encode(codec), format)
    assert (result.text, result.title) == ("Die Schleuse ist früh geöffnet.", "Vellin")


def test_markdown_with_a_piece_of_html_is_markdown():
    assert extract(b"<p align='center'>Centred</p>\n\n# Title", "markdown").text.startswith("<p align")
