"""How the text of a walk through a page becomes blocks: paragraphs, headings, items with their marks and indentation.

What does not belong here: which element is what (page_blocks).
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seed_assets.core.reading.html.block import Block, Kind
from seed_assets.core.reading.html.form_fields import Field
from seed_assets.core.reading.html.inline import BREAK, flat, is_reading_aid, is_sign, paragraphs, small_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Deeper items are indented no further, in columns, so that the text of a crafted page cannot grow with its depth; by judgement.
_MOST_INDENTED = 24
_DIGITS = 9


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int = 0


@dataclass(slots=True)
class _Item:
    """An item that is open. Once it has a heading or a table, its list only lays out text."""

    of: _List
    outer: int
    indented: int
    marked: bool = False
    layout: bool = False


class Collector:
    """Collects the blocks of an element, in order.

    blocks: those that are complete. inside: how many elements are open that say where a block stands.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.inside: Counter[str] = Counter()
        self.in_heading = 0
        self._headings_taken: list[bool] = []
        self._pieces: list[str] = []
        self._spans: list[tuple[int, bool]] = []
        self._links = 0
        self._raised = 0
        self._link_ended = -1
        self._linked = 0
        self._pictured = 0
        self._last_picture = ""
        self._fields = self._valued = self._typed = False
        self._lists: list[_List] = []
        self._items: list[_Item] = []
        self._list_number = 0

    # Text

    def text(self, text: str) -> None:
        """Add text of the page, whose white space only separates words."""
        piece = flat(text)
        if piece == " " and not self._pieces:
            return
        self._pieces.append(piece)
        if self._links:
            self._linked += len(piece.replace(" ", ""))

    def line_break(self) -> None:
        """Add a line break."""
        self._pieces.append(" " if self.in_heading else BREAK)

    def formula(self, formula: str) -> None:
        """Add a formula."""
        if formula:
            self._pieces.append(formula)

    def picture(self, text: str) -> None:
        """Add the text that stands for a picture, unless it is the same as that of the picture before it, loaded later."""
        if not text or (self.inside["noscript"] and text == self._last_picture):
            return
        self._last_picture = text
        self._pieces.append(f" {text} ")
        chars = len("".join(text.split()))
        self._pictured += chars
        if self._links:
            self._linked += chars

    def field(self, field: Field) -> None:
        """Add what is filled in on a form; lines that were typed stay lines."""
        if field.text:
            self._pieces.append(f" {field.text} ")
            self._fields = True
            self._valued = self._valued or not field.is_box
            self._typed = self._typed or field.is_typed

    def has_words(self) -> bool:
        """Whether the current paragraph or heading has text, or a heading is open."""
        return self.in_heading > 0 or any(not piece.isspace() for piece in self._pieces[-8:])

    # Spans of text

    def begin_span(self, tag: str) -> None:
        """Begin a link, a button, or raised or lowered text."""
        alone = tag == "button" and not self.has_words()
        if alone:
            self.end_block()
        if tag in ("a", "button"):
            if self._pieces and self._link_ended == len(self._pieces):
                self._pieces.append(" ")
            self._links += 1
        self._raised += tag == "sup"
        self._spans.append((len(self._pieces), alone))

    def end_span(self, element: "HtmlElement") -> None:
        """End it; its text gets the form that it has in plain characters."""
        start, alone = self._spans.pop()
        tag = element.tag
        within = self._pieces[start:]
        self._raised -= tag == "sup"
        if tag in ("sup", "sub"):
            form = small_text(element, within)
            if form is None:
                self._pieces.append(" ")
            else:
                self._pieces[start:] = [form]
        elif tag == "rt":
            self._pieces[start:] = [] if is_reading_aid(within) else ["(", *within, ")"]
        elif tag == "button":
            self._links -= 1
            if alone:
                if tab := element.get("role") == "tab":
                    self._linked = 0  # the name of a part of the text
                self.end_block(Kind.TEXT if tab else Kind.CONTROL)
        else:
            self._links -= 1
            # A raised sign is the mark of a note.
            if not self._raised and is_sign(element, within, in_heading=self.in_heading > 0):
                self._linked = max(self._linked - sum(len(piece.strip()) for piece in within), 0)
                del self._pieces[start:]
        if tag in ("a", "button"):
            self._link_ended = len(self._pieces)

    # Blocks

    def end_block(self, kind: Kind = Kind.TEXT) -> None:
        """Close the current paragraph. Inside a heading there are none."""
        if self.in_heading:
            self._pieces.append(" ")
            return
        found = paragraphs(self._pieces)
        linked, pictured = self._linked, self._pictured
        fields, valued, typed = self._fields, self._valued, self._typed
        self._start_block()
        if not found:
            return
        chars = sum(len("".join(text.split())) for text in found)
        if kind is Kind.TEXT and pictured and pictured >= chars:
            kind = Kind.PICTURE
        for text in found:
            self._append(kind, text, linked=linked * len(text) // max(chars, 1))
            block = self.blocks[-1]
            block.fields, block.valued, block.typed = fields, valued, typed

    def add(self, kind: Kind, text: str, *, linked: int = 0) -> None:
        """Add a block that is complete."""
        self.end_block()
        if text.strip():
            self._append(kind, text, linked=linked)

    def begin_heading(self, *, taken: bool) -> None:
        """Begin a heading; if it is not taken as one, it only holds blocks."""
        if not self.in_heading:
            self.end_block()
        taken = taken or self.in_heading > 0
        self._headings_taken.append(taken)
        self.in_heading += taken

    def end_heading(self, level: int) -> None:
        """End a heading."""
        if not self._headings_taken.pop():
            self.end_block()
            return
        self.in_heading -= 1
        if self.in_heading:
            self._pieces.append(" ")
            return
        text = " ".join(paragraphs(self._pieces))
        linked = self._linked
        self._start_block()
        if text:
            self._append(Kind.HEADING, text, linked=linked, level=level)

    def _start_block(self) -> None:
        self._pieces = []
        self._linked = self._pictured = 0
        self._fields = self._valued = self._typed = False
        self._link_ended = -1

    def _append(self, kind: Kind, text: str, *, linked: int, level: int = 0) -> None:
        block = Block(
            kind,
            text,
            level=level,
            linked=linked,
            in_main=self.inside["main"] > 0,
            aside=self.inside["aside"] > 0,
            quoted=self.inside["quote"] > 0,
            margin=self.inside["margin"] > 0,
            unscripted=self.inside["noscript"] > 0,
        )
        if self._items:
            item = self._items[-1]
            if kind in (Kind.HEADING, Kind.TABLE):
                item.layout = True
            if not item.layout:
                self._mark(block, item)
        self.blocks.append(block)

    # Lists

    def begin_list(self, start: str, *, ordered: bool) -> None:
        """Begin a list."""
        self.end_block()
        if not self._lists:
            self._list_number += 1
        self._lists.append(_List(ordered, _number(start, 1) - 1))

    def end_list(self) -> None:
        """End the innermost list."""
        self.end_block()
        self._lists.pop()

    def begin_item(self, value: str) -> None:
        """Begin an item of a list."""
        self.end_block()
        of = self._lists[-1] if self._lists else _List(ordered=False)
        if not self._lists:
            self._list_number += 1
        if value:
            of.number = _number(value, of.number + 1) - 1
        outer = self._items[-1].indented if self._items and not self._items[-1].layout else 0
        self._items.append(_Item(of, outer, min(outer + 2, _MOST_INDENTED)))

    def end_item(self) -> None:
        """End the innermost item."""
        self.end_block()
        self._items.pop()

    def _mark(self, block: Block, item: _Item) -> None:
        if not item.marked:
            item.marked = True
            item.of.number += 1
            block.mark = f"{item.of.number}. " if item.of.ordered else "- "
            item.indented = min(item.outer, _MOST_INDENTED) + len(block.mark)
        block.indented = item.indented
        block.items = self._list_number


def _number(text: str, otherwise: int) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else otherwise
