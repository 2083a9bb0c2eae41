"""The forms of a page: text for a terminal, Markdown and HTML, from the same blocks.

What belongs here: layout, escapes, and verdicts in words. What does not: what overviews hold (tests/cli/test_show_overviews).
"""

import html
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seed_assets.core.judging.verdicts import Claim, Judgement, Verdict
from seed_assets.reports.document_overview import DocumentOverview
from seed_assets.reports.html_form import html_of
from seed_assets.reports.markdown_form import escaped, fenced, markdown_lines
from seed_assets.reports.overview_pages import document_page
from seed_assets.reports.page import Fields, Heading, Items, Page, Paragraph, Table, Verbatim
from seed_assets.reports.shown_verdicts import shown_verdict
from seed_assets.reports.text_form import text_lines

MARK = r"[!-/:-@\[-`{-~]"

PAGE = Page(
    "Tides",
    [
        Fields([("document", "tides.md"), ("encoding", "")]),
        Heading("Summary"),
        Paragraph(
            "The tide turns twice a day, and the harbour master writes down when it did so.\n\nNobody else does."
        ),
        Items(["one", "two words " * 12]),
        Table(("id", "title"), [("topic/1", "Reefs"), ("topic/12", "Rails and " * 9)]),
        Table(
            ("status", "claim", "passage"),
            [("copied", "It turns.", ""), ("supported", "Twice. " * 20, "Twice a day. " * 9)],
        ),
        Verbatim("  kept\n\tas it is"),
    ],
)


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_no_line_of_text_is_wider_than_the_terminal(width: int) -> None:
    lines = list(text_lines(PAGE, width))
    assert max(map(len, lines)) <= width
    shown = " ".join(" ".join(lines).split())
    for words in ("tides.md", "Nobody else does.", "Rails", "Twice a day."):
        assert words in shown
    assert "encoding" not in shown


def test_a_table_has_columns_if_they_fit_and_lines_for_each_cell_otherwise() -> None:
    lines = list(text_lines(Page("", [PAGE.blocks[4], PAGE.blocks[5]]), 60))
    assert "id        title" in lines
    assert "topic/1   Reefs" in lines
    assert "copied     It turns." in lines
    assert "           passage: Twice a day. Twice a day. Twice a day." in lines
    assert len([line for line in lines if "passage" in line]) == 1


def test_markdown_has_the_same_blocks() -> None:
    text = "\n".join(markdown_lines(PAGE))
    assert text.startswith("# Tides\n\n- document: tides.md\n\n## Summary\n\nThe tide turns twice a day")
    assert "\n\n| id | title |\n| --- | --- |\n| topic/1 | Reefs |\n" in text
    assert text.endswith("\n\n```\n  kept\n\tas it is\n```")


@given(st.text(alphabet="ab \\`*_[]<>&|~#+-=.:)(1\n\t\x1b\u202e!", max_size=40))
def test_no_character_of_a_text_is_markup_in_markdown(text: str) -> None:
    """Each special character is escaped, and nothing else is changed."""
    found = escaped(text)
    assert "\n" not in found
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]|~]", re.sub(rf"\\{MARK}", "", found))
    assert not re.match(r"\s*(#|[+-](\s|$)|=|\d+[.)])", found)
    assert "<" not in found
    shown = re.sub(rf"\\({MARK})", r"\1", found)
    expected = " ".join(text.split())
    if "\x1b" not in text and "\u202e" not in text and "&" not in text:
        assert html.unescape(shown) == expected


@given(st.text(alphabet="`~a\n ", max_size=40))
def test_a_text_cannot_end_the_code_block_that_it_is_in(text: str) -> None:
    first, *lines, last = fenced(text)
    assert first == last
    assert not [line for line in lines if line.strip().startswith(first)]


@given(st.text(max_size=60))
def test_html_shows_a_text_as_it_is(text: str) -> None:
    page = html_of(Page("x", [Paragraph(f"begin{text}end")]))
    body = page[page.index("begin") + 5 : page.index("end</p>")]
    assert not set(body) & {"<", ">", '"', "'"}


def claim(text: str, status: str, passage: str = "", kind: str = "claim") -> Claim:
    return Claim(text, status, kind, passage)  # type: ignore[arg-type]


def test_a_verdict_is_shown_with_the_passage_of_each_claim() -> None:
    """A judge's verdict without its reasons cannot be checked by anybody."""
    claims = (
        claim("The tide turns.", "supported", "At noon\nthe tide turns."),
        claim("It never turns.", "contradicted", "It turns twice a day"),
        claim("It is blue.", "not found"),
        claim("It turns.", "copied", "It   turns"),
        claim("moon", "not found", kind="concept"),
        claim("tide", "supported", "tide", kind="concept"),
    )
    judgement = Judgement("It turns.", Verdict("revise", 0.5, claims, "judge-1"), needs_review=True)
    verdict = shown_verdict(judgement, "tides.md")
    assert verdict.sentence == "revise: 50% of 6 claims supported, to be reviewed (judged by judge-1)"
    assert [one.passage_beside for one in verdict.claims[:4]] == [
        "At noon the tide turns.",
        "It turns twice a day",
        "",
        "",
    ]
    assert [one.document for one in verdict.claims[:4]] == ["tides.md", "tides.md", "", "tides.md"]
    overview = DocumentOverview("tides.md", "", "", 9, 0, ["Page 3 is empty."], "It turns.", verdict, [], [], [], [])
    text = "\n".join(text_lines(document_page(overview, ["concepts is stale."]), 80))
    assert text.startswith("tides.md\n\nconcepts is stale.\n")
    assert "warning: Page 3 is empty." in text
    assert re.search(r"^contradicted +It never turns\. +It turns twice a day$", text, re.MULTILINE)
    assert "Concepts that were not found in the source: moon." in text
    assert "It is not placed yet." in text


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (("copied", None, "copied", None), "copied: 1 claim word for word from the source, not judged"),
        (("accept", 1.0, "supported", 0.5), "accept: 100% of 1 claim supported, confidence 0.50"),
        (("reject", None, "not found", None), "reject (judged by j)"),
    ],
)
def test_a_verdict_is_a_sentence(verdict: tuple[Any, Any, str, float | None], sentence: str) -> None:
    decision, score, status, confidence = verdict
    found = Verdict(decision, score, (claim("a", status),), "j", confidence=confidence)
    assert shown_verdict(Judgement("", found)).sentence.startswith(sentence)
