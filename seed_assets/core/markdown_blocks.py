"""How headings and tables are written into a text: as in Markdown, so that chunking and sentences see their edges.

What does not belong here: finding them in a format.
"""

from collections.abc import Sequence


def heading(level: int, text: str) -> str:
    """A heading line; level 1 is the highest, below 6 all are alike."""
    return f"{'#' * min(max(level, 1), 6)} {' '.join(text.split())}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of one line a row, the first row being its header; rows without text are left out, "" if none is left."""
    filled = [[_cell(cell) for cell in row] for row in rows]
    filled = [row for row in filled if any(row)]
    if not filled:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in filled]
    if len(lines) > 1:
        lines.insert(1, f"|{' --- |' * len(filled[0])}")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
