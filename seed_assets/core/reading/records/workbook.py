"""Workbooks (XLSX) through openpyxl: each sheet below a heading, its rows as records.

What does not belong here: how a record is written (record_text), and the limits of the archive (zip_package).
"""

import io
import warnings as python_warnings
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from itertools import chain, islice
from typing import Any

from resources.errors import DocumentError
from seed_assets.core.reading.docx.elements import attribute, local
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.pptx.shapes import paragraphs_of
from seed_assets.core.reading.records.number_formats import zero_padded
from seed_assets.core.reading.records.record_text import RecordText
from seed_assets.core.reading.records.sheet_layout import SheetLayout, hidden_warning, layouts
from seed_assets.core.reading.records.table_records import TableRecords, usual_width, with_few_blank_rows
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.zip_package import FileKind, OfficePackage, core_title, opened

_KIND = FileKind("XLSX", "an Excel workbook of the old kind (.xls)", "a spreadsheet program")
# The most rows that a sheet of Excel has.
_MOST_ROWS = 1_048_576
# How many cells most rows have is found in so many rows; chosen by judgement.
_SAMPLE_ROWS = 50
# Excel keeps and shows 15 digits of a number at most.
_DIGITS = ".15g"
_MOST_PADDED = 10**15


def read_workbook(data: bytes) -> ExtractedText:
    """Read the sheets of a workbook that are shown, then its text boxes and comments.

    Values are those that were last calculated. Warnings name hidden sheets, and say how many rows and columns are hidden, how
    many cells have a formula without a value, and how many charts there are.

    Raises DocumentError if the file is broken, encrypted, a ZIP bomb, or not an XLSX.
    """
    with opened(data, _KIND) as archive:
        package = OfficePackage(archive, _KIND)
        main = package.main_part("a workbook", "workbook")
        package.check_sizes()
        written = RecordText()
        sheets = layouts(package, main)
        hidden = _sheets(data, sheets, written, has_padded=_has_padded(package))
        _beside(package, written)
        warnings = _warnings(package, hidden, sheets)
        title = core_title(package)
    return ExtractedText(normalised(written.text()), title, "", warnings)


def _has_padded(package: OfficePackage) -> bool:
    """Whether a number format of the workbook shows zeros in front of numbers."""
    formats = package.parsed("xl/styles.xml", required=False).iter("{*}numFmt")
    return any(zero_padded(1, attribute(each, "formatCode")) for each in formats)


def _sheets(data: bytes, sheets: dict[str, SheetLayout], written: RecordText, *, has_padded: bool) -> list[str]:
    """Write all sheets that are shown; return the names of the others.

    has_padded: whether the formats of numbers are looked at, which takes a quarter more time.
    """
    import openpyxl

    hidden: list[str] = []
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # openpyxl warns of what it does not keep, such as the rules of a cell
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        if not book.sheetnames:
            raise DocumentError(
                "the XLSX has no sheet that can be read; it may be in the strict form of Office Open XML.",
                "Open it in a spreadsheet program and save it as an ordinary XLSX workbook.",
            )
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                hidden.append(sheet.title)
                continue
            # What a file says about the size of a sheet is often wrong.
            sheet.reset_dimensions()
            rows = sheet.iter_rows(values_only=not has_padded)
            texts = map(_padded_cells if has_padded else _cells, _bounded(sheet.title, rows))
            _sheet(sheet.title, texts, sheets.get(sheet.title, SheetLayout()), written)
        book.close()
    return hidden


def _sheet(title: str, texts: Iterator[list[str]], layout: SheetLayout, written: RecordText) -> None:
    rows = with_few_blank_rows(layout.shown(texts))
    sample = list(islice(rows, _SAMPLE_ROWS))
    if not sample:
        return
    written.heading(1, title)
    table = TableRecords(written, usual_width(sample))
    for row in chain(sample, rows):
        table.add(row)
    table.end()


def _bounded(title: str, values: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    for number, row in enumerate(values):
        if number >= _MOST_ROWS:
            raise DocumentError(
                f"the sheet {title} has more than {_MOST_ROWS:,} rows, which no spreadsheet program writes.",
                _KIND.save_again,
            )
        yield row


def _cells(values: Sequence[Any]) -> list[str]:
    """Return the cells of a row as text, without blank ones at its end."""
    return _without_blanks([_shown(value) for value in values])


def _padded_cells(row: Sequence[Any]) -> list[str]:
    """As _cells, from cells with their formats: numbers have the zeros that are shown."""
    return _without_blanks([_padded(cell) or _shown(cell.value) for cell in row])


def _without_blanks(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _padded(cell: Any) -> str:
    value = cell.value
    if isinstance(value, bool) or not isinstance(value, float | int) or not abs(value) < _MOST_PADDED:
        return ""
    return zero_padded(value, cell.number_format)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, _DIGITS)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    return str(value)


def _beside(package: OfficePackage, written: RecordText) -> None:
    """Write the texts of boxes and shapes, and comments with their cells."""
    for part in package.names("xl/drawings/drawing"):
        if part.endswith(".xml"):
            for shape in package.parsed(part).iter():
                if local(shape) == "txBody":
                    written.paragraph("\n".join(text for _, text in paragraphs_of(shape)))
    for part in package.names("xl/comments"):
        for comment in package.parsed(part).iter():
            if local(comment) == "comment":
                text = " ".join("".join(each.text or "" for each in comment.iter() if local(each) == "t").split())
                # Excel writes a notice for older programs in front of a comment that can be answered.
                text = text.partition("Comment:")[2].strip() if text.startswith("[Threaded comment]") else text
                if text:
                    written.paragraph(f"[Comment on {attribute(comment, 'ref')}: {text}]")


def _warnings(package: OfficePackage, hidden: list[str], sheets: dict[str, SheetLayout]) -> tuple[str, ...]:
    found: list[str] = []
    if hidden:
        found.append(f"Hidden sheets are not read: {', '.join(hidden)[:300]}.")
    found += hidden_warning(sheets)
    missing, first = _without_values(package)
    if missing:
        count = "1 cell has" if missing == 1 else f"{missing:,} cells have"
        found.append(
            f"{count} a formula that was never calculated, the first of them {first}; open the workbook in a spreadsheet "
            "program and save it to have their values read."
        )
    if charts := len([name for name in package.names("xl/charts/chart") if name.endswith(".xml")]):
        found.append(
            f"{'1 chart is' if charts == 1 else f'{charts:,} charts are'} not read; the cells with the values are."
        )
    return tuple(found)


def _without_values(package: OfficePackage) -> tuple[int, str]:
    """Return (how many cells have a formula, but no value; the place of the first)."""
    import lxml.etree as etree

    count, first = 0, ""
    for part in package.names("xl/worksheets/sheet"):
        content = package.bytes(part)
        if b"<f" not in content and b":f" not in content:
            continue
        cells = etree.iterparse(
            io.BytesIO(content), tag="{*}c", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
        )
        for _, cell in cells:
            children = {local(each): each for each in cell}
            has_value = "is" in children or ("v" in children and bool(children["v"].text))
            # Excel writes no value if the result is an empty text, but it says that the result is a text.
            if "f" in children and not has_value and attribute(cell, "t") != "str":
                count, first = count + 1, first or attribute(cell, "r")
            cell.clear()
    return count, first
