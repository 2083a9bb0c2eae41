"""Grids of lines, which are tables if text stands in their cells.

What belongs here: which lines of a page belong together, and which cells of a grid are one. What does not: text (table_cells).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.tables.rulings import Ruling, Rulings

# Lines that are so close are one, and lines that end so close to each other meet. In points, chosen by judgement.
_NEAR, _MEETS = 2.0, 4.0
# Cells are apart if a line goes along so much of the side between them.
_ALONG = 0.6
_MOST_CROSSINGS = 40_000
_MOST_CELLS, _MOST_GRIDS = 4_000, 40


@dataclass(frozen=True)
class Grid:
    """A grid. columns, rows: where its lines are, from the left and from the top."""

    columns: tuple[float, ...]
    rows: tuple[float, ...]
    lines: Rulings

    @property
    def box(self) -> Box:
        """The rectangle around it."""
        return Box(self.columns[0], self.rows[-1], self.columns[-1], self.rows[0])

    @cached_property
    def merged(self) -> dict[tuple[int, int], tuple[int, int]]:
        """For each (row, column) the first cell of those that no line divides from it."""
        first: dict[tuple[int, int], tuple[int, int]] = {}
        for row in range(len(self.rows) - 1):
            for column in range(len(self.columns) - 1):
                if column and not self._divided_before(row, column):
                    first[row, column] = first[row, column - 1]
                elif row and not self._divided_above(row, column):
                    first[row, column] = first[row - 1, column]
                else:
                    first[row, column] = row, column
        return first

    def _divided_before(self, row: int, column: int) -> bool:
        return _covers(self.lines.up, self.columns[column], self.rows[row + 1], self.rows[row])

    def _divided_above(self, row: int, column: int) -> bool:
        return _covers(self.lines.across, self.rows[row], self.columns[column], self.columns[column + 1])


def grids(lines: Rulings) -> list[Grid]:
    """Return the grids that lines make, each of two rows and two columns at least."""
    across, up = _joined(lines.across), _joined(lines.up)
    if not across or not up or len(across) * len(up) > _MOST_CROSSINGS:
        return []
    found: list[Grid] = []
    for group in _groups(across, up):
        columns = _places([line.at for line in group.up] + _open_ends(group))
        rows = _places([line.at for line in group.across])[::-1]
        if len(columns) > 2 and len(rows) > 2 and (len(columns) - 1) * (len(rows) - 1) <= _MOST_CELLS:
            found.append(Grid(tuple(columns), tuple(rows), group))
    return found if len(found) <= _MOST_GRIDS else []


def _joined(lines: Sequence[Ruling]) -> list[Ruling]:
    """Join lines that lie in each other's continuation."""
    found: list[Ruling] = []
    for group in _near_groups(sorted(lines)):
        at = sum(line.at for line in group) / len(group)
        start: float | None = None
        end = 0.0
        for line in sorted(group, key=lambda line: line.start):
            if start is not None and line.start <= end + _MEETS:
                end = max(end, line.end)
                continue
            if start is not None:
                found.append(Ruling(at, start, end))
            start, end = line.start, line.end
        if start is not None:
            found.append(Ruling(at, start, end))
    return found


def _near_groups(lines: Sequence[Ruling]) -> list[list[Ruling]]:
    groups: list[list[Ruling]] = []
    for line in lines:
        if groups and line.at - groups[-1][0].at <= _NEAR:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _groups(across: Sequence[Ruling], up: Sequence[Ruling]) -> list[Rulings]:
    """Return the lines that meet each other, directly or by others."""
    number = list(range(len(across) + len(up)))

    def first(place: int) -> int:
        while number[place] != place:
            number[place] = number[number[place]]
            place = number[place]
        return place

    for i, line in enumerate(across):
        for j, other in enumerate(up, len(across)):
            meets_across = line.start - _MEETS <= other.at <= line.end + _MEETS
            if meets_across and other.start - _MEETS <= line.at <= other.end + _MEETS:
                number[first(i)] = first(j)
    groups: dict[int, Rulings] = {}
    for i, line in enumerate(across):
        groups.setdefault(first(i), Rulings()).across.append(line)
    for j, line in enumerate(up, len(across)):
        groups.setdefault(first(j), Rulings()).up.append(line)
    return [group for group in groups.values() if group.across and group.up]


def _places(at: Sequence[float]) -> list[float]:
    """Return places from the smallest on, with those that are near each other as one."""
    found: list[float] = []
    for place in sorted(at):
        if not found or place - found[-1] > _NEAR:
            found.append(place)
    return found


def _open_ends(group: Rulings) -> list[float]:
    """Return where a table ends whose sides have no lines: most of its lines across go beyond the lines that go up."""
    left, right = min(line.at for line in group.up), max(line.at for line in group.up)
    starts, ends = [line.start for line in group.across], [line.end for line in group.across]
    found: list[float] = []
    if sum(start < left - _MEETS for start in starts) > len(starts) / 2:
        found.append(min(starts))
    if sum(end > right + _MEETS for end in ends) > len(ends) / 2:
        found.append(max(ends))
    return found


def _covers(lines: Sequence[Ruling], at: float, start: float, end: float) -> bool:
    covered = sum(max(0.0, min(line.end, end) - max(line.start, start)) for line in lines if abs(line.at - at) <= _NEAR)
    return covered >= _ALONG * (end - start)
