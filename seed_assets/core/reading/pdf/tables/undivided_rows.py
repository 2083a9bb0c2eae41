"""Rows of a ruled table that have no lines between them: a cell of the grid then holds a column of values.

What belongs here: dividing such a row of the grid by the heights of its lines of text. What does not: the grid (grids), and
tables without any lines (aligned_tables).
"""

from collections.abc import Sequence

from seed_assets.core.reading.pdf.placing import PlacedText
from seed_assets.core.reading.pdf.tables.table_cells import cell_text
from seed_assets.core.reading.pdf.tables.table_likeness import is_numeric

# A cell of prose has several lines as well. Rows are only divided if there are so many, if nearly all of their cells are filled,
# those on the left in each, and if one column has numbers. Chosen by judgement.
_FEWEST_ROWS, _LEAST_FILLED = 3, 0.7
_SAME_HEIGHT = 0.5


def divided(page: PlacedText, row: Sequence[list[int]]) -> list[tuple[list[list[int]], float]]:
    """Return the rows that a row of a grid holds, each with where it ends below; [] if it is one row.

    row: the places of the characters of each of its cells.
    """
    lines = [_lines(page, cell) for cell in row]
    filled = [number for number, cell in enumerate(lines) if cell]
    heights = lines[filled[0]] if filled else []
    count = len(heights)
    if len(filled) < 2 or count < _FEWEST_ROWS or any(len(lines[number]) > count for number in filled):
        return []
    rows: list[list[list[int]]] = [[[] for _ in row] for _ in heights]
    for number in filled:
        if len(lines[number]) < _LEAST_FILLED * count:
            return []
        for places, middle, _, height in lines[number]:
            at = min(range(count), key=lambda each: abs(heights[each][1] - middle))
            if abs(heights[at][1] - middle) > _SAME_HEIGHT * max(height, heights[at][3]) or rows[at][number]:
                return []
            rows[at][number] = places
    columns = [[cell_text(page, each[number]) for each in rows] for number in filled]
    if not any(map(is_numeric, columns)):
        return []
    return [(each, bottom) for each, (_, _, bottom, _) in zip(rows, heights, strict=True)]


def _lines(page: PlacedText, cell: Sequence[int]) -> list[tuple[list[int], float, float, float]]:
    """Return (places, middle, bottom, height) of each line of a cell, from the top down as they are drawn."""
    found: list[tuple[list[int], float, float]] = []
    for place in cell:
        box = page.boxes[place]
        if box is None:
            continue
        if found and box.bottom < found[-1][2] and box.top > found[-1][1]:
            places, bottom, top = found[-1]
            places.append(place)
            found[-1] = places, min(bottom, box.bottom), max(top, box.top)
        else:
            found.append(([place], box.bottom, box.top))
    return [(places, (bottom + top) / 2, bottom, top - bottom) for places, bottom, top in found]
