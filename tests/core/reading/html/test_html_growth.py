"""Time and memory for pages of any size: they grow with the page, whatever it is made of."""

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract
from tests.support.html_pages import SENTENCE, page
from tests.text_growth import seconds

CRAFTED = {
    "depth": lambda size: ("<div class='nav'>" * 1_500 + "x" + "</div>" * 1_500) * (size // 1_500),
    "formulas": lambda size: ("<span class='katex'>" * 1_500 + "x" + "</span>" * 1_500) * (size // 1_500),
    "mathml": lambda size: (
        ("<math>" + "<mrow>" * 1_000 + "<mi>x</mi>" + "</mrow>" * 1_000 + "</math>") * (size // 1_000)
    ),
    "raised text": lambda size: ("<p>" + "<sup>" * 1_000 + "2" + "</sup>" * 1_000 + "</p>") * (size // 1_000),
    "lists": lambda size: ("<ul><li>a" * 700 + "</ul>" * 700) * (size // 1_400),
    "tables": lambda size: ("<table><tr><td>a<td>" * 300 + "</table>" * 300) * (size // 1_200),
    "spans of cells": lambda size: "<table>" + ("<tr>" + "<td rowspan=1000 colspan=90>harbour" * 50) * (size // 51),
    "rows": lambda size: "<table>" + "<tr><td>a<td>b" * (size // 3) + "</table>",
    "links": lambda size: "<a href='#'>a</a>" * size,
    "hidden": lambda size: "<div hidden>" * 1_500 + "<p>a" * size,
    "drawings": lambda size: "<span class='MathJax'>a</span>" * size,
    "code": lambda size: "<pre>" + "<span class='line'>a</span>\n" * size + "</pre>",
    "fields": lambda size: (
        "<input type=checkbox><div>" * 1_000 + "</div>" * 1_000 + "<input value=a><input type=radio>" * size
    ),
    "drawn text": lambda size: "<svg><text><tspan x=1>a</tspan>b</text></svg>" * (size // 3) + "<svg><text>" * 500,
    "inner pages": lambda size: "<iframe srcdoc='<iframe srcdoc=&quot;<p>a&quot;></iframe>'></iframe>" * (size // 3),
    "small tags": lambda size: "<b>a</b>" * size,
}


def read_or_named(body: str) -> str:
    """Return the text of a page with this body, or the reason why it is refused."""
    try:
        return extract(page(f"<p>{SENTENCE}</p>{body}").encode(), "html").text
    except DocumentError as error:
        return error.reason


@pytest.mark.slow
@pytest.mark.parametrize("crafted", CRAFTED.values(), ids=CRAFTED)
def test_time_grows_with_the_page(crafted):
    """A page that nests or repeats one element took time by the square of its size, or overflowed the stack."""

    def read(size: int) -> None:
        read_or_named(crafted(size))

    small = min(seconds(lambda _: read(15_000), "") for _ in range(2))
    assert seconds(lambda _: read(60_000), "") < 2.6**2 * max(small, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("tag", ["div", "span", "b", "ul><li", "table><tr><td", "blockquote", "sup", "math><mrow"])
def test_elements_without_end_are_read_or_named(tag: str):
    outcome = read_or_named(f"<{tag}>" * 100_000 + "deep")
    assert SENTENCE in outcome or "nested too deeply" in outcome


@pytest.mark.slow
def test_the_text_of_spanning_cells_does_not_explode():
    row = "<tr>" + "<td rowspan=1000 colspan=1000>the harbour of Ostrand" * 4
    text = extract(page(f"<table>{row * 200}</table>").encode(), "html").text
    assert len(text) < 400_000
