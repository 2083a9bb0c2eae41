"""Detecting the encoding of a text file and decoding it. What does not belong here: the meaning of the text (titles, markup).

These are tried in order: a byte order mark, UTF-16 without a mark (by the places of its zero bytes), ISO-2022-JP, valid
UTF-8, the encoding that the file declares, UTF-8 with a few damaged bytes, detection by charset-normalizer, and Windows-1252
if nearly all bytes are plain ASCII.
"""

import codecs
import re

from resources.errors import DocumentError
from seed_assets.core.reading.file_signatures import named_content

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The usual encodings of files. charset-normalizer knows rarer ones, but finds them only by mistake in very short texts.
# fmt: off
_CANDIDATES = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "iso8859_2",
    "iso8859_5", "iso8859_7", "iso8859_9", "koi8_r", "koi8_u", "cp866", "cp437", "cp850", "mac_roman", "cp932",
    "euc_jp", "iso2022_jp", "gb18030", "big5", "cp949", "cp874",
]
# fmt: on
# Declared encodings are read as these supersets, as in the WHATWG Encoding Standard.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
}
_DECLARABLE = frozenset(codecs.lookup(name).name for name in [*_CANDIDATES, *_SUPERSETS, "iso8859_8", "iso8859_15"])
# ISO-2022-JP is also valid UTF-8; it is recognized by its escape sequences into the Japanese set and back.
_JAPANESE_SHIFT = re.compile(rb"\x1b\$[@B](?:[!-~]{2})+\x1b\([BJ]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
# The numbers below were chosen by judgement. A text with a larger share of control characters is binary.
_MOST_CONTROLS = 0.02
_REPLACEMENT = "\ufffd"
_PLAIN = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
# Windows-1252 is the last resort only if at least this share of the bytes is plain ASCII.
_LEAST_PLAIN = 0.9
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_SAMPLE_BYTES = 65_536


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
    return _readable(text, data), _public_name(encoding)


def _decode_unmarked(data: bytes, declared: str) -> tuple[str, str]:
    if wide := _utf16_without_mark(data):
        return wide
    if b"\x00" in data:
        raise _binary(data, f"a zero byte at position {data.index(0):,}")
    if (declared == "iso2022_jp" or _JAPANESE_SHIFT.search(data)) and (text := _try(data, "iso2022_jp")) is not None:
        return text, "iso2022_jp"
    if (text := _try(data, "utf-8")) is not None:
        return text, "utf-8"
    if declared and (text := _try(data, declared)) is not None:
        return text, declared
    return _damaged_utf8(data) or _detected(data)


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


def _utf16_without_mark(data: bytes) -> tuple[str, str] | None:
    """Decode UTF-16 without a mark; Latin text in it has a zero in nearly every second byte. None for other bytes."""
    sample = data[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if len(data) % 2 or half < 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > 0.4 * half and others < 0.02 * half and (text := _try(data, encoding)) is not None:
            return text, encoding
    return None


def _damaged_utf8(data: bytes) -> tuple[str, str] | None:
    """Decode UTF-8 with a few damaged bytes, which would otherwise be read in an encoding that garbles every accent."""
    text = data.decode("utf-8", "replace")
    replaced = text.count(_REPLACEMENT) - data.count(_REPLACEMENT.encode())
    if sum(1 for _ in _MULTIBYTE.finditer(data)) < 20 * replaced:
        return None
    return text, f"utf-8 ({replaced} undecodable replaced)"


def _detected(data: bytes) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    matches = list(from_bytes(data, cp_isolation=_CANDIDATES))
    if matches:
        best = matches[0]
        # Western European is by far the most frequent encoding, and a short text in it fits others equally well.
        western = from_bytes(data, cp_isolation=["cp1252"]).best()
        if western and western.chaos <= best.chaos + 0.06 and western.coherence >= best.coherence - 0.05:
            matches.insert(0, western)
    for match in matches:  # charset-normalizer reads samples only, so an encoding may still fail for the whole text
        if (text := _try(data, match.encoding)) is not None:
            return text, match.encoding
    if len(data) - len(data.translate(None, _PLAIN)) < _LEAST_PLAIN * len(data):
        raise _binary(data, "its bytes are in no known text encoding")
    # The file mixes several encodings, as logs and mailboxes do; its plain ASCII words can still be read.
    text = data.decode("cp1252", "replace")
    return text, f"windows-1252 ({text.count(_REPLACEMENT)} undecodable replaced)"


def _public_name(codec: str) -> str:
    for python, public in (("cp125", "windows-125"), ("iso8859", "iso-8859")):
        if codec.startswith(python):
            return public + codec.removeprefix(python).replace("_", "-")
    return {"cp932": "shift_jis", "cp949": "euc-kr"}.get(codec, codec.replace("_", "-"))


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
