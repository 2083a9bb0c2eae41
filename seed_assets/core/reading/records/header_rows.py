"""Which rows of a table name its columns, by what the cells look like: the first row, and rows after blank ones.

What belongs here: decisions about rows that are already text. What does not: writing them (table_records).
"""

import re
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto

# The numbers were chosen by judgement. A longer cell is not the name of a column.
LONGEST_NAME = 100
# The share of columns that have a name in a row of names: sheets have blank columns between others.
_LEAST_NAMED = 2 / 3
# In a list of labels with values, at most this share of the values is of one kind.
_MOST_OF_ONE_KIND = 0.75
_LEAST_PAIRS = 3
# So many blank rows divide tables; a single one may divide groups of rows.
_WIDE_GAP = 2
_MOST_NAME_WORDS = 4
_YEAR = re.compile(r"[12]\d{3}")
_NUMBER = re.compile(r"[-+−(~<>≈±€$£¥]{0,2}\s?[.,]?\d")
_DATE = re.compile(r"(?:\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}|\d\d?:\d\d)(?!\d)")
_MISSING = frozenset(["-", "–", "—", "?", "...", "…", "n/a", "na", "#n/a", "nan", "none", "null", "unknown", "tbd"])


class _Looks(Enum):
    NOTHING = auto()
    TEXT = auto()
    NUMBER = auto()
    DATE = auto()


def is_single(row: Sequence[str]) -> bool:
    """Whether only one cell of a row is filled."""
    return sum(1 for cell in row if cell.strip()) == 1


def are_names(row: Sequence[str], following: Sequence[str]) -> bool:
    """Whether a row names the columns: its cells are short texts or years, no two are the same, and few are blank."""
    cells = _stripped(row)
    first = next((place for place, cell in enumerate(cells) if cell), 0)
    within, filled = cells[first:], [cell for cell in cells if cell]
    if not filled or len(filled) < _LEAST_NAMED * len(within) or len(set(filled)) < len(filled):
        return False
    if _stripped(following) == cells or any(len(cell) > LONGEST_NAME for cell in filled):
        return False
    if not all(any(map(str.isalpha, cell)) or _YEAR.fullmatch(cell) for cell in filled):
        return False
    return any(any(map(str.isalpha, cell)) and not cell[0].isdigit() for cell in filled)


def are_pairs(rows: Sequence[Sequence[str]]) -> bool:
    """Whether each row is a label with its value: two columns, whose second holds values of several kinds, also below the
    first row, while a column of a table holds one kind. Labels that end with colons settle it.
    """
    places = {place for row in rows for place, cell in enumerate(row) if cell.strip()}
    if len(places) != 2 or len(rows) < 2:
        return False
    at, beside = sorted(places)
    labels = [row[at].strip() if at < len(row) else "" for row in rows]
    if len(set(labels)) < len(labels) or any(
        len(label) > LONGEST_NAME or not any(map(str.isalpha, label)) or _looks(label) is not _Looks.TEXT
        for label in labels
    ):
        return False
    if all(label.endswith(":") for label in labels):
        return True
    values = [row[beside].strip() if beside < len(row) else "" for row in rows]
    if len(rows) < _LEAST_PAIRS:
        return False
    below = values if _looks(values[0]) in (_Looks.NUMBER, _Looks.DATE) else values[1:]
    return _are_of_several_kinds(below)


def begins_table(
    rows: Sequence[Sequence[str]], columns: Sequence[int], above: Sequence[Sequence[str]], blank_rows: int
) -> bool:
    """Whether the first of some rows names the columns of a table of its own.

    It does if it differs in kind from what is below it, or from what is above it in the same columns, if it has other
    columns, or if several blank rows divide it from a table in which none of its words occur.

    columns, above: those of the table above that have names, and some of its rows. blank_rows: how many stand between.
    """
    first, rest = _stripped(rows[0]), rows[1:]
    places = [place for place, cell in enumerate(first) if cell]
    if len(places) < 2 or not rest or not are_names(first, rest[0]):
        return False
    within = set(places)
    if any(cell.strip() and place not in within for row in rest for place, cell in enumerate(row)):
        return False
    for place in places:
        if _looks(first[place]) is _Looks.NOTHING:
            return False
        if first[place] in _column(rest, place) or first[place] in _column(above, place):
            return False
    if any(_is_named_kind(first[place], _column(rest, place)) for place in places):
        return True
    if any(_is_named_kind(first[place], _column(above, place)) for place in places):
        return True
    if columns and (places[0] not in columns or len(places) > len(columns)):
        return True
    return blank_rows >= _WIDE_GAP and all(len(first[place].split()) <= _MOST_NAME_WORDS for place in places)


def _is_named_kind(name: str, column: Sequence[str]) -> bool:
    """Whether a cell is a text, and a column holds only numbers or dates."""
    kinds = {_looks(cell) for cell in column} - {_Looks.NOTHING}
    return _looks(name) is _Looks.TEXT and bool(kinds) and _Looks.TEXT not in kinds


def _are_of_several_kinds(values: Sequence[str]) -> bool:
    kinds = Counter(_looks(value) for value in values)
    del kinds[_Looks.NOTHING]
    if len(kinds) < 2 or max(kinds.values()) > _MOST_OF_ONE_KIND * kinds.total():
        return False
    texts = [value for value in values if _looks(value) is _Looks.TEXT]
    # A word in small letters between numbers says why there is none ("closed").
    return not texts or (len(set(texts)) == len(texts) and any(text[0].isupper() or " " in text for text in texts))


def _column(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place].strip() for row in rows if place < len(row)]


def _stripped(row: Sequence[str]) -> list[str]:
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _looks(cell: str) -> _Looks:
    if not cell or cell.casefold() in _MISSING:
        return _Looks.NOTHING
    if _DATE.match(cell):
        return _Looks.DATE
    return _Looks.NUMBER if _NUMBER.match(cell) else _Looks.TEXT
