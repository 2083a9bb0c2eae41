"""Detecting the encoding of a text whose file does not say it, by what the decoded text looks like.

What belongs here: weighing the encodings that chardet finds possible. What does not: the likeness itself
(language_likeness), Unicode, declared encodings and refusals (text_decoding).

chardet compares pairs of bytes with those of 49 languages. It knows neither words nor alphabets, so its confidence is
multiplied by how well the decoded text keeps to the letters of one language, and to where letters and signs can stand. The
weights were chosen on texts in 45 languages and their usual encodings, whole and in pieces of four words.
"""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

from seed_assets.core.reading.text.language_likeness import has_only_signs, language_likeness

# chardet's name of an encoding -> the codecs that decode it, the more usual one first, and the weight of its confidence.
# Where two give the same text, the one that is listed first is named.
_CANDIDATES = {
    "cp1252": (("cp1252",), 1.0),
    "cp1250": (("cp1250",), 1.0),
    "cp1251": (("cp1251",), 1.0),
    "cp1253": (("cp1253",), 1.0),
    "cp1254": (("cp1254",), 1.0),
    "cp1255": (("cp1255",), 1.0),
    "cp1256": (("cp1256",), 1.0),
    "cp1257": (("cp1257",), 1.0),
    "cp1258": (("cp1258",), 0.9),
    "cp874": (("cp874",), 1.0),
    "cp932": (("cp932",), 1.0),
    "euc_jis_2004": (("euc_jp", "euc_jis_2004"), 1.0),
    "shift_jis_2004": (("shift_jis_2004",), 0.98),
    "gb18030": (("gb18030",), 1.0),
    "big5hkscs": (("cp950", "big5hkscs"), 1.0),
    "cp949": (("cp949",), 1.0),
    "koi8-r": (("koi8_r",), 1.0),
    "koi8-u": (("koi8_u",), 1.0),
    "iso8859-2": (("iso8859_2",), 0.97),
    "iso8859-5": (("iso8859_5",), 1.0),
    "iso8859-6": (("iso8859_6",), 0.97),
    "iso8859-7": (("iso8859_7",), 0.97),
    "iso8859-8": (("iso8859_8",), 0.97),
    "iso8859-9": (("iso8859_9",), 0.97),
    "iso8859-13": (("iso8859_13",), 0.97),
    "iso8859-15": (("iso8859_15",), 0.96),
    "iso8859-16": (("iso8859_16",), 0.7),
    "cp866": (("cp866",), 1.0),
    "mac-cyrillic": (("mac_cyrillic",), 0.99),
    "mac-roman": (("mac_roman",), 0.8),
    "cp850": (("cp850",), 0.8),
    "cp852": (("cp852",), 0.8),
    "cp437": (("cp437",), 0.7),
}
CODECS = tuple(codec for usual, _ in _CANDIDATES.values() for codec in usual)
"""The codecs that may be found."""

_WESTERN = "cp1252"
# For a text that is decoded without a flaw, it is more likely than others in two cases: if the text has fewer bytes beyond ASCII
# than this, and if chardet is so little confident in all encodings that it does not know the language.
_FAULTLESS = 0.95
_FEW, _FEW_WEIGHT = 4, 1.1
_UNKNOWN_LANGUAGE, _UNKNOWN_WEIGHT = 0.08, 1.8
# chardet compares letters. Where a text has only signs beyond ASCII, such as quotation marks, these encodings are usual.
_WITH_SIGNS = ("cp1252", "iso8859-15")
# An encoding with less than this share of the highest confidence is not considered.
_LEAST_SHARE = 0.2
# The bytes that the code pages of Windows for Latin, Greek and Cyrillic letters leave undefined, how many others there must be
# for each, and how much higher a score must be without them.
_UNDEFINED, _BYTES_PER_DAMAGE, _CLEARLY_BETTER = b"\x81\x83\x88\x8d\x8f\x90\x98\x9d\xff", 20, 2
_JUDGED_BYTES = 65_536
_AROUND = 1_000
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# Where a piece may end: bytes that are never the second byte of a character.
_BORDER = re.compile(rb"[\x00-\x2f]")


