"""The console on which reports are printed, and the tables of stages on it, whose figures are never cut.

It is a Rich console that removes control sequences from all texts. Which figures there are, and the wording, are in `progress`,
`plan_report` and `money`; how a table that is too wide is divided is in resources.columns.
"""

import re
import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from io_managers.plain_text import plain_lines
from resources.columns import LEAST_NAME, Column, rows_of, tables

# Figures of these columns are coloured, unless they are 0.
_COLOURS = {"failed": "red", "blocked": "yellow", "waiting": "yellow"}
_NOTHING = ("", "0", "·")
_CODE = re.compile(r"`[^`\n]*`")
# Stands for a space at which a line is not broken; it occurs in no plain text.
_HELD = "\0"


class Screen(Console):
    """A console that prints texts literally: Rich markup such as `[red]` has no effect, and control sequences are removed."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, emoji=False, markup=False, highlight=False)

    def marked(self, text: str) -> None:
        """Print a line with Rich markup. Text from documents or servers in it must be escaped by the caller."""
        self.print(text, markup=True, soft_wrap=True)

    def sentence(self, text: str) -> None:
        """Print a text literally. A terminal gets it in lines of whole words; a pipe or a file gets it in one line."""
        self.print(wrapped(text, self.width) if self.is_terminal else text, soft_wrap=True)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See Console. Control segments come from Rich and are kept; the text of all others is made plain."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain_lines(segment.text), segment.style)

    def render_str(self, text: str, **options: Any) -> Any:
        """See Console. The text is made plain before it is measured, so that columns stay aligned."""
        return super().render_str(plain_lines(text), **options)


def wrapped(text: str, width: int) -> str:
    """The text in lines of whole words, each at most `width` characters long if no word is longer.

    What stands between backticks is kept in one piece, since people copy commands. Further lines are indented as the first.
    """
    held = _CODE.sub(lambda found: found[0].replace(" ", _HELD), plain_lines(text))
    lines: list[str] = []
    for line in held.split("\n"):
        indent = " " * (len(line) - len(line.lstrip(" ")))
        lines += textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\n".join(lines).replace(_HELD, " ")


def stage_tables(
    names: Sequence[str],
    groups: Sequence[Sequence[Column]],
    width: int,
    *,
    bold: Collection[str] = (),
    heading: str = "stage",
) -> Group:
    """The table of these stages, or several below each other if one would be wider than `width` characters.

    groups: columns that belong together. bold: the names that stand out. A table that says nothing of a stage leaves it out.
    """
    drawn: list[Table | str] = []
    for columns in tables(names, groups, width):
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column(heading, min_width=LEAST_NAME, overflow="fold")
        for column in columns:
            table.add_column(column.heading, justify="right", no_wrap=True, min_width=column.width)
        for row in rows_of(columns, len(names)):
            name = Text(names[row], style="bold" if names[row] in bold else "")
            table.add_row(name, *(_cell(column, row) for column in columns))
        drawn += ["", table] if drawn else [table]
    return Group(*drawn)


def _cell(column: Column, row: int) -> Text:
    cell = column.cells[row]
    return Text(cell, style="" if cell in _NOTHING else _COLOURS.get(column.heading, ""))


def columns_of(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Columns with these headings. rows: the cells of each row."""
    return [Column(heading, [row[place] for row in rows]) for place, heading in enumerate(headings)]
