"""Lines that pdfium gives in another order than a reader's: from the bottom up, or vertical lines from left to right; and lines
that a program drew backwards.

What does not belong here: columns. A page whose lines are in order is not changed, and costs a look at the first characters of
its lines at most.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.characters import PageCharacters
from seed_assets.core.reading.pdf.placing import PlacedText

# Of the lines that follow each other, most go the wrong way; a page has a headline or a footer besides. Chosen by judgement.
_MOST = 0.8
_FEWEST_LINES = 2
# The first and the last character that is drawn are among so many at the ends of a page. Chosen by judgement.
_FARTHEST_DRAWN = 50
# Signs stand below each other if they begin so close to each other, in points.
_SAME_COLUMN = 2
# Letters of Hebrew that have a form of their own at the end of a word.
_FINAL = "ךםןףץ"
_AT_START, _AT_END = re.compile(rf"\b[{_FINAL}]\w"), re.compile(rf"\w[{_FINAL}]\b")
# What is written from left to right inside a line from right to left: numbers and words of other scripts.
_LEFT_TO_RIGHT = re.compile(r"[A-Za-z0-9À-ɏ]+(?:[ .,:/%-]*[A-Za-z0-9À-ɏ]+)*%?")
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def is_out_of_order(page: PageCharacters) -> bool:
    """Whether most lines stand below the line after them, or to the left of it if the page is written downwards."""
    before, count = len(page.text) - len(page.text.lstrip()), len(page.text.rstrip())
    if before >= count or before >= _FARTHEST_DRAWN or len(page.text) - count >= _FARTHEST_DRAWN:
        return False
    first, second, last = page.drawn_boxes([before, min(before + 1, count - 1), count - 1])
    may_go_down = first.right < last.left and abs(second.left - first.left) < _SAME_COLUMN
    if first.bottom >= last.bottom and not (may_go_down and _begins_downwards(page)):
        return False
    return _go_the_other_way([_first_boxes(page, start, end) for start, end in _lines(page.text)])


def in_reading_order(page: PlacedText) -> PlacedText:
    """Return a page with its lines from the top down, and vertical lines from right to left, if most go the other way."""
    lines = _lines(page.text)
    if not _go_the_other_way([[box for box in page.boxes[start:end] if box is not None] for start, end in lines]):
        return page
    text: list[str] = []
    places: list[Box | None] = []
    for start, end in reversed(lines):
        text.append(page.text[start:end])
        places += [*page.boxes[start:end], None]
    return PlacedText("\n".join(text), places[:-1])


def _go_the_other_way(lines: Sequence[Sequence[Box]]) -> bool:
    """Whether lines go from the bottom up, or vertical lines from left to right.

    lines: the boxes of the characters of each line, at least of the first three.
    """
    vertical = sum(map(_is_vertical, lines)) > len(lines) / 2
    pairs = [(before[0], after[0]) for before, after in pairwise(lines) if before and after]
    if len(pairs) + 1 < _FEWEST_LINES:
        return False
    wrong = sum(before.left < after.left if vertical else before.bottom < after.bottom for before, after in pairs)
    return wrong >= _MOST * len(pairs)


def _first_boxes(page: PageCharacters, start: int, end: int) -> list[Box]:
    """Return the boxes of the first characters of a line: of three or more, if it has so many."""
    for stop in (start + 5, end):
        boxes = [box for box in page.boxes(range(start, min(stop, end))) if box is not None]
        if len(boxes) > 2:
            break
    return boxes


def drawn_backwards(text: str) -> bool:
    """Whether Hebrew stands from left to right: its words begin with the letters that only end words."""
    if not any(letter in text for letter in _FINAL):
        return False
    starts, ends = len(_AT_START.findall(text)), len(_AT_END.findall(text))
    return starts > 2 * ends


def turned_around(text: str) -> str:
    """Return each line from right to left, with numbers and words of other scripts as they are."""
    return "\n".join(_turned(line) if any(map(_is_right_to_left, line)) else line for line in text.split("\n"))


def _turned(line: str) -> str:
    turned = line[::-1].translate(_MIRRORED)
    return _LEFT_TO_RIGHT.sub(lambda found: found[0][::-1], turned)


def _is_right_to_left(character: str) -> bool:
    return unicodedata.bidirectional(character) == "R"


def _begins_downwards(page: PageCharacters) -> bool:
    boxes = page.drawn_boxes([number for number, character in enumerate(page.text[:4]) if not character.isspace()])
    return len(boxes) > 2 and all(
        after.bottom < before.bottom and abs(after.left - before.left) < _SAME_COLUMN
        for before, after in pairwise(boxes)
    )


def _lines(text: str) -> list[tuple[int, int]]:
    """Return where each line begins and ends, without the carriage return at its end."""
    lines: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        lines.append((start, start + len(line.removesuffix("\r"))))
        start += len(line) + 1
    return lines


def _is_vertical(boxes: Sequence[Box]) -> bool:
    return len(boxes) > 2 and boxes[0].left - boxes[1].left == 0 and boxes[1].bottom < boxes[0].bottom
