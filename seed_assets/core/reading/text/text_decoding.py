"""Decoding a text file. What belongs here: the order in which encodings are tried, and refusals. What does not: UTF-16 and
UTF-32 without a mark (wide_encodings), other encodings that a file does not declare (encoding_detection), and the meaning of
the text (titles, markup).

These are tried in order: a byte order mark, ISO-2022-JP, valid UTF-8, EBCDIC, UTF-16 and UTF-32 without a mark, the encoding
that the file declares, UTF-8 with some damaged bytes, and detection. Zero bytes that are not part of characters are removed.
"""

import codecs
import re

from resources.errors import DocumentError
from seed_assets.core.reading.file_signatures import named_content
from seed_assets.core.reading.text.damaged_utf8 import decode_damaged_utf8
from seed_assets.core.reading.text.ebcdic import decode_ebcdic
from seed_assets.core.reading.text.encoding_detection import CODECS, detect_encodings
from seed_assets.core.reading.text.wide_encodings import decode_unmarked_wide

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Declared encodings are read as these supersets, as in the WHATWG Encoding Standard.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "big5": "cp950",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
_DECLARABLE = frozenset(codecs.lookup(name).name for name in [*CODECS, *_SUPERSETS, "iso2022_jp", "iso8859_4"])
# ISO-2022-JP is also valid UTF-8; it is recognized by its escape sequences into the Japanese set and back.
_JAPANESE_SHIFT = re.compile(rb"\x1b\$[@B](?:[!-~]{2})+\x1b\([BJ]")
# A backspace is no sign of a binary file: manual pages print bold letters with it.
_CONTROL = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
_CONTROL_BYTES = bytes([*range(8), *range(0x0E, 0x1B), *range(0x1C, 0x20)])
# The numbers below were chosen by judgement. A text with a larger share of control characters is binary.
_MOST_CONTROLS = 0.02
# So many zero bytes in a row are a block that a crash or a cut log left behind, however many there are.
_ZERO_BLOCK = re.compile(rb"\x00{16,}")
# With a larger share of zero bytes outside of such blocks a file is binary.
_MOST_ZEROS = 0.5
_REPLACEMENT = "\ufffd"
_DAMAGED_UTF8 = "utf-8 ("
_PLAIN = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
# Windows-1252 is the last resort only if at least this share of the bytes is plain ASCII.
_LEAST_PLAIN = 0.9
# A text in an encoding may have one undecodable byte in so many characters beyond ASCII.
_CHARACTERS_PER_DAMAGE = 20


def decode_text(data: bytes, declared: str = "") -> tuple[str, str]:
    """Return the characters of a text file and the name of its encoding; line ends and control characters are unchanged.

    declared: the encoding that the file declares, if its format can; it is used if the bytes are valid in it.

    Raises DocumentError for a file that is empty, binary, or in an unknown encoding.
    """
    if not data:
        raise DocumentError("the file is empty (0 bytes).", "Put its content back, or remove it.")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return _readable(data[len(mark) :].decode(encoding), data), encoding
            except UnicodeDecodeError as error:
                # A UTF-8 mark in front of damaged UTF-8 is no reason to refuse the file; other marks are.
                if encoding == "utf-8":
                    continue
                raise DocumentError(
                    f"the file begins like {encoding.upper()} but is not valid as such from byte {error.start:,} on.",
                    "Restore it from its source, or save it as UTF-8.",
                ) from error
    text, encoding = _decode_unmarked(data, _codec(declared))
    # The damaged bytes of UTF-8 were weighed already, and are no sign of a binary file.
    weighed = text.replace(_REPLACEMENT, "") if encoding.startswith(_DAMAGED_UTF8) else text
    _readable(weighed, data)
    return text, _public_name(encoding)


