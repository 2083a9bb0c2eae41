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
    before: list[list[tuple[float, float]]] = []
    next_to = near = 0
    for gaps in _rows(rectangle_sides(text_page, range(count))):
        if gaps and len(gaps) < _MOST_GAPS:
            for start, end in gaps:
                shared = [any(min(end, to) - max(start, at) >= _LEAST_SHARED for at, to in row) for row in before]
                near = max(near, sum(shared) + 1)
                next_to = max(next_to, sum(shared[-_NEXT:]) + 1)
        before.append(gaps[:_MOST_GAPS])
        if len(before) >= _NEAR:
            del before[0]
    return next_to, near


# How wide the common part of two gaps is at least, in points.
_LEAST_SHARED = 4.0


def _rows(sides: Sequence[float]) -> list[list[tuple[float, float]]]:
    """Return the gaps of each row: where they begin and end."""
    rows: list[list[tuple[float, float]]] = []
    gaps: list[tuple[float, float]] = []
    before_right = begin = low = high = 0.0
    for left, top, right, bottom in zip(sides[0::4], sides[1::4], sides[2::4], sides[3::4], strict=True):
        if bottom < high and top > low and left >= begin:
            # Most pieces follow each other without a gap, so that little may be done for each.
            if left - before_right > _GAP_HEIGHTS * (top - bottom):
                height = max(top - bottom, high - low)
                if left - before_right > _GAP_HEIGHTS * height and before_right - begin > _MARK_HEIGHTS * height:
                    gaps.append((before_right, left))
        else:
            gaps = []
            rows.append(gaps)
            begin = left
        before_right, low, high = right, bottom, top
    return rows
