"""The styles of a DOCX: which paragraphs are headings or list items, and which text is hidden (ECMA-376, part 1, 17.7).

What does not belong here: the numbers of list items (numbering).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, child, children, is_on

if TYPE_CHECKING:
    from lxml.etree import _Element

TITLE_LEVEL = 0
"""The outline level of the document's title."""
_HEADING_NAME = re.compile(r"heading (\d)$")
# Styles are followed through at most so many styles that they are based on; chosen by judgement.
_MOST_STYLES_DEEP = 20


@dataclass(frozen=True, slots=True)
class ListPlace:
    """The place of a paragraph in a list.

    list_id: of numbering.xml; "" if it is not stated.
    level: 0 for the outermost level; None if it is stated by the list for the style of the paragraph.
    style: the style that puts the paragraph into the list; "" if the paragraph itself does.
    """

    list_id: str
    level: int | None
    style: str


class DocxStyles:
    """The styles of a document, by which headings, list items and hidden text are recognized."""

    def __init__(self, root: "_Element") -> None:
        self._styles = {attribute(style, "styleId"): style for style in children(root, "style")}

    def outline(self, paragraph: "_Element") -> int | None:
        """Return 0 for a title, 1 to 9 for a heading of that level, and None for other paragraphs."""
        properties = child(paragraph, "pPr")
        own = attribute(child(properties, "outlineLvl"), "val")
        if own.isdigit():
            return int(own) + 1 if int(own) < 9 else None
        for style in self._chain(properties, "pStyle"):
            name = attribute(child(style, "name"), "val").lower()
            if name == "title":
                return TITLE_LEVEL
            if found := _HEADING_NAME.match(name):
                return int(found[1])
            level = attribute(child(style, "pPr", "outlineLvl"), "val")
            if level.isdigit():
                return int(level) + 1 if int(level) < 9 else None
        return None

    def list_place(self, paragraph: "_Element") -> ListPlace | None:
        """Return where in which list a paragraph stands; None if it is in no list."""
        properties = child(paragraph, "pPr")
        styles = [(child(style, "pPr"), attribute(style, "styleId")) for style in self._chain(properties, "pStyle")]
        for holder, style in ((properties, ""), *styles):
            numbering = child(holder, "numPr")
            if numbering is not None:
                list_id = attribute(child(numbering, "numId"), "val")
                if list_id == "0":  # numbering is switched off
                    return None
                depth = attribute(child(numbering, "ilvl"), "val")
                if depth.isdigit():
                    return ListPlace(list_id, min(int(depth), 8), style)
                return ListPlace(list_id, None if style else 0, style)
        return None

    def is_hidden(self, run: "_Element") -> bool:
        """Whether the text of a run is neither shown nor printed."""
        properties = child(run, "rPr")
        if properties is None:
            return False
        for holder in (properties, *(child(style, "rPr") for style in self._chain(properties, "rStyle"))):
            if (hidden := child(holder, "vanish")) is not None:
                return is_on(hidden)
        return False

    def _chain(self, properties: "_Element | None", kind: str) -> Iterator["_Element"]:
        """Yield the style that is named in properties, and the styles that it is based on."""
        name = attribute(child(properties, kind), "val")
        for _ in range(_MOST_STYLES_DEEP):  # bounded, since styles may be based on each other in a circle
            style = self._styles.get(name)
            if style is None:
                return
            yield style
            name = attribute(child(style, "basedOn"), "val")
