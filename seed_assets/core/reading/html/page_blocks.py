"""A page as a list of blocks in order: headings, paragraphs, list items, tables, code, each with where it stands.

What belongs here: the walk over the tree. What does not: how text becomes blocks (collecting), the text inside a block
(inline, formulas, code, page_tables), and which blocks are the text of the page (main_text).
"""

from typing import TYPE_CHECKING

from seed_assets.core.reading.html.block import Block, Kind
from seed_assets.core.reading.html.code import code_text, number_lines
from seed_assets.core.reading.html.collecting import Collector
from seed_assets.core.reading.html.drawn_text import drawn_lines
from seed_assets.core.reading.html.facts import HEADINGS, SILENT, VERBATIM, PageFacts
from seed_assets.core.reading.html.form_fields import FIELDS, field_of, is_beside_box, is_beside_field
from seed_assets.core.reading.html.formulas import formula_in, formula_of_script, is_drawing
from seed_assets.core.reading.html.inline import BREAK, alternative, flat, paragraphs
from seed_assets.core.reading.html.page_tables import code_in, data_rows, is_layout
from seed_assets.core.reading.html.regions import Regions, is_main
from seed_assets.core.reading.markdown_blocks import table, within_cell

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# fmt: off
_BLOCKS = frozenset({
    "html", "body", "form", "div", "p", "section", "article", "main", "header", "footer", "nav", "aside", "address",
    "blockquote", "figure", "figcaption", "dl", "dt", "dd", "details", "summary", "center", "fieldset", "legend", "label",
    "hgroup", "table", "tr", "td", "th", "caption", "thead", "tbody", "tfoot", "hr", "dialog", "search", "noscript",
    "object", "noframes", "marquee", "template",
})
# fmt: on
_LISTS = frozenset(["ul", "ol", "menu", "dir"])
# A longer heading, in characters, is text around which a heading was not closed. The numbers were chosen by judgement.
_LONGEST_HEADING = 500
# A highlighter offers to copy its code by a button with at most so many words.
_COPY_WORDS = 2
# A row of buttons with at most so many words each are controls, and no headings of what they show.
_CONTROL_WORDS = 3
_EDIT_CHARACTERS = 60
# An element that is drawn as a picture, such as a row of stars, has at most so many characters.
_DRAWN_CHARACTERS = 40
_LONGEST_MESSAGE = 400


def blocks_of(page: "HtmlElement", facts: PageFacts) -> list[Block]:
    """Return all blocks of a page that are displayed, those of menus and footers as well."""
    walk = _Walk(facts, Regions(facts))
    body = page.find("body")
    walk.through(page if body is None or facts.framed else body)
    return _tidied(walk.collected.blocks)


