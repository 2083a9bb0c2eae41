"""The rows of a table, or of several on one sheet, as records with the names of their columns.

What does not belong here: which rows are names (header_rows), and how a record is written (record_text).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from seed_assets.core.reading.records.header_rows import are_names, are_pairs, begins_table, is_single
from seed_assets.core.reading.records.record_text import RecordText

# The numbers were chosen by judgement. So many rows of a block are looked at before the first of them is written.
_SAMPLE_ROWS = 50
_MOST_TITLE_ROWS = 3
# More blank rows in succession say no more than so many.
_MOST_BLANK_ROWS = 2


def with_few_blank_rows(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """Yield rows without blank ones at the beginning, and with at most two between others. Blank ones are empty lists."""
    blank = _MOST_BLANK_ROWS
    for row in rows:
        blank = 0 if row else blank + 1
        if blank <= _MOST_BLANK_ROWS:
            yield row


def usual_width(rows: Iterable[Sequence[str]]) -> int:
    """Return how many cells most rows have that are not blank; the most cells if that is not clear."""
    widths = Counter(len(row) for row in rows if row)
    return max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))[0]


class TableRecords:
    """Writes rows: a title above a table, the names of its columns, then each row as a record.

    Rows without a blank one between them are a block. A block may begin another table, or go on with the one above it.

    width: how many cells most rows have, or 0 if that is not known; shorter rows before the first such row are a title.
    """

    def __init__(self, written: RecordText, width: int = 0) -> None:
        self._written = written
        self._width = width
        self._names: Sequence[str] | None = None
        self._block: list[Sequence[str]] = []
        self._columns: list[int] = []
        self._is_begun = False
        self._blank_rows = 0
        self._blank_above = 0
        self._above: list[Sequence[str]] = []
        self._are_pairs = False

    def add(self, row: Sequence[str]) -> None:
        """Add the next row; blank rows are left out."""
        if not any(cell.strip() for cell in row):
            self._end_block()
        elif self._is_begun:
            self._write(row)
        else:
            if not self._block:
                self._blank_above = self._blank_rows
            self._blank_rows = 0
            self._block.append(row)
            if len(self._block) >= _SAMPLE_ROWS:
                self._begin()

    def end(self) -> None:
        """Write the rows that still wait for others."""
        if self._block:
            self._begin()

    def _end_block(self) -> None:
        if self._block and not self._may_introduce():
            self._begin()
        self._is_begun = False
        self._blank_rows += 1

    def _may_introduce(self) -> bool:
        """Whether a block may be the title or the names of a table that follows after a blank row."""
        if len(self._block) <= _MOST_TITLE_ROWS and all(map(is_single, self._block)):
            return self._names is not None and len(self._names) > 1
        return not self._are_pairs and len(self._block) == 1 and are_names(self._block[0], ())

    def _begin(self) -> None:
        """Decide what the rows of the block are, and write them."""
        rows, self._block = self._block, []
        if self._names is None:
            while rows and (len(rows[0]) < self._width or (self._width > 1 and is_single(rows[0]))):
                self._title(rows.pop(0))
            if not rows:
                return
            self._begin_first(rows)
        else:
            self._begin_next(rows, self._names)
        self._is_begun = True
        self._above = rows

    def _begin_first(self, rows: list[Sequence[str]]) -> None:
        if are_pairs(rows) or (self._are_pairs and len(rows) <= 2 and all(len(row) <= 2 for row in rows)):
            self._are_pairs = True
        else:
            self._are_pairs = False
            self._take_names(rows)
        for row in rows:
            self._write(row)

    def _begin_next(self, rows: list[Sequence[str]], names: Sequence[str]) -> None:
        start = next((place for place, row in enumerate(rows) if not is_single(row)), len(rows))
        table = rows[start:]
        if table and len(table[0]) == len(names) and list(map(str.strip, table[0])) == list(map(str.strip, names)):
            del rows[start]  # the names are repeated above the block
        elif table and begins_table(table, self._columns, self._above, self._blank_above):
            for row in rows[:start]:
                self._title(row)
            del rows[:start]
            self._take_names(rows)
        elif len(names) != 2 and are_pairs(table):
            for row in rows[:start]:
                self._title(row)
            del rows[:start]
            self._names, self._are_pairs = None, True
        for row in rows:
            self._write(row)

    def _take_names(self, rows: list[Sequence[str]]) -> None:
        """Take the first row as the names of the columns if it is that."""
        self._names = ()
        if len(rows) > 1 and are_names(rows[0], rows[1]):
            self._names = rows.pop(0)
            self._title([" ".join(cell.split()) for cell in self._names])
        self._columns = [place for place, name in enumerate(self._names) if name.strip()]

    def _title(self, row: Sequence[str]) -> None:
        self._written.paragraph("; ".join(filter(None, map(str.strip, row))))

    def _write(self, row: Sequence[str]) -> None:
        names = self._names or ()
        if self._are_pairs and self._names is None:
            filled = [cell for cell in row if cell.strip()]
            if len(filled) == 2:
                self._written.add([(filled[0].strip().removesuffix(":"), filled[1])])
                return
        self._written.add((names[place] if place < len(names) else "", cell) for place, cell in enumerate(row))
