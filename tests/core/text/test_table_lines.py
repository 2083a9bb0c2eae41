"""Tables in texts, as they are written in Markdown: where they begin and end, their rows, and what only looks like one.

What belongs here: finding tables. What does not: how they are cut (test_chunks_of_tables) and written (tests/core/reading).
"""

import pytest

from seed_assets.core.reading.markdown_blocks import table
from seed_assets.core.text.table_lines import tables_in

TABLE = "| Gate | Level |\n| --- | --- |\n| Upper | 4 |\n| Lower | 2 |"


@pytest.mark.parametrize("before", ["", "A line.\n", "## Gates\n\n", "A line.\n\n\n"])
@pytest.mark.parametrize("after", ["", "\n", "\nA line.", "\n\n| one | row |\n", "\n \n- an item"])
def test_a_table_ends_where_its_rows_end(before: str, after: str) -> None:
    text = before + TABLE + after
    (found,) = tables_in(text)
    assert text[found.start : found.end] == TABLE
    assert found.header == "| Gate | Level |\n| --- | --- |"
    assert [text[slice(*row)] for row in found.rows] == [found.header, "| Upper | 4 |", "| Lower | 2 |"]


def test_what_readers_write_is_found() -> None:
    """Tables of pages, documents and slides would be cut like prose."""
    written = table([["Gate", "Open | closed"], ["Upper", ""], ["Lower", "yes"]])
    assert [len(found.rows) for found in tables_in(f"Gates:\n\n{written}\n\nEnd.")] == [3]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("Gate | Level\n--- | ---:\nUpper | 4", "Gate | Level\n--- | ---:"),
        ("  | Gate |\n  |:---:|\n  | Upper |", "| Gate |\n|:---:|"),
        ("> | Gate | Level |\n> |---|---|\n> | Upper | 4 |", "> | Gate | Level |\n> |---|---|"),
        ("| Gate  | Level |\n|:------|------:|\n| Upper | 4     |", "| Gate | Level |\n|:---|---:|"),
        ("| Gate | Level |\n|------+-------|\n| Upper | 4 |", "| Gate | Level |\n|---+---|"),
    ],
    ids=["without borders", "indented, one column", "quoted", "padded", "Org"],
)
def test_people_write_tables_in_several_ways(text: str, header: str) -> None:
    (found,) = tables_in(text)
    assert (found.header, len(found.rows)) == (header, 2)
    assert text[slice(*found.rows[-1])] == text.split("\n")[-1].strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|",
        "| --- | --- |",
        "\n| --- | --- |\n| a | b |",
        "A heading\n---\n\nText | with a bar.",
        "a | b\n---\nc | d",
        "| one | row |\n| and | another |",
        "x = a | b\n+ c | d\n- e | f",
        "one\n--- | ---\ntwo | three",
        "a | b\n\n--- | ---\nc | d",
        "a | b\n--- | --- x\nc | d",
        "a | b\n:: | ::\nc | d",
    ],
)
def test_what_is_no_table_is_left_alone(text: str) -> None:
    """Prose and code with a bar would be cut otherwise than before, and be paid for again."""
    assert list(tables_in(text)) == []


def test_tables_follow_one_another() -> None:
    text = f"{TABLE}\n\n{TABLE}\nText.\n{TABLE}"
    assert [text[found.start : found.end] for found in tables_in(text)] == [TABLE] * 3
