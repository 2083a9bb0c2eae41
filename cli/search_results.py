"""Search results as `seedbank search` prints them: layout, and which part of a passage is shown.

What does not belong here: finding and ranking passages (retrieval).
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from cli.screen import Screen
from io_managers.plain_text import plain, plain_lines
from resources.wording import shortened

if TYPE_CHECKING:
    from retrieval.search import SearchHit

_WORD = re.compile(r"\w+")
# How much of a passage is shown, in characters, and how far it is indented: below the document (a judgement).
_SHOWN, _INDENT = 200, 7
# Lines of a passage are at least so long, however narrow the terminal is.
_LEAST_WIDTH = 20


def show_hits(hits: "Sequence[SearchHit]", query: str) -> None:
    """Print search results, best first. Rows of a table stand below its header row."""
    console = Screen()
    if not hits:
        console.sentence("Nothing found.")
    for hit in hits:
        console.marked(
            f"[bold]{hit.score:.3f}[/]  {escape(plain(hit.document))}  [dim]characters {hit.start} to {hit.end}[/]"
        )
        header = plain_lines(hit.header).splitlines()[:1]
        for line in (*(shortened(row, _SHOWN) for row in header), excerpt(hit.text, query)):
            for part in Text(line).wrap(console, max(_LEAST_WIDTH, console.width - _INDENT)):
                console.sentence(f"{' ' * _INDENT}{part.plain.rstrip()}")


def excerpt(text: str, query: str, characters: int = _SHOWN) -> str:
    """Return a part of a passage in one line: its beginning, or what begins with the line that has most words of the query.

    The passage of a table or of records has many lines, and its beginning alone would not show why it was found.
    """
    lines = [line for written in plain_lines(text).splitlines() if (line := " ".join(written.split()))]
    sought = set(_WORD.findall(query.casefold()))
    found = [len(sought.intersection(_WORD.findall(line.casefold()))) for line in lines]
    best = found.index(max(found)) if found else 0
    if len(" ".join(lines[: best + 1])) <= characters:
        best = 0
    shown = " ".join(lines[best:])
    return shortened(f"… {shown}" if best else shown, characters)
