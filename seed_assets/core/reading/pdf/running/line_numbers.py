"""Numbers at the beginning and the end of a line, which may be that of its page.

What does not belong here: whether they are (running_lines).
"""

import re
from typing import NamedTuple

# What stands around the number of a page: "- 3 -", "Page 3 of 9", "iv", "12 | Title", "Title 13".
_FIRST = re.compile(r"\W*(?:(?:page|seite|página|pagina|p\.|s\.)\s*)?(\d{1,5}|[ivxlcdm]{1,8})(?=$|\W)", re.IGNORECASE)
_LAST = re.compile(
    r"(?<![\w.,])(\d{1,5}|[ivxlcdm]{1,8})(?:\s*(?:/|of|von|sur|de|di)\s*\d{1,5})?\W*$",
    re.IGNORECASE,
)
# The number stands among so many characters of its end of the line.
_END_CHARACTERS = 24
# Most lines neither begin nor end in one of these. What may follow a number besides is not a letter.
_STARTS = frozenset("0123456789ivxlcdmIVXLCDMpPsS-–—([|•·*~#/")
_ENDS = frozenset("0123456789ivxlcdmIVXLCDM")
_BEHIND = " .-–—)]|•·*~/"
_ROMAN = re.compile(r"m{0,3}(?:c[md]|d?c{0,3})(?:x[cl]|l?x{0,3})(?:i[xv]|v?i{0,3})", re.IGNORECASE)
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


class Number(NamedTuple):
    """A number in a line: where it begins and ends, and its value."""

    start: int
    end: int
    value: int
    is_roman: bool


def numbers_in(line: str) -> list[Number]:
    """Return the numbers at the ends of a line, in order."""
    if line[0] not in _STARTS and line.rstrip(_BEHIND)[-1:] not in _ENDS:
        return []
    matches = (_FIRST.match(line[:_END_CHARACTERS]), _LAST.search(line, max(0, len(line) - _END_CHARACTERS)))
    found: list[Number] = []
    for start, end in sorted({match.span(1) for match in matches if match}):
        written = line[start:end]
        if written.isdecimal():
            found.append(Number(start, end, int(written), is_roman=False))
        elif is_roman(written):
            found.append(Number(start, end, _roman(written), is_roman=True))
    return found


def is_roman(text: str) -> bool:
    """Whether a text is a Roman number, all in lower case or all in upper case."""
    return bool(text) and (text.islower() or text.isupper()) and _ROMAN.fullmatch(text) is not None


def _roman(written: str) -> int:
    values = [_ROMAN_DIGITS[letter] for letter in written.casefold()]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
