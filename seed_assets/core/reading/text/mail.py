"""Mails: recognizing those that were saved as text files, and the headers and body of a message as text.

What does not belong here: the attachments of a mail file (mail_file); those of a mail under the name of a text are only named.
"""

import re
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from io import BytesIO
from typing import Any, NamedTuple

from seed_assets.core.reading.text.text_decoding import decode_text

# What a mail says about itself that a reader wants to know.
_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_ADDRESSED = frozenset(["from", "to", "subject", "date", "message-id", "received", "return-path", "sender"])
_MIME = frozenset(["mime-version", "content-type", "content-transfer-encoding"])
# The headers of a mail are searched for in so many bytes; the number was chosen by judgement.
_HEADER_BYTES = 200_000
# Python's parser takes quadratic time for a header. A longer one is not one of a mail: this is room for 500 addresses.
LONGEST_HEADER = 20_000
# A plain form that is so short beside the page of the same mail only says that there is a page, or begins it: otherwise both
# forms say the same. Chosen by judgement.
_LONGEST_STUB, _MORE_WORDS, _TIMES = 1_000, 20, 3
_HEADER = re.compile(rb"([A-Za-z][A-Za-z0-9-]*):")
_ENCODED_WORD = re.compile(rb"=\?[\w.*-]+\?[QqBb]\?")
# The line in front of each message of a mailbox, and such a line within a message (RFC 4155).
_ENVELOPE = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From \S[^\n]*\d{4}[^\n]*\n")
_QUOTED_ENVELOPE = re.compile(rb"^>(>*From )", re.MULTILINE)


class Mail(NamedTuple):
    """A mail, or all messages of a mailbox one after the other.

    text: the main headers and the body of each message, decoded.
    title: the subject of the first message.
    encoding: the encoding of its body.
    headers: the headers of the first message, decoded.
    warning: a sentence that names the attachments, or "".
    """

    text: str
    title: str
    encoding: str
    headers: list[tuple[str, str]]
    warning: str


def read_mail(data: bytes) -> Mail | None:
    """Read a mail whose headers or body are encoded as MIME describes; None for any other text, a plain mail among them."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if not _is_mail(_ENVELOPE.sub(b"", data[:_HEADER_BYTES], count=1) if data.startswith(b"From ") else data):
        return None
    messages = messages_of(data)
    parts = [_message(message) for message in messages]
    attachments = [name for _, _, names in parts for name in names]
    warning = f"The attachments of the mail are not read: {', '.join(attachments)[:300]}." if attachments else ""
    first = messages[0]
    return Mail(
        "\n\n".join(text for text, _, _ in parts),
        header_text(first, "Subject"),
        next((encoding for _, encoding, _ in parts if encoding), ""),
        _headers(first),
        warning,
    )


def _is_mail(data: bytes) -> bool:
    names: set[str] = set()
    encoded, length = False, 0
    for whole_line in BytesIO(data[:_HEADER_BYTES]):  # mostly, the first ones are enough
        line = whole_line.removesuffix(b"\n")
        if not line.strip():
            break
        found = _HEADER.match(line)
        length = len(line) if found else length + len(line)
        if length > LONGEST_HEADER or not (found or (names and line[:1] in b" \t")):
            return False
        if found:
            names.add(found[1].decode("ascii").lower())
        encoded = encoded or bool(_ENCODED_WORD.search(line))
    return bool(names & _ADDRESSED) and (encoded or bool(names & _MIME)) and len(names) > 1


def messages_of(data: bytes) -> list[EmailMessage]:
    """Return the message of a mail, or all messages of a mailbox."""
    starts = [found.span() for found in _ENVELOPE.finditer(data)] if data.startswith(b"From ") else []
    if not starts:
        return [_parsed(data)]
    ends = [start for start, _ in starts[1:]] + [len(data)]
    return [
        _parsed(_QUOTED_ENVELOPE.sub(rb"\1", data[begin:end])) for (_, begin), end in zip(starts, ends, strict=True)
    ]


class _Policy(EmailPolicy):
    """Parses no more of a header than Python's parser can in a short time."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return super().header_fetch_parse(name, value[:LONGEST_HEADER])


