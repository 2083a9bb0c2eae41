"""What is read of a LaTeX file: paragraphs, blocks, the items of lists, and the cells of tables.

What does not belong here: commands (reader).
"""

from seed_assets.core.reading.markdown_blocks import table

BREAK = "\x0b"
"""The end of a line within a paragraph."""
# A cell that is said to cover more columns is crafted.
_MOST_COVERED = 100


class Writer:
    """Collects blocks.

    blocks: those that are complete; none is empty.
    """

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._pieces: list[str] = []

    def add(self, text: str) -> None:
        """Add text to the paragraph."""
        self._pieces.append(text)

    def paragraph(self) -> None:
        """End the paragraph."""
        if self._pieces:
            lines = (" ".join(line.split()) for line in "".join(self._pieces).split(BREAK))
            text = "\n".join(line for line in lines if line)
            self._pieces = []
            if text:
                self.blocks.append(text)

    def block(self, text: str) -> None:
        """End the paragraph and add a block as it is; nothing if it is blank."""
        self.paragraph()
        if text.strip():
            self.blocks.append(text)

    def taken(self) -> list[str]:
        """End the paragraph, and return all blocks, which are no longer here."""
        self.paragraph()
        found, self.blocks = self.blocks, []
        return found


class TableRows:
    """The rows of a table while it is read.

    columns: how many columns the cell covers that is being read. captions: what stands above the table.
    """

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._head: list[list[str]] | None = None
        self._foot: list[list[str]] = []
        self.columns = 1
        self.captions: list[str] = []

    def cell(self, text: str) -> None:
        """Add the cell that was read, and blank ones for further columns that it covers."""
        self._row += [text, *[""] * (min(self.columns, _MOST_COVERED) - 1)]
        self.columns = 1

    def end_row(self) -> None:
        """End a row; a blank one is left out."""
        if any(self._row):
            self._rows.append(self._row)
        self._row = []

    def end_head(self, *, is_first: bool) -> None:
        """Set the rows so far apart as the head of pages. is_first: of the first page, whose head is not repeated."""
        rows, self._rows = self._rows, []
        if is_first or self._head is None:
            self._head = rows

    def end_foot(self) -> None:
        """Set the rows so far apart as the foot of pages; the foot of the last page comes later."""
        self._foot, self._rows = self._rows, []

    def text(self) -> str:
        """Return the table."""
        self.end_row()
        rows = [*(self._head or []), *self._rows, *self._foot]
        width = max(map(len, rows), default=0)
        return table([row + [""] * (width - len(row)) for row in rows])


class ListItems:
    """The lines of a list while it is read.

    lines: those of the items that are complete.
    """

    def __init__(self, depth: int, *, is_numbered: bool, is_described: bool) -> None:
        """depth: how many lists it is within. is_described: its items begin with what they describe."""
        self._depth = depth
        self._is_numbered = is_numbered
        self._is_described = is_described
        self._count = 0
        self._marker: str | None = None
        self.lines: list[str] = []

    def begin(self, label: str | None) -> None:
        """Begin an item. label: what stands in brackets behind the command."""
        if label is not None:
            self._marker = f"{label}:" if self._is_described and label and not label.endswith(":") else label or "-"
        elif self._is_numbered:
            self._count += 1
            self._marker = f"{self._count}."
        else:
            self._marker = "-"

    def end(self, blocks: list[str]) -> None:
        """End the item with its blocks, or what stands in front of the first."""
        lines = [line for block in blocks for line in block.split("\n")]
        indent = "  " * self._depth
        if self._marker is None or not lines:
            self.lines += lines or ([] if self._marker in (None, "-") else [f"{indent}{self._marker}"])
        elif lines[0].startswith("  "):  # a list inside of the item has its own markers
            self.lines += [f"{indent}{self._marker}", *lines]
        else:
            self.lines.append(f"{indent}{self._marker} {lines[0]}")
            self.lines += [line if line.startswith("  ") else f"{indent}  {line}" for line in lines[1:]]
