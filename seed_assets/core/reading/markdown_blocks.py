"""Writing headings, tables and code into a text, as in Markdown, so that chunking and sentence splitting recognize their borders.

What does not belong here: finding them in a format.
"""

from collections.abc import Sequence


def heading(level: int, text: str) -> str:
    """Return a heading line; level 1 is the highest, and levels beyond 6 count as 6."""
    return f"{'#' * min(max(level, 1), 6)} {' '.join(text.split())}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table with one line per row and the first row as header, without blank rows; "" if no row is left."""
    filled = [[_cell(cell) for cell in row] for row in rows]
    filled = [row for row in filled if any(row)]
    if not filled:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in filled]
    if len(lines) > 1:
        lines.insert(1, f"|{' --- |' * len(filled[0])}")
    return "\n".join(lines)


def within_cell(rows: Sequence[Sequence[str]]) -> str:
    """Return a table that stands in a cell of another one in one line: "Level, 1.9; Flow, 3"."""
    filled = (", ".join(" ".join(cell.split()) for cell in row if cell.strip()) for row in rows)
    return "; ".join(filter(None, filled))


def code(lines: Sequence[str], language: str = "") -> str:
    """Return lines of code between fences; "" if all are blank."""
    if not any(map(str.strip, lines)):
        return ""
    fence = "````" if any("```" in line for line in lines) else "```"
    return "\n".join([fence + language, *lines, fence])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
