"""XLSX: sheets below headings, rows as records, and what cannot be read in words."""

import datetime as dt
import io
from collections.abc import Callable

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.workbook import Workbook

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import ExtractedText, extract
from tests.support.zip_files import bomb, relations, unzipped, zipped


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def workbook(*rows: list[object], title: str = "Pegel") -> Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book


def read(book: Workbook) -> ExtractedText:
    return extract(saved(book), "xlsx")


def test_rows_are_records_below_the_name_of_their_sheet():
    book = workbook(
        ["Tor", "Pegel", "Datum", "Zeit", "offen"],
        ["Oben & Größe", 4.0, dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 2, 10, 30), True],
        ["Unten", 0.1 + 0.2, dt.date(2024, 1, 3), dt.time(9, 5), False],
        [None, None, None],
        ["Lücke", None, None, None, "a;b\nc"],
    )
    second = book.create_sheet("Second")
    second.append([1, 2])
    second.append([3, 4])
    book.create_sheet("Empty")
    result = read(book)
    assert result.text == (
        "# Pegel\n\nTor; Pegel; Datum; Zeit; offen\n\n"
        "Tor: Oben & Größe; Pegel: 4; Datum: 2024-01-02; Zeit: 2024-01-02 10:30; offen: true\n\n"
        "Tor: Unten; Pegel: 0.3; Datum: 2024-01-03; Zeit: 09:05:00; offen: false\n\n"
        "Tor: Lücke\n\noffen: a;b\nc\n\n# Second\n\n1; 2\n\n3; 4"
    )
    assert result.warnings == ()


def test_lines_above_a_table_and_blank_columns_are_no_names():
    rows = [["Levels of 2024"], [], [None, None, "Gate", "cm"], [None, None, "Upper", 4], [None, None, "Lower", 5]]
    assert (
        read(workbook(*rows)).text
        == "# Pegel\n\nLevels of 2024\n\nGate; cm\n\nGate: Upper; cm: 4\n\nGate: Lower; cm: 5"
    )


def test_hidden_sheets_formulas_without_a_value_and_charts_are_named():
    book = workbook(["Gate", "cm"], ["Upper", "=1+1"], ["Lower", "=2+2"])
    hidden = book.create_sheet("Secret")
    hidden.append(["not shown"])
    hidden.sheet_state = "hidden"
    sheet = book["Pegel"]
    chart = BarChart()
    chart.add_data(Reference(worksheet=sheet, min_col=2, min_row=1, max_row=3))
    chart.anchor = "D1"
    sheet.add_chart(chart)
    result = read(book)
    assert "Gate: Upper" in result.text
    assert "not shown" not in result.text
    assert result.warnings == (
        "Hidden sheets are not read: Secret.",
        "2 cells have a formula that was never calculated, the first of them B2; open the workbook in a spreadsheet program "
        "and save it to have their values read.",
        "1 chart is not read; the cells with the values are.",
    )


def test_a_formula_with_its_value_is_read_as_the_value():
    parts = unzipped(saved(workbook(["Gate", "cm"], ["Upper", "=1+1"])))
    name = "xl/worksheets/sheet1.xml"
    parts[name] = (
        parts[name].replace(b"<v />", b"<v>2</v>").replace(b"<v></v>", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>")
    )
    result = extract(zipped(parts), "xlsx")
    assert "Gate: Upper; cm: 2" in result.text
    assert result.warnings == ()


def test_comments_and_the_title_are_read():
    book = workbook(["Gate", "cm"], ["Upper", 4])
    book["Pegel"]["B2"].comment = Comment("Check it.", "Ann")
    book.properties.title = "Levels of the gates"
    result = read(book)
    assert result.title == "Levels of the gates"
    assert result.text.endswith("[Comment on B2: Check it.]")


def changed(name: str, change: Callable[[bytes], bytes]) -> bytes:
    parts = unzipped(saved(workbook(["Gate", "cm"], ["Upper", 4])))
    parts[name] = change(parts[name])
    return zipped(parts)


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (saved(workbook(["a"]))[:500], "broken or truncated"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, r"old kind \(.xls\)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "encrypted and needs a password",
        ),
        (
            zipped({"_rels/.rels": relations({"r": ("officeDocument", "d.xml")}), "d.xml": "<document/>"}),
            "another kind",
        ),
        (changed(SHEET, lambda part: part.replace(b'<row r="2"', b'<row r="99999999"')), "more than 1,048,576 rows"),
        (changed(SHEET, lambda part: part[:-40]), "parser failed"),
        (saved(openpyxl.Workbook()), "no text"),
    ],
)
@pytest.mark.slow
def test_a_broken_workbook_is_named(data: bytes, reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(data, "xlsx")
    assert caught.value.remedy


@pytest.mark.slow
@pytest.mark.parametrize("name", [SHEET, "xl/styles.xml"])
def test_a_zip_bomb_is_named(name: str):
    with pytest.raises(DocumentError, match="ZIP bomb") as caught:
        extract(changed(name, lambda part: bomb()), "xlsx")
    assert caught.value.remedy


def test_entities_are_not_expanded():
    laughs = b'<!DOCTYPE a [<!ENTITY a "' + b"ha" * 50 + b'">'
    for inner, outer in zip("abcdefgh", "bcdefghi", strict=True):
        laughs += f'<!ENTITY {outer} "{f"&{inner};" * 10}">'.encode()
    laughs += b"]>"
    data = changed(SHEET, lambda part: laughs + part.replace(b"<v>4</v>", b"<v>&i;</v>"))
    with pytest.raises(DocumentError):
        extract(data, "xlsx")


def test_merged_cells_have_their_value_in_each_row():
    book = workbook(["Region", "Gate", "Level"], ["North", "Upper", 1], [None, "Lower", 2], ["South", "Weir", 3])
    book["Pegel"].merge_cells("A2:A3")
    assert "Region: North; Gate: Upper; Level: 1\n\nRegion: North; Gate: Lower; Level: 2" in read(book).text


def test_hidden_rows_and_columns_are_left_out_and_counted():
    book = workbook(["Gate", "Secret", "Level"], ["Upper", "x", 4], ["Lower", "y", 2], ["Weir", "z", 3])
    book["Pegel"].row_dimensions[3].hidden = True
    book["Pegel"].column_dimensions["B"].hidden = True
    result = read(book)
    assert result.text == "# Pegel\n\nGate; Level\n\nGate: Upper; Level: 4\n\nGate: Weir; Level: 3"
    assert result.warnings == ("Hidden rows and columns are not read: Pegel (1 row, 1 column).",)


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (12, "00000", "00012"),
        (12, "0", "12"),
        (1234567, "000\\-0000", "123-4567"),
        (301234, '"T "000-0000', "T 030-1234"),
        (1234567, "00000", "1234567"),
        (-3, "000;-000", "-003"),
        (1234, "#,##0", "1234"),
        (12, "0.00", "12"),
        (7.5, "000", "7.5"),
    ],
)
def test_numbers_have_the_zeros_that_are_shown(value: float, number_format: str, shown: str):
    book = workbook(["Gate", "Number"], ["Upper", value])
    book["Pegel"]["B2"].number_format = number_format
    assert read(book).text.endswith(f"Gate: Upper; Number: {shown}")
