"""Mail files: headers, body, and attachments as parts."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.document_fields import read_fields
from seed_assets.core.reading.extraction import ExtractedText, extract


def message(subject: str, body: str = "") -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = subject
    made["From"] = "Jörg <joerg@example.org>"
    made["To"] = "all@example.org"
    made["Date"] = "Mon, 01 Jan 2024 10:00:00 +0100"
    if body:
        made.set_content(body)
    return made


def read(made: EmailMessage) -> ExtractedText:
    return extract(made.as_bytes(policy=SMTP), "mail")


HEADERS = "From: Jörg <joerg@example.org>\nTo: all@example.org\nDate: Mon, 01 Jan 2024 10:00:00 +0100"


def test_attachments_follow_the_body_under_their_names():
    made = message("Übersicht", "Der Pegel fällt.")
    made.add_alternative("<p>Der Pegel fällt sehr.</p>", subtype="html")
    made.add_attachment(b"Tor,Pegel\nOben,4\n", maintype="text", subtype="csv", filename="Pegel März.csv")
    made.add_attachment("# Notiz\n\nAm Kai.", subtype="markdown", filename="notiz")
    made.add_attachment(b"\x00\x01", maintype="application", subtype="octet-stream", filename="rest.bin")
    inner = message("Inner", "The inner body.")
    inner.add_attachment("A text within.", filename="in.txt")
    made.add_attachment(inner)
    result = read(made)
    assert result.title == "Übersicht"
    assert result.encoding == "utf-8"
    assert result.text == (
        f"Subject: Übersicht\n{HEADERS}\n\nDer Pegel fällt.\n\n# Pegel März.csv\n\nTor; Pegel\n\nTor: Oben; Pegel: 4\n\n"
        f"# notiz\n\n# Notiz\n\nAm Kai.\n\n# Inner\n\nSubject: Inner\n{HEADERS}\n\nThe inner body.\n\n"
        "# in.txt\n\nA text within."
    )
    assert result.warnings == ("Attachments of the mail that have no reader are not read: rest.bin.",)


@pytest.mark.slow
def test_all_mails_of_a_mailbox_are_read():
    """What they have attached together may be more than a single mail may have."""
    made = []
    for number in range(150):
        each = message(f"Mail {number}", f"Body {number}.")
        for place in range(8):
            each.add_attachment(f"Note {number}-{place}.", filename=f"{place}.txt")
        made.append(b"From joerg@example.org Mon Jan  1 10:00:00 2024\n" + each.as_bytes() + b"\n\n")
    result = extract(b"".join(made), "mail")
    assert result.title == "Mail 0"
    assert result.warnings == ()
    assert [f"Body {number}.\n" in result.text for number in range(150)] == [True] * 150
    assert result.text.count("Note ") == 1_200


def test_a_mail_without_mime_headers_is_read():
    assert extract(b"From: a@b\nSubject: plain\n\nThe body.", "mail").text == "Subject: plain\nFrom: a@b\n\nThe body."


def test_a_page_is_read_where_the_plain_form_is_blank():
    made = message("Page", " \n")
    made.add_alternative("<p>The gate is open.</p>", subtype="html")
    assert read(made).text.endswith("\n\nThe gate is open.")


PAGE = "<p>The lower gate is closed from Monday on, since its hinges are worn and the new ones came late from the forge.</p>"


@pytest.mark.parametrize(
    "stub",
    ["Please view this message as HTML.", "The lower gate is closed [...]", "See https://lock.example.org/mail/7"],
)
@pytest.mark.parametrize("format", ["mail", "text"])
def test_a_page_is_read_where_the_plain_form_says_little_of_it(stub: str, format: str):
    """Programs that send pages put a sentence into the plain form, or the beginning of the page."""
    made = message("Page", stub)
    made.add_alternative(f"<html><body>{PAGE}{PAGE.replace('lower', 'upper')}</body></html>", subtype="html")
    text = extract(made.as_bytes(policy=SMTP), format).text
    assert text.endswith("since its hinges are worn and the new ones came late from the forge.")
    assert stub not in text


def test_a_plain_form_that_says_what_its_page_says_is_read():
    plain = "The lower gate is closed from Monday on, since its hinges are worn. Use the upper one."
    made = message("Page", plain)
    made.add_alternative(f"<html><body>{PAGE}</body></html>", subtype="html")
    assert read(made).text.endswith(f"\n\n{plain}")


def test_texts_behind_an_attachment_belong_to_the_body():
    made = message("Two texts", "Before.")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="gate.png")
    made.attach(message_part("After."))
    assert read(made).text.endswith("Before.\n\nAfter.")


def message_part(text: str) -> EmailMessage:
    part = EmailMessage()
    part.set_content(text)
    del part["MIME-Version"]
    return part


def test_a_damaged_attachment_is_named_and_the_rest_read():
    made = message("Damaged", "The body.")
    made.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="gate.pdf")
    result = read(made)
    assert result.text.endswith("The body.")
    assert result.warnings[0].startswith("The attachment gate.pdf was not read: the PDF is truncated")


def test_a_mail_that_is_a_single_file_is_read():
    data = b"From: a@b\nContent-Type: text/csv; name=levels.csv\nContent-Disposition: attachment\n\nGate,cm\nUpper,4\n"
    assert extract(data, "mail").text == "From: a@b\n\n# levels.csv\n\nGate; cm\n\nGate: Upper; cm: 4"


def test_mails_that_are_attached_without_end_are_named():
    made = message("0", "Innermost.")
    for number in range(1, 9):
        outer = message(str(number), f"Body {number}.")
        outer.add_attachment(made)
        made = outer
    result = read(made)
    assert "Body 3." in result.text
    assert "attached to each other too deeply" in result.warnings[0]


@pytest.mark.slow
def test_a_mail_of_very_many_parts_is_read_in_part():
    """Names of 350,000 attachments took a minute."""
    part = b"--b\nContent-Disposition: attachment; filename=a.txt\n\nx\n"
    head = b"From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    result = extract(head + part * 5_000 + b"--b--\n", "mail")
    assert result.text.count("# a.txt") == 1_000
    assert result.warnings == ("Only the first 1,000 parts of the mail are read.",)


def test_an_encrypted_mail_is_named():
    data = (
        b"From: a@b\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n"
        b"Content-Transfer-Encoding: base64\n\nMIIB\n"
    )
    with pytest.raises(DocumentError, match="encrypted"):
        extract(data, "mail")


@pytest.mark.parametrize("data", [b"no headers", b"\n\n", b"<html>a</html>", b"\x00\x01\x02\xff" * 50])
def test_a_file_that_is_no_mail_is_named(data: bytes):
    with pytest.raises(DocumentError, match=r"not a mail|no text"):
        extract(data, "mail")


@pytest.mark.slow
def test_long_headers_are_cut_and_nested_parts_without_end_named():
    result = extract(b"From: a@b\nTo: " + b"a@example.org, " * 50_000 + b"\n\nThe body.", "mail")
    assert result.text.endswith("The body.")
    assert "long header" in result.warnings[0]
    deep = b"From: a@b\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3_000)
    )
    with pytest.raises(DocumentError, match="nested too deeply"):
        extract(deep, "mail")


def test_the_headers_of_a_mail_are_its_fields():
    assert read_fields(message("Tides", "x").as_bytes(policy=SMTP), "mail").fields["from"] == (
        "Jörg <joerg@example.org>",
    )