class _Walk:
    """Goes through an element and hands what it holds to a collector."""

    def __init__(self, facts: PageFacts, regions: Regions, *, in_cell: bool = False) -> None:
        self.collected = Collector()
        self._facts = facts
        self._regions = regions
        self._in_cell = in_cell
        self._areas: list[tuple[HtmlElement, tuple[str, ...]]] = []

    def through(self, root: "HtmlElement") -> None:
        """Read the element with its content."""
        import lxml.etree as etree

        walk = etree.iterwalk(root, events=("start", "end"))
        unread: HtmlElement | None = None
        for event, element in walk:
            if event == "start":
                if self._is_read_at_once(element):
                    walk.skip_subtree()
                    unread = element
                    continue
                self._begin(element)
                if element.text:
                    self.collected.text(element.text)
                continue
            if element is unread:
                unread = None
            else:
                self._end(element)
            if element is root:
                break
            if element.tail:
                self.collected.text(element.tail)
        self.collected.end_block()

    def _is_read_at_once(self, element: "HtmlElement") -> bool:
        """Read an element that is not walked through, or leave it out; return whether it was one."""
        tag = element.tag
        if tag == "script":
            self.collected.formula(formula_of_script(element) or "")
            return True
        if tag == "svg" and self._is_drawing_with_text(element):
            return True
        if tag in FIELDS and not self._regions.is_hidden(element):
            self.collected.field(field_of(element))
            return True
        if element.get("role") == "img" and self._facts.about(element).chars <= _DRAWN_CHARACTERS:
            self.collected.picture(alternative(element))
            return True
        if tag in SILENT or self._is_unread_button(element) or self._is_edit_link(element):
            return True
        if tag in ("math", "mjx-container") or element.get("class"):
            if is_drawing(element, self._facts):
                return True
            if (formula := formula_in(element, self._facts)) is not None:
                self.collected.formula(formula)
                return True
        if (element.attrib or tag in ("template", "dialog")) and self._regions.is_hidden(element):
            return True
        if tag == "img":
            self.collected.picture(alternative(element))
        elif tag in VERBATIM and not self.collected.in_heading:
            self.collected.add(Kind.CODE, code_text(element), linked=self._facts.about(element).linked)
        elif tag == "table":
            return self._is_table_in_cell(element) if self._in_cell else self._is_whole_table(element)
        else:
            return False
        return True

    def _is_drawing_with_text(self, drawing: "HtmlElement") -> bool:
        """Read the text of a drawing; return whether it has some."""
        if is_drawing(drawing, self._facts) or self._regions.is_hidden(drawing):
            return False
        lines = drawn_lines(drawing)
        if len(lines) > 1 and not (self._in_cell or self.collected.in_heading):
            self.collected.add(Kind.TEXT, BREAK.join(lines))
        else:
            self.collected.text(f" {' '.join(lines)} ")
        return bool(lines)

    def _is_unread_button(self, element: "HtmlElement") -> bool:
        """Whether a button sends a form or what was typed in the field before it, or copies code."""
        if element.tag != "button" or self.collected.has_words():
            return False
        if self.collected.inside["form"]:
            return not (element.get("aria-controls") or element.get("aria-expanded"))
        before = element.getprevious()
        if before is not None and before.tag in ("input", "select", "textarea"):
            return True
        following = element.getnext()
        return following is not None and following.tag in VERBATIM and self._facts.about(element).chars < 12

    def _is_edit_link(self, element: "HtmlElement") -> bool:
        """Whether it is the link to edit a section that MediaWiki puts beside each heading."""
        return (
            element.tag == "span"
            and "mw-editsection" in (element.get("class") or "").split()
            and self._facts.about(element).chars <= _EDIT_CHARACTERS
        )

    def _is_whole_table(self, element: "HtmlElement") -> bool:
        code = code_in(element, self._facts)
        if code is not None:
            self.collected.add(Kind.CODE, code)
            return True
        if is_layout(element, self._facts):
            return False
        caption = element.find("caption")
        if caption is not None:
            self.collected.add(Kind.TEXT, self._cell(caption))
        facts = self._facts.about(element)
        rows = data_rows(element, facts.columns, self._cell)
        self.collected.add(Kind.TABLE, table(rows), linked=facts.linked)
        return True

    def _is_table_in_cell(self, element: "HtmlElement") -> bool:
        if is_layout(element, self._facts):
            return False
        rows = data_rows(element, self._facts.about(element).columns, self._cell)
        self.collected.add(Kind.TEXT, within_cell(rows))
        return True

    def _cell(self, element: "HtmlElement") -> str:
        """Return the text of a cell in one line; a comma stands between the items of a list."""
        if not len(element):
            return " ".join(paragraphs([flat(element.text)]))
        walk = _Walk(self._facts, self._regions, in_cell=True)
        walk.through(element)
        pieces: list[str] = []
        before = 0
        for block in walk.collected.blocks:
            if pieces:
                pieces.append(", " if block.items and before else " ")
            pieces.append(" ".join(block.text.split()))
            before = block.items
        return "".join(pieces)

    def _begin(self, element: "HtmlElement") -> None:
        tag, collected = element.tag, self.collected
        if tag == "br":
            collected.line_break()
        elif tag in ("a", "button", "sup", "sub", "rt"):
            collected.begin_span(tag)
        elif tag == "q":
            collected.text('"')
        elif tag in HEADINGS:
            collected.begin_heading(taken=self._facts.about(element).chars <= _LONGEST_HEADING)
        elif tag == "li":
            collected.begin_item(element.get("value") or "")
        elif tag in _LISTS:
            collected.begin_list(element.get("start") or "", ordered=tag == "ol")
        elif tag in _BLOCKS:
            if tag != "label" or not is_beside_box(element):
                collected.end_block()
        elif "-" in tag:
            collected.text(" ")
        if element.attrib or tag not in ("a", "b", "i", "span", "br", "p", "li", "td", "tr", "em", "strong"):
            self._enter_area(element)

    def _enter_area(self, element: "HtmlElement") -> None:
        inside = self.collected.inside
        names: list[str] = []
        if is_main(element):
            names.append("main")
        if element.tag in ("blockquote", "figure"):
            names.append("quote")
        beside = not inside["margin"] and not inside["quote"]  # the footer of a quotation says whose it is
        if beside and self._regions.is_margin(element, in_main=inside["main"] > 0):
            names.append("margin")
        if element.tag in ("noscript", "aside", "form"):
            names.append(element.tag)
        if names:
            self._areas.append((element, tuple(names)))
            for name in names:
                inside[name] += 1

    def _end(self, element: "HtmlElement") -> None:
        tag, collected = element.tag, self.collected
        if tag in ("a", "button", "sup", "sub", "rt"):
            collected.end_span(element)
        elif tag == "q":
            collected.text('"')
        elif tag in HEADINGS:
            collected.end_heading(HEADINGS[tag])
        elif tag == "li":
            collected.end_item()
        elif tag in _LISTS:
            collected.end_list()
        elif tag in _BLOCKS:
            if tag != "label" or not is_beside_field(element):
                collected.end_block()
        elif "-" in tag:
            collected.text(" ")
        if self._areas and self._areas[-1][0] is element:
            for name in self._areas.pop()[1]:
                collected.inside[name] -= 1


def _tidied(blocks: list[Block]) -> list[Block]:
    """Leave out line numbers before their code, rows of buttons, requests to allow scripts, and what is said twice."""
    kept: list[Block] = []
    for place, block in enumerate(blocks):
        following = blocks[place + 1] if place + 1 < len(blocks) else None
        if following is not None and following.kind is Kind.CODE and block.kind in (Kind.CODE, Kind.TEXT):
            numbers = number_lines(block.text)
            if numbers > 1 and abs(numbers - following.text.count("\n") - 1) <= 1:
                continue
        before = blocks[place - 1] if place else None
        if block.kind is Kind.PICTURE and any(each and block.text in each.text for each in (before, following)):
            continue  # its caption or the heading of its link says the same
        if block.unscripted and "script" in block.text.lower() and len(block.text) <= _LONGEST_MESSAGE:
            continue
        if block.kind is Kind.CONTROL:
            beside = [each for each in (before, following) if each is not None and each.kind is Kind.CONTROL]
            copies = following is not None and following.kind is Kind.CODE and len(block.text.split()) <= _COPY_WORDS
            if (beside and len(block.text.split()) <= _CONTROL_WORDS) or copies:
                continue
        kept.append(block)
    return kept
