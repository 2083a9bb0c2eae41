"""Mails as Outlook saves them (.msg, MS-OXMSG): headers, body, and attachments as parts under headings.

What does not belong here: the file itself (compound_file), and mails in the form of the internet (mail_file).
"""

import struct
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default
from email.utils import format_datetime

from resources.corpus.formats import format_of
from resources.errors import DocumentError
from seed_assets.core.reading.document_parts import DocumentParts, ReadPart
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.html.pages import read_html
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.outlook.compound_file import CompoundFile
from seed_assets.core.reading.outlook.compressed_rtf import decompressed_rtf
from seed_assets.core.reading.text.mail import LONGEST_HEADER, is_stub, may_be_stub, shown_headers
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text

_MOST_DEEP = 5
_SUBJECT, _HEADERS, _BODY, _HTML, _RTF = "0037", "007D", "1000", "1013", "1009"
_SENDER, _SENDER_ADDRESSES, _TO, _CC = "0C1A", ("5D01", "0C1F"), "0E04", "0E03"
_SENT = 0x00390040
_CODE_PAGES = (0x3FFD0003, 0x3FDE0003)
_FILE_NAMES = ("3707", "3704", "3001")
_PROPERTIES = "__properties_version1.0"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def read_outlook_mail(data: bytes, read_part: ReadPart) -> ExtractedText:
    """Read a mail: subject, sender, recipients, date and body, then attachments in formats that have a reader.

    The title is the subject. A warning names other attachments.

    Raises DocumentError for a file that is damaged, or is no mail.
    """
    file = CompoundFile(data)
    if _PROPERTIES not in file.names(""):
        raise DocumentError(
            "the file is an Office document of the old kind, not a mail.", "Give it the suffix of what it is."
        )
    reader = _OutlookReader(file, read_part)
    text = normalised(reader.read("", 0))
    return ExtractedText(text, _Message(file, "").text(_SUBJECT), "", reader.parts.warnings())


class _Message:
    """The properties of a mail or an attachment, which are the streams in its folder."""

    def __init__(self, file: CompoundFile, folder: str) -> None:
        self._file = file
        self.folder = folder
        self._names = set(file.names(folder))
        raw = file.stream(f"{folder}{_PROPERTIES}") or b""
        # The header has another length in each kind of folder; the properties have 16 bytes each.
        self._fixed = {
            struct.unpack_from("<I", raw, at)[0]: raw[at + 8 : at + 16]
            for at in range(len(raw) % 16, len(raw) - 15, 16)
        }

    def binary(self, tag: str) -> bytes:
        """Return a property of bytes; b"" if it is absent."""
        return self._file.stream(f"{self.folder}__substg1.0_{tag}0102") or b""

    def text(self, tag: str) -> str:
        """Return a property of text; "" if it is absent."""
        if wide := self._file.stream(f"{self.folder}__substg1.0_{tag}001F"):
            return wide.decode("utf-16-le", "replace").rstrip("\x00")
        narrow = (self._file.stream(f"{self.folder}__substg1.0_{tag}001E") or b"").rstrip(b"\x00")
        return decode_text(narrow, self.encoding)[0] if narrow.strip() else ""

    @property
    def encoding(self) -> str:
        """The name of the encoding that the mail declares; "" if it does not."""
        page = next((page for tag in _CODE_PAGES if (page := self.number(tag))), 0)
        return {0: "", 65001: "utf-8", 20127: "ascii", 28591: "iso-8859-1", 28592: "iso-8859-2"}.get(page, f"cp{page}")

    def number(self, tag: int) -> int:
        """Return a property that is a number; 0 if it is absent."""
        return struct.unpack_from("<I", self._fixed.get(tag, bytes(4)))[0]

    @property
    def sent(self) -> str:
        """When the mail was sent, as in the header Date; "" if that is not known."""
        ticks = struct.unpack_from("<Q", self._fixed.get(_SENT, bytes(8)))[0]
        try:
            return format_datetime(_EPOCH + timedelta(microseconds=ticks // 10)) if ticks else ""
        except OverflowError:
            return ""

    def folders(self, beginning: str) -> list[str]:
        """Return the folders directly in this one whose names begin so."""
        return [self.folder + name for name in sorted(self._names) if name.startswith(beginning) and name.endswith("/")]


class _OutlookReader:
    """Reads mails and what is attached to them. parts: the attachments, with all warnings."""

    def __init__(self, file: CompoundFile, read_part: ReadPart) -> None:
        self._file = file
        self.parts = DocumentParts(read_part, "Attachments of the mail that have no reader are not read")

    def read(self, folder: str, depth: int) -> str:
        """Return the headers, the body and the attachments of a mail. depth: how many mails it is within."""
        message = _Message(self._file, folder)
        blocks = [_headers(message), self._body(message)]
        blocks += [self._attachment(each, depth) for each in message.folders("__attach_version1.0_")]
        return "\n\n".join(filter(None, blocks))

    def _body(self, message: _Message) -> str:
        plain = message.text(_BODY).strip("\r\n")
        if not may_be_stub(plain):
            return plain
        try:
            page = self._page(message)
        except DocumentError as error:
            unread = "page of the mail, whose plain form is short," if plain.strip() else "body of the mail"
            self.parts.warn(f"The {unread} was not read: {error}")
            return plain
        return page if not plain.strip() or is_stub(plain, page) else plain

    def _page(self, message: _Message) -> str:
        """Return the text of the page or the RTF of a mail; "" if it has none."""
        if page := message.binary(_HTML) or message.text(_HTML).encode("utf-8", "replace"):
            return read_html(page)[0]
        if packed := message.binary(_RTF):
            from seed_assets.core.reading.rtf.document import read_rtf

            return read_rtf(decompressed_rtf(packed)).text
        return ""

    def _attachment(self, folder: str, depth: int) -> str:
        attached = _Message(self._file, folder)
        name = " ".join(next((name for tag in _FILE_NAMES if (name := attached.text(tag))), "without a name").split())
        try:
            if mails := attached.folders("__substg1.0_3701000D"):
                if depth >= _MOST_DEEP:
                    raise DocumentError("mails are attached to each other too deeply.", "Save it as a file of its own.")
                title = _Message(self._file, mails[0]).text(_SUBJECT) or name
                return f"{heading(1, title)}\n\n{self.read(mails[0], depth + 1)}"
            if (format := format_of(name)) is not None:
                return self.parts.block(name, format, attached.binary("3701"))
        except DocumentError as error:
            self.parts.warn(f"The attachment {name} was not read: {error}")
            return ""
        self.parts.without_reader(name)
        return ""


def _headers(message: _Message) -> str:
    """Return the headers that a reader wants to see; those of a mail that was never sent are properties."""
    given = message.text(_HEADERS)
    if ":" in given:
        parsed = message_from_string(given.lstrip()[: 10 * LONGEST_HEADER], policy=default)
        if (shown := shown_headers(parsed)) and "Subject:" in shown:
            return shown
    sender = message.text(_SENDER)
    address = next((found for tag in _SENDER_ADDRESSES if "@" in (found := message.text(tag))), "")
    shown_sender = f"{sender} <{address}>" if sender and address and sender != address else sender or address
    values = (
        ("Subject", message.text(_SUBJECT)),
        ("From", shown_sender),
        ("To", message.text(_TO)),
        ("Cc", message.text(_CC)),
        ("Date", message.sent),
    )
    return "\n".join(f"{name}: {' '.join(value[:LONGEST_HEADER].split())}" for name, value in values if value.strip())
