"""Mail files (.eml): the headers and body of each message, and its attachments as parts under headings.

What does not belong here: headers and bodies themselves (text.mail), and reading the formats of attachments (extraction).
"""

from collections.abc import Iterator, Mapping
from email.message import EmailMessage, Message
from typing import NamedTuple

from resources.corpus.formats import format_of
from resources.errors import DocumentError
from seed_assets.core.reading.document_parts import DocumentParts, ReadPart
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.text.mail import (
    LONGEST_HEADER,
    body_text,
    header_text,
    is_attachment,
    is_stub,
    may_be_stub,
    messages_of,
    part_name,
    shown_headers,
)
from seed_assets.core.reading.text.normal_text import normalised

# The numbers were chosen by judgement. A mail may be attached to another one, and in a hostile file to many.
_MOST_DEEP = 5
# So many parts of a mail are read, with those of attached mails: Python's parser takes a millisecond for some of them. A
# mailbox has so many for each mail at least.
_MOST_PARTS = 1_000
_MOST_OF_EACH = 10
_FORMATS: Mapping[str, str] = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "text/csv": "csv",
    "text/rtf": "rtf",
    "application/rtf": "rtf",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/epub+zip": "epub",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.ms-outlook": "msg",
    "application/zip": "archive",
    "application/x-zip-compressed": "archive",
    "application/x-tar": "archive",
    "application/gzip": "archive",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
"""The formats of attachments whose names have no suffix that says it, by type of content (RFC 6838)."""
# They prove who wrote a mail, and say nothing else.
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
_ENCRYPTED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted")
_MAIL = "message/rfc822"


class _Parts(NamedTuple):
    """bodies: further texts in front of, between or behind attachments. attached: what is attached."""

    bodies: list[EmailMessage]
    attached: list[EmailMessage]


