"""Tables in AsciiDoc: cells, cells over several columns and rows, and tables of delimited text.

What does not belong here: finding a table among other blocks (asciidoc).
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from seed_assets.core.reading.markdown_blocks import table

_CELL = re.compile(
    r"(?:(?<=\s)|^)(?:(\d{1,2})?(?:\.(\d{1,4}))?([+*]))?(?:[<^>]?(?:\.[<^>])?)([a-z]?)\||(?<!\\)\|", re.MULTILINE
)
_COLUMNS = re.compile(r'cols\s*=\s*(?:"([^"\n]*)"|([^,\]\n]+))')
_FORMAT = re.compile(r'(?:format|separator)\s*=\s*"?([^",\]]+)')
_REPEATED = re.compile(r"(\d{1,3})\*")
_MOST_COLUMNS = 200


class _Cell(NamedTuple):
    text: str
    columns: int
    rows: int


def asciidoc_table(lines: list[str], attributes: str, sign: str, text_of: Callable[[str], str]) -> str:
    """Return a table as Markdown.

    lines: between its delimiters. attributes: those in front of it. sign: with which its delimiters begin ("|", ",", ":").
    text_of: returns what a cell says.
    """
    form = found[1].strip() if (found := _FORMAT.search(attributes)) else ""
    if sign in ",:" or form in ("csv", "dsv", "tsv", ",", ";", "\\t"):
        delimiter = {"csv": ",", "dsv": ":", "tsv": "\t", "\\t": "\t"}.get(form, form or sign)
        rows = [[text_of(cell) for cell in row] for row in _delimited("\n".join(lines), delimiter)]
    else:
        rows = _rows(lines, _width(attributes), text_of)
    width = max(map(len, rows), default=0)
    return table([row + [""] * (width - len(row)) for row in rows])


def _delimited(text: str, delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except (csv.Error, TypeError):
        return [line.split(delimiter) for line in text.split("\n") if line.strip()]


def _width(attributes: str) -> int:
    """Return how many columns a table says that it has; 0 if it does not."""
    found = _COLUMNS.search(attributes)
    if found is None:
        return 0
    count = 0
    for column in re.split("[,;]", (found[1] or found[2] or "").strip()):
        repeated = _REPEATED.match(column.strip())
        count += int(repeated[1]) if repeated else 1
    return min(count, _MOST_COLUMNS)


def _rows(lines: list[str], width: int, text_of: Callable[[str], str]) -> list[list[str]]:
    if not width:
        first = next((line for line in lines if line.strip()), "")
        width = min(sum(cell.columns for cell in _cells(first)), _MOST_COLUMNS)
    grid = _Grid(max(width, 1))
    for cell in _cells("\n".join(lines)):
        grid.add(cell, text_of(cell.text))
    return grid.complete()


class _Grid:
    """Puts cells into rows. Each dictionary says how many rows, from a row on, are covered from above, by column."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._covered: dict[int, int] = {}
        self._covered_next: dict[int, int] = {}

    def add(self, cell: _Cell, text: str) -> None:
        """Add a cell behind the one before."""
        place = len(self._row)
        columns = max(min(cell.columns, self._width - place), 1)
        if cell.rows > 1:
            self._covered_next.update({place + each: cell.rows - 1 for each in range(columns)})
        self._row += [text, *[""] * (columns - 1)]
        self._skip_covered()
        while len(self._row) >= self._width:
            self._rows.append(self._row)
            self._row = []
            self._covered, self._covered_next = self._covered_next, {}
            self._skip_covered()

    def complete(self) -> list[list[str]]:
        """Return all rows."""
        return [*self._rows, self._row] if any(self._row) else self._rows

    def _skip_covered(self) -> None:
        while len(self._row) < self._width and (rows := self._covered.get(len(self._row), 0)):
            if rows > 1:
                self._covered_next[len(self._row)] = rows - 1
            self._row.append("")


def _cells(text: str) -> Iterator[_Cell]:
    found = list(_CELL.finditer(text))
    for place, each in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(text)
        content = text[each.end() : end].strip().replace("\\|", "|")
        count = int(each[1] or 1) if each[3] else 1
        if each[3] == "*":
            for _ in range(min(count, _MOST_COLUMNS)):
                yield _Cell(content, 1, 1)
        else:
            yield _Cell(content, max(count, 1), int(each[2] or 1) if each[3] else 1)
