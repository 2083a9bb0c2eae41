"""Tables: whole rows, no empty cells where the page has something, and layouts read as text."""

import pytest

from tests.support.html_pages import LONG, SENTENCE, html_text

TABLE = "<table><tr><th>Port</th><th>{}</th></tr><tr><td>Ostrand</td><td>{}</td></tr></table>"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("<ul><li>Marta</li><li><a href='k'>Karl</a></li></ul>", "Marta, Karl"),
        ("<div class='plainlist'><ul><li><div>Marta</div></li></ul></div>", "Marta"),
        ("<a href='x'>the pier</a>", "the pier"),
        ("<p>One.</p><p>Two.</p>", "One. Two."),
        ("one<br>two", "one two"),
        ("<div><span>6</span> m</div>", "6 m"),
        ("<img src='p.png' alt='A pier of stone'>", "A pier of stone"),
        ("10<sup>6</sup> t", "10⁶ t"),
        ("<table><tr><td>Level</td><td>1.9</td></tr><tr><td>Flow</td><td>3</td></tr></table>", "Level, 1.9; Flow, 3"),
        ("a | b", "a \\| b"),
        ("<code>open_gate</code>", "open_gate"),
    ],
)
@pytest.mark.parametrize("around", ["", LONG], ids=["short", "long"])
def test_a_cell_holds_what_the_page_shows(cell: str, written: str, around: str):
    """trafilatura leaves cells with lists, links and boxes empty."""
    text = html_text(f"<article>{around}{TABLE.format('It', cell)}</article>{around}")
    assert f"| Port | It |\n| --- | --- |\n| Ostrand | {written} |" in text


def test_a_cell_that_reaches_over_rows_is_in_each_of_them():
    rows = "<tr><th>Year<th>Pier<th>Depth<tr><td rowspan=2>1911<td>North<td>4 m<tr><td>South<td>3 m"
    assert html_text(f"<table>{rows}</table>").endswith("| 1911 | North | 4 m |\n| 1911 | South | 3 m |")


def test_a_cell_that_reaches_over_columns_keeps_the_others_in_their_place():
    rows = "<tr><th colspan=2>Depth<th>Pier<tr><td>4 m<td>3 m<td>North"
    assert html_text(f"<table>{rows}</table>") == "| Depth |  | Pier |\n| --- | --- | --- |\n| 4 m | 3 m | North |"


def test_a_column_that_is_empty_in_all_rows_is_left_out():
    assert html_text("<table><tr><td>a<td><td>b<tr><td>c<td><td>d</table>") == "| a | b |\n| --- | --- |\n| c | d |"


def test_a_caption_stands_before_its_table():
    table = "<table><caption>Piers <b>of stone</b></caption><tr><td>a<td>b</table>"
    assert html_text(table) == "Piers of stone\n\n| a | b |"


def test_tables_in_tables_are_read_one_after_the_other():
    inner = "<table><tr><th>Port<th>Depth<tr><td>Ostrand<td>4 m</table>"
    assert html_text(f"<table><tr><td>Left<td>{inner}<td>Right</table>") == (
        "Left\n\n| Port | Depth |\n| --- | --- |\n| Ostrand | 4 m |\n\nRight"
    )


@pytest.mark.parametrize(
    "layout",
    [
        "<table><tr><td>{}</td></tr></table>",
        "<table role='presentation'><tr><td>Menu</td><td>{}</td></tr></table>",
        "<table><tr><td>Menu</td><td><h2>Ferry</h2>{}</td></tr></table>",
        "<table width=600><tr><td width=100>Menu</td><td><font size=2>{}</font></td></tr></table>",
    ],
)
def test_a_table_that_lays_out_text_is_read_as_text(layout: str):
    text = html_text(layout.format(LONG))
    assert "|" not in text
    assert "\n\nLog 7 of the ferry" in text


def test_paragraphs_that_are_only_parted_by_breaks_are_paragraphs():
    sentences = "<br><br>".join(f"{SENTENCE} It was day {number}." for number in range(9))
    assert f"It was day 3.\n\n{SENTENCE} It was day 4." in html_text(
        f"<table><tr><td><font>{sentences}</font></td></tr></table>"
    )
