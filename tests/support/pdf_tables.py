"""Tables for PDF files: operators that draw cells and the lines between them.

What belongs here: drawing. What does not: files and pages (pdf_files), and what a test wants to be read.
"""

from collections.abc import Sequence

from tests.support.pdf_files import at

ROW, SIZE = 20, 10


def ruled(
    rows: Sequence[Sequence[str]], widths: Sequence[int], *, left: int = 20, top: int = 360, fill: bool = False
) -> str:
    """Operators that draw a table. A cell "<" belongs to the cell on its left; "\\n" in a cell begins another line.

    fill: whether cells have backgrounds with gaps between them instead of lines.
    """
    drawn: list[str] = []
    bottom = top
    for row in rows:
        height = ROW + (SIZE + 2) * max(cell.count("\n") for cell in row)
        bottom -= height
        for number, cell in enumerate(row):
            if cell == "<":
                continue
            span = 1
            while number + span < len(row) and row[number + span] == "<":
                span += 1
            start, width = left + sum(widths[:number]), sum(widths[number : number + span])
            box = f"{start} {bottom} {width} {height} re"
            drawn.append(f"0.9 g {box} f 0 g" if fill else f"{box} S")
        drawn += cells(row, widths, left=left, bottom=bottom + height - ROW + 6)
    return "\n".join(drawn) + "\n"


def cells(row: Sequence[str], widths: Sequence[int], *, left: int = 20, bottom: float = 300) -> list[str]:
    """Operators that draw the cells of one row without lines."""
    return [
        at(left + sum(widths[:number]) + 4, bottom - (SIZE + 2) * line, text, SIZE)
        for number, cell in enumerate(row)
        if cell not in ("", "<")
        for line, text in enumerate(cell.split("\n"))
    ]


def aligned(
    rows: Sequence[Sequence[str]], widths: Sequence[int], *, left: int = 20, top: int = 340, pitch: int = 16
) -> str:
    """Operators that draw a table without lines."""
    return "".join(
        text for number, row in enumerate(rows) for text in cells(row, widths, left=left, bottom=top - pitch * number)
    )
