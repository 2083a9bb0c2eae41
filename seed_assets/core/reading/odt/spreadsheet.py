"""OpenDocument spreadsheets (ODS): each sheet below a heading, its rows as records.

What does not belong here: how a record is written (records.record_text), and the parts of the file (odf_file).
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from resources.errors import DocumentError
from seed_assets.core.reading.docx.elements import attribute, child, local, number
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.odt.body import OdtBody
from seed_assets.core.reading.odt.odf_file import OdfFile
from seed_assets.core.reading.records.record_text import RecordText
from seed_assets.core.reading.records.sheet_layout import SheetLayout, filled_downwards, hidden_warning
from seed_assets.core.reading.records.table_records import TableRecords, usual_width, with_few_blank_rows
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.zip_package import FileKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND = FileKind("ODS", "an Excel workbook of the old kind (.xls)", "a spreadsheet program")
# The most columns and rows that a spreadsheet program has.
_MOST_CELLS, _MOST_ROWS = 16_384, 1_048_576
# A filled row that repeats is read so many times at most: crafted ones repeat for ever. A judgement.
_MOST_REPEATED = 10_000
_MOST_BLANK = 2
_SAMPLE_ROWS = 50
_DIGITS = ".15g"
_CELLS = ("table-cell", "covered-table-cell")
_GROUPS = ("table-row-group", "table-rows", "table-header-rows")
_COLUMN_GROUPS = ("table-column-group", "table-columns", "table-header-columns")
_HIDDEN = ("collapse", "filter")
_BETWEEN_DIGITS = str.maketrans("", "", "-/ ()")
_NOT_TEXT = ("annotation", "shapes", "table-source", "forms")


def read_ods(data: bytes) -> ExtractedText:
    """Read the sheets that are shown, then their text boxes and comments. The title is that of the properties.

    Dates are written as 2024-01-31, numbers with up to 15 digits, amounts and percentages as they are shown. Warnings name
    hidden sheets, count charts, and say how many rows and columns are hidden.

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
        self._layouts: dict[str, SheetLayout] = {}
        self.written = RecordText()

    def warnings(self) -> tuple[str, ...]:
        """Return one sentence for hidden sheets, and one for embedded objects."""
        hidden = f"Hidden sheets are not read: {', '.join(self._hidden)[:300]}."
        return (*([hidden] if self._hidden else []), *hidden_warning(self._layouts), *self._file.warnings())

    def read(self, sheet: "_Element") -> None:
        """Write a sheet: its rows, its text boxes, and its comments with their cells."""
        name = attribute(sheet, "name")
        style = self._file.style_elements.get(attribute(sheet, "style-name"))
        if style is not None and attribute(child(style, "table-properties"), "display") == "false":
            self._hidden.append(name)
            return
        comments: list[str] = []
        layout = self._layouts[name] = SheetLayout(columns=_hidden_columns(sheet))
        rows = with_few_blank_rows(self._rows(sheet, layout, comments))
        sample = list(islice(rows, _SAMPLE_ROWS))
        shapes = child(sheet, "shapes")
        boxes = self._body.blocks(shapes) if shapes is not None else []
        if not (sample or boxes):
            return
        self.written.heading(1, name)
        if sample:
            table = TableRecords(self.written, usual_width(sample))
            for row in chain(sample, rows):
                table.add(row)
            table.end()
        for text in [*boxes, *comments]:
            self.written.paragraph(text)

    def _rows(self, sheet: "_Element", layout: SheetLayout, comments: list[str]) -> Iterator[list[str]]:
        place = 0
        spans: dict[int, tuple[int, str]] = {}
        for row in _row_elements(sheet):
            cells = self._cells(row, place, spans, comments)
            repeated = max(number(row, "number-rows-repeated", 1), 1)
            if attribute(row, "visibility") in _HIDDEN:
                layout.rows_left_out += min(repeated, _MOST_REPEATED) if cells else 0
                place += repeated
                continue
            if cells:
                cells = layout.without_hidden(filled_downwards(cells, place, spans))
            place += repeated
            if cells and place > _MOST_ROWS:
                raise DocumentError(
                    f"a sheet has more than {_MOST_ROWS:,} rows, which no spreadsheet program writes.", _KIND.save_again
                )
            for _ in range(min(repeated, _MOST_REPEATED if cells else _MOST_BLANK)):
                yield cells

    def _cells(self, row: "_Element", place: int, spans: dict[int, tuple[int, str]], comments: list[str]) -> list[str]:
        """Return the cells of a row as text, without blank ones at its end.

        place: how many rows are above it. spans: gets (last row, text) by column for cells that are merged downwards.
        """
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
            if (spanned := number(cell, "number-rows-spanned", 1)) > 1:
                spans[column] = (place + spanned - 1, text)
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
                value = float(attribute(cell, "value"))
            except ValueError:
                pass  # the text that is shown says it then
            else:
                shown = "".join(map(str, cell.itertext("{*}p")))
                return shown if _is_zero_padded(shown, value) else format(value, _DIGITS)
        blocks: list[str] = []
        for element in cell:
            if local(element) and local(element) not in _NOT_TEXT:
                blocks += self._body.blocks_of(element)
        return "\n".join(blocks)


def _is_zero_padded(shown: str, value: float) -> bool:
    """Whether a number is shown with zeros in front of it, as in 00012 or 030-1234."""
    shown = shown.strip()
    digits = shown.translate(_BETWEEN_DIGITS)
    return len(digits) > 1 and digits[0] == "0" and digits.isascii() and digits.isdigit() and float(digits) == value


def _hidden_columns(sheet: "_Element") -> set[int]:
    """Return the numbers of hidden columns, from 0 on."""
    hidden: set[int] = set()
    waiting, place = list(reversed(sheet)), 0
    while waiting and place < _MOST_CELLS:
        element = waiting.pop()
        if local(element) == "table-column":
            end = min(place + max(number(element, "number-columns-repeated", 1), 1), _MOST_CELLS)
            if attribute(element, "visibility") in _HIDDEN:
                hidden.update(range(place, end))
            place = end
        elif local(element) in _COLUMN_GROUPS:
            waiting.extend(reversed(element))
    return hidden


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
