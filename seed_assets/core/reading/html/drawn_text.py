"""The text of drawings that are part of a page (SVG). What does not belong here: pictures, and drawings of formulas."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NOT_DRAWN = frozenset(
    ["defs", "symbol", "style", "script", "metadata", "clippath", "mask", "pattern", "marker", "lineargradient"]
)
_NAMES = ("title", "desc")
_TEXTS = ("text", "foreignobject")
# What drawing programs write into the description.
_BY_PROGRAM = re.compile(r"(?:created|generated|made|exported) (?:with|by|using) |path$|created$", re.IGNORECASE)


def drawn_lines(drawing: "HtmlElement") -> list[str]:
    """Return the texts of a drawing in order, each once, with its name and descriptions.

    A drawing without text is not read, unless it has a description; the name of an icon says nothing.
    """
    import lxml.etree as etree

    lines: dict[str, None] = {}
    is_text = False
    walk = etree.iterwalk(drawing, events=("start",))
    for _, element in walk:
        tag = element.tag
        if tag in _NOT_DRAWN:
            walk.skip_subtree()
        elif tag in _NAMES or tag in _TEXTS:
            walk.skip_subtree()
            if (line := _line(element)) and not (tag == "desc" and _BY_PROGRAM.match(line)):
                is_text = is_text or tag != "title"
                lines[line] = None
    return list(lines) if is_text else []


def _line(element: "HtmlElement") -> str:
    """Return the text of an element; a blank stands before a part with a place of its own."""
    import lxml.etree as etree

    pieces: list[str] = []
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            if inner is not element and (inner.tag != "tspan" or any(inner.get(name) for name in ("x", "y", "dy"))):
                pieces.append(" ")
            pieces.append(inner.text or "")
        elif inner is not element:
            pieces.append(inner.tail or "")
    return " ".join("".join(pieces).split())
