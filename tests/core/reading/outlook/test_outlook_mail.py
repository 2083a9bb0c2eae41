"""Mails of Outlook: headers, body in each of its forms, attachments, and files that are damaged."""

import random
import struct
from contextlib import suppress

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.outlook.compressed_rtf import decompressed_rtf
from tests.support.compound_files import compound_file, properties, wide
from tests.support.zip_files import zipped

# 1 January 2024, 10:00, in tenths of microseconds since 1601.
SENT = {0x00390040: 133485768000000000}
ABOUT = {
    "0037": "Größe der Flut",
    "0C1A": "Jörg",
    "5D01": "joerg@example.org",
    "0E04": "Änne; all@example.org",
    "0E03": "Bo",
}
HEAD = (
    "Subject: Größe der Flut\nFrom: Jörg <joerg@example.org>\nTo: Änne; all@example.org\nCc: Bo\n"
    "Date: Mon, 01 Jan 2024 10:00:00 +0000"
)
# The example of the specification.
RTF = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)


def mail(parts: dict[str, bytes], texts: dict[str, str] | None = None) -> bytes:
    return compound_file(
        {"__properties_version1.0": properties(SENT, 32), **wide(ABOUT if texts is None else texts), **parts}
    )


def attached(number: int, name: str, data: bytes) -> dict[str, bytes]:
    folder = f"__attach_version1.0_#{number:08}/"
    return {
        f"{folder}__properties_version1.0": properties({}, 8),
        **wide({"3707": name}, folder),
        f"{folder}__substg1.0_37010102": data,
    }


def test_headers_body_and_attachments_are_read():
    inner = "__attach_version1.0_#00000003/__substg1.0_3701000D/"
    table = "Tor,cm\n" + "".join(f"Tor {number},{number}\n" for number in range(900))
    parts = {
        **wide({"1000": "Der Pegel fällt.\r\n\r\nBald."}),
        **attached(0, "Pegel März.csv", table.encode()),
        **attached(1, "all.zip", zipped({"a.md": "# Notiz\n\nAm Kai."})),
        **attached(2, "logo.bin", b"\x00"),
        "__attach_version1.0_#00000003/__properties_version1.0": properties({}, 8),
        f"{inner}__properties_version1.0": properties({}, 24),
        **wide({"0037": "Inner", "1000": "The inner body."}, inner),
    }
    result = extract(mail(parts), "msg")
    assert result.title == "Größe der Flut"
    assert result.text.startswith(
        f"{HEAD}\n\nDer Pegel fällt.\n\nBald.\n\n# Pegel März.csv\n\nTor; cm\n\nTor: Tor 0; cm: 0\n\n"
    )
    assert result.text.endswith(
        "Tor: Tor 899; cm: 899\n\n# all.zip\n\n# a.md\n\n# Notiz\n\nAm Kai.\n\n# Inner\n\nSubject: Inner\n\nThe inner body."
    )
    assert result.warnings == ("Attachments of the mail that have no reader are not read: logo.bin.",)


def test_headers_of_the_internet_are_used_where_the_mail_has_them():
    headers = "Received: by x\r\nFrom: =?utf-8?q?J=C3=B6rg?= <j@x.org>\r\nSubject: Ebb\r\n"
    headers += "To: a@x.org\r\nDate: Tue, 2 Jan 2024 10:00:00 +0100\r\n\r\n"
    text = extract(mail(wide({"007D": headers, "1000": "Body."})), "msg").text
    assert text == "Subject: Ebb\nFrom: Jörg <j@x.org>\nTo: a@x.org\nDate: Tue, 02 Jan 2024 10:00:00 +0100\n\nBody."


@pytest.mark.parametrize(
    ("parts", "body"),
    [
        ({"__substg1.0_10130102": b"<p>Die <b>Flut</b>.</p>"}, "Die Flut."),
        ({"__substg1.0_10090102": RTF}, "hello world"),
        ({**wide({"1000": " \r\n"}), "__substg1.0_10090102": RTF}, "hello world"),
        ({"__substg1.0_1000001E": "Die Größe.".encode("cp1252")}, "Die Größe."),
    ],
)
def test_a_body_is_read_in_each_of_its_forms(parts: dict[str, bytes], body: str):
    assert extract(mail(parts), "msg").text == f"{HEAD}\n\n{body}"


