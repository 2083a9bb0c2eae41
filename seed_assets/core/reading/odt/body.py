"""The content of an ODT body in document order (OpenDocument 1.3, part 3, chapters 4, 5 and 9): headings, lists, tables, boxes.

What does not belong here: the text inside a paragraph (inline), and the parts of the file (document).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.drawings import described
from seed_assets.core.reading.docx.elements import attribute, child, local, number
from seed_assets.core.reading.docx.undescribed_pictures import UndescribedPictures, length_in_cm
from seed_assets.core.reading.markdown_blocks import heading, table
from seed_assets.core.reading.odt.inline import OdtInline
from seed_assets.core.reading.odt.styles import OdtStyles
from seed_assets.core.reading.titles import cleaned_title

if TYPE_CHECKING:
    from lxml.etree import _Element

# fmt: off
_SKIPPED = frozenset({
    "tracked-changes", "forms", "sequence-decls", "variable-decls", "user-field-decls", "dde-connection-decls", "number",
    "table-of-content-source", "alphabetical-index-source", "table-index-source", "illustration-index-source",
    "object-index-source", "user-index-source", "bibliography-source", "section-source", "title", "desc", "image-map",
    "hidden-paragraph", "soft-page-break", "table-columns", "table-column", "table-header-columns", "shapes",
    "event-listeners", "glue-point", "enhanced-geometry", "binary-data",
})
# fmt: on
# A frame with an object has a picture of it as well.
_OBJECTS = frozenset({"object", "object-ole", "plugin"})
# Repeated rows and cells are read so many times at most, and blank ones once; chosen by judgement.
_MOST_REPEATED = 100


class OdtBody:
    """Converts a body into blocks of text, and finds its title.

    formula: returns the formula in a frame, or "".
    notes, comments: what stood in the paragraphs that were read. pictures: those without descriptions.
    """

    def __init__(
        self, styles: OdtStyles, formula: Callable[["_Element"], str], pictures: UndescribedPictures | None = None
    ) -> None:
        self._styles = styles
        self._inline = OdtInline(styles, formula)
        self._title = self._heading = ""
        self._counts: dict[tuple[str, int], int] = {}
        self.notes: list[str] = []
        self.comments: list[str] = []
        self.pictures = UndescribedPictures() if pictures is None else pictures

    @property
    def title(self) -> str:
        """The first paragraph of the style Title, or the first heading; "" if there is none."""
        return self._title or self._heading

    def blocks(self, container: "_Element") -> list[str]:
        """Return the blocks in an element, in order; none is empty."""
        found: list[str] = []
        for element in container:
            found += self._read(element, local(element))
        return found

    def blocks_of(self, element: "_Element") -> list[str]:
        """Return the blocks that one element is read as."""
        return self._read(element, local(element))

    def _read(self, element: "_Element", name: str) -> list[str]:
        if not name or name in _SKIPPED or attribute(element, "display") == "none":
            return []
        if name in ("p", "h"):
            return self._paragraph(element, name)
        if name == "list":
            items = self._list(element, attribute(element, "style-name"), 0)
            return ["\n".join(items)] if items else []
        if name == "table":
            return self._table(element)
        if name == "frame":
            return self._frame(element)
        return self.blocks(element)

    def _paragraph(self, element: "_Element", name: str) -> list[str]:
        style = attribute(element, "style-name")
        if self._styles.is_hidden(style):
            return []
        text, anchored = self._inline.read(element)
        if text and name == "h":
            self._heading = self._heading or cleaned_title(text)
            label = "".join(map(str, given.itertext())) if (given := child(element, "number")) is not None else ""
            text = heading(number(element, "outline-level", 1), f"{label} {text}")
        elif text and self._styles.is_title(style):
            self._title = self._title or cleaned_title(text)
            text = heading(1, text)
        hanging = [block for each in anchored for block in self._anchored(each)]
        return [text, *hanging] if text else hanging

    def _anchored(self, element: "_Element") -> list[str]:
        name = local(element)
        if name == "note":
            body = child(element, "note-body")
            self.notes += self.blocks(body) if body is not None else []
            return []
        if name == "annotation":
            author = " ".join((getattr(child(element, "creator"), "text", "") or "").split())
            paragraphs = [each for each in element if local(each) in ("p", "list")]
            text = " ".join(" ".join(block for each in paragraphs for block in self._read(each, local(each))).split())
            if text:
                self.comments.append(f"[Comment by {author}: {text}]" if author else f"[Comment: {text}]")
            return []
        return self._read(element, name)

    def _frame(self, element: "_Element") -> list[str]:
        """Return the text of a box; for a picture or a formula its description."""
        box = child(element, "text-box")
        if box is not None:
            return self.blocks(box)
        tables = [each for each in element if local(each) == "table"]
        if tables:
            return [block for each in tables for block in self._table(each)]
        for name in ("desc", "title"):
            found = child(element, name)
            text = described("".join(map(str, found.itertext()))) if found is not None else ""
            if text:
                return [f"[Picture: {text}]"]
        names = set(map(local, element))
        if "image" in names and not names & _OBJECTS:
            self.pictures.add(*(length_in_cm(attribute(element, side)) for side in ("width", "height")))
        return []

    def _list(self, element: "_Element", style: str, depth: int) -> list[str]:
        """Return the items of a list as lines; what hangs on an item follows its line."""
        level = self._styles.list_level(style, depth)
        key = (style, depth)
        goes_on = attribute(element, "continue-numbering") == "true" or bool(attribute(element, "continue-list"))
        count = self._counts.get(key, 0) if goes_on else 0
        lines: list[str] = []
        for item in element:
            kind = local(item)
            if kind not in ("list-item", "list-header"):
                continue
            if value := number(item, "start-value", 0):
                count = value - level.start
            is_first = True
            for inner in item:
                name = local(inner)
                if name == "list":
                    lines += self._list(inner, attribute(inner, "style-name") or style, depth + 1)
                    continue
                for block in self._read(inner, name):
                    if is_first and kind == "list-item" and not block.startswith("#"):
                        lines.append("  " * depth + f"{level.label(count)} {block}")
                    else:
                        lines.append("  " * depth + block)
                    is_first = False
            count += kind == "list-item" and not is_first
        self._counts[key] = count
        return lines

    def _table(self, element: "_Element") -> list[str]:
        """Return a table of several columns as one block; for a table that only lays out text, the blocks of its cells."""
        rows = [row for row in element.iter() if local(row) == "table-row" and _table_of(row) is element]
        cells = [[cell for cell in row if local(cell) in ("table-cell", "covered-table-cell")] for row in rows]
        has_inner = any(local(inner) == "table" for inner in element.iterdescendants())
        if has_inner or all(
            len(row) < 2 and all(number(c, "number-columns-repeated", 1) < 2 for c in row) for row in cells
        ):
            return [block for row in cells for cell in row for block in self.blocks(cell)]
        written: list[list[str]] = []
        for row, its_cells in zip(rows, cells, strict=True):
            texts: list[str] = []
            for cell in its_cells:
                text = "\n".join(self.blocks(cell))
                times = number(cell, "number-columns-repeated", 1)
                texts += [text] * min(max(times, 1), _MOST_REPEATED)
            repeated = number(row, "number-rows-repeated", 1) if any(texts) else 1
            written += [texts] * min(max(repeated, 1), _MOST_REPEATED)
        text = table(written)
        return [text] if text else []


def _table_of(row: "_Element") -> "_Element | None":
    above = row.getparent()
    while above is not None and local(above) != "table":
        above = above.getparent()
    return above
