"""The character sets of RTF, which are numbers of code pages and of Windows fonts, as Python's codecs.

What does not belong here: fonts whose characters are signs (docx.symbols).
"""

import codecs
from collections.abc import Mapping

SYMBOL = 2
"""The character set of fonts whose characters are signs."""

# The values of \fcharset (RTF specification 1.9.1, "Font Table"). Python has no codecs for the Japanese, Chinese and Korean sets
# of classic Mac OS, of which those of Windows are near relatives.
_OF_FONTS: Mapping[int, str] = {
    77: "mac_roman",
    78: "cp932",
    79: "cp949",
    80: "cp936",
    81: "cp950",
    83: "cp1255",
    84: "cp1256",
    85: "mac_greek",
    86: "mac_turkish",
    87: "cp874",
    88: "mac_latin2",
    89: "mac_cyrillic",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
_DECLARED: Mapping[str, str] = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
"""The control words that declare the character set of a file."""


def codec_of_font(number: int) -> str:
    """Return the codec of a font's character set; "" for the file's own one."""
    return _OF_FONTS.get(number, "")


def codec_of_word(word: str) -> str:
    """Return the codec that a control word declares for the file; "" for any other word."""
    return _DECLARED.get(word, "")


def codec_of_page(number: int) -> str:
    """Return the codec of a code page; "" if there is none."""
    name = {10000: "mac_roman", 936: "gb18030", 1361: "johab"}.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""
