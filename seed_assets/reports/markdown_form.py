"""A page as Markdown, in which the texts of documents are no markup.

What belongs here: layout and escapes. What does not: other forms (text_form, html_form), and Markdown for Dagster's pages
(io_managers.plain_text.as_markdown).
"""

import re
from collections.abc import Iterator

from io_managers.plain_text import plain, plain_lines
from seed_assets.reports.page import Block, Fields, Heading, Items, Page, Paragraph, Table, Verbatim

# All characters that mean something anywhere in a line of CommonMark or of its tables; those that do at its beginning follow.
_ANYWHERE = re.compile(r"[\\`*_\[\]<>&|~$^]")
_AT_BEGINNING = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)])|:)")
_FENCE = re.compile("`{3,}")


def markdown_lines(page: Page) -> Iterator[str]:
    """The lines of a page as Markdown (CommonMark with the tables of GitHub)."""
    yield f"# {escaped(page.title)}"
    for block in page.blocks:
        yield ""
        yield from _lines(block)


def escaped(text: str) -> str:
    """A text on one line that Markdown shows as it is, wherever it stands."""
    line = _ANYWHERE.sub(lambda found: "&lt;" if found[0] == "<" else f"\\{found[0]}", " ".join(plain(text).split()))
    return _AT_BEGINNING.sub(_escaped_beginning, line)


def fenced(text: str) -> Iterator[str]:
    """The lines of a text as a code block that the text cannot end."""
    text = plain_lines(text)
    fence = "`" * max(3, 1 + max(map(len, _FENCE.findall(text)), default=0))
    yield fence
    yield from text.split("\n")
    yield fence


def _escaped_beginning(found: re.Match[str]) -> str:
    mark = found[2]
    # A number is a list item with the point or the bracket after it, which has to be escaped instead.
    return f"{found[1]}{mark}\\" if mark.isdigit() else f"{found[1]}\\{mark}"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"## {escaped(text)}"
        case Paragraph(text):
            parts = [part for part in plain_lines(text).split("\n\n") if part.strip()]
            yield "\n\n".join(map(escaped, parts))
        case Fields(pairs):
            yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in pairs if value)
        case Items(items):
            yield from (f"- {escaped(item)}" for item in items)
        case Table(columns, rows):
            yield _row(columns)
            yield f"|{' --- |' * len(columns)}"
            yield from map(_row, rows)
        case Verbatim(text):
            yield from fenced(text)


def _row(cells: object) -> str:
    assert isinstance(cells, tuple | list)
    return f"| {' | '.join(map(escaped, cells))} |"
