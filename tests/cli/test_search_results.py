"""How search results are printed: the part of a passage that shows why it was found, and the header of its table.

What belongs here: layout. What does not: what is found (tests/retrieval).
"""

import pytest

from cli.search_results import excerpt, show_hits
from retrieval.search import SearchHit

ROWS = "\n".join(f"| Gate {number} | {number} m | It was seen in year {number} |" for number in range(40, 60))


def test_a_passage_with_many_lines_is_shown_from_the_line_that_was_sought() -> None:
    """The first rows of a table were shown, which said nothing of the one that was sought."""
    assert excerpt(ROWS, "level of GATE 52").startswith("… | Gate 52 | 52 m |")
    assert excerpt(ROWS, "level of gate 41").startswith("| Gate 40 | 40 m |")
    assert excerpt(ROWS, "nothing of it").startswith("| Gate 40 | 40 m |")
    assert len(excerpt(ROWS, "gate 52")) == 200


@pytest.mark.parametrize("text", ["", "  \n\n", "One line.", "One\nline."])
def test_a_short_passage_is_shown_whole_in_one_line(text: str) -> None:
    assert excerpt(text, "line") == " ".join(text.split())


def test_prose_is_shown_from_its_beginning() -> None:
    assert excerpt("The tide was high. " * 30, "tide").startswith("The tide was high.")


def test_rows_are_shown_below_the_header_of_their_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    header = "| Gate | Level | [bold]Note |\n| --- | --- | --- |"
    show_hits([SearchHit("gates.md", 2, 0.5, ROWS, 900, 900 + len(ROWS), "", header)], "gate 52")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"0.500  gates.md  characters 900 to {900 + len(ROWS)}",
        "       | Gate | Level | [bold]Note |",
    ]
    assert lines[2].startswith("       … | Gate 52 | 52 m |")
    assert all(line.startswith(" " * 7) and len(line) <= 60 for line in lines[1:])


def test_no_results_are_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    show_hits([], "gate")
    assert capsys.readouterr().out == "Nothing found.\n"