class Detected(NamedTuple):
    """An encoding that may be the one of a file. score: the higher, the more likely."""

    codec: str
    score: float


def detect_encodings(data: bytes) -> list[Detected]:
    """Return the encodings that may be the one of a text that is not Unicode, the most likely one first."""
    # Escape sequences of terminals would be taken for those of another kind of encodings.
    judged = _judged(data).replace(b"\x1b", b"")
    found = _ranked(judged)
    # A byte that the right encoding does not have makes it impossible; without the few bytes that may be damaged it shows.
    sound = judged.translate(None, _UNDEFINED)
    if 0 < (len(judged) - len(sound)) * _BYTES_PER_DAMAGE < _count_beyond_ascii(judged):
        repaired = _ranked(sound)
        if repaired and (not found or repaired[0].score > _CLEARLY_BETTER * found[0].score):
            return repaired
    return found


def _ranked(judged: bytes) -> list[Detected]:
    from chardet import detect_all

    beyond_ascii = _count_beyond_ascii(judged)
    if not beyond_ascii:
        return []
    found = detect_all(judged, ignore_threshold=True, include_encodings=_CANDIDATES, compat_names=False)
    confidences = {each["encoding"]: each["confidence"] for each in found if each["encoding"] in _CANDIDATES}
    highest = max(confidences.values(), default=0.0)
    texts: dict[str, Detected] = {}
    for name, (usual, weight) in _CANDIDATES.items():
        confidence = confidences.get(name, 0.0)
        if name not in _WITH_SIGNS and (not confidence or confidence < _LEAST_SHARE * highest):
            continue
        decoded = next(((codec, text) for codec in usual if (text := _beginning(judged, codec)) is not None), None)
        if decoded is None:
            continue
        codec, text = decoded
        likeness = language_likeness(text, codec)
        if name == _WESTERN and likeness > _FAULTLESS:
            weight *= _FEW_WEIGHT if beyond_ascii < _FEW else 1.0
            weight *= _UNKNOWN_WEIGHT if highest < _UNKNOWN_LANGUAGE else 1.0
        if name in _WITH_SIGNS and likeness > _FAULTLESS and has_only_signs(text):
            confidence = 1.0
        score = confidence * weight * likeness
        before = texts.setdefault(text, Detected(codec, score))
        texts[text] = Detected(before.codec, max(before.score, score))
    return sorted(texts.values(), key=lambda each: -each.score)


def _count_beyond_ascii(data: bytes) -> int:
    return sum(1 for _ in _BEYOND_ASCII.finditer(data))


def _judged(data: bytes) -> bytes:
    """Return the parts of lines around bytes beyond ASCII, at most 64 KB; the rest is the same in most encodings."""
    return b"".join(_pieces(data))[:_JUDGED_BYTES]


def _pieces(data: bytes) -> Iterator[bytes]:
    end = collected = 0
    while collected < _JUDGED_BYTES and (first := _BEYOND_ASCII.search(data, end)):
        earliest = max(end, first.start() - _AROUND)
        start = max(earliest, data.rfind(b"\n", earliest, first.start()) + 1)
        border = _BORDER.search(data, first.start() + _AROUND, first.start() + 2 * _AROUND)
        latest = border.start() if border else first.start() + 2 * _AROUND
        line_end = data.find(b"\n", first.start(), latest)
        end = line_end + 1 if line_end >= 0 else latest
        collected += end - start
        yield data[start:end]


def _beginning(judged: bytes, codec: str) -> str | None:
    """Return the decoded text, which may end within a character; None if it is not valid."""
    try:
        return codecs.getincrementaldecoder(codec)().decode(judged)
    except UnicodeDecodeError:
        return None
