"""Headers, footers and page numbers of PDFs are set apart, and no line of the text is lost.

What does not belong here: plain texts with pages (test_paged_text).
"""

import pytest

from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.pdf.running.line_numbers import numbers_in
from tests.support.pdf_files import Page, at, lines, pdf

WORDS = ["harbour", "lantern", "meadow", "granite", "whistle", "orchard", "ferry", "thimble"]


def body(number: int, count: int = 12) -> list[str]:
    word = WORDS[number % len(WORDS)]
    return [f"Sentence {place} of the {word} tells what the {word} was for." for place in range(count)]


def page(number: int, *, header: str = "", footer: str = "", right: str = "", more: str = "") -> str:
    content = at(20, 385, header, 9) + at(330, 385, right, 9) if header or right else ""
    content += lines(*body(number), top=350, size=10)
    return content + (at(190, 15, footer, 9) if footer else "") + more


def text_of(pages: list[str] | list[Page], title: str = "A title that is given") -> str:
    return extract(pdf(pages, title=title), "pdf").text


def plain(count: int) -> str:
    return "\n\n".join("\n".join(body(number)) for number in range(count))


@pytest.mark.parametrize(
    "footer",
    [
        "{n}",
        "- {n} -",
        "Page {n}",
        "Page {n} of 4",
        "{n}/4",
        "[{n}]",
        "Seite {n} von 4",
        "The lock of Vellin | {n}",
        "{n} Vellin",
    ],
)
def test_numbers_of_pages_are_no_text(footer: str) -> None:
    assert text_of([page(n, footer=footer.format(n=n + 1)) for n in range(4)]) == plain(4)


def test_roman_numbers_are_numbers_of_pages() -> None:
    assert text_of([page(n, footer=roman) for n, roman in enumerate(["iii", "iv", "v", "vi", "vii"])]) == plain(5)


def test_headers_on_all_pages_and_those_that_differ_on_the_left_and_right_are_no_text() -> None:
    assert text_of([page(n, header="The lock of Vellin", right=str(n + 9)) for n in range(4)]) == plain(4)
    sides = [
        page(n, header=f"{n + 1} The lock of Vellin") if n % 2 else page(n, right=f"On gates {n + 1}") for n in range(8)
    ]
    assert text_of(sides) == plain(8)


def test_headers_of_chapters_are_no_text() -> None:
    chapters = ["On gates", "On gates", "On ships", "On ships", "On ships", "On tides", "On tides"]
    assert text_of([page(n, header=each) for n, each in enumerate(chapters)]) == plain(7)


def test_a_footer_that_was_drawn_first_is_no_text() -> None:
    pages = [at(190, 15, f"Vellin {n + 1}", 9) + page(n) for n in range(4)]
    assert text_of(pages) == plain(4)


def test_headers_of_pages_that_are_turned_are_no_text() -> None:
    pages = [Page(page(n, header="The lock of Vellin", footer=str(n + 1)), more="/Rotate 180") for n in range(4)]
    assert "The lock of Vellin" not in text_of(pages)
    assert all(line in text_of(pages) for line in body(2))


def test_a_sentence_goes_on_over_the_page_without_the_footer() -> None:
    first = lines("He wrote all of the measure-", top=350) + at(190, 15, "1", 9)
    second = lines("ments down, and then he", top=350) + at(190, 15, "2", 9)
    third = lines("went home.", top=350) + at(190, 15, "3", 9)
    text = text_of([first, second, third])
    assert text == "He wrote all of the measurements down, and then he\nwent home."


def test_the_title_stays_on_the_first_page_though_it_is_the_header_of_all() -> None:
    title = "Annual report of the lock"
    first = at(20, 385, title, 22) + lines(*body(0), top=350, size=10)
    found = extract(pdf([first, *(page(n, header=title) for n in range(1, 4))]), "pdf")
    assert found.title == title
    assert found.text.count(title) == 1
    assert found.text.startswith(title)
    same = [page(n, header=title) for n in range(4)]
    assert text_of(same, title=title) == f"{title}\n{plain(4)}"


def test_a_single_page_is_not_changed() -> None:
    header, footer = "The lock of Vellin", "Page 1 of 1"
    assert text_of([page(0, header=header, footer=footer)]) == "\n".join([header, *body(0), footer])


def test_a_line_of_the_text_stays() -> None:
    # A line at the edge that is only on two pages, numbers that are not those of pages, and headings that come again.
    ends = ["17", "4", "90", "12"]
    pages = [lines(*body(n), ends[n], top=350, size=10) for n in range(4)]
    assert all(f"\n{end}" in text_of(pages) for end in ends)
    headings = ["Questions", "Gates", "Tides", "Ships", "Winds", "Questions", "Nets", "Ropes"]
    pages = [lines(heading, *body(n), top=350, size=10) for n, heading in enumerate(headings)]
    assert text_of(pages).count("Questions") == 2
    numbered = [lines(f"Example {2 * n}", *body(n), top=350, size=10) for n in range(9)]
    assert text_of(numbered).count("Example") == 9


def test_pages_that_are_alike_are_not_taken_for_headers() -> None:
    card = ["Name of the ship", "Name of the master", "Tons", "Draught", "Berth", "Date"]
    pages = [lines(*card, top=350, size=10) for _ in range(4)]
    assert text_of(pages).count("Berth") == 4
    markers = [lines(f"Page marker {n}", size=12) for n in range(5)]
    assert all(f"Page marker {n}" in text_of(markers) for n in range(5))


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("- 3 -", [3]),
        ("Page 3 of 9", [3]),
        ("12 The lock", [12]),
        ("The lock 12", [12]),
        ("xiv PREFACE", [14]),
        ("The year was 1911.", [1911]),
        ("Version 2.10", []),
        ("mild", []),
        ("no number", []),
        ("12", [12]),
    ],
)
def test_numbers_at_the_ends_of_a_line_are_found(line: str, values: list[int]) -> None:
    assert [number.value for number in numbers_in(line)] == values


@pytest.mark.parametrize("header", ["Invoice no. {n}", "Seat {n}", "Question {n}", "Room No {n}", "Ticket #{n}"])
def test_numbers_that_count_something_else_than_pages_stay(header: str) -> None:
    found = text_of([page(n, header=header.format(n=n + 1)) for n in range(4)])
    assert all(header.format(n=n + 1) in found for n in range(4))


def test_short_pages_keep_what_is_the_same_on_all_of_them() -> None:
    tickets = [lines("Vellin Regatta", f"Guest: {name}", f"Row {n}", size=14) for n, name in enumerate(WORDS[:5], 11)]
    found = text_of(tickets)
    assert found.count("Vellin Regatta") == len(tickets)
    assert all(f"Row {n}" in found for n in range(11, 16))


def test_letters_to_many_people_keep_their_text() -> None:
    said = [f"Sentence {place} is the same in all letters." for place in range(8)]
    letters = [lines("Vellin, 4 May 2024", f"Dear {name},", *said, "Yours, Marta", top=390) for name in WORDS[:5]]
    found = text_of(letters)
    assert found.count("Vellin, 4 May 2024") == found.count("Yours, Marta") == len(letters)
    assert found.count(said[0]) == found.count(said[-1]) == len(letters)
