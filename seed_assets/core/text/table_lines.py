"""Finding tables in a text, as they are written in Markdown: a header row, a rule such as `| --- | --- |`, and rows.

What belongs here: where tables and their rows stand. What does not: writing tables (reading.markdown_blocks), and cutting a text
between rows (chunking).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Lines that may be a rule, with the end of the line above. No quantifier gives back what it has taken, so that the time is
# proportional to the length.
_RULE_LINE = re.compile(r"\n[ \t>]*+[|:+-][ \t|:+-]*+(?![^\n])")
_RULE_CELL = re.compile(r"[ \t]*+:?-++:?[ \t]*+")
_BORDERS = re.compile(r"[|+]")
_PADDING = re.compile(r"[ \t]{2,}")
_DASHES = re.compile(r"-{4,}")


@dataclass(frozen=True, slots=True)
class TableLines:
    """A table in a text.

    start, end: offsets of its first character and after its last one, in characters.
    header: the header row and the rule, without the padding that aligns columns.
    rows: (start, end) of the header row with the rule, and then of each row, each a line or two without the line's end.
    """

    start: int
    end: int
    header: str
    rows: tuple[tuple[int, int], ...]


def tables_in(text: str) -> Iterator[TableLines]:
    """Yield the tables of a text in order. The header row and all rows have a `|`; any other line ends a table."""
    if "|" not in text:
        return
    after = 0
    for rule in _RULE_LINE.finditer(text):
        if rule.start() < after or not _is_rule(rule.group()):
            continue
        above = text.rfind("\n", after, rule.start()) + 1 or after
        header = text[above : rule.start()].strip()
        if "|" not in header:
            continue
        table = _table(text, above, rule, header)
        after = table.end
        yield table


def _is_rule(line: str) -> bool:
    within = line.strip("\n\t >")
    if "|" not in within or "-" not in within:
        return False
    return all(_RULE_CELL.fullmatch(cell) for cell in _BORDERS.split(within.strip("|+")))


def _table(text: str, above: int, rule: re.Match[str], header: str) -> TableLines:
    bordered = header.lstrip(" \t>").startswith("|")
    rows = [_trimmed(text, above, rule.end())]
    at = rule.end() + 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        if "|" not in line or (bordered and not line.lstrip(" \t>").startswith("|")):
            break
        rows.append(_trimmed(text, at, end))
        at = end + 1
    dashes = _DASHES.sub("---", rule.group().strip())
    return TableLines(rows[0][0], rows[-1][1], _PADDING.sub(" ", f"{header}\n{dashes}"), tuple(rows))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
