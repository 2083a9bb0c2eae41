"""OpenDocument spreadsheets (ODS): each sheet below a heading, its rows as records.

What does not belong here: how a record is written (records.record_text), and the parts of the file (odf_file).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.docx.elements import attribute, child, local, number
from seed_assets.core.reading.extracted_text import ExtractedText, normalised
from seed_assets.core.reading.odt.body import OdtBody
from seed_assets.core.reading.odt.odf_file import OdfFile
from seed_assets.core.reading.records.record_text import RecordText, TableRecords
from seed_assets.core.reading.zip_package import FileKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND = FileKind("ODS", "an Excel workbook of the old kind (.xls)", "a spreadsheet program")
# The most columns and rows that a spreadsheet program has.
_MOST_CELLS, _MOST_ROWS = 16_384, 1_048_576
# A filled row that repeats is read so many times at most: crafted ones repeat for ever. A judgement.
_MOST_REPEATED = 10_000
_SAMPLE_ROWS = 50
_DIGITS = ".15g"
_CELLS = ("table-cell", "covered-table-cell")
_GROUPS = ("table-row-group", "table-rows", "table-header-rows")
_NOT_TEXT = ("annotation", "shapes", "table-source", "forms")


def read_ods(data: bytes) -> ExtractedText:
    """Read the sheets that are shown, then their text boxes and comments. The title is that of the properties.

    Dates are written as 2024-01-31, numbers with up to 15 digits, amounts and percentages as they are shown. Warnings name
    hidden sheets and count charts.

    Raises DocumentError if the file is broken, encrypted, a ZIP bomb, or not an ODS.
    """
    file = OdfFile(data, _KIND, "spreadsheet")
    sheets = _Sheets(file)
    for sheet in file.body:
        if local(sheet) == "table":
            sheets.read(sheet)
    return ExtractedText(normalised(sheets.written.text()), file.title, "", sheets.warnings())


class _Sheets:
    """Writes sheets, and collects what is not read."""

    def __init__(self, file: OdfFile) -> None:
        self._file = file
        self._body = OdtBody(file.styles, file.formula)
        self._hidden: list[str] = []
        self.written = RecordText()

    def warnings(self) -> tuple[str, ...]:
        """Return one sentence for hidden sheets, and one for embedded objects."""
        hidden = f"Hidden sheets are not read: {', '.join(self._hidden)[:300]}."
        return (*([hidden] if self._hidden else []), *self._file.warnings())

    def read(self, sheet: "_Element") -> None:
        """Write a sheet: its rows, its text boxes, and its comments with their cells."""
        name = attribute(sheet, "name")
        style = self._file.style_elements.get(attribute(sheet, "style-name"))
        if style is not None and attribute(child(style, "table-properties"), "display") == "false":
            self._hidden.append(name)
            return
        comments: list[str] = []
        filled = (row for row in self._rows(sheet, comments) if row)
        sample = list(islice(filled, _SAMPLE_ROWS))
        shapes = child(sheet, "shapes")
        boxes = self._body.blocks(shapes) if shapes is not None else []
        if not (sample or boxes):
            return
        self.written.heading(1, name)
        if sample:
            widths = Counter(map(len, sample))
            table = TableRecords(self.written, max(widths.items(), key=lambda item: (item[1], item[0]))[0])
            for row in chain(sample, filled):
                table.add(row)
            table.end()
        for text in [*boxes, *comments]:
            self.written.paragraph(text)

    def _rows(self, sheet: "_Element", comments: list[str]) -> Iterator[list[str]]:
        place = 0
        for row in _row_elements(sheet):
            cells = self._cells(row, place, comments)
            repeated = max(number(row, "number-rows-repeated", 1), 1)
            place += repeated
            if cells and place > _MOST_ROWS:
                raise DocumentError(
                    f"a sheet has more than {_MOST_ROWS:,} rows, which no spreadsheet program writes.", _KIND.save_again
                )
            for _ in range(min(repeated, _MOST_REPEATED) if cells else 0):
                yield cells

    def _cells(self, row: "_Element", place: int, comments: list[str]) -> list[str]:
        """Return the cells of a row as text, without blank ones at its end. place: how many rows are above it."""
        cells: list[str] = []
        blank = 0
        for cell in row:
            if local(cell) not in _CELLS:
                continue
            text = self._text(cell) if local(cell) == "table-cell" else ""
            column = len(cells) + blank
            if (note := child(cell, "annotation")) is not None and (said := _comment(note)):
                comments.append(f"[Comment on {_letters(column)}{place + 1}: {said}]")
            repeated = max(number(cell, "number-columns-repeated", 1), 1)
            if not text:
                blank += repeated
                continue
            if column + repeated > _MOST_CELLS:
                raise DocumentError(
                    f"a row has more than {_MOST_CELLS:,} cells, which no spreadsheet program writes.", _KIND.save_again
                )
            cells += [""] * blank + [text] * repeated
            blank = 0
        return cells

    def _text(self, cell: "_Element") -> str:
        kind = attribute(cell, "value-type")
        if kind == "date":
            return attribute(cell, "date-value").removesuffix("T00:00:00").replace("T", " ")
        if kind == "boolean" and (value := attribute(cell, "boolean-value")):
            return value
        if kind == "float":
            try:
                return format(float(attribute(cell, "value")), _DIGITS)
            except ValueError:
                pass  # the text that is shown says it then
        blocks: list[str] = []
        for element in cell:
            if local(element) and local(element) not in _NOT_TEXT:
                blocks += self._body.blocks_of(element)
        return "\n".join(blocks)


def _row_elements(sheet: "_Element") -> Iterator["_Element"]:
    waiting = list(reversed(sheet))
    while waiting:
        element = waiting.pop()
        if local(element) == "table-row":
            yield element
        elif local(element) in _GROUPS:
            waiting.extend(reversed(element))


def _comment(note: "_Element") -> str:
    paragraphs = ("".join(map(str, each.itertext())) for each in note if local(each) in ("p", "list"))
    return " ".join(" ".join(paragraphs).split())


def _letters(column: int) -> str:
    """Return the name of a column, from 0 on: A, B, ... Z, AA."""
    name = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        name = chr(ord("A") + place) + name
    return name
