"""Whether a page has rows of pieces of text with the same gaps between them, as tables have. Most pages have none, which is
found out from the rectangles of their text, since characters are many.

What does not belong here: finding tables (ruled_tables, aligned_tables).
"""

from collections.abc import Sequence

from seed_assets.core.reading.pdf.pdfium_calls import rectangle_sides

# All numbers were chosen by judgement. Rows are near each other if there are so many rows between them.
_NEXT, _NEAR = 2, 6
_MOST_RECTANGLES, _MOST_GAPS = 50_000, 60
_GAP_HEIGHTS = 0.9
# What stands on the left of a gap is wider than the mark of an item in a list.
_MARK_HEIGHTS = 1.2


def most_rows_with_a_gap(text_page: int, count: int) -> tuple[int, int]:
    """Return how many rows have a gap at the same place: of those next to each other, and of those near each other.

    count: how many rectangles the text has.
    """
    if count > _MOST_RECTANGLES:
        return 0, 0
    next_to = near = 0
    before: list[tuple[int, list[tuple[float, float]]]] = []
    for number, gaps in _rows_with_gaps(rectangle_sides(text_page, range(count))):
        while before and number - before[0][0] >= _NEAR:
            del before[0]
        if len(gaps) < _MOST_GAPS:
            for start, end in gaps:
                shared = [row for row, other in before if _shares(start, end, other)]
                near = max(near, len(shared) + 1)
                next_to = max(next_to, sum(number - row <= _NEXT for row in shared) + 1)
        before.append((number, gaps[:_MOST_GAPS]))
    return next_to, near


# How wide the common part of two gaps is at least, in points.
_LEAST_SHARED = 4.0


def _shares(start: float, end: float, gaps: Sequence[tuple[float, float]]) -> bool:
    return any(min(end, to) - max(start, at) >= _LEAST_SHARED for at, to in gaps)


def _rows_with_gaps(sides: Sequence[float]) -> list[tuple[int, list[tuple[float, float]]]]:
    """Return (number of the row, where its gaps begin and end) of each row that has some."""
    rows: list[tuple[int, list[tuple[float, float]]]] = []
    number = 0
    before_right = begin = low = high = 0.0
    for left, top, right, bottom in zip(sides[0::4], sides[1::4], sides[2::4], sides[3::4], strict=True):
        if bottom < high and top > low and left >= begin:
            # Most pieces follow each other without a gap, so that little may be done for each.
            if left - before_right > _GAP_HEIGHTS * (top - bottom):
                height = max(top - bottom, high - low)
                if left - before_right > _GAP_HEIGHTS * height and before_right - begin > _MARK_HEIGHTS * height:
                    if not rows or rows[-1][0] != number:
                        rows.append((number, []))
                    rows[-1][1].append((before_right, left))
        else:
            number += 1
            begin = left
        before_right, low, high = right, bottom, top
    return rows
