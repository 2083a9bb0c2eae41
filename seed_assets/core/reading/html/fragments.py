"""Pieces of HTML inside other formats (chapters of a book, outputs of a notebook), read as a whole.

What does not belong here: pages of the web, of which only the main text is read (pages).
"""

from typing import NamedTuple

from seed_assets.core.reading.html.block import Kind, written
from seed_assets.core.reading.html.facts import collect_facts
from seed_assets.core.reading.html.frames import read_inner_pages
from seed_assets.core.reading.html.page_blocks import blocks_of
from seed_assets.core.reading.html.parsing import parsed


class Fragment(NamedTuple):
    """text: all that is displayed, as in Markdown. heading: its first heading, or ""."""

    text: str
    heading: str


def read_fragment(characters: str) -> Fragment:
    """Read a piece of HTML. Raises RecursionError for elements that are nested too deeply."""
    page = parsed(characters)
    if page is None:
        return Fragment("", "")
    read_inner_pages(page)
    blocks = blocks_of(page, collect_facts(page))
    headings = (" ".join(block.text.split()) for block in blocks if block.kind is Kind.HEADING)
    return Fragment(written(blocks), next(headings, ""))
