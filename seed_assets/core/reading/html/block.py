"""What a block of a page is, and how a list of blocks is written. What does not belong here: finding blocks (page_blocks)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from seed_assets.core.reading.markdown_blocks import heading


class Kind(Enum):
    """CONTROL: a button on its own, which shows what follows it. PICTURE: only the text that stands for pictures."""

    HEADING = auto()
    TEXT = auto()
    TABLE = auto()
    CODE = auto()
    CONTROL = auto()
    PICTURE = auto()


@dataclass(slots=True)
class Block:
    """One block of a page.

    text: as it is written, without the mark of a list item.
    mark, indented: what stands before its first line, and how many spaces before the others.
    items: the number of the list that it is in; 0 outside of lists.
    linked: how many characters are in links and buttons.
    in_main: in an element that the markup names as the main text. aside: in one that it names as beside the text.
    quoted: in a quotation or a figure, whose last block says whose it is.
    margin: in a menu, a footer or a banner. unscripted: only shown where scripts do not run.
    fields, valued, typed: whether it has fields of a form, one with a value, and one into which words were typed.
    """

    kind: Kind
    text: str
    mark: str = ""
    indented: int = 0
    items: int = 0
    level: int = 0
    linked: int = 0
    in_main: bool = False
    aside: bool = False
    quoted: bool = False
    margin: bool = False
    unscripted: bool = False
    fields: bool = False
    valued: bool = False
    typed: bool = False

    def written(self) -> str:
        """Return the block as it stands in the text."""
        if self.kind is Kind.HEADING:
            return heading(self.level, self.text)
        if not self.indented:
            return self.text
        before = " " * (self.indented - len(self.mark)) + self.mark
        return before + self.text.replace("\n", "\n" + " " * self.indented)


def written(blocks: Iterable[Block]) -> str:
    """Return the text of blocks: with empty lines between them, but not between the items of a list."""
    pieces: list[str] = []
    before = 0
    for block in blocks:
        if pieces:
            pieces.append("\n" if block.items and block.items == before else "\n\n")
        pieces.append(block.written())
        before = block.items
    return "".join(pieces)
