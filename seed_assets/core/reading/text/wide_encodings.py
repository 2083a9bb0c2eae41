"""Recognizing UTF-16 and UTF-32 without a byte order mark, in any script. What does not belong here: other encodings.

A text is decoded in each of the four ways, and the best one is taken if it looks like a text: letters of few scripts, spaces
and punctuation, and in Chinese, Japanese and Korean the characters that are in common use. Bytes of other encodings that are
read in this way give characters from all over Unicode.
"""

import codecs
import re
import unicodedata
from collections import Counter
from functools import lru_cache

_ENCODINGS = (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2))
# The numbers were chosen by judgement. So many bytes from the beginning decide.
_SAMPLE_BYTES = 16_384
# The least share of characters that fit, in a text; wrong readings of real texts have at most two thirds of this.
_LEAST_FITTING = 0.9
# In longer texts there are spaces and punctuation, and in words of Latin letters most have no accent.
_LONG, _LEAST_NEUTRAL, _ACCENTED_PER_PLAIN, _MOST_ACCENTED = 200, 0.01, 2, 0.2
# Words and sentences of a language are in one or two scripts.
_MOST_SCRIPTS = 2
# Fewer bytes without a zero or another control character may fit by chance.
_LEAST_BYTES = 16
_CONTROL_BYTE = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")
_BLANKS = frozenset("\t\n\r\x0c \ufeff")
_GROUPS = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK", "BOPOMOFO": "CJK"}
# The rows of the most frequent characters, as first bytes: level 1 of GB 2312, Big5 and JIS X 0208, and the syllables of
# KS X 1001.
_COMMON_ROWS = (
    ("gb2312", 0xB0, 0xD7),
    ("big5", 0xA4, 0xC6),
    ("euc_jp", 0xB0, 0xCF),
)
_COMMON_SYLLABLES = ("euc_kr", 0xB0, 0xC8)


def decode_unmarked_wide(data: bytes) -> tuple[str, str] | None:
    """Return (text, encoding) of UTF-16 or UTF-32 without a byte order mark; None for other bytes."""
    if len(data) < _LEAST_BYTES and not _CONTROL_BYTE.search(data):
        return None
    found = [
        (share, encoding)
        for encoding, width in _ENCODINGS
        if len(data) >= 2 * width and len(data) % width == 0
        if (share := _share_fitting(data[:_SAMPLE_BYTES], encoding)) >= _LEAST_FITTING
    ]
    # The first of equals is kept: UTF-32 before UTF-16.
    for _, encoding in sorted(found, key=lambda each: -each[0]):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None


def _share_fitting(sample: bytes, encoding: str) -> float:
    """Return which share of the characters could be those of a text; 0.0 if the bytes are not valid."""
    try:
        # The sample may end within a character.
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    if not text:
        return 0.0
    kinds = Counter(map(_kind, text))
    if len(text) > _LONG and kinds["neutral"] < _LEAST_NEUTRAL * len(text):
        return 0.0
    if kinds["LATIN"] > max(kinds["ascii"] * _ACCENTED_PER_PLAIN, _MOST_ACCENTED * len(text)):
        return 0.0
    kinds["LATIN"] += kinds.pop("ascii", 0)
    scripts = Counter({kind: count for kind, count in kinds.items() if kind.isupper()})
    letters = sum(count for _, count in scripts.most_common(_MOST_SCRIPTS))
    fitting = letters + kinds["neutral"] + kinds["mark"]
    # What no text has counts twice, since one of a hundred such characters is already too many.
    return (fitting - kinds["never"]) / len(text) if letters else 0.0


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """Return the script of a letter in upper case; "ascii", "mark", "neutral", "rare" or "never" for others."""
    if character in _BLANKS:
        return "neutral"
    if character < "\x80":
        return ("ascii" if character.isalpha() else "neutral") if character.isprintable() else "never"
    category = unicodedata.category(character)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return "never"
    script = unicodedata.name(character, "").partition(" ")[0]
    script = _GROUPS.get(script, script)
    if script == "COMBINING":
        return "mark"
    if category[0] in "LM":
        if script == "HANGUL":
            return "HANGUL" if _is_in(character, _COMMON_SYLLABLES) else "rare"
        if script == "CJK" and category == "Lo" and character >= "\u3400":
            return "CJK" if any(_is_in(character, rows) for rows in _COMMON_ROWS) else "rare"
        return script or "rare"
    # Signs of Latin-1, general punctuation, currencies, arrows, and punctuation of Chinese and Japanese.
    usual = character <= "\u00bf" or "\u2000" <= character <= "\u22ff" or "\u3000" <= character <= "\u3020"
    return "neutral" if usual or character >= "\ufe30" or category[0] == "P" or category == "Nd" else "rare"


def _is_in(character: str, rows: tuple[str, int, int]) -> bool:
    codec, first, last = rows
    try:
        encoded = character.encode(codec)
    except UnicodeEncodeError:
        return False
    return len(encoded) == 2 and first <= encoded[0] <= last
