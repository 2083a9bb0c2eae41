"""Signs around words, such as *this*: taking them away where a markup language takes them for emphasis.

What does not belong here: which signs a language has.
"""

from bisect import bisect_right
from collections.abc import Callable
from re import Pattern
from typing import NamedTuple


class Marks(NamedTuple):
    """The signs of a language.

    pattern: finds each sign. A sign of one character must stand at the edges of words, one of several may stand anywhere.
    literal: signs between which nothing is changed.
    may_precede, may_follow: whether a character ("" at the ends of the text) may stand outside of a sign at the edge of words.
    """

    pattern: Pattern[str]
    literal: frozenset[str]
    may_precede: Callable[[str], bool]
    may_follow: Callable[[str], bool]


class _Sign(NamedTuple):
    start: int
    end: int
    sign: str
    opens: bool
    closes: bool


def without_marks_of_emphasis(text: str, marks: Marks) -> str:
    """Return the text without the signs that stand around words; signs without a partner stay."""
    signs = [_sign(text, found.start(), found[0], marks) for found in marks.pattern.finditer(text)]
    if len(signs) < 2:
        return text
    removed = _pairs(signs, marks.literal)
    pieces: list[str] = []
    place = 0
    for number, sign in enumerate(signs):
        if number in removed:
            pieces.append(text[place : sign.start])
            place = sign.end
    return "".join([*pieces, text[place:]])


def with_literals_put_aside(text: str, marks: Marks, put: Callable[[str], str]) -> str:
    """Return the text with what stands between literal signs put aside, and without these signs.

    marks: all of its signs are literal. put: returns what stands in the place of a piece.
    """
    signs = [_sign(text, found.start(), found[0], marks) for found in marks.pattern.finditer(text)]
    numbers = sorted(_pairs(signs, marks.literal))
    pieces: list[str] = []
    place = 0
    for first, last in zip(numbers[::2], numbers[1::2], strict=True):
        pieces += (text[place : signs[first].start], put(text[signs[first].end : signs[last].start]))
        place = signs[last].end
    return "".join([*pieces, text[place:]])


def _sign(text: str, start: int, sign: str, marks: Marks) -> _Sign:
    end = start + len(sign)
    before, after = text[start - 1 : start], text[end : end + 1]
    if len(sign) > 1:
        return _Sign(start, end, sign, bool(after) and not after.isspace(), bool(before) and not before.isspace())
    opens = bool(after) and not after.isspace() and marks.may_precede(before)
    closes = bool(before) and not before.isspace() and marks.may_follow(after)
    return _Sign(start, end, sign, opens, closes)


def _pairs(signs: list[_Sign], literal: frozenset[str]) -> set[int]:
    """Return the numbers of the signs that have a partner."""
    closing: dict[str, list[int]] = {}
    for number, sign in enumerate(signs):
        if sign.closes:
            closing.setdefault(sign.sign, []).append(number)
    removed: set[int] = set()
    opened: dict[str, int] = {}
    number = 0
    while number < len(signs):
        sign = signs[number]
        before = opened.get(sign.sign)
        # Something stands between the two.
        if sign.closes and before is not None and sign.start > signs[before].end:
            removed |= {before, number}
            opened = {each: place for each, place in opened.items() if place < before}
        elif sign.opens and sign.sign in literal:
            ends = closing.get(sign.sign, [])
            at = bisect_right(ends, number)
            while at < len(ends) and signs[ends[at]].start <= sign.end:
                at += 1
            if at < len(ends):
                removed |= {number, ends[at]}
                number = ends[at]
        elif sign.opens:
            opened[sign.sign] = number
        number += 1
    return removed
