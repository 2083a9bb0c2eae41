"""Tables without lines between their cells: rows whose short cells stand below each other in columns.

What belongs here: finding runs of rows with the same columns. What does not: whether they are a table (table_likeness).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.placing import PlacedText
from seed_assets.core.reading.pdf.tables.table_cells import FoundTable, cell_text
from seed_assets.core.reading.pdf.tables.table_likeness import is_table

# All numbers were chosen by judgement. A gap between columns is wider than any blank between words, and rows that are farther
# from each other belong to different things.
_GAP_HEIGHTS, _ROW_HEIGHTS = 1.0, 4.0
_FEWEST_ROWS = 3
_NEAR_LINES = 6
# A page with more lines is no page of print.
_MOST_LINES = 2_000
# Letters such as "p" go so far below the others of their line.
_DESCENT = 0.35
# The box of a dash, a dot or a star is lower than so much of that of a line with letters.
_SIGN = 0.6
_CONTINUES = 0.8


@dataclass(slots=True)
class _Piece:
    """A part of a line without gaps: where it begins and ends, and the places of its characters."""

    left: float
    right: float
    places: list[int]


@dataclass(slots=True)
class _Line:
    """A line of a page, divided at its gaps."""

    pieces: list[_Piece]
    bottom: float
    top: float


def aligned_tables(page: PlacedText, apart_from: Sequence[FoundTable]) -> list[FoundTable]:
    """Return the tables without lines on a page.

    apart_from: tables that were found already, whose characters do not count.
    """
    taken = {place for found in apart_from for row in found.rows for cell in row for place in cell}
    lines = _rows(_lines(page, taken))
    if len(lines) > _MOST_LINES:
        return []
    tables: list[FoundTable] = []
    start = 0
    while start < len(lines):
        if len(lines[start].pieces) < 2:
            start += 1
            continue
        end, columns = _run(lines, start)
        found = _table(page, lines[start:end], columns) if end - start >= _FEWEST_ROWS else None
        if found is not None:
            tables.append(found)
            start = end
        else:
            # Steps that grow with the run keep the time of a page with thousands of rows short.
            start += max(1, (end - start) // 8)
    return tables


def _rows(lines: Iterable[_Line]) -> list[_Line]:
    """Put lines together that are at the same height, since a program may draw a table cell by cell."""
    rows: list[_Line] = []
    for line in lines:
        beside = next((row for row in rows[: -_NEAR_LINES - 1 : -1] if _is_beside(line, row)), None)
        if beside is None:
            rows.append(line)
        else:
            beside.pieces += line.pieces
            beside.bottom, beside.top = min(beside.bottom, line.bottom), max(beside.top, line.top)
    return rows


def _is_beside(line: _Line, row: _Line) -> bool:
    """Whether a line goes on with a row. Signs such as a dash stand at the middle of their row, which may begin with one."""
    low, high = sorted((line, row), key=lambda each: each.top - each.bottom)
    height = high.top - high.bottom
    is_same = abs(line.bottom - row.bottom) < _DESCENT * height
    is_sign = low.top - low.bottom < _SIGN * height and high.bottom <= low.bottom and low.top <= high.top
    return (is_same or is_sign) and line.pieces[0].left > row.pieces[-1].right


def _lines(page: PlacedText, taken: set[int]) -> Iterator[_Line]:
    start = 0
    for text in page.text.split("\n"):
        places = [
            place
            for place in range(start, start + len(text))
            if page.boxes[place] is not None and not page.text[place].isspace() and place not in taken
        ]
        start += len(text) + 1
        boxes = [box for place in places if (box := page.boxes[place]) is not None]
        if boxes:
            yield _line(places, boxes)


def _line(places: Sequence[int], boxes: Sequence[Box]) -> _Line:
    bottom, top = min(box.bottom for box in boxes), max(box.top for box in boxes)
    # Signs such as dots and strokes have low boxes, so that a line is measured as a whole.
    gap = _GAP_HEIGHTS * (top - bottom)
    pieces: list[_Piece] = []
    for place, box in zip(places, boxes, strict=True):
        if pieces and pieces[-1].left <= box.left < pieces[-1].right + gap:
            pieces[-1].places.append(place)
            pieces[-1].right = max(pieces[-1].right, box.right)
        else:
            pieces.append(_Piece(box.left, box.right, [place]))
    return _Line(sorted(pieces, key=lambda piece: piece.left), bottom, top)


def _run(lines: Sequence[_Line], start: int) -> tuple[int, list[tuple[float, float]]]:
    """Return (where the rows end that begin at a line and have common columns, the columns)."""
    columns = [(piece.left, piece.right) for piece in lines[start].pieces]
    height = lines[start].top - lines[start].bottom
    end = start + 1
    while end < len(lines):
        line = lines[end]
        gap = lines[end - 1].bottom - line.top
        if not -height < gap < _ROW_HEIGHTS * height or line.bottom >= lines[end - 1].bottom:
            break
        joined = _merged([*columns, *((piece.left, piece.right) for piece in line.pieces)], _GAP_HEIGHTS * height)
        if len(joined) < max(2, len(columns)) or len({_column(piece, joined) for piece in line.pieces}) < len(
            line.pieces
        ):
            break
        if len(line.pieces) == 1 and (len(joined) > len(columns) or _column(line.pieces[0], joined) == 0):
            break  # it begins something else
        columns = joined
        end += 1
    while end > start and len(lines[end - 1].pieces) < 2 and not _is_close(lines, end - 1):
        end -= 1
    return end, columns


def _is_close(lines: Sequence[_Line], number: int) -> bool:
    return lines[number - 1].bottom - lines[number].top < lines[number].top - lines[number].bottom


def _merged(spans: list[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for left, right in sorted(spans):
        if found and left < found[-1][1] + gap:
            found[-1] = found[-1][0], max(found[-1][1], right)
        else:
            found.append((left, right))
    return found


def _column(piece: _Piece, columns: Sequence[tuple[float, float]]) -> int:
    return sum(left <= piece.left for left, _ in columns) - 1


def _table(page: PlacedText, lines: Sequence[_Line], columns: Sequence[tuple[float, float]]) -> FoundTable | None:
    rows: list[list[list[int]]] = []
    lefts: list[list[float]] = [[] for _ in columns]
    distances = [one.bottom - other.bottom for one, other in pairwise(lines)]
    usual = median(distances)
    ends: list[float] = []
    for number, line in enumerate(lines):
        numbers = [_column(piece, columns) for piece in line.pieces]
        continues = (
            number > 0 and 0 not in numbers and _continues(page, line, rows[-1], numbers, distances[number - 1] / usual)
        )
        if not continues:
            rows.append([[] for _ in columns])
            ends.append(line.bottom)
        ends[-1] = line.bottom
        for column, piece in zip(numbers, line.pieces, strict=True):
            rows[-1][column] += piece.places
            if not continues:
                lefts[column].append(piece.left)
    texts = [[cell_text(page, cell) for cell in row] for row in rows]
    if not is_table(texts, lefts):
        return None
    box = Box(columns[0][0], lines[-1].bottom, columns[-1][1], lines[0].top)
    return FoundTable(rows, tuple(left for left, _ in columns), box, tuple(ends))


def _continues(page: PlacedText, line: _Line, row: list[list[int]], columns: Sequence[int], distance: float) -> bool:
    """Whether a line without a first cell goes on with the cells of the row above it."""
    if any(not row[column] for column in columns):
        return False
    return distance < _CONTINUES or all(page.text[piece.places[0]].islower() for piece in line.pieces)
