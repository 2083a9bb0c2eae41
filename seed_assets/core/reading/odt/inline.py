"""The text of one paragraph of an ODT (OpenDocument 1.3, part 3, chapter 6): spans, white space, fields, raised text.

What does not belong here: paragraphs as headings, list items and cells (body).
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, local, number
from seed_assets.core.reading.odt.styles import OdtStyles
from seed_assets.core.reading.superscripts import lowered, raised

if TYPE_CHECKING:
    from lxml.etree import _Element

# What stands in a paragraph and is read in another place.
ANCHORED = ("note", "annotation", "frame", "custom-shape", "text-box", "rect", "ellipse", "g")
# fmt: off
_SKIPPED = frozenset({
    "tracked-changes", "ruby-text", "page-number", "page-count", "placeholder", "hidden-text", "annotation-end", "script",
    "bookmark", "change", "change-start", "change-end", "soft-page-break", "number", "forms", "event-listeners",
})
# fmt: on
# A run of more spaces only fills a line; chosen by judgement.
_MOST_SPACES = 100


class OdtInline:
    """Reads paragraphs; the numbers of pages are left out.

    formula: returns the formula in a frame, or "".
    """

    def __init__(self, styles: OdtStyles, formula: Callable[["_Element"], str]) -> None:
        self._styles = styles
        self._formula = formula

    def read(self, paragraph: "_Element") -> tuple[str, list["_Element"]]:
        """Return (the text, without blanks around it; what is anchored in the paragraph)."""
        anchored: list[_Element] = []
        text = "".join(self._pieces(paragraph, anchored))
        return text.strip(), anchored

    def _pieces(self, element: "_Element", anchored: list["_Element"]) -> Iterator[str]:
        yield _collapsed(element.text)
        for inner in element:
            name = local(inner)
            if name == "frame" and (formula := self._formula(inner)):
                yield formula
            elif name in ANCHORED:
                anchored.append(inner)
            elif name == "s":
                yield " " * min(number(inner, "c", 1), _MOST_SPACES)
            elif name == "tab":
                yield "\t"
            elif name == "line-break":
                yield "\n"
            elif name and name not in _SKIPPED and not self._is_hidden(inner, name):
                text = "".join(self._pieces(inner, anchored))
                yield self._placed(text, inner) if name == "span" else text
            yield _collapsed(inner.tail)

    def _is_hidden(self, element: "_Element", name: str) -> bool:
        return name == "span" and self._styles.is_hidden(attribute(element, "style-name"))

    def _placed(self, text: str, span: "_Element") -> str:
        position = self._styles.position(attribute(span, "style-name"))
        stripped = text.strip()
        if not position or not stripped:
            return text
        return text.replace(stripped, raised(stripped) if position == "super" else lowered(stripped), 1)


def _collapsed(text: str | None) -> str:
    """Return text with each run of white space as one blank: others are written as elements."""
    if not text:
        return ""
    inner = " ".join(text.split())
    if not inner:
        return " "
    return (" " if text[0].isspace() else "") + inner + (" " if text[-1].isspace() else "")
