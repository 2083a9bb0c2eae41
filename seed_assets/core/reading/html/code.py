"""Preformatted text: its lines as they are, without the numbers that some highlighters put before them. What does not belong
here: tables that hold code (page_tables).
"""

import re
from typing import TYPE_CHECKING

from seed_assets.core.reading.html.inline import without_invisible

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_LINES = frozenset(["div", "p", "li", "tr", "ol", "ul", "table"])
_DISPLAYED_AS_LINE = re.compile(r"display\s*:\s*(?:block|flex|grid)", re.IGNORECASE)
_NUMBER_NAMES = re.compile(
    r"(?:^|[\s_-])(?:ln|lno|lineno|linenos|linenr|line-?numbers?|ln-num|ln-numbers)(?:$|[\s_-])", re.IGNORECASE
)
_NUMBERS = re.compile(r"\s*\d+[\s|:.]*$")
_SKIPPED = frozenset(["button", "script", "style", "svg", "select", "input"])


def code_text(element: "HtmlElement") -> str:
    """Return the lines of a preformatted element; an element that is displayed as a line is one."""
    import lxml.etree as etree

    pieces = _Pieces()
    walk = etree.iterwalk(element, events=("start", "end"))
    skipped = None
    for event, each in walk:
        tag = each.tag
        if event == "start":
            if each is not element and (tag in _SKIPPED or _is_number(each)):
                walk.skip_subtree()
                skipped = each
                continue
            if tag == "br":
                pieces.add("\n")
            elif each is not element and _is_line(each):
                pieces.line()
            pieces.add(each.text)
            continue
        if each is element:
            break
        if each is not skipped and _is_line(each):
            pieces.end_line(empty=not each.text and not len(each))
        pieces.add(each.tail)
    return without_invisible("".join(pieces.found)).replace("\xa0", " ").replace("\r\n", "\n").strip("\n")


def number_lines(text: str) -> int:
    """Return how many lines there are if they are only numbers, each one more than the one before; otherwise 0."""
    lines = text.split()
    if not lines or not all(line.isascii() and line.isdigit() and len(line) < 8 for line in lines):
        return 0
    first = int(lines[0])
    return len(lines) if [int(line) for line in lines] == list(range(first, first + len(lines))) else 0


class _Pieces:
    """Collects pieces of text with line breaks, without doubling a break that the text has itself."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._ends_line = True
        self._owed = False

    def add(self, text: str | None) -> None:
        if not text:
            return
        if self._owed and not text.startswith(("\n", "\r\n")):
            self.found.append("\n")
        self._owed = False
        self.found.append(text)
        self._ends_line = text.endswith("\n")

    def line(self) -> None:
        """Begin an element that is displayed as a line."""
        if not self._ends_line:
            self._owed = True

    def end_line(self, *, empty: bool) -> None:
        """End an element that is displayed as a line; an empty one is an empty line."""
        if empty:
            self.found.append("\n")
        self._owed = not self._ends_line or self._owed


def _is_line(element: "HtmlElement") -> bool:
    return element.tag in _LINES or _DISPLAYED_AS_LINE.search(element.get("style") or "") is not None


def _is_number(element: "HtmlElement") -> bool:
    """Whether an element holds the number of a line: a name says so, and it has nothing but one."""
    named = _NUMBER_NAMES.search(element.get("class") or "") or element.get("data-linenos") is not None
    if not named or len(element) > 1 or (len(element) and len(element[0])):
        return False
    text = "".join(element.itertext())
    return not text.strip() or _NUMBERS.match(text) is not None
