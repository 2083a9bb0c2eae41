"""Lines that pdfium gives in another order than a reader's: from the bottom up, or vertical lines from left to right; and lines
that a program drew backwards.

What does not belong here: columns. A page whose lines are in order is not changed, and costs a look at a few characters.
"""

import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.annotations import Box
from seed_assets.core.reading.pdf.placing import PlacedText

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

# Of the lines that follow each other, most go the wrong way; a page has a headline or a footer besides. Chosen by judgement.
_MOST = 0.8
_FEWEST_LINES = 2
# Letters of Hebrew that have a form of their own at the end of a word.
_FINAL = "ךםןףץ"
_AT_START, _AT_END = re.compile(rf"\b[{_FINAL}]\w"), re.compile(rf"\w[{_FINAL}]\b")
# What is written from left to right inside a line from right to left: numbers and words of other scripts.
_LEFT_TO_RIGHT = re.compile(r"[A-Za-z0-9À-ɏ]+(?:[ .,:/%-]*[A-Za-z0-9À-ɏ]+)*%?")
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def may_be_out_of_order(page: "PdfTextPage") -> bool:
    """Whether the first line stands below the last one, or the page is written in columns of signs from left to right."""
    count = page.count_chars()
    first, last = _drawn_box(page, range(count)), _drawn_box(page, range(count - 1, -1, -1))
    if first is None or last is None:
        return False
    return first.bottom < last.bottom or (first.right < last.left and _begins_downwards(page))


def in_reading_order(page: PlacedText) -> PlacedText:
    """Return a page with its lines from the top down, and vertical lines from right to left, if most go the other way."""
    lines = _lines(page)
    boxes = [_first_box(page, start, end) for start, end in lines]
    vertical = sum(_is_vertical(page, start, end) for start, end in lines) > len(lines) / 2
    pairs = [(before, after) for before, after in pairwise(boxes) if before is not None and after is not None]
    if len(pairs) + 1 < _FEWEST_LINES:
        return page
    wrong = sum(before.left < after.left if vertical else before.bottom < after.bottom for before, after in pairs)
    if wrong < _MOST * len(pairs):
        return page
    text: list[str] = []
    places: list[Box | None] = []
    for start, end in reversed(lines):
        text.append(page.text[start:end])
        places += [*page.boxes[start:end], None]
    return PlacedText("\n".join(text), places[:-1])


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


def _begins_downwards(page: "PdfTextPage") -> bool:
    boxes = [box for number in range(min(page.count_chars(), 4)) if (box := _drawn_box(page, [number])) is not None]
    return len(boxes) > 2 and all(
        after.bottom < before.bottom and abs(after.left - before.left) < 2 for before, after in pairwise(boxes)
    )


def _drawn_box(page: "PdfTextPage", numbers: "range | list[int]") -> Box | None:
    """Return the box of the first character of these that is drawn."""
    from pypdfium2 import raw

    for number in numbers[:50]:
        if (
            not raw.FPDFText_IsGenerated(page.raw, number)
            and not chr(raw.FPDFText_GetUnicode(page.raw, number)).isspace()
        ):
            left, bottom, right, top = page.get_charbox(number)
            return Box(left, bottom, right, top)
    return None


def _lines(page: PlacedText) -> list[tuple[int, int]]:
    lines: list[tuple[int, int]] = []
    start = 0
    for text in page.text.split("\n"):
        lines.append((start, start + len(text)))
        start += len(text) + 1
    return lines


def _first_box(page: PlacedText, start: int, end: int) -> Box | None:
    return next((box for box in page.boxes[start:end] if box is not None), None)


def _is_vertical(page: PlacedText, start: int, end: int) -> bool:
    boxes = [box for box in page.boxes[start:end] if box is not None]
    return len(boxes) > 2 and boxes[0].left - boxes[1].left == 0 and boxes[1].bottom < boxes[0].bottom
