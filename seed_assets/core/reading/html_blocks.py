"""A whole HTML page as text: headings, paragraphs, lists, tables and code in order. What does not belong here: finding the
main text of a page; only what the markup itself names as navigation, footer or hidden is omitted.
"""

import re
from typing import TYPE_CHECKING

from seed_assets.core.reading.markdown_blocks import heading, table

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# fmt: off
_LEFT_OUT = frozenset({
    "head", "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "canvas", "audio",
    "video", "nav", "footer", "aside", "button", "select", "input", "textarea", "dialog",
})
# fmt: on
_LEFT_OUT_ROLES = frozenset(
    ["navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar", "dialog"]
)
_LEFT_OUT_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|sidebar|footer|cookies?|consent|share|social|advert\w*|"
    r"ads?|skip-?link|noprint)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# fmt: off
_BLOCKS = frozenset({
    "html", "body", "form", "div", "p", "section", "article", "main", "header", "address", "blockquote", "figure",
    "figcaption", "dl", "dt", "dd", "ul", "ol", "li", "details", "summary", "center", "fieldset", "hgroup", "tr",
    "td", "th", "caption", "thead", "tbody", "tfoot", "hr",
})
# fmt: on


def html_blocks(page: "HtmlElement") -> str:
    """Return the text of everything on the page that is meant to be read, with empty lines between blocks."""
    reading = _Reading()
    body = page.find("body")
    reading.element(page if body is None else body)
    reading.end_block()
    return "\n\n".join(reading.blocks)


class _Reading:
    """Collects the blocks of a page."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self._pieces: list[str] = []
        self._items: list[str] = []

    def element(self, element: "HtmlElement") -> None:
        """Read an element with its content, but without the text after it."""
        tag = element.tag
        if not isinstance(tag, str) or tag in _LEFT_OUT or _is_named_boilerplate(element):
            return
        if tag in _HEADINGS:
            # The content is read as inline text, since headings may contain headings.
            text = _inline_text(element)
            self._single(heading(_HEADINGS[tag], text) if text else "")
        elif tag == "pre":
            self._single("".join(element.itertext()).strip("\n"))
        elif tag == "table" and not _is_layout(element):
            self._single(_table(element))
        elif tag in ("ul", "ol"):
            self._list(element)
        elif tag == "br":
            self._pieces.append("\n")
        elif tag in _BLOCKS or tag == "table":
            self.end_block()
            self._content(element)
            self.end_block()
        else:
            self._content(element)

    def end_block(self) -> None:
        """Close the current paragraph."""
        lines = [" ".join(line.split()) for line in "".join(self._pieces).split("\n")]
        self._pieces = []
        if text := "\n".join(line for line in lines if line):
            self.blocks.append(text)

    def _content(self, element: "HtmlElement") -> None:
        self._pieces.append(_flat(element.text))
        for child in element:
            self.element(child)
            self._pieces.append(_flat(child.tail))

    def _single(self, block: str) -> None:
        self.end_block()
        if block.strip():
            self.blocks.append(block)

    def _list(self, element: "HtmlElement") -> None:
        """Add a list as one block; the further lines of an item are indented."""
        self.end_block()
        lines: list[str] = []
        number = 0
        for item in element:
            inner = _Reading()
            inner.element(item)
            inner.end_block()
            text = "\n".join(inner.blocks)
            if text:
                number += 1
                mark = f"{number}. " if element.tag == "ol" else "- "
                lines.append(mark + text.replace("\n", "\n" + " " * len(mark)))
        self._single("\n".join(lines))


def _flat(text: str | None) -> str:
    # A line break in the source is a space; line breaks of <br> are added elsewhere.
    return re.sub(r"[\r\n]+", " ", text or "")


def _inline_text(element: "HtmlElement") -> str:
    reading = _Reading()
    reading._content(element)
    reading.end_block()
    return " ".join(" ".join(reading.blocks).split())


def _is_named_boilerplate(element: "HtmlElement") -> bool:
    if element.get("role", "").lower() in _LEFT_OUT_ROLES or element.get("hidden") is not None:
        return True
    if element.tag in ("div", "section", "ul", "ol", "header", "p", "table", "span"):
        return bool(_LEFT_OUT_NAMES.search(element.get("class", "")) or _LEFT_OUT_NAMES.search(element.get("id", "")))
    return False


def _is_layout(element: "HtmlElement") -> bool:
    """Whether a table only lays out text: it has one column, or its cells contain tables or headings."""
    if any(next(element.iterdescendants(tag), None) is not None for tag in ("table", *_HEADINGS)):
        return True
    return all(len(_cells(row)) < 2 for row in element.iterdescendants("tr"))


def _cells(row: "HtmlElement") -> list["HtmlElement"]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _table(element: "HtmlElement") -> str:
    caption = element.find("caption")
    rows = [[_inline_text(cell) for cell in _cells(row)] for row in element.iterdescendants("tr")]
    blocks = [_inline_text(caption) if caption is not None else "", table(rows)]
    return "\n\n".join(filter(None, blocks))
