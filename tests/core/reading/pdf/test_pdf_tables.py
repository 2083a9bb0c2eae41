"""Tables of PDF pages become rows in Markdown, and nothing else does.

What does not belong here: other texts of pages (test_pdf), and chunks of tables.
"""

from collections.abc import Callable

import pytest

from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.pdf.tables.table_likeness import is_table
from tests.support.pdf_files import Page, at, lines, pdf
from tests.support.pdf_tables import aligned, cells, ruled

GATES = [["Gate", "Keeper", "Level"], ["East", "Marta", "1.85"], ["West", "Ilse", "2.10"], ["North", "Oskar", "3.70"]]
MARKDOWN = "\n".join(
    [
        "| Gate | Keeper | Level |",
        "| --- | --- | --- |",
        "| East | Marta | 1.85 |",
        "| West | Ilse | 2.10 |",
        "| North | Oskar | 3.70 |",
    ]
)
WIDTHS = [90, 120, 80]


def text_of(*pages: Page | str, catalog: str = "") -> str:
    return extract(pdf(list(pages), catalog=catalog), "pdf").text


def test_a_table_with_lines_stands_between_the_texts_around_it() -> None:
    page = at(20, 375, "Before the table") + ruled(GATES, WIDTHS) + at(20, 240, "After the table")
    assert text_of(page) == f"Before the table\n\n{MARKDOWN}\n\nAfter the table"


@pytest.mark.parametrize("sign", ["-", "\\226", ".", "*", "n/a"])
@pytest.mark.parametrize("draw", [aligned, ruled])
def test_a_cell_that_only_says_that_it_is_empty_is_a_cell(sign: str, draw: Callable[..., str]) -> None:
    """A dash is drawn at the middle of its row, so that pdfium makes a line of its own of it, wherever it stands."""
    rows = [
        ["Gate", "Level", "Flow"],
        ["East", "1.85", sign],
        [sign, "2.10", "9"],
        ["West", sign, "7"],
        ["North", "3.70", sign],
    ]
    shown = "–" if sign == "\\226" else sign
    body = "".join(f"| {' | '.join(shown if cell == sign else cell for cell in row)} |\n" for row in rows[1:])
    assert text_of(draw(rows, [90, 80, 80])) == f"| Gate | Level | Flow |\n| --- | --- | --- |\n{body}".strip()


def test_backgrounds_of_cells_are_their_borders() -> None:
    assert text_of(ruled(GATES, WIDTHS, fill=True)) == MARKDOWN


def test_rows_without_lines_between_them_are_rows() -> None:
    """Many programs draw lines between columns and below the header only."""
    heads, height = "20 340 m 310 340 l S", 20 * len(GATES)
    sides = f"20 {360 - height} 290 {height} re S {heads} 110 360 m 110 {360 - height} l S 230 360 m 230 {360 - height} l S\n"
    texts = "\n".join(text for n, row in enumerate(GATES) for text in cells(row, WIDTHS, bottom=346 - 20 * n))
    assert text_of(sides + texts) == MARKDOWN


def test_lines_of_prose_in_cells_are_no_rows() -> None:
    rows = [["Gate", "Remark"], ["East\nand\nWest", "The hinge\nbroke when the\ntide came"]]
    assert "| East and West | The hinge broke when the tide came |" in text_of(ruled(rows, WIDTHS[:2]))


def test_lines_may_be_one_path_or_be_narrow_rectangles_or_lie_in_a_form() -> None:
    heights, places = [360, 340, 320, 300, 280], [20, 110, 230, 310]
    texts = ruled(GATES, WIDTHS).replace(" S\n", " n\n")
    path = " ".join(
        [f"20 {y} m 310 {y} l" for y in heights] + [f"{x} 280 m {x} 360 l" for x in places],
    )
    narrow = "\n".join(
        [f"20 {y} 290 0.5 re f" for y in heights] + [f"{x} 280 0.5 80 re f" for x in places],
    )
    assert text_of(f"{path} S\n{texts}") == MARKDOWN
    assert text_of(f"{narrow}\n{texts}") == MARKDOWN
    # The form is drawn at half of its size.
    half = " ".join(str(float(word) * 2) if word[0].isdigit() else word for word in path.split())
    form = (
        f"<< /Type /XObject /Subtype /Form /BBox [0 0 800 800] /Length {len(half) + 2} >>\nstream\n{half} S\nendstream"
    )
    page = f"q 0.5 0 0 0.5 0 0 cm /Im1 Do Q\n{texts}"
    assert extract(pdf([page], objects=[form]), "pdf").text == MARKDOWN


