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


def records(content: str) -> list[str]:
    return text_of(content).split("\n\n")


def test_a_second_table_after_a_blank_row_has_its_own_names():
    below = ["Keeper; Shift", "Keeper: Marta; Shift: Night", "Keeper: Ilse; Shift: Day"]
    for rows in ("\n\nKeeper,Shift\nMarta,Night\nIlse,Day\n", "\nKeeper,Shift\n\nMarta,Night\nIlse,Day\n"):
        assert records(f"Gate,Level\nUpper,4\n{rows}") == ["Gate; Level", "Gate: Upper; Level: 4", *below]
    assert records("Keeper,Shift\nMarta,Night\nIlse,Day\n,\nGate,Level\nUpper,4\n")[3:] == [
        "Gate; Level",
        "Gate: Upper; Level: 4",
    ]


def test_a_title_between_two_tables_is_no_record():
    text = records("Gate,Level\nUpper,4\n\nShifts of May,\n\nKeeper,Shift,Pay\nMarta,Night,9\nIlse,Day,8\n")
    assert text[2:] == [
        "Shifts of May", "Keeper; Shift; Pay", "Keeper: Marta; Shift: Night; Pay: 9", "Keeper: Ilse; Shift: Day; Pay: 8"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        ["Upper,4", "", "Lower,2", "Weir,3"],
        ["Upper,4", "", "", "Lower,n/a", "Weir,3"],
        ["Marta,Night", "", "Ilse,Day", "Bob,Night"],
        ["Marta,Night", "", "", "Ilse,Night", "Bob,Day"],
        ["", "Marta,Night", "", "Ilse,Day", "", "Bob,Evening", "", "Ann,Noon", ""],
        ["Upper,4", "", "Gate,Level", "Lower,2"],
        ["Upper,4", "", "Lower,2", "", "Weir,3", ""],
    ],
)
def test_blank_rows_inside_of_a_table_keep_its_names(rows: list[str]):
    data = [row for row in rows if row not in ("", "Gate,Level")]
    expected = ["Gate: {}; Level: {}".format(*row.split(",")) for row in data]
    assert records("Gate,Level\n" + "\n".join(rows) + "\n")[1:] == expected


@pytest.mark.parametrize(
    "pairs",
    [
        [("Vessel", "Corran Maid"), ("Draft", "1.85"), ("Home port", "Vellin")],
        [("Draft", "1.85"), ("Vessel", "Corran Maid"), ("Built", "1911-05-04"), ("Crew", "6")],
        [("Name:", "Marta Berg"), ("Place:", "Ostrand")],
    ],
)
def test_labels_with_their_values_are_no_table(pairs: list[tuple[str, str]]):
    content = "".join(f"{label},{value}\n" for label, value in pairs)
    expected = [f"{label.rstrip(':')}: {value}" for label, value in pairs]
    assert records(content) == expected
    assert records(f"{content}\nGate,Level,Day\nUpper,4,Monday\nLower,2,Friday\n")[-2:] == [
        "Gate: Upper; Level: 4; Day: Monday",
        "Gate: Lower; Level: 2; Day: Friday",
    ]


def test_a_table_of_two_columns_stays_one():
    for rows in (
        ["Upper,4", "Lower,2", "Weir,n/a"],
        ["Upper,4", "Lower,closed", "Weir,3"],
        ["Marta,Night", "Ilse,Day"],
    ):
        assert records("Gate,Level\n" + "\n".join(rows) + "\n")[0] == "Gate; Level"