def _parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=_Policy())
    assert isinstance(message, EmailMessage)  # by its policy
    return message


def _message(message: EmailMessage) -> tuple[str, str, list[str]]:
    """Return (text, encoding, names of the attachments) of a message."""
    body = message.get_body(("plain", "html"))
    text, encoding = body_text(body) if body is not None else ("", "")
    page = message.get_body(("html",)) if may_be_stub(text) else None
    if page is not None and page is not body:
        page_text, page_encoding = body_text(page)
        text, encoding = (page_text, page_encoding) if is_stub(text, page_text) else (text, encoding)
    names = [part_name(part) for part in message.walk() if part is not body and is_attachment(part)]
    return shown_headers(message) + "\n\n" + text.strip("\r\n"), encoding, names


def mail_headers(data: bytes) -> list[tuple[str, str]]:
    """Return (name, decoded value) of the headers of a mail, or of the first message of a mailbox; its body is not parsed."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")[:_HEADER_BYTES]
    data = _ENVELOPE.sub(b"", data, count=1) if data.startswith(b"From ") else data
    return _headers(_parsed(re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0] + b"\n\n"))


def _headers(message: Message) -> list[tuple[str, str]]:
    return [(name, header_text(message, name)) for name in dict.fromkeys(message.keys())]


def shown_headers(message: Message) -> str:
    """Return the headers that a reader wants to see, one in each line."""
    return "\n".join(f"{name}: {value}" for name in _SHOWN if (value := header_text(message, name)))


def body_text(part: Message) -> tuple[str, str]:
    """Return (text, encoding) of a body, plain or HTML; ("", "") if it is blank."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload.strip():
        return "", ""
    text, encoding = decode_text(payload, part.get_content_charset() or "")
    if part.get_content_type() == "text/html":
        from seed_assets.core.reading.html.pages import read_html

        # The charset of the mail counts more than what the page says about itself.
        return read_html(b"\xef\xbb\xbf" + text.encode("utf-8", "replace"))[0], encoding
    if part.get_param("format") == "flowed":
        text = _unflowed(text)
    return text, encoding


def may_be_stub(plain: str) -> bool:
    """Whether the plain form of a body is so short that its page may be the message."""
    return len(plain) <= _LONGEST_STUB


def is_stub(plain: str, page: str) -> bool:
    """Whether the plain form of a body says little of what its page says, such as "please view this mail as HTML"."""
    said, of_page = len(plain.split()), len(page.split())
    return may_be_stub(plain) and of_page >= max(_TIMES * said, said + _MORE_WORDS)


def _unflowed(text: str) -> str:
    """Join the lines that a mail program divided, which end in a space (RFC 3676); a signature's mark ends in one too."""
    return re.sub(r"(?m)(?<!^--) \r?\n(?=[^\s>])", " ", text)


def header_text(message: Message, name: str) -> str:
    """Return a header, decoded and in one line; "" if it is absent or damaged."""
    try:
        value = message.get(name)
    except (
        ValueError,
        IndexError,
        AttributeError,
        TypeError,
        LookupError,
    ):  # what the parser raises for damaged headers
        return ""
    return " ".join(str(value or "").encode("utf-8", "replace").decode("utf-8").split())


def is_attachment(part: Message) -> bool:
    """Whether a part has a name, or is marked as an attachment."""
    return not part.is_multipart() and (bool(part.get_filename()) or part.get_content_disposition() == "attachment")


def part_name(part: Message) -> str:
    """Return the name of an attached file; the type of its content if it has none."""
    return " ".join(str(part.get_filename() or part.get_content_type()).split())
