"""The text of a document in parts that a browser can show, with its pages and one marked place.

What belongs here: where parts begin and of which pieces they consist. What does not: how they look (templates).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# A browser shows a part of this size at once, on a phone too (a judgement).
PART_CHARACTERS = 20_000


class Piece(NamedTuple):
    """A piece of a text. page: the number of the page that begins with it, from 1; 0 if none does. marked: whether it belongs
    to the marked place. first: whether it is the beginning of that place."""

    text: str
    page: int = 0
    marked: bool = False
    first: bool = False


def part_starts(text: str, page_starts: Sequence[int], characters: int = PART_CHARACTERS) -> list[int]:
    """The offsets at which the parts of a text begin: at the beginning of a page or a paragraph where that is possible.

    page_starts: the offsets at which its pages begin, ascending; empty without pages. characters: the size of a part; one is
    larger by at most half. There is at least one part.
    """
    starts = [0]
    while len(text) - starts[-1] > characters + characters // 2:
        wanted = starts[-1] + characters
        starts.append(_cut(text, page_starts, wanted - characters // 2, wanted + characters // 2))
    return starts


def _cut(text: str, page_starts: Sequence[int], lowest: int, highest: int) -> int:
    """The best place to cut a text, between two offsets."""
    at = bisect_right(page_starts, highest) - 1
    if at >= 0 and page_starts[at] > lowest:
        return page_starts[at]
    for end in ("\n\n", "\n", ". ", " "):
        found = text.rfind(end, lowest, highest)
        if found >= 0:
            return found + len(end)
    return highest


def pieces(text: str, page_starts: Sequence[int], start: int, end: int, mark: tuple[int, int]) -> list[Piece]:
    """The pieces of the text from `start` to `end`. mark: the marked place, as offsets in the whole text; (0, 0) for none."""
    first, last = max(mark[0], start), min(mark[1], end)
    cuts = {start, end, *page_starts[bisect_left(page_starts, start) : bisect_left(page_starts, end)]}
    if first < last:
        cuts |= {first, last}
    pages = {at: number for number, at in enumerate(page_starts, 1)}
    places = sorted(cuts)
    return [
        Piece(text[one:next_one], pages.get(one, 0), first <= one < last, one == first < last)
        for one, next_one in pairwise(places)
    ]


def page_at(page_starts: Sequence[int], offset: int) -> int:
    """The number of the page on which a place is, from 1; 0 without pages."""
    return bisect_right(page_starts, offset)
