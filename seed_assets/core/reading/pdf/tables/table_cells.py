"""Tables as rows of cells, and how they are written into the text of a page.

What belongs here: the text of a cell, rows in Markdown. What does not: finding tables (ruled_tables, aligned_tables).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from seed_assets.core.reading.markdown_blocks import table
from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.characters import HYPHEN_MARK
from seed_assets.core.reading.pdf.placing import PlacedText


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table on a page.

    rows: the places of the characters of each cell in the page's text; all rows have equally many cells.
    columns: where each column begins, in points from the left.
    box: the rectangle around it.
    edges: where each row ends below, in points.
    """

    rows: list[list[list[int]]]
    columns: tuple[float, ...]
    box: Box
    row_ends: tuple[float, ...]

    def cell_at(self, box: Box) -> tuple[int, int] | None:
        """Return the row and the column in which the middle of a box lies."""
        across, up = (box.left + box.right) / 2, (box.bottom + box.top) / 2
        if not (self.box.left <= across <= self.box.right and self.box.bottom <= up <= self.box.top):
            return None
        column = sum(start <= across for start in self.columns) - 1
        row = sum(end > up for end in self.row_ends)
        return min(row, len(self.rows) - 1), max(column, 0)


def cell_text(page: PlacedText, places: Sequence[int]) -> str:
    """Return the text of a cell as one line."""
    pieces: list[str] = []
    last: int | None = None
    for place in places:
        character = page.text[place]
        if character.isspace():
            continue
        if last is not None and place != last + 1:
            before = pieces[-1]
            if before in "-\u2010\xad" and character.islower() and "\n" in page.text[last:place]:
                pieces[-1] = HYPHEN_MARK
            elif before != HYPHEN_MARK and not (_is_wide(before) and _is_wide(character)):
                pieces.append(" ")
        pieces.append(character)
        last = place
    return "".join(pieces)


def with_tables(page: PlacedText, tables: Sequence[tuple[FoundTable, Sequence[Sequence[str]]]]) -> PlacedText:
    """Return a page with its tables as rows in Markdown, each where its first character stood, as a paragraph of its own.

    tables: each with the texts of its cells.
    """
    number_of = {
        place: number
        for number, (found, _) in enumerate(tables)
        for row in found.rows
        for cell in row
        for place in cell
    }
    waiting = dict(enumerate(tables))
    text: list[str] = []
    boxes: list[Box | None] = []

    def write(written: str, places: Sequence[Box | None]) -> None:
        text.append(written)
        boxes.extend(places)

    start = 0
    for line in page.text.split("\n"):
        places = range(start, start + len(line))
        start += len(line) + 1
        own = [place for place in places if place not in number_of and not _is_between(place, places, number_of)]
        rest = "".join(page.text[place] for place in own)
        numbers = sorted({number_of[place] for place in places if place in number_of})
        if rest.strip() or not numbers:
            write(rest + "\n", [*(page.boxes[place] for place in own), None])
        for number in numbers:
            if number in waiting:
                written = f"\n{markdown(waiting.pop(number)[1])}\n\n"
                write(written, [None] * len(written))
    return PlacedText("".join(text)[:-1], boxes[:-1])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows in Markdown; rows above the table that have a single cell, such as its title, are lines above it."""
    titles: list[str] = []
    rest = list(rows)
    while len(rest) > 1 and sum(map(bool, rest[0])) <= 1:
        titles += filter(None, rest.pop(0))
    return "\n\n".join(filter(None, ["\n".join(titles), table(rest)]))


def _is_between(place: int, line: range, number_of: dict[int, int]) -> bool:
    """Whether a blank that pdfium added stands beside a character of a table."""
    return (place - 1 in line and place - 1 in number_of) or (place + 1 in line and place + 1 in number_of)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
