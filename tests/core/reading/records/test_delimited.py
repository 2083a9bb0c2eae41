"""CSV and TSV: rows as records that are understood alone, in any dialect and encoding."""

import csv
import io

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract

ROWS = [
    ["Gate", "Level, cm", "Note"],
    ["Upper “Ostrand”", "1,5", 'opened; "by hand"'],
    ["Lower gate", "20", "closed\nsince May"],
    ["Änne's weir", "", "Größe | unbekannt"],
]


def text_of(content: str | bytes) -> str:
    return extract(content.encode() if isinstance(content, str) else content, "csv").text


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_every_cell_is_found_with_the_name_of_its_column(delimiter: str, codec: str, line_end: str):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(ROWS)
    result = extract(file.getvalue().encode(codec), "csv")
    assert result.text == (
        "Gate; Level, cm; Note\n\n"
        'Gate: Upper “Ostrand”; Level, cm: 1,5; Note: opened; "by hand"\n\n'
        "Gate: Lower gate; Level, cm: 20\n\nNote: closed\nsince May\n\n"
        "Gate: Änne's weir; Note: Größe | unbekannt"
    )
    assert result.title == "Gate; Level, cm; Note"
    assert result.warnings == ()


def test_a_decimal_comma_divides_no_cells():
    assert text_of("gate;level\na;1,5\nb;2,5\nc;3,5\n").split("\n\n")[1:] == [
        "gate: a; level: 1,5",
        "gate: b; level: 2,5",
        "gate: c; level: 3,5",
    ]


def test_the_delimiter_that_excel_declares_is_heeded():
    assert text_of("sep=|\ngate|level\na,b|1\n") == "gate; level\n\ngate: a,b; level: 1"


def test_lines_above_the_names_of_columns_are_a_title():
    assert text_of("Levels of 2024\n\nGate,Level\nUpper,1\nLower,2\n") == (
        "Levels of 2024\n\nGate; Level\n\nGate: Upper; Level: 1\n\nGate: Lower; Level: 2"
    )


def test_years_name_columns_and_numbers_do_not():
    assert "Place: Ostrand; 2019: 4; 2020: 5" in text_of("Place,2019,2020\nOstrand,4,5\nVellin,6,7\n")
    assert text_of("1,2\n3,4\n") == "1; 2\n\n3; 4"


def test_a_row_that_is_longer_than_the_names_keeps_its_cells():
    assert text_of("Gate,Level\nUpper,1,late\nLower,2\n").split("\n\n")[1] == "Gate: Upper; Level: 1; late"


def test_a_single_column_and_a_single_row_are_read():
    assert text_of("Gate\nUpper\nLower\n") == "Gate\n\nGate: Upper\n\nGate: Lower"
    assert text_of("Upper,Lower\n") == "Upper; Lower"


def test_a_long_cell_is_a_paragraph_of_its_own():
    assert f"Gate: Upper\n\nReport: {'long ' * 100}".strip() in text_of(f"Gate,Report\nUpper,{'long ' * 100}\nB,c\n")


def test_quotation_marks_that_do_not_fit_lose_no_line():
    result = extract(b'Gate,Note\nUpper,"never closed\nLower,x\nThird,y\n', "csv")
    assert "Gate: Third; Note: y" in result.text
    assert "never closed" in result.text
    assert "quotation marks do not fit" in result.warnings[0]


@pytest.mark.slow
def test_a_table_with_a_million_rows_is_read():
    text = text_of("Gate,Level\n" + "".join(f"g{number},{number}\n" for number in range(1_000_000)))
    assert text.endswith("Gate: g999999; Level: 999999")


@pytest.mark.slow
def test_a_crafted_table_becomes_no_text_of_any_length():
    names = ",".join(f"n{number:04}{'n' * 90}" for number in range(1_500))
    with pytest.raises(DocumentError, match="more than 100,000,000 characters"):
        text_of(f"{names}\n" + ("1," * 1_499 + "1\n") * 1_000)


def test_a_row_without_end_is_refused():
    with pytest.raises(DocumentError, match="a row of the table has 300,001 cells"):
        text_of("a," * 300_000)
