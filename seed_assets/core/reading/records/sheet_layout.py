"""How a sheet of a workbook shows its cells: hidden rows and columns, and cells that are merged downwards.

What does not belong here: the values of cells (workbook).
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from resources.wording import counted
from seed_assets.core.reading.docx.elements import attribute, local, number
from seed_assets.core.reading.zip_package import OfficePackage

# The most columns that Excel has. The other number is a judgement: crafted sheets have more merged cells than that.
_MOST_COLUMNS, _MOST_MERGED = 16_384, 100_000
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7}):\$?[A-Z]{1,3}\$?(\d{1,7})")
_TRUE = ("1", "true")


@dataclass(slots=True)
class SheetLayout:
    """rows, columns: the numbers of those that are hidden, from 1 and from 0 on.

    merged: by the row where it begins, (column, last row) of each cell that is merged downwards.
    left_out: how many rows, and which columns, had something in them that was left out.
    """

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    merged: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    rows_left_out: int = 0
    columns_left_out: set[int] = field(default_factory=set)

    def shown(self, rows: Iterator[list[str]]) -> Iterator[list[str]]:
        """Yield the rows as they are shown: without what is hidden, and with merged cells in each of their rows."""
        if not (self.rows or self.columns or self.merged):
            yield from rows
            return
        spans: dict[int, tuple[int, str]] = {}
        for row_number, row in enumerate(rows, 1):
            self._begin_spans(row_number, row, spans)
            if not row:
                yield row
            elif row_number in self.rows:
                self.rows_left_out += 1
            else:
                yield self.without_hidden(filled_downwards(row, row_number, spans))

    def note(self) -> str:
        """Return what was left out ("1 row, 2 columns"), or ""."""
        columns = len(self.columns_left_out)
        rows = [counted(self.rows_left_out, "row")] if self.rows_left_out else []
        return ", ".join([*rows, *([counted(columns, "column")] if columns else [])])

    def _begin_spans(self, row_number: int, row: Sequence[str], spans: dict[int, tuple[int, str]]) -> None:
        for column, last in self.merged.get(row_number, ()):
            if column < len(row) and row[column].strip():
                spans[column] = (last, row[column])

    def without_hidden(self, row: list[str]) -> list[str]:
        """Return a row without the cells of hidden columns."""
        if not self.columns:
            return row
        for column, cell in enumerate(row):
            if column in self.columns and cell.strip():
                self.columns_left_out.add(column)
        shown = [cell for column, cell in enumerate(row) if column not in self.columns]
        while shown and not shown[-1].strip():
            shown.pop()
        return shown


def filled_downwards(row: list[str], row_number: int, spans: dict[int, tuple[int, str]]) -> list[str]:
    """Put what is merged downwards into its empty cells in a row. spans: (last row, text) by column; ended ones are removed."""
    for column in [column for column, (last, _) in spans.items() if last < row_number]:
        del spans[column]
    for column, (_, text) in spans.items():
        if column >= len(row):
            row += [""] * (column + 1 - len(row))
        row[column] = row[column] or text
    return row


def hidden_warning(sheets: Mapping[str, SheetLayout]) -> list[str]:
    """Return a sentence that names the sheets with rows and columns that were left out; none if there are none."""
    parts = [f"{title} ({note})" for title, layout in sheets.items() if (note := layout.note())]
    return [f"Hidden rows and columns are not read: {', '.join(parts)[:300]}."] if parts else []


def layouts(package: OfficePackage, main: str) -> dict[str, SheetLayout]:
    """Return the layout of each sheet, by its name. main: the name of the part that lists the sheets."""
    found: dict[str, SheetLayout] = {}
    for element in package.parsed(main).iter():
        if local(element) == "sheet" and (part := package.related(main, attribute(element, "id"))):
            found[attribute(element, "name")] = _layout(package.bytes(part))
    return found


def _layout(content: bytes) -> SheetLayout:
    import lxml.etree as etree

    found = SheetLayout()
    if b"hidden" not in content and b"mergeCell" not in content:
        return found
    elements = etree.iterparse(
        io.BytesIO(content),
        tag=("{*}row", "{*}col", "{*}mergeCells"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    )
    for _, element in elements:
        name = local(element)
        if name == "mergeCells":
            for merged in islice(element, _MOST_MERGED):
                _add_merged(attribute(merged, "ref"), found)
        elif attribute(element, "hidden") in _TRUE:
            if name == "row":
                found.rows.add(number(element, "r"))
            else:
                last = min(number(element, "max"), _MOST_COLUMNS)
                found.columns.update(range(max(number(element, "min", 1), 1) - 1, last))
        element.clear()
    return found


def _add_merged(reference: str, found: SheetLayout) -> None:
    if cells := _RANGE.fullmatch(reference):
        column = 0
        for letter in cells[1]:
            column = 26 * column + ord(letter) - ord("A") + 1
        first, last = int(cells[2]), int(cells[3])
        if last > first and column <= _MOST_COLUMNS:
            found.merged.setdefault(first, []).append((column - 1, last))
