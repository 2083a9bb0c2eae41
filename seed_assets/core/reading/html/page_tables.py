"""Tables of a page: those that only lay out text, those that hold code, and those of data. What does not belong here: how a
table of data is written (markdown_blocks), and the text of a cell (blocks).
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from seed_assets.core.reading.html.code import code_text, number_lines
from seed_assets.core.reading.html.facts import VERBATIM, PageFacts

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# A table with a cell of more characters than this that is most of the table only lays out text; by judgement.
_LAYOUT_CELL = 600
_CODE_NAMES = re.compile(r"(?:^|[\s_-])(?:code|line-content|blob)(?:$|[\s_-])", re.IGNORECASE)
_CELLS = ("td", "th")
_PARTS = ("thead", "tbody", "tfoot")
# A table with more in it is a layout; a judgement.
_MOST_TABLES = 20
# Cells that reach over rows are repeated up to these numbers of characters, of each and of all.
_LONGEST_REPEATED = 200
_MOST_REPEATED = 100_000


def is_layout(element: "HtmlElement", facts: PageFacts) -> bool:
    """Whether a table only lays out text, so that its cells are read one after the other."""
    about = facts.about(element)
    if element.get("role") in ("presentation", "none") or about.headings or about.verbatim:
        return True
    if about.tables > 1 and not _has_tables_in_cells(element, about.tables):
        return True
    if about.columns < 2:
        return True
    described = element.find("caption") is not None or element.find("thead") is not None
    return not described and about.widest > _LAYOUT_CELL and 2 * about.widest > about.chars and about.paragraphs > 1


def _has_tables_in_cells(element: "HtmlElement", tables: int) -> bool:
    """Whether a table of data has tables in a few of its cells; most tables that hold others put them side by side.

    tables: how many there are with those in it.
    """
    rows = [_cells(row) for row in _rows(element)]
    cells = [cell for row in rows for cell in row]
    if tables > _MOST_TABLES or len(rows) < 2 or min(map(len, rows)) < 2 or not any(cell.tag == "th" for cell in cells):
        return False
    return 2 * sum(next(cell.iterdescendants("table"), None) is not None for cell in cells) <= len(cells)


def code_in(element: "HtmlElement", facts: PageFacts) -> str | None:
    """Return the lines of code if it is a table of code, without the column of line numbers; otherwise None."""
    if facts.about(element).tables > 1 or facts.about(element).headings:
        return None
    rows = [_cells(row) for row in _rows(element)]
    rows = [row for row in rows if row]
    if not rows or not all(1 < len(row) < 5 for row in rows):
        return None
    if len(rows) == 1:
        return _code_beside_numbers(rows[0])
    if not all(all(map(_is_number, row[:-1])) and _is_code(row[-1], row) for row in rows):
        return None
    return "\n".join(code_text(row[-1]) for row in rows)


def data_rows(element: "HtmlElement", columns: int, text_of: Callable[["HtmlElement"], str]) -> list[list[str]]:
    """Return the cells of a table of data, row by row; `columns` is the number of cells in its longest row.

    The text of a cell that reaches over several rows is in each of them; one that reaches over columns is in the first.
    """
    found: list[list[str]] = []
    row_above = _Row(columns)
    for row in _rows(element):
        current = _Row(columns, row_above)
        for cell in _cells(row):
            current.take_from_above()
            current.place(text_of(cell), _span(cell, "rowspan"), _span(cell, "colspan"))
        current.take_from_above()
        if any(current.cells):
            found.append(current.cells)
        row_above = current
    return _even(found)


class _Row:
    """A row of a table as it is filled: with its own cells, and with those that reach into it from above."""

    def __init__(self, columns: int, above: "_Row | None" = None) -> None:
        self.cells: list[str] = []
        self._columns = columns
        self._from_above = above._reaching if above else {}
        self._reaching: dict[int, tuple[str, int]] = {}
        self._repeated = above._repeated if above else 0

    def place(self, text: str, rows: int, columns: int) -> None:
        """Add a cell that reaches over so many rows and columns."""
        for number in range(max(min(columns, self._columns - len(self.cells)), 1)):
            shown = "" if number else text
            if rows > 1 and len(text) <= _LONGEST_REPEATED and self._repeated < _MOST_REPEATED:
                self._reaching[len(self.cells)] = (shown, rows - 1)
            self.cells.append(shown)

    def take_from_above(self) -> None:
        """Add the cells that reach into this row at this place."""
        while (place := len(self.cells)) in self._from_above and place < self._columns:
            text, rows = self._from_above.pop(place)
            self._repeated += len(text) + 1
            self.place(text, rows, 1)


def _even(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows without columns that are empty in all of them."""
    used = {column for row in rows for column, cell in enumerate(row) if cell}
    return [[cell for column, cell in enumerate(row) if column in used] for row in rows]


def _span(cell: "HtmlElement", name: str) -> int:
    value = (cell.get(name) or "").strip()
    return min(max(int(value), 1), 1000) if value.isascii() and value.isdigit() and len(value) < 6 else 1


def _rows(element: "HtmlElement") -> Iterator["HtmlElement"]:
    """Return the rows of a table without those of tables in its cells."""
    for part in element:
        if part.tag == "tr":
            yield part
        elif part.tag in _PARTS:
            yield from (row for row in part if row.tag == "tr")


def _cells(row: "HtmlElement") -> list["HtmlElement"]:
    return [cell for cell in row if cell.tag in _CELLS]


def _code_beside_numbers(row: list["HtmlElement"]) -> str | None:
    """Return the code of a table with one row: a cell with the numbers of all lines, and a cell with the lines."""
    if len(row) != 2 or not number_lines(" ".join(row[0].itertext())):
        return None
    has_code = next(row[1].iterdescendants(*VERBATIM, "code"), None) is not None or _is_named_code(row[1])
    return code_text(row[1]) if has_code else None


def _is_number(cell: "HtmlElement") -> bool:
    text = " ".join(cell.itertext()).strip()
    return not text or (text.isascii() and text.isdigit()) or text in "+-"


def _is_code(cell: "HtmlElement", row: list["HtmlElement"]) -> bool:
    if any(each.get("data-line-number") is not None for each in row):
        return True
    return _is_named_code(cell) or (len(cell) > 0 and cell[0].tag in ("code", *VERBATIM))


def _is_named_code(cell: "HtmlElement") -> bool:
    return _CODE_NAMES.search(cell.get("class") or "") is not None
