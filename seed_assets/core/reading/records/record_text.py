"""Records as text: one paragraph each, which names every value by its column or key, so that a chunk is understood alone.

What belongs here: how a record is written, and which row of a table names its columns. What does not: reading a format.
"""

import re
from collections.abc import Iterable, Sequence

from resources.errors import DocumentError
from seed_assets.core.reading.markdown_blocks import heading

# The numbers were chosen by judgement. All records together may have so many characters: the names of columns are repeated
# in each record, so a crafted file could otherwise become fifty times as large as it is.
_MOST_CHARACTERS = 100_000_000
# A value with more characters, or with several lines, has a paragraph of its own.
_LONGEST_INLINE = 300
# A longer cell is not the name of a column.
LONGEST_NAME = 100
# The share of columns that have a name in a row of names: sheets have blank columns between others.
_LEAST_NAMED = 2 / 3
_YEAR = re.compile(r"[12]\d{3}")


class RecordText:
    """Collects records and headings as paragraphs.

    Raises DocumentError, when something is added, if the text has become too large.
    """

    def __init__(self) -> None:
        self._paragraphs: list[str] = []
        self._characters = 0

    def add(self, values: Iterable[tuple[str, str]]) -> None:
        """Add a record of (name, value); a value without a name stands alone, and an empty one is left out.

        Short values share a line. The lines of a long value stay as they are.
        """
        short: list[str] = []
        long: list[str] = []
        for name, value in values:
            value = value.strip()
            if not value:
                continue
            name = " ".join(name.split())
            written = f"{name}: {value}" if name else value
            (long if len(value) > _LONGEST_INLINE or "\n" in value else short).append(written)
            self._count(written)
        if short:
            self._paragraphs.append("; ".join(short))
        self._paragraphs += long

    def heading(self, level: int, text: str) -> None:
        """Add a heading line; nothing if it has no visible character."""
        if text.split():
            self._paragraphs.append(heading(level, text))
            self._count(text)

    def paragraph(self, text: str) -> None:
        """Add a paragraph as it is; nothing if it is blank."""
        if text.strip():
            self._paragraphs.append(text.strip())
            self._count(text)

    def text(self) -> str:
        """Return all paragraphs with an empty line between them."""
        return "\n\n".join(self._paragraphs)

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > _MOST_CHARACTERS:
            raise DocumentError(
                f"its records have more than {_MOST_CHARACTERS:,} characters when each is written with the names of its "
                "values.",
                "Split it into smaller files.",
            )


class TableRecords:
    """Writes the rows of one table: a title above it, the names of its columns, then each row as a record.

    width: how many cells most rows have, or 0 if that is not known; shorter rows before the first such row are a title.
    """

    def __init__(self, written: RecordText, width: int = 0) -> None:
        self._written = written
        self._width = width
        self._names: Sequence[str] | None = None
        self._waiting: Sequence[str] | None = None
        self.names: tuple[str, ...] = ()

    def add(self, row: Sequence[str]) -> None:
        """Add the next row; blank rows are left out."""
        if not any(cell.strip() for cell in row):
            return
        if self._names is not None:
            self._write(row)
        elif self._waiting is not None:
            self._begin(self._waiting, row)
        elif len(row) < self._width or (self._width > 1 and sum(1 for cell in row if cell.strip()) == 1):
            self._written.paragraph("; ".join(filter(None, map(str.strip, row))))
        else:
            self._waiting = row

    def end(self) -> None:
        """Write a row that still waits for a second one: a single row has no names."""
        if self._names is None and self._waiting is not None:
            self._names = ()
            self._write(self._waiting)

    def _begin(self, first: Sequence[str], second: Sequence[str]) -> None:
        if _are_names(first, second):
            self._names = first
            self.names = tuple(filter(None, (" ".join(cell.split()) for cell in first)))
            self._written.paragraph("; ".join(self.names))
        else:
            self._names = ()
            self._write(first)
        self._write(second)

    def _write(self, row: Sequence[str]) -> None:
        names = self._names or ()
        self._written.add((names[place] if place < len(names) else "", cell) for place, cell in enumerate(row))


def _are_names(row: Sequence[str], following: Sequence[str]) -> bool:
    """Whether a row names the columns: its cells are short texts or years, no two are the same, and few are blank."""
    cells = [cell.strip() for cell in row]
    first = next((place for place, cell in enumerate(cells) if cell), 0)
    while cells and not cells[-1]:
        cells.pop()
    within, filled = cells[first:], [cell for cell in cells if cell]
    if not filled or len(filled) < _LEAST_NAMED * len(within) or len(set(filled)) < len(filled):
        return False
    if [cell.strip() for cell in following] == cells or any(len(cell) > LONGEST_NAME for cell in filled):
        return False
    if not all(any(map(str.isalpha, cell)) or _YEAR.fullmatch(cell) for cell in filled):
        return False
    return any(any(map(str.isalpha, cell)) and not cell[0].isdigit() for cell in filled)