def test_the_code_page_of_a_mail_is_used():
    parts = {
        "__properties_version1.0": properties({0x3FFD0003: 1251}, 32),
        "__substg1.0_1000001E": "Прилив".encode("cp1251"),
        "__substg1.0_0037001E": "Отлив".encode("cp1251"),
    }
    assert extract(compound_file(parts), "msg").text == "Subject: Отлив\n\nПрилив"


def test_compressed_rtf_is_what_the_specification_says():
    assert decompressed_rtf(RTF) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    runs = "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"
    assert decompressed_rtf(bytes.fromhex(runs)) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert decompressed_rtf(struct.pack("<II4sI", 0, 4, b"MELA", 0) + b"textmore") == b"text"


def test_a_text_under_the_name_of_a_mail_is_read():
    assert extract(b"string name\nint32 age\n", "msg").text == "string name\nint32 age"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (compound_file({"WordDocument": b"x" * 5000}), "an Office document of the old kind, not a mail"),
        (mail({})[:600], "damaged or truncated"),
        (mail({})[:40], "damaged or truncated"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2000, "damaged or truncated"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(data, "msg")
    assert caught.value.remedy


def test_sectors_and_entries_that_lead_in_a_circle_end():
    data = bytearray(mail({"__substg1.0_10130102": b"<p>" + b"word " * 2_000}))
    table = 512 + 512 * struct.unpack_from("<I", data, 76)[0]
    for number in range(128):
        if struct.unpack_from("<I", data, table + 4 * number)[0] == 0xFFFFFFFE:
            struct.pack_into("<I", data, table + 4 * number, 0)
    with pytest.raises(DocumentError):
        extract(bytes(data), "msg")


def test_mails_that_are_attached_without_end_are_named():
    folder, parts = "", {}
    for number in range(8):
        parts |= {f"{folder}__properties_version1.0": properties({}, 24), **wide({"0037": f"Mail {number}"}, folder)}
        folder += "__attach_version1.0_#00000000/__substg1.0_3701000D/"
    result = extract(compound_file(parts), "msg")
    assert "# Mail 5" in result.text
    assert "# Mail 6" not in result.text
    assert "attached to each other too deeply" in result.warnings[0]


@pytest.mark.slow
def test_damaged_mails_give_a_text_or_a_document_error():
    random.seed(1)
    whole = mail({**wide({"1000": "Body."}), **attached(0, "a.csv", b"a,b\n1,2\n" * 700)})
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(random.randint(1, 6)):
            data[random.randrange(8, len(data))] = random.randrange(256)
        with suppress(DocumentError):
            extract(bytes(data), "msg")


def test_the_page_of_a_mail_is_read_where_its_plain_form_says_little_of_it():
    page = "<p>The lower gate is closed from Monday on, since its hinges are worn and the new ones came late from the forge.</p>"
    parts = {**wide({"1000": "Please view this message as HTML."}), "__substg1.0_10130102": page.encode() * 2}
    text = extract(mail(parts), "msg").text
    assert "hinges" in text
    assert "Please view" not in text


@pytest.mark.parametrize(
    ("plain", "warning"),
    [
        ("See the page.", "The page of the mail, whose plain form is short, was not read: "),
        (" ", "The body of the mail was not read: "),
    ],
)
def test_a_page_of_a_mail_that_cannot_be_read_is_a_warning(plain: str, warning: str):
    """The text that is there stays, but it may not be what the mail says."""
    result = extract(mail({**wide({"1000": plain}), "__substg1.0_10130102": b"<p> </p>"}), "msg")
    assert result.text == f"{HEAD}\n\n{plain}".strip()
    assert [found.startswith(warning) for found in result.warnings] == [True]
