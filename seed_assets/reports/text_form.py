"""A page as lines for a terminal, which are at most as wide as it is.

What belongs here: layout. What does not: other forms (markdown_form, html_form).
"""

import textwrap
from collections.abc import Iterator, Sequence

from io_managers.plain_text import plain, plain_lines
from seed_assets.reports.page import Block, Fields, Heading, Items, Page, Paragraph, Table, Verbatim

# Columns of a table are so far apart. All columns but the last have at most so much of the width; otherwise each cell after the
# first one gets lines of its own. Both were chosen by judgement.
_GAP, _MOST_BEFORE_LAST = 2, 0.62
# On a narrower terminal, the terminal breaks the lines.
_LEAST_WIDTH = 40


def text_lines(page: Page, width: int = 80) -> Iterator[str]:
    """The lines of a page, without characters that steer a terminal. width: in characters."""
    width = max(_LEAST_WIDTH, width)
    yield from _wrapped(page.title, width)
    for block in page.blocks:
        if not isinstance(block, Fields) or block is not page.blocks[0]:
            yield ""
        yield from _lines(block, width)


def _lines(block: Block, width: int) -> Iterator[str]:
    match block:
        case Heading(text):
            line = plain(text)
            yield line
            yield "-" * min(len(line), width)
        case Paragraph(text):
            for number, part in enumerate(_paragraphs(text)):
                if number:
                    yield ""
                yield from _wrapped(part, width)
        case Fields(pairs):
            for name, value in pairs:
                if value:
                    yield from _wrapped(value, width, f"{name}: ", "  ")
        case Items(items):
            for item in items:
                yield from _wrapped(item, width, "- ", "  ")
        case Table():
            yield from _table(block, width)
        case Verbatim(text):
            yield from plain_lines(text).split("\n")


def _table(table: Table, width: int) -> Iterator[str]:
    rows = [[plain(cell) for cell in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *rows, strict=True)]
    before = sum(widths[:-1]) + _GAP * (len(widths) - 1)
    if before <= _MOST_BEFORE_LAST * width:
        for row in (table.columns, *rows):
            first = "".join(cell.ljust(size + _GAP) for cell, size in zip(row[:-1], widths[:-1], strict=True))
            yield from _wrapped(row[-1], width, first, " " * before)
        return
    indent = min(widths[0], width // 3) + _GAP
    for first, second, *others in rows:
        yield from _wrapped(second, width, first.ljust(indent), " " * indent)
        for name, cell in zip(table.columns[2:], others, strict=True):
            if cell:
                yield from _wrapped(cell, width, f"{' ' * indent}{name}: ", " " * (indent + 2))


def _wrapped(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    lines = textwrap.wrap(
        plain(text),
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first.rstrip()]


def _paragraphs(text: str) -> Sequence[str]:
    return [part for part in plain_lines(text).split("\n\n") if part.strip()] or [""]
