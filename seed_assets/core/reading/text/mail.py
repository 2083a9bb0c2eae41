"""Mails that were saved as text files. What belongs here: recognizing them, and their headers and body as text. What does not:
attachments, which are only named.
"""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import NamedTuple

from seed_assets.core.reading.text.text_decoding import decode_text

# What a mail says about itself that a reader wants to know.
_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_ADDRESSED = frozenset(["from", "to", "subject", "date", "message-id", "received", "return-path", "sender"])
_MIME = frozenset(["mime-version", "content-type", "content-transfer-encoding"])
# The headers of a mail are searched for in so many bytes; the number was chosen by judgement.
_HEADER_BYTES = 200_000
# Python's parser takes quadratic time for a header. A longer one is not one of a mail: this is room for 500 addresses.
_LONGEST_HEADER = 20_000
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
    messages = _messages(data)
    parts = [_message(message) for message in messages]
    attachments = [name for _, _, names in parts for name in names]
    warning = f"The attachments of the mail are not read: {', '.join(attachments)[:300]}." if attachments else ""
    first = messages[0]
    return Mail(
        "\n\n".join(text for text, _, _ in parts),
        _header(first, "Subject"),
        next((encoding for _, encoding, _ in parts if encoding), ""),
        [(name, _header(first, name)) for name in dict.fromkeys(first.keys())],
        warning,
    )


def _is_mail(data: bytes) -> bool:
    names: set[str] = set()
    encoded, length = False, 0
    for line in data[:_HEADER_BYTES].split(b"\n"):
        if not line.strip():
            break
        found = _HEADER.match(line)
        length = len(line) if found else length + len(line)
        if length > _LONGEST_HEADER or not (found or (names and line[:1] in b" \t")):
            return False
        if found:
            names.add(found[1].decode("ascii").lower())
        encoded = encoded or bool(_ENCODED_WORD.search(line))
    return bool(names & _ADDRESSED) and (encoded or bool(names & _MIME)) and len(names) > 1


def _messages(data: bytes) -> list[EmailMessage]:
    starts = [found.span() for found in _ENVELOPE.finditer(data)] if data.startswith(b"From ") else []
    if not starts:
        return [_parsed(data)]
    ends = [start for start, _ in starts[1:]] + [len(data)]
    return [
        _parsed(_QUOTED_ENVELOPE.sub(rb"\1", data[begin:end])) for (_, begin), end in zip(starts, ends, strict=True)
    ]


def _parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)  # by its policy
    return message


def _message(message: EmailMessage) -> tuple[str, str, list[str]]:
    """Return (text, encoding, names of the attachments) of a message."""
    body = message.get_body(("plain", "html"))
    shown = [f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))]
    text, encoding = _body(body) if body is not None else ("", "")
    names = [_name(part) for part in message.walk() if part is not body and _is_attachment(part)]
    return "\n".join(shown) + "\n\n" + text.strip("\r\n"), encoding, names


def _body(part: Message) -> tuple[str, str]:
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


def _unflowed(text: str) -> str:
    """Join the lines that a mail program divided, which end in a space (RFC 3676); a signature's mark ends in one too."""
    return re.sub(r"(?m)(?<!^--) \r?\n(?=[^\s>])", " ", text)


def _header(message: Message, name: str) -> str:
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


def _is_attachment(part: Message) -> bool:
    return not part.is_multipart() and (bool(part.get_filename()) or part.get_content_disposition() == "attachment")


def _name(part: Message) -> str:
    return " ".join(str(part.get_filename() or part.get_content_type()).split())
