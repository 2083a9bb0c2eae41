"""Tables whose cells are divided by lines, or by the edges of their backgrounds.

What belongs here: which characters of a page stand in which cell of a grid, and whether that is a table. What does not: finding
the grid (grids).
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.placing import PlacedText
from seed_assets.core.reading.pdf.tables.grids import Grid
from seed_assets.core.reading.pdf.tables.table_cells import FoundTable, cell_text
from seed_assets.core.reading.pdf.tables.table_likeness import is_filled_grid
from seed_assets.core.reading.pdf.tables.undivided_rows import divided

# All numbers were chosen by judgement. A grid whose lines go through words is none, and one with long texts is a layout.
_MOST_CROSSING, _MOST_CUT_WORDS = 0.03, 0.01
_LONGEST_CELL = 1_500
_OUTSIDE = (-1, -1)
_TOUCHES = 1.0


def ruled_table(page: PlacedText, grid: Grid) -> FoundTable | None:
    """Return the table in a grid; None if it is none."""
    width = len(grid.columns) - 1
    falling, around = [-at for at in grid.rows], grid.box
    rows: list[list[list[int]]] = [[[] for _ in range(width)] for _ in range(len(grid.rows) - 1)]
    crossing = seen = cut = left = 0
    last: tuple[int, tuple[int, int]] | None = None
    for place, box in enumerate(page.boxes):
        if box is None or page.text[place].isspace():
            continue
        if not _is_inside(box, around):
            left += last is not None and last[0] == place - 1 and last[1] != _OUTSIDE
            last = place, _OUTSIDE
            continue
        seen += 1
        column = bisect_right(grid.columns, (box.left + box.right) / 2) - 1
        row = bisect_right(falling, -(box.bottom + box.top) / 2) - 1
        if not (0 <= column < width and 0 <= row < len(rows)):
            continue
        row, column = grid.merged[row, column]
        rows[row][column].append(place)
        crossing += _crosses(box, grid, row, column)
        if last is not None and last[0] == place - 1 and last[1] != (row, column):
            cut += 1
            left += last[1] == _OUTSIDE
        last = place, (row, column)
    if not seen or crossing > _MOST_CROSSING * seen or cut > max(1, _MOST_CUT_WORDS * seen) or left > 1:
        return None
    if not _is_table(rows):
        return None
    found = _without_empty(page, rows, grid)
    return found if is_filled_grid([[cell_text(page, cell) for cell in row] for row in found.rows]) else None


def _is_inside(box: Box, around: Box) -> bool:
    across, up = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    return around.left <= across <= around.right and around.bottom <= up <= around.top


def _crosses(box: Box, grid: Grid, row: int, column: int) -> bool:
    """Whether a character goes over the line on its left or right, where there is one."""
    left = grid.columns[column]
    after = column + 1
    while after < len(grid.columns) - 1 and grid.merged[row, after] == (row, column):
        after += 1
    return box.left < left - _TOUCHES or box.right > grid.columns[after] + _TOUCHES


def _is_table(rows: Sequence[Sequence[Sequence[int]]]) -> bool:
    filled = [[bool(cell) for cell in row] for row in rows]
    in_rows = sum(sum(row) > 1 for row in filled)
    in_columns = sum(sum(column) > 1 for column in zip(*filled, strict=True))
    longest = max(len(cell) for row in rows for cell in row)
    return in_rows > 1 and in_columns > 1 and longest <= _LONGEST_CELL


def _without_empty(page: PlacedText, rows: list[list[list[int]]], grid: Grid) -> FoundTable:
    """Leave out rows and columns of which nothing is filled, as those between two lines that are close, and divide others."""
    kept = [number for number in range(len(grid.columns) - 1) if any(row[number] for row in rows)]
    found: list[list[list[int]]] = []
    ends: list[float] = []
    for (_, bottom), row in zip(pairwise(grid.rows), rows, strict=True):
        if any(row):
            cells = [row[number] for number in kept]
            parts = divided(page, cells)
            found += [part for part, _ in parts] or [cells]
            ends += [*(end for _, end in parts[:-1]), bottom]
    return FoundTable(found, tuple(grid.columns[number] for number in kept), grid.box, tuple(ends))
