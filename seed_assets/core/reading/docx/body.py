"""The content of a DOCX body, in document order (ECMA-376, part 1, 17.3 to 17.5). What does not belong here: files, and the
text inside a paragraph (inline).

Deleted text, hidden text, field codes, placeholders and the fallback copies of drawings are omitted; content controls, tracked
insertions, links and text boxes are included.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, child, local, nearest, number
from seed_assets.core.reading.docx.inline import ParagraphText
from seed_assets.core.reading.docx.numbering import BULLET, Numbering
from seed_assets.core.reading.docx.styles import TITLE_LEVEL, DocxStyles, ListPlace
from seed_assets.core.reading.markdown_blocks import heading, table, within_cell
from seed_assets.core.reading.titles import cleaned_title

if TYPE_CHECKING:
    from lxml.etree import _Element

# Word's own limit.
_MOST_COLUMNS = 63


class DocxBody:
    """Converts a body into blocks of text, and finds its title.

    elsewhere: returns the blocks of an element that refers to another part, such as an imported page or a diagram.
    """

    def __init__(
        self,
        styles: DocxStyles,
        numbering: Numbering,
        elsewhere: Callable[["_Element"], list[str]],
        *,
        of_pages: bool = False,
    ) -> None:
        """of_pages: see ParagraphText."""
        self._styles = styles
        self._numbering = numbering
        self._elsewhere = elsewhere
        self._text = ParagraphText(styles, of_pages=of_pages)
        self._title = self._heading = ""
        self._is_in_cell = False

    @property
    def title(self) -> str:
        """The first paragraph of the style Title, or the first heading if there is none; "" if there is no heading."""
        return self._title or self._heading

    def blocks(self, container: "_Element") -> list[str]:
        """Return the blocks in an element, in order; none is empty, and the items of a list are one block."""
        blocks: list[str] = []
        # The items of the current list. They are joined at its end, since a list may have 100,000 items.
        items: list[str] = []
        for element in nearest(container, "p", "tbl", "altChunk"):
            is_item, found = self._read(element)
            if is_item:
                items.append(found.pop(0))
                if found:  # text boxes that are anchored in an item; the list continues after them
                    blocks += ["\n".join(items), *found[:-1]]
                    items = found[-1:]
                continue
            if items:
                blocks.append("\n".join(items))
                items = []
            blocks += found
        return [*blocks, "\n".join(items)] if items else blocks

    def _read(self, element: "_Element") -> tuple[bool, list[str]]:
        name = local(element)
        if name == "p":
            return self._paragraph(element)
        return False, self._table(element) if name == "tbl" else self._elsewhere(element)

    def _paragraph(self, paragraph: "_Element") -> tuple[bool, list[str]]:
        """Return (whether the paragraph is a list item, [its text and the blocks of what hangs on it])."""
        text, hanging = self._text.read(paragraph)
        level = self._styles.outline(paragraph)
        place = self._styles.list_place(paragraph)
        # A paragraph without text is counted as well.
        label, depth = self._label(place) if place is not None else ("", 0)
        is_item = False
        if text and level is not None:
            if level == TITLE_LEVEL:
                self._title = self._title or cleaned_title(text)
            else:
                self._heading = self._heading or cleaned_title(text)
            text = heading(level, text if label in ("", BULLET) else f"{label} {text}")
        elif text and label:
            is_item, text = True, f"{'  ' * depth}{label} {text}"
        anchored = [block for each in hanging for block in self._anchored(each)]
        return is_item, [text, *anchored] if text else anchored

    def _label(self, place: ListPlace) -> tuple[str, int]:
        level = place.level
        if level is None:
            level = self._numbering.level_of_style(place.list_id, place.style)
        return self._numbering.next_label(place.list_id, level), level

    def _anchored(self, element: "_Element") -> list[str]:
        return self.blocks(element) if local(element) == "txbxContent" else self._elsewhere(element)

    def _table(self, element: "_Element") -> list[str]:
        """Return a table of several columns as one block; for a table that only lays out text, the blocks of its cells."""
        rows = [[cell for cell in nearest(row, "tc") if not _continues_merge(cell)] for row in nearest(element, "tr")]
        if all(len(row) < 2 for row in rows) or _lays_out_tables(rows):
            return [block for row in rows for cell in row for block in self.blocks(cell)]
        texts = [list(self._cells(row)) for row in nearest(element, "tr")]
        text = within_cell(texts) if self._is_in_cell else table(texts)
        return [text] if text else []

    def _cells(self, row: "_Element") -> Iterator[str]:
        """Yield the texts of a row's columns; what a merged cell covers besides its first column and row is empty."""
        properties = child(row, "trPr")
        yield from [""] * _columns(child(properties, "gridBefore"), 0)
        for cell in nearest(row, "tc"):
            yield "" if _continues_merge(cell) else self._cell(cell)
            yield from [""] * (_columns(child(cell, "tcPr", "gridSpan"), 1) - 1)
        yield from [""] * _columns(child(properties, "gridAfter"), 0)

    def _cell(self, cell: "_Element") -> str:
        before, self._is_in_cell = self._is_in_cell, True
        try:
            return "\n".join(self.blocks(cell))
        finally:
            self._is_in_cell = before


def _lays_out_tables(rows: Sequence[Sequence["_Element"]]) -> bool:
    """Whether a table holds tables in most of its cells, or a single row of them, so that it only puts them side by side."""
    cells = [cell for row in rows for cell in row]
    holding = sum(next(nearest(cell, "tbl"), None) is not None for cell in cells)
    if not holding:
        return False
    return 2 * holding > len(cells) or len(rows) < 2 or min(map(len, rows)) < 2


def _columns(element: "_Element | None", otherwise: int) -> int:
    return min(number(element, otherwise=otherwise), _MOST_COLUMNS)


def _continues_merge(cell: "_Element") -> bool:
    merge = child(cell, "tcPr", "vMerge")
    return merge is not None and attribute(merge, "val") != "restart"
