"""The text of one paragraph of a DOCX (ECMA-376, part 1, 17.3): runs, symbols, fields, formulas, raised and lowered text.

What does not belong here: paragraphs as headings, list items and tables (body).
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, child, is_left_out, is_on, local, number
from seed_assets.core.reading.docx.formulas import formula
from seed_assets.core.reading.docx.styles import DocxStyles
from seed_assets.core.reading.docx.symbols import in_symbol_font, is_symbol_font, symbol
from seed_assets.core.reading.superscripts import lowered, raised

if TYPE_CHECKING:
    from lxml.etree import _Element

PAGE_NUMBER = "\x00"
"""Stands for the number of a page, which is another one on each page."""
_AS_TEXT: Mapping[str, str] = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
# What hangs on a paragraph and is read as blocks of its own.
_ANCHORED = ("txbxContent", "docPr", "relIds", "chart", "imagedata")
_PAGE_FIELD = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)
_TICKED, _NOT_TICKED = "☒", "☐"
_FORMS = {"superscript": raised, "subscript": lowered}


class ParagraphText:
    """Reads paragraphs.

    of_pages: whether numbers of pages are replaced by PAGE_NUMBER, as in headers and footers.
    """

    def __init__(self, styles: DocxStyles, *, of_pages: bool = False) -> None:
        self._styles = styles
        self._of_pages = of_pages
        # The fields that the text is inside of: their instructions, and whether their results have begun.
        self._fields: list[tuple[list[str], bool]] = []

    def read(self, paragraph: "_Element") -> tuple[str, list["_Element"]]:
        """Return (the text, without blanks around it; the elements that hang on the paragraph, such as text boxes)."""
        self._fields = []
        anchored: list[_Element] = []
        written: list[str] = []
        position, pieces = "", [""]
        for place, text in self._pieces(paragraph, anchored):
            if place != position and text.strip():
                written.append(_placed("".join(pieces), position))
                position, pieces = place, []
            pieces.append(text)
        written.append(_placed("".join(pieces), position))
        return "".join(written).strip(), anchored

    def _pieces(self, paragraph: "_Element", anchored: list["_Element"]) -> Iterator[tuple[str, str]]:
        """Yield (superscript, subscript or "", text), and append what hangs on the paragraph to `anchored`."""
        waiting = list(reversed(paragraph))
        while waiting:
            element = waiting.pop()
            name = local(element)
            if name == "r":
                if not self._styles.is_hidden(element):
                    position = attribute(child(element, "rPr", "vertAlign"), "val")
                    font = attribute(child(element, "rPr", "rFonts"), "ascii")
                    for text in self._run(element, font if is_symbol_font(font) else "", anchored):
                        yield position if position in _FORMS else "", text
            elif name in ("oMath", "oMathPara"):
                yield "", formula(element)
            elif name == "fldSimple" and self._of_pages and _PAGE_FIELD.match(attribute(element, "instr")):
                yield "", PAGE_NUMBER
            elif name and not is_left_out(element, name):
                waiting.extend(reversed(element))

    def _run(self, run: "_Element", symbol_font: str, anchored: list["_Element"]) -> Iterator[str]:
        waiting = list(reversed(run))
        while waiting:
            element = waiting.pop()
            name = local(element)
            if name == "instrText" and self._fields:
                self._fields[-1][0].append(element.text or "")
            elif name == "fldChar":
                yield self._field(element)
            elif name in _ANCHORED:
                anchored.append(element)
            elif self._in_page_number():
                continue
            elif name == "t":
                text = element.text or ""
                yield in_symbol_font(text, symbol_font) if symbol_font else text
            elif name == "sym":
                yield _symbol(element)
            elif name in _AS_TEXT:
                yield _AS_TEXT[name]
            elif name and not is_left_out(element, name):
                waiting.extend(reversed(element))

    def _field(self, element: "_Element") -> str:
        """Begin a field, its result, or the text after it. Returns what a field of a form holds, and a page's number."""
        kind = attribute(element, "fldCharType")
        if kind == "begin":
            self._fields.append(([], False))
            return _form_field(child(element, "ffData"))
        if kind == "separate" and self._fields:
            self._fields[-1] = (self._fields[-1][0], True)
            return PAGE_NUMBER if self._in_page_number() else ""
        if kind == "end" and self._fields:
            self._fields.pop()
        return ""

    def _in_page_number(self) -> bool:
        """Whether the text is the result of a field for the number of a page."""
        if not self._of_pages or not self._fields:
            return False
        instructions, has_begun = self._fields[-1]
        return has_begun and _PAGE_FIELD.match("".join(instructions)) is not None


def _form_field(data: "_Element | None") -> str:
    """Return the state of a tick box, or the chosen entry of a list; "" for other fields, whose results are runs."""
    if (box := child(data, "checkBox")) is not None:
        state = child(box, "checked")
        return _TICKED if is_on(state if state is not None else child(box, "default")) else _NOT_TICKED
    if (choices := child(data, "ddList")) is not None:
        entries = [attribute(entry, "val") for entry in choices if local(entry) == "listEntry"]
        state = child(choices, "result")
        chosen = number(state if state is not None else child(choices, "default"))
        return entries[chosen] if chosen < len(entries) else ""
    return ""


def _symbol(element: "_Element") -> str:
    try:
        return symbol(attribute(element, "font"), int(attribute(element, "char"), 16))
    except (ValueError, OverflowError):
        return ""


def _placed(text: str, position: str) -> str:
    """Return raised or lowered text in the form in which it stands in a line; blanks around it stay."""
    form = _FORMS.get(position)
    stripped = text.strip()
    if form is None or not stripped:
        return text
    return text.replace(stripped, form(stripped), 1)
