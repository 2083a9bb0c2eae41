"""Whether rows of cells are a table, and no prose, list, table of contents, verse, formula, code, drawing or form.

What does not belong here: finding the rows (ruled_tables, aligned_tables).
"""

import re
from collections.abc import Sequence
from statistics import median

# All numbers were chosen by judgement: it is worse to take prose for a table than to miss a table.
_LEAST_FILLED, _LEAST_SAID = 0.4, 0.5
_FEWEST_ROWS, _FEWEST_TEXT_ROWS = 3, 5
_LONGEST_CELL, _USUAL_CELL, _USUAL_TEXT_CELL = 60, 30, 20
_FILLED_ROWS, _MOST_STRANGE_ROWS = 0.7, 0.2
_NUMERIC_ROWS, _ALIGNED_ROWS, _ALIGNED = 0.7, 0.8, 2.0
# Signs of code and of formulas, the dots of a table of contents, the marks of items.
_STRANGE = re.compile(r"[{};\\=]|//|\(\)|[∑∫∈∉⊂≤≥→⇒↦∀∃∂∇√]")
_LEADERS = re.compile(r"\.{4,}|(?:\. ){3,}|…{2,}|_{4,}")
_MARKER = re.compile(r"[\W_]{1,2}|[\[(]?(?:\d{1,3}|[ivxlc]{1,5}|[a-z])[.)\]:]+|\d{1,3}(?:\.\d{1,3})+\.?", re.IGNORECASE)
_MISSING = re.compile(r"[\W_]+|n\.?/?a\.?|k\. ?A\.", re.IGNORECASE)
_PAGE = re.compile(r"pages?|p\.|seiten?|s\.|página|pagina|pag\.", re.IGNORECASE)


def is_filled_grid(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the texts in the cells of a ruled grid are those of a table, and not of a drawing or of a form in a frame."""
    filled = [cell for row in rows for cell in row if cell]
    if len(rows) < 2 or len(rows[0]) < 2 or len(filled) < _LEAST_FILLED * len(rows) * len(rows[0]):
        return False
    said = sum(any(map(str.isalnum, cell)) for cell in filled)
    return said >= _LEAST_SAID * len(filled) and sum(_LEADERS.search(cell) is not None for cell in filled) < 2


def is_table(rows: Sequence[Sequence[str]], lefts: Sequence[Sequence[float]]) -> bool:
    """Whether rows are a table.

    rows: the texts of their cells.
    lefts: for each column where its cells begin.
    """
    full = [row for row in rows if sum(map(bool, row)) > 1]
    width = len(rows[0])
    if len(full) < _FEWEST_ROWS or len(full) < _FILLED_ROWS * len(rows):
        return False
    lengths = [len(cell) for row in rows for cell in row if cell]
    if max(lengths) > _LONGEST_CELL or median(lengths) > _USUAL_CELL:
        return False
    if sum(any(_STRANGE.search(cell) for cell in row) for row in rows) > _MOST_STRANGE_ROWS * len(rows):
        return False
    columns = [[row[number] for row in rows] for number in range(width)]
    if (
        _is_list(columns)
        or _is_contents(rows)
        or not any(character.isalpha() for row in rows for cell in row for character in cell)
    ):
        return False
    numeric = [is_numeric(column[1:]) for column in columns]
    if width == 2:
        # Numbers on the left may be those of items or years in a list, unless the columns have names.
        return numeric[1] and not (numeric[0] and any(map(str.isdigit, "".join(rows[0]))))
    if sum(map(bool, (cell for row in rows for cell in row))) < 0.6 * len(rows) * width:
        return False
    if any(numeric):
        return True
    aligned = all(_is_aligned(starts) for starts in lefts)
    return len(full) >= _FEWEST_TEXT_ROWS and median(lengths) <= _USUAL_TEXT_CELL and aligned


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether most cells are numbers, perhaps with a unit; some may say that a number is missing."""
    filled = [cell for cell in cells if cell and not _MISSING.fullmatch(cell)]
    numbers = sum(_is_number(cell) for cell in filled)
    return bool(filled) and numbers >= _NUMERIC_ROWS * len(filled) and len(filled) > 1


def _is_number(cell: str) -> bool:
    return any(map(str.isdigit, cell)) and sum(map(str.isalpha, cell)) <= max(2 * sum(map(str.isdigit, cell)), 6)


def _is_list(columns: Sequence[Sequence[str]]) -> bool:
    """Whether the first column has nothing but the marks of items."""
    marks = [cell for cell in columns[0] if cell]
    return len(columns) == 2 and all(_MARKER.fullmatch(cell) for cell in marks)


def _is_contents(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the last cells are the numbers of pages."""
    if any(_LEADERS.search(cell) for row in rows for cell in row):
        return True
    if _PAGE.fullmatch(rows[0][-1]):
        return True
    last = [row[-1] for row in rows if row[-1]]
    if not all(cell.isdecimal() for cell in last):
        return False
    numbers = [int(cell) for cell in last if len(cell) < 6]
    return len(numbers) == len(last) and numbers == sorted(numbers)


def _is_aligned(starts: Sequence[float]) -> bool:
    usual = median(starts)
    return sum(abs(start - usual) <= _ALIGNED for start in starts) >= _ALIGNED_ROWS * len(starts)