def read_mail_file(data: bytes, read_part: ReadPart) -> ExtractedText:
    """Read a mail, or all messages of a mailbox. The title is the subject of the first message.

    Attachments that Seedbank can read follow the body under headings with their names; a warning names the others.

    Raises DocumentError for a file that is no mail, and for a mail that is encrypted.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    messages = messages_of(data)
    if not any(message.keys() for message in messages):
        raise DocumentError(
            "the file is not a mail: it does not begin with headers such as From, To and Subject.",
            "Restore it from its source, or give it the suffix of what it is.",
        )
    reader = _MailReader(read_part, max(_MOST_PARTS, _MOST_OF_EACH * len(messages)))
    texts = [reader.read(message, 0) for message in messages]
    text = normalised("\n\n".join(texts))
    return ExtractedText(text, header_text(messages[0], "Subject"), reader.encoding, reader.parts.warnings())


class _MailReader:
    """Reads messages and what is attached to them.

    parts: the attachments, with all warnings. encoding: that of the first body.
    """

    def __init__(self, read_part: ReadPart, most_parts: int) -> None:
        self.parts = DocumentParts(read_part, "Attachments of the mail that have no reader are not read")
        self._most_parts = self._left_parts = most_parts
        self.encoding = ""

    def read(self, message: EmailMessage, depth: int) -> str:
        """Return the headers, the body and the attachments of a message as text. depth: how many mails it is within."""
        if any(len(str(value)) > LONGEST_HEADER for _, value in message.raw_items()):
            self.parts.warn(f"Only the first {LONGEST_HEADER:,} characters of a long header of the mail are read.")
        body = message.get_body(("plain", "html"))
        parts = self._parts(message, body)
        blocks = [shown_headers(message)]
        bodies = [self._body(part) for part in [*([body] if body is not None else []), *parts.bodies]]
        if isinstance(body, EmailMessage) and body.get_content_type() == "text/plain" and may_be_stub(bodies[0]):
            bodies[0] = self._page_instead(message, bodies[0], parts)
        blocks += bodies
        if body is None and any(part.get_content_type() in _ENCRYPTED for part in message.walk()):
            if depth == 0:
                raise DocumentError("the mail is encrypted.", "Save a decrypted copy of it from the mail program.")
            self.parts.warn("A mail that is attached is encrypted, and only its headers are read.")
            return "\n\n".join(filter(None, blocks))
        blocks += [self._attachment(part, depth) for part in parts.attached]
        return "\n\n".join(filter(None, blocks))

    def _page_instead(self, message: EmailMessage, plain: str, parts: _Parts) -> str:
        """Return the page of a mail if its plain form is blank or a stub, otherwise the plain form."""
        page = message.get_body(("html",))
        if not isinstance(page, EmailMessage) or any(page is part for part in parts.bodies):
            return plain
        found = self._body(page)
        return found if not plain or is_stub(plain, found) else plain

    def _parts(self, message: EmailMessage, body: Message | None) -> _Parts:
        """Return what a message has besides its body; other forms of the body are left out."""
        found = _Parts([], [])
        for part, is_alternative in _leaves(message, in_alternative=False):
            if not self._left_parts:
                self.parts.warn(f"Only the first {self._most_parts:,} parts of the mail are read.")
                break
            self._left_parts -= 1
            kind = part.get_content_type()
            if part is body or kind in _SIGNATURES:
                continue
            if part.get_content_maintype() == "text" and not is_attachment(part):
                if not is_alternative:
                    found.bodies.append(part)
            elif part is not message or body is None:
                found.attached.append(part)
        return found

    def _body(self, part: Message) -> str:
        try:
            text, encoding = body_text(part)
        except DocumentError as error:
            self.parts.warn(f"A part of the mail's body was not read: {error}")
            return ""
        self.encoding = self.encoding or encoding
        return text.strip("\r\n")

    def _attachment(self, part: EmailMessage, depth: int) -> str:
        name = _name_of(part)
        if part.get_content_type() == _MAIL or part.get_content_type() == "message/global":
            return self._attached_mail(part, depth)
        format = format_of(name) or _FORMATS.get(part.get_content_type())
        if format is None:
            self.parts.without_reader(name)
            return ""
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        try:
            if format == "mail":
                return f"{heading(1, name)}\n\n{self._mail_within(messages_of(data), depth)}"
            return self.parts.block(name, format, data)
        except DocumentError as error:
            self.parts.warn(f"The attachment {name} was not read: {error}")
            return ""

    def _attached_mail(self, part: EmailMessage, depth: int) -> str:
        inner = [each for each in part.iter_parts() if isinstance(each, EmailMessage)] if part.is_multipart() else []
        if not inner:
            self.parts.without_reader(_name_of(part))
            return ""
        title = header_text(inner[0], "Subject") or _name_of(part)
        try:
            return f"{heading(1, title)}\n\n{self._mail_within(inner, depth)}"
        except DocumentError as error:
            self.parts.warn(f"The attached mail {title} was not read: {error}")
            return ""

    def _mail_within(self, messages: list[EmailMessage], depth: int) -> str:
        if depth >= _MOST_DEEP:
            raise DocumentError("mails are attached to each other too deeply.", "Save it as a file of its own.")
        return "\n\n".join(self.read(message, depth + 1) for message in messages)


def _leaves(message: EmailMessage, *, in_alternative: bool) -> Iterator[tuple[EmailMessage, bool]]:
    """Yield (part, whether it is one of several forms of the same) for each part; attached mails are not entered."""
    if message.get_content_maintype() != "multipart" or not message.is_multipart():
        yield message, in_alternative
        return
    in_alternative = in_alternative or message.get_content_type() == "multipart/alternative"
    for part in message.iter_parts():
        if isinstance(part, EmailMessage):
            yield from _leaves(part, in_alternative=in_alternative)


def _name_of(part: Message) -> str:
    try:
        return part_name(part)
    except (
        ValueError,
        IndexError,
        AttributeError,
        TypeError,
        LookupError,
    ):  # what the parser raises for damaged headers
        return "without a name"
