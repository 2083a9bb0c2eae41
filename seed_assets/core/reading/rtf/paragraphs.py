"""What the control words of an RTF file make: paragraphs, list items, headings and tables, as in Markdown.

What does not belong here: groups, control words and character sets (document).
"""

from seed_assets.core.reading.markdown_blocks import heading, table
from seed_assets.core.reading.superscripts import lowered, raised


class Paragraphs:
    """Collects the text of one part of a file, such as its body or a note.

    label: what stands before a list item.
    """

    def __init__(self) -> None:
        self.label = ""
        self.first_heading = ""
        self._blocks: list[str] = []
        self._items: list[str] = []
        self._pieces: list[str] = []
        self._moved: list[str] = []
        self._position = 0
        self._cell: list[str] = []
        self._cells: list[str] = []
        self._rows: list[list[str]] = []

    def add(self, text: str, position: int = 0) -> None:
        """Add a piece of the current paragraph. position: 1 for raised text, -1 for lowered text."""
        if position != self._position:
            self._end_moved()
            self._position = position
        (self._moved if position else self._pieces).append(text)

    def _end_moved(self) -> None:
        text = "".join(self._moved)
        self._moved = []
        if stripped := text.strip():
            start = text.index(stripped)
            self._pieces += text[:start], (raised if self._position > 0 else lowered)(stripped)
            self._pieces.append(text[start + len(stripped) :])
        else:
            self._pieces.append(text)

    def end_paragraph(self, level: int | None, *, in_table: bool) -> None:
        """End the paragraph. level: that of a heading, from 1 on. in_table: whether it is in a cell, which goes on."""
        text = self._taken()
        if in_table:
            if text:
                self._cell.append(text)
            return
        self._end_table()
        label, self.label = self.label.strip(), ""
        if label and text and level is None:
            mark = label if any(map(str.isalnum, label)) else "-"
            self._items.append(f"{mark} {text}")
            return
        self._end_list()
        if not text:
            return
        if level is not None:
            text = " ".join(filter(None, (label if any(map(str.isalnum, label)) else "", text)))
            self.first_heading = self.first_heading or text
            text = heading(level, text)
        self._blocks.append(text)

    def end_cell(self) -> None:
        """End a cell of the current row."""
        text = self._taken()
        mark = self.label.strip()
        self.label = ""
        if mark:
            text = f"{mark if any(map(str.isalnum, mark)) else '-'} {text}"
        self._cells.append(" ".join(filter(None, (*self._cell, text))))
        self._cell = []

    def end_row(self) -> None:
        """End a row of the current table."""
        if self._cells:
            self._end_list()
            self._rows.append(self._cells)
            self._cells = []

    def blocks(self) -> list[str]:
        """End everything that is open, and return the blocks of text."""
        self._cell += filter(None, [self._taken()])
        if self._cells or self._rows:
            if self._cell:
                self._cells.append(" ".join(self._cell))
            self._cell = []
            self.end_row()
        self._end_table()
        self._end_list()
        rest, self._cell = self._cell, []
        self._blocks += rest
        return self._blocks

    def _taken(self) -> str:
        self._end_moved()
        text = "".join(self._pieces)
        self._pieces = []
        if any("\ud800" <= character <= "\udfff" for character in text):
            # Characters beyond the basic plane are written as two halves.
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text.strip()

    def _end_list(self) -> None:
        if self._items:
            self._blocks.append("\n".join(self._items))
            self._items = []

    def _end_table(self) -> None:
        if not self._rows:
            return
        if max(map(len, self._rows)) > 1:
            self._blocks.append(table(self._rows))
        else:  # a table with a single column lays out text
            self._blocks += [row[0] for row in self._rows if row[0]]
        self._rows = []
        self._blocks = [block for block in self._blocks if block]