def test_a_cell_of_several_lines_is_one_cell_and_its_words_are_joined() -> None:
    rows = [["Gate", "Remark"], ["East", "The measure-\nments of the\nlast year"], ["West", "None"]]
    assert text_of(ruled(rows, [90, 120])) == (
        "| Gate | Remark |\n| --- | --- |\n| East | The measurements of the last year |\n| West | None |"
    )


def test_empty_cells_stay_empty_and_merged_cells_stay_in_their_column() -> None:
    rows = [["Gate", "Spring", "Autumn"], ["East", "", "1.85"], ["West", "closed", "<"], ["North", "2.10", "3.70"]]
    assert text_of(ruled(rows, WIDTHS)).split("\n")[2:] == [
        "| East |  | 1.85 |",
        "| West | closed |  |",
        "| North | 2.10 | 3.70 |",
    ]


def test_a_title_over_all_columns_stands_above_the_table() -> None:
    assert text_of(ruled([["Gates of Vellin", "<", "<"], *GATES], WIDTHS)) == f"Gates of Vellin\n\n{MARKDOWN}"


def test_a_stroke_in_a_cell_is_escaped() -> None:
    assert "| a \\| b |" in text_of(ruled([["Gate", "Sign"], ["East", "a | b"], ["West", "c"]], [90, 120]))


def test_values_of_a_form_stand_in_their_cells() -> None:
    field = "<< /Type /Annot /Subtype /Widget /FT /Tx /Rect [112 322 228 338] /F 4 /T (a) /V (Corran Maid) >>"
    page = Page(ruled([["Field", "Value"], ["Vessel", ""], ["Gate", "East"]], [90, 120]), [field])
    text = text_of(page, catalog="/AcroForm << /Fields [12 0 R] >>")
    assert text.split("\n")[2:] == ["| Vessel | Corran Maid |", "| Gate | East |"]


def test_a_table_without_lines_is_known_by_its_columns() -> None:
    page = at(20, 375, "The gates of the harbour") + aligned(GATES, WIDTHS) + at(20, 260, "They were measured in May.")
    assert text_of(page) == f"The gates of the harbour\n\n{MARKDOWN}\n\nThey were measured in May."


def test_cells_of_a_table_without_lines_may_go_on_and_may_be_empty() -> None:
    rows = [
        ["Gate", "Remark", "Level"],
        ["East", "opened in\nthe spring", "1.85"],
        ["West", "", "2.10"],
        ["North", "new", "3.70"],
    ]
    assert text_of(aligned(rows, WIDTHS, pitch=30)).split("\n")[2:] == [
        "| East | opened in the spring | 1.85 |",
        "| West |  | 2.10 |",
        "| North | new | 3.70 |",
    ]


def test_a_table_that_goes_on_has_its_header_once() -> None:
    first, second = [GATES[0], *GATES[1:3]], [GATES[0], *GATES[3:]]
    found = extract(pdf([ruled(first, WIDTHS), ruled(second, WIDTHS) + at(20, 100, "The end.")]), "pdf")
    assert found.text == f"{MARKDOWN}\n\nThe end."
    assert found.text[found.page_starts[1] :].startswith("| North |")
    rest = [["North", "Oskar", "3.70"], ["South", "Ada", "4.15"]]
    assert text_of(ruled(first, WIDTHS), ruled(rest, WIDTHS)) == f"{MARKDOWN}\n| South | Ada | 4.15 |"
    other = [["Ship", "Master", "Tons"], ["Corran Maid", "Ada", "40"]]
    assert text_of(ruled(first, WIDTHS), ruled(other, [100, 110, 80])).count("\n| --- |") == 2


def test_a_table_may_be_drawn_column_by_column_or_have_cells_of_one_letter() -> None:
    columns = "".join(
        at(24 + sum(WIDTHS[:column]), 346 - 20 * row, GATES[row][column], 10) for column in range(3) for row in range(4)
    )
    assert text_of(ruled([["", "", ""]] * 4, WIDTHS) + columns) == MARKDOWN
    assert (
        text_of(ruled([["a", "b"], ["1", "2"], ["3", "4"]], [30, 30]))
        == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"
    )