def _decode_unmarked(data: bytes, declared: str) -> tuple[str, str]:
    if (declared == "iso2022_jp" or _JAPANESE_SHIFT.search(data)) and (text := _try(data, "iso2022_jp")) is not None:
        return text, "iso2022_jp"
    # In UTF-16, plain text of some scripts is valid UTF-8 as well, but with control characters in it.
    utf8 = _try(data, "utf-8")
    if utf8 is not None and len(data.translate(None, _CONTROL_BYTES)) == len(data):
        return utf8, "utf-8"
    if utf8 is None and (ebcdic := decode_ebcdic(data)) is not None:
        return ebcdic, "cp037"
    if wide := decode_unmarked_wide(data):
        return wide
    if b"\x00" in data:
        data = _without_zeros(data)
        utf8 = _try(data, "utf-8")
    if utf8 is not None:
        return utf8, "utf-8"
    if declared and (text := _try(data, declared)) is not None:
        return text, declared
    if damaged := decode_damaged_utf8(data):
        return damaged.text, f"{_DAMAGED_UTF8}{damaged.replaced} undecodable replaced)"
    return _detected(data)


def _without_zeros(data: bytes) -> bytes:
    """Remove zero bytes from a text. Raises DocumentError if they show that the file is binary."""
    blocks = _ZERO_BLOCK.sub(b"", data)
    kept = blocks.replace(b"\x00", b"")
    if named_content(data) or len(blocks) - len(kept) > _MOST_ZEROS * len(blocks) or not kept:
        raise _binary(data, f"a zero byte at position {data.index(0):,}")
    return kept


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _codec(declared: str) -> str:
    """Return the codec of a declared encoding; "" for none, an unknown one, and encodings that are not candidates."""
    try:
        name = codecs.lookup(declared.strip()).name if declared.strip() else ""
    except (LookupError, ValueError, UnicodeError):
        return ""
    return _SUPERSETS.get(name, name) if name in _DECLARABLE else ""


def _detected(data: bytes) -> tuple[str, str]:
    found = detect_encodings(data)
    if found and (damaged := _slightly_damaged(data, found[0].codec)):
        return damaged
    for each in found:  # only a part of the file was judged, so an encoding may still fail for the whole text
        if (text := _try(data, each.codec)) is not None:
            return text, each.codec
    if len(data) - len(data.translate(None, _PLAIN)) < _LEAST_PLAIN * len(data):
        raise _binary(data, "its bytes are in no known text encoding")
    # The file mixes several encodings, as logs and mailboxes do; its plain ASCII words can still be read.
    text = data.decode("cp1252", "replace")
    return text, f"windows-1252 ({text.count(_REPLACEMENT)} undecodable replaced)"


def _slightly_damaged(data: bytes, codec: str) -> tuple[str, str] | None:
    """Decode a text in the most likely encoding if hardly any byte is not valid in it; None for none and for many."""
    text = data.decode(codec, "replace")
    replaced = text.count(_REPLACEMENT)
    if not replaced or _CHARACTERS_PER_DAMAGE * replaced > sum(1 for character in text if character >= "\x80"):
        return None
    return text, f"{_public_name(codec)} ({replaced} undecodable replaced)"


def _public_name(codec: str) -> str:
    for python, public in (("cp125", "windows-125"), ("iso8859", "iso-8859")):
        if codec.startswith(python):
            return public + codec.removeprefix(python).replace("_", "-")
    return {"cp932": "shift_jis", "cp949": "euc-kr", "cp950": "big5"}.get(codec, codec.replace("_", "-"))


def _readable(text: str, data: bytes) -> str:
    controls = len(text) - len(_CONTROL.sub("", text))
    if controls > max(2, _MOST_CONTROLS * len(text)):
        raise _binary(data, f"{controls:,} control or undecodable characters among {len(text):,}")
    return text


def _binary(data: bytes, evidence: str) -> DocumentError:
    name = named_content(data)
    if name:
        return DocumentError(
            f"the file is {name} by its content, not text ({evidence}).",
            "Give it the suffix of what it is, or remove it.",
        )
    return DocumentError(
        f"the file is binary, not text ({evidence}).", "Replace it by a text file, or list it in .seedbankignore."
    )
