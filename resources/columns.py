"""Tables of figures that fit into a terminal: a wide one is divided into several with the same names on the left.

This module decides which columns stand together, and lays out plain text. Colours are in the cli.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from resources.wording import shortened

# A terminal has 80 columns; the last one stays free, since some terminals and log viewers wrap after it.
COLUMNS = 79
# Names are shortened or folded before a figure is cut, but not below this.
LEAST_NAME = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One column of figures: its heading, and a text for each row; "" where there is nothing to say."""

    heading: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        """The characters that it takes, without the space before it."""
        return max(len(self.heading), *map(len, self.cells), 0)


def tables(names: Sequence[str], groups: Sequence[Sequence[Column]], width: int) -> list[list[Column]]:
    """The columns of each table, of which none is wider than `width` characters.

    names: the names of the rows. groups: columns that belong together. If all of them do not fit side by side, each group is a
    table of its own, and one that is still too wide is divided further. A group without columns gives no table.
    """
    whole = [column for group in groups for column in group]
    room = width - max(map(len, names), default=0)
    if _taken(whole) <= room:
        return [whole] if whole else []
    room = width - max(LEAST_NAME, min(width - room, width // 3))
    found: list[list[Column]] = []
    for group in groups:
        part: list[Column] = []
        for column in group:
            if part and _taken([*part, column]) > room:
                found.append(part)
                part = []
            part.append(column)
        found += [part] if part else []
    return found


def _taken(columns: Sequence[Column]) -> int:
    return sum(column.width + 1 for column in columns)


def rows_of(columns: Sequence[Column], rows: int) -> list[int]:
    """The numbers of the rows in which a table says anything."""
    return [row for row in range(rows) if any(column.cells[row] for column in columns)]


def text_lines(
    heading: str, names: Sequence[str], groups: Sequence[Sequence[Column]], width: int = COLUMNS
) -> list[str]:
    """The tables as lines of plain text, with an empty line between two of them. heading: of the names."""
    lines: list[str] = []
    for columns in tables(names, groups, width):
        rows = rows_of(columns, len(names))
        room = width - _taken(columns)
        left = max(min(max((len(name) for name in (heading, *names)), default=0), room), LEAST_NAME)
        lines += [""] if lines else []
        lines.append(_line(heading, [column.heading for column in columns], columns, left))
        lines += [_line(names[row], [column.cells[row] for column in columns], columns, left) for row in rows]
    return lines


def _line(name: str, cells: Sequence[str], columns: Sequence[Column], left: int) -> str:
    figures = (cell.rjust(column.width) for cell, column in zip(cells, columns, strict=True))
    return " ".join((shortened(name, left).ljust(left), *figures)).rstrip()