def test_a_cell_of_two_rows_stands_in_the_first() -> None:
    boxes = "".join(
        f"{box} re S " for box in ("20 300 90 40", "110 320 99 20", "110 300 99 20", "20 340 90 20", "110 340 99 20")
    )
    texts = at(24, 346, "Gate", 10) + at(114, 346, "Level", 10) + at(24, 316, "East", 10)
    texts += at(114, 326, "1.85", 10) + at(114, 306, "2.10", 10)
    assert text_of(boxes + texts) == "| Gate | Level |\n| --- | --- |\n| East | 1.85 |\n|  | 2.10 |"


PROSE = [
    "The harbour master of Vellin opened the sluice gate at dawn,",
    "because the spring tide had filled the upper basin to its rim,",
    "and three ships were waiting below for the water to come down.",
]
CONTENTS = [["The harbour", "3"], ["The gates of the east", "17"], ["Ships", "29"], ["Index", "45"]]
ITEMS = [["1.", "Open the gate"], ["2.", "Wait for ships"], ["3.", "Close the gate"], ["4.", "Write it down"]]
VERSE = [
    ["The tide comes in", "Le flot remonte"],
    ["the tide goes out", "le flot descend"],
    ["and all is still", "et tout se tait"],
]
CODE = [["x = 1", "# first", "7"], ["y = 2", "# second", "8"], ["z = 3", "# third", "9"], ["w = f(x)", "# last", "1"]]
NAMES = [["A. Maid", "B. Reed", "C. Hall"], ["Vellin", "Corran", "Aber"], ["a@b.org", "b@c.org", "c@d.org"]]
LETTERS = [["Yours", "", "Vellin"], ["Marta", "", "4 May"], ["", "Ilse", "East"]]


@pytest.mark.parametrize("rows", [CONTENTS, ITEMS, VERSE, CODE, NAMES, LETTERS])
def test_contents_items_verse_code_and_names_are_no_tables(rows: list[list[str]]) -> None:
    assert "|" not in text_of(aligned(rows, [150, 120, 80]))


def test_prose_is_no_table_even_in_a_frame_or_between_lines() -> None:
    prose = lines(*PROSE, top=340, size=10)
    plain = "\n".join(PROSE)
    assert text_of(prose) == plain
    assert text_of("10 300 380 60 re S " + prose) == plain
    # Lines that go through words are no borders of cells.
    assert text_of("10 300 380 60 re S 100 300 m 100 360 l S 10 330 m 390 330 l S " + prose) == plain


def test_lines_that_cut_words_at_their_outer_side_are_no_table() -> None:
    drawn = "50 300 100 20 re S 150 300 100 20 re S 50 280 100 20 re S 150 280 100 20 re S "
    prose = lines(
        "The harbour master of Vellin opened the gate", "because the spring tide had filled it up", top=306, size=10
    )
    assert "|" not in text_of(drawn + prose)


def test_a_drawing_with_labels_is_no_table() -> None:
    boxes = "".join(f"{x} {y} 80 50 re S " for x in (20, 100, 180, 260) for y in (100, 150, 200, 250))
    assert "|" not in text_of(boxes + at(25, 270, "Basin") + at(105, 220, "Lock") + at(270, 120, "Sea"))


@pytest.mark.parametrize(
    ("rows", "table"),
    [
        ([["Gate", "Level"], ["East", "1.85"], ["West", "2.10"]], True),
        ([["Gate", "Level"], ["East", "1.85"]], False),
        ([["Year", "Ships", "Tons"], ["1911", "17", "40"], ["1912", "19", "44"]], True),
        ([["Alpha", "Beta"], ["gamma", "delta"], ["epsilon", "zeta"], ["eta", "theta"]], False),
        ([["Year", "Ships"], ["1911", "1,200"], ["1912", "900"]], True),
        ([["2001", "1,200"], ["2011", "450"], ["2012", "900"]], False),
        ([["Chapter", "Page"], ["One", "9"], ["Two", "7"], ["Three", "30"]], False),
        ([["One ..........", "9"], ["Two ..........", "7"], ["Three ........", "3"]], False),
        ([["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]], False),
        ([["a" * 80, "1"], ["b" * 80, "2"], ["c" * 80, "4"]], False),
    ],
)
def test_short_cells_with_numbers_are_a_table(rows: list[list[str]], table: bool) -> None:
    lefts = [[20.0] * len(rows) for _ in rows[0]]
    assert is_table(rows, lefts) is table
