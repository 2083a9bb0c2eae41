"""Columns of text that a program drew row by row: each line of the text layer then holds a line of every column.

What belongs here: finding such pages by the boxes of what is drawn, and putting their columns after each other. What does not:
tables, whose cells belong together row by row; and columns that are drawn one after the other, which are in order.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.pdfium_calls import address, text_rectangles
from seed_assets.core.reading.pdf.placing import PlacedText

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

# All numbers were chosen by judgement, on made-up pages of one to three columns, tables, and the PDF corpora of the benchmarks.
_FEWEST_LINES = 5
# A page has so many more pieces than lines if its lines are divided.
_PIECES_A_LINE = 1.5
_FIRST_PIECES = 60
# A gutter is wider than a blank between words, which is a quarter of the height of a line.
_GUTTER_HEIGHTS = 1.0
_MOST_COLUMNS = 4
# Prose fills its column: most of its pieces are nearly as wide as the widest. Cells of a table are not.
_FULL, _MOST_FULL = 0.6, 0.7
# The pieces of prose are lines of several words, and so much wider than high.
_WIDTH_HEIGHTS = 7.0
_SWITCHES = 0.6


def gutters(page: "PdfTextPage", count: int, lines: int) -> list[float]:
    """Return the middles of the gutters of a page whose columns are drawn row by row; [] for any other page.

    count: how many rectangles its text has. lines: how many lines.
    """
    if lines < _FEWEST_LINES or not _PIECES_A_LINE * lines <= count <= _MOST_COLUMNS * lines:
        return []
    # Most pages that have so many pieces are no such pages, which their first lines show already.
    text_page = address(page.raw)
    pieces = text_rectangles(text_page, range(min(count, _FIRST_PIECES)))
    if not _between_rows(pieces, _FEWEST_LINES // 2):
        return []
    pieces += text_rectangles(text_page, range(len(pieces), count))
    return _between_rows(pieces, _FEWEST_LINES)


def _between_rows(pieces: Sequence[Box], fewest: int) -> list[float]:
    """Return the middles of the gutters between pieces that follow each other row by row; [] if they do not.

    fewest: how many lines each column must have.
    """
    height = median(piece.top - piece.bottom for piece in pieces)
    left, right = min(piece.left for piece in pieces), max(piece.right for piece in pieces)
    narrow = [piece for piece in pieces if piece.right - piece.left < (right - left) / 2]
    found = _gaps(narrow, _GUTTER_HEIGHTS * height)
    if not 0 < len(found) < _MOST_COLUMNS:
        return []
    columns = [_column(piece, found) for piece in narrow]
    switches = sum(before != after for before, after in pairwise(columns))
    if switches < _SWITCHES * (len(columns) - 1):
        return []
    for number in range(len(found) + 1):
        own = [piece for piece, column in zip(narrow, columns, strict=True) if column == number]
        if len(own) < fewest or not _is_prose(own, height):
            return []
    return found


def in_columns(page: PlacedText, middles: Sequence[float]) -> PlacedText:
    """Return a page with its columns one after the other.

    A line that crosses a gutter divides what is above it from what is below it.
    """
    text: list[str] = []
    boxes: list[Box | None] = []
    waiting: list[list[tuple[int, int]]] = [[] for _ in range(len(middles) + 1)]

    def take(start: int, end: int) -> None:
        if text:
            text.append("\n")
            boxes.append(None)
        text.append(page.text[start:end])
        boxes.extend(page.boxes[start:end])

    def flush() -> None:
        for column in waiting:
            for start, end in column:
                take(start, end)
            column.clear()

    start = 0
    for line in page.text.split("\n"):
        end = start + len(line)
        pieces = _divided(page, start, end, middles)
        if pieces is None:
            flush()
            take(start, end)
        else:
            for column, first, last in pieces:
                waiting[column].append((first, last))
        start = end + 1
    flush()
    return PlacedText("".join(text), boxes)


def _gaps(pieces: Sequence[Box], narrowest: float) -> list[float]:
    """Return the middles of the vertical strips that no piece reaches into."""
    found: list[float] = []
    reached: float | None = None
    for piece in sorted(pieces, key=lambda piece: piece.left):
        if reached is not None and piece.left - reached >= narrowest:
            found.append((reached + piece.left) / 2)
        reached = piece.right if reached is None else max(reached, piece.right)
    return found


def _column(piece: Box, middles: Sequence[float]) -> int:
    return sum((piece.left + piece.right) / 2 > middle for middle in middles)


def _is_prose(pieces: Sequence[Box], height: float) -> bool:
    widths = [piece.right - piece.left for piece in pieces]
    widest = max(widths)
    full = sum(width >= _FULL * widest for width in widths)
    return widest >= _WIDTH_HEIGHTS * height and full >= _MOST_FULL * len(widths)


def _divided(page: PlacedText, start: int, end: int, middles: Sequence[float]) -> list[tuple[int, int, int]] | None:
    """Return (column, start, end) of each part of a line; None if a part crosses a gutter."""
    parts: list[tuple[int, int, int]] = []
    for place in range(start, end):
        box = page.boxes[place]
        if box is None or page.text[place].isspace():
            continue
        if any(box.left < middle < box.right for middle in middles):
            return None
        column = _column(box, middles)
        if parts and parts[-1][0] == column:
            parts[-1] = (column, parts[-1][1], place + 1)
        else:
            # A line whose words go on without a gap is one line, wherever its letters stand.
            before = page.boxes[parts[-1][2] - 1] if parts else None
            if before is not None and abs(box.left - before.right) < _GUTTER_HEIGHTS * (box.top - box.bottom):
                return None
            parts.append((column, place, place + 1))
    return parts
