"""The content of a DOCX body, in document order (ECMA-376, part 1, 17.3 to 17.5). What does not belong here: files.

Elements are identified by their local names, which are the same in the strict and the transitional namespace. Deleted text,
field codes and the fallback copies of drawings are omitted; content controls, tracked insertions, links and text boxes are
included.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from seed_assets.core.reading.markdown_blocks import heading, table
from seed_assets.core.reading.titles import cleaned_title

if TYPE_CHECKING:
    from lxml.etree import _Element

# fmt: off
_SKIPPED = frozenset({
    "del", "moveFrom", "instrText", "fldData", "Fallback", "rt", "pPr", "rPr", "tblPr", "tblGrid", "sectPr", "trPr",
    "tcPr", "sdtPr",
})
# fmt: on
_AS_TEXT = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
_HEADING_NAME = re.compile(r"heading (\d)$")
# Styles are followed through at most so many styles that they are based on; chosen by judgement.
_MOST_STYLES_DEEP = 20
_TITLE_LEVEL = 0


def _local(element: "_Element") -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _attribute(element: "_Element | None", name: str) -> str:
    """Return an attribute by its local name; "" if it is absent."""
    attributes = element.attrib.items() if element is not None else ()
    return next((str(value) for key, value in attributes if str(key).rpartition("}")[2] == name), "")


def _child(element: "_Element | None", *path: str) -> "_Element | None":
    for name in path:
        if element is None:
            return None
        element = next((child for child in element if _local(child) == name), None)
    return element


class DocxStyles:
    """The paragraph styles of a document, by which headings and list items are recognized."""

    def __init__(self, root: "_Element") -> None:
        self._styles = {_attribute(style, "styleId"): style for style in root if _local(style) == "style"}

    def outline(self, paragraph: "_Element") -> int | None:
        """Return 0 for a title, 1 to 9 for a heading of that level, and None for other paragraphs."""
        properties = _child(paragraph, "pPr")
        own = _attribute(_child(properties, "outlineLvl"), "val")
        if own.isdigit():
            return int(own) + 1 if int(own) < 9 else None
        for style in self._chain(properties):
            name = _attribute(_child(style, "name"), "val").lower()
            if name == "title":
                return _TITLE_LEVEL
            if found := _HEADING_NAME.match(name):
                return int(found[1])
            level = _attribute(_child(style, "pPr", "outlineLvl"), "val")
            if level.isdigit():
                return int(level) + 1 if int(level) < 9 else None
        return None

    def list_depth(self, paragraph: "_Element") -> int | None:
        """Return the depth of a list item, 0 for the outermost list; None if the paragraph is not a list item."""
        properties = _child(paragraph, "pPr")
        styles = [_child(style, "pPr") for style in self._chain(properties)]
        for numbering in (_child(holder, "numPr") for holder in (properties, *styles)):
            if numbering is not None:
                if _attribute(_child(numbering, "numId"), "val") == "0":  # numbering is switched off
                    return None
                depth = _attribute(_child(numbering, "ilvl"), "val")
                return min(int(depth), 8) if depth.isdigit() else 0
        return None

    def _chain(self, properties: "_Element | None") -> Iterator["_Element"]:
        """Yield the paragraph's style and the styles that it is based on."""
        name = _attribute(_child(properties, "pStyle"), "val")
        for _ in range(_MOST_STYLES_DEEP):  # bounded, since styles may be based on each other in a circle
            style = self._styles.get(name)
            if style is None:
                return
            yield style
            name = _attribute(_child(style, "basedOn"), "val")


class DocxBody:
    """Converts a body into blocks of text, and finds its title."""

    def __init__(self, styles: DocxStyles) -> None:
        self._styles = styles
        self._title = self._heading = ""

    @property
    def title(self) -> str:
        """The first paragraph of the style Title, or the first heading if there is none; "" if there is no heading."""
        return self._title or self._heading

    def blocks(self, container: "_Element") -> list[str]:
        """Return the blocks in an element, in order; none is empty, and the items of a list are one block."""
        blocks: list[str] = []
        # The items of the current list. They are joined at its end, since a list may have 100,000 items.
        items: list[str] = []
        for element in _block_elements(container):
            is_item, found = (False, self._table(element)) if _local(element) == "tbl" else self._paragraph(element)
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

    def notes(self, root: "_Element") -> list[str]:
        """Return the blocks of footnotes or endnotes, without the separators among them."""
        return [block for note in root if not _attribute(note, "type") for block in self.blocks(note)]

    def _paragraph(self, paragraph: "_Element") -> tuple[bool, list[str]]:
        """Return (whether the paragraph is a list item, [its text and the blocks of its text boxes])."""
        boxes: list[_Element] = []
        text = "".join(_texts(paragraph, boxes)).strip()
        level = self._styles.outline(paragraph)
        depth = self._styles.list_depth(paragraph) if level is None else None
        if text and level is not None:
            if level == _TITLE_LEVEL:
                self._title = self._title or cleaned_title(text)
            else:
                self._heading = self._heading or cleaned_title(text)
            text = heading(level, text)
        elif text and depth is not None:
            text = f"{'  ' * depth}- {text}"
        anchored = [block for box in boxes for block in self.blocks(box)]
        return depth is not None and bool(text), [text, *anchored] if text else anchored

    def _table(self, element: "_Element") -> list[str]:
        """Return a table of several columns as one block; for a table that only lays out text, the blocks of its cells."""
        rows = [
            [cell for cell in _descendants(row, "tc") if not _continues_merge(cell)]
            for row in _descendants(element, "tr")
        ]
        is_layout = all(len(row) < 2 for row in rows) or any(
            next(_descendants(cell, "tbl"), None) is not None for row in rows for cell in row
        )
        if is_layout:
            return [block for row in rows for cell in row for block in self.blocks(cell)]
        # Cells that continue a merged cell are kept empty, so that the columns stay aligned.
        filled = [
            ["" if _continues_merge(cell) else "\n".join(self.blocks(cell)) for cell in _descendants(row, "tc")]
            for row in _descendants(element, "tr")
        ]
        text = table(filled)
        return [text] if text else []


def _continues_merge(cell: "_Element") -> bool:
    merge = _child(cell, "tcPr", "vMerge")
    return merge is not None and _attribute(merge, "val") != "restart"


def _block_elements(container: "_Element") -> Iterator["_Element"]:
    """Yield paragraphs and tables in order, also those inside content controls, tracked changes and the like."""
    yield from _descendants(container, "p", "tbl")


def _descendants(container: "_Element", *names: str) -> Iterator["_Element"]:
    """Yield the nearest descendants with these names: none inside another, and none inside a skipped element."""
    waiting = list(reversed(container))
    while waiting:
        element = waiting.pop()
        name = _local(element)
        if name in names:
            yield element
        elif name and name not in _SKIPPED:
            waiting.extend(reversed(element))


def _texts(paragraph: "_Element", boxes: list["_Element"]) -> Iterator[str]:
    """Yield the text of a paragraph, and append its text boxes to `boxes`."""
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        name = _local(element)
        if name == "t":
            yield element.text or ""
        elif name in _AS_TEXT:
            yield _AS_TEXT[name]
        elif name == "txbxContent":
            boxes.append(element)
        elif name and name not in _SKIPPED:
            waiting.extend(reversed(element))
