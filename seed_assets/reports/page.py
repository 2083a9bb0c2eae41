"""What a page for people consists of, whatever form it is written in.

What belongs here: the blocks. What does not: their forms (text_form, markdown_form, html_form), and which blocks a result has
(overview_pages).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of what follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text in sentences; an empty line in it begins another paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Names with short values. A field without a value is left out."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Items:
    """A list of short texts."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts, each with as many cells as there are columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text whose lines are kept as they are."""

    text: str


Block = Heading | Paragraph | Fields | Items | Table | Verbatim


@dataclass(frozen=True, slots=True)
class Page:
    """A title and what is below it. Texts of documents are in it as they are; each form makes them safe."""

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple[Block, ...])
