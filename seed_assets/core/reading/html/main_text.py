"""Which blocks are the text of a page. What does not belong here: finding the blocks (page_blocks).

trafilatura separates the main text of a page from navigation, adverts and the like, but it loses code, tables, formulas and
the blocks between others. So its text only votes for blocks, which are then written as they are on the page.
"""

import logging
import re
from typing import TYPE_CHECKING

from seed_assets.core.reading.html.block import Block, Kind
from seed_assets.core.reading.html.form_fields import TICKED

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The numbers were found on trafilatura's evaluation pages, with the program benchmarks/reading.py: they find nearly all
# sentences that belong to the text, and as few others as that allows.
# A block is taken if this share of its runs of three words is in trafilatura's text.
_SHARE_OF_RUNS = 0.5
_RUN = 3
# So many blocks between two that are taken are taken as well, and so many in an element that is named as main text.
_LONGEST_GAP = 3
_LONGEST_GAP_IN_MAIN = 4
# A paragraph of so many words is substantial: between blocks that are taken, and anywhere.
_WORDS_IN_GAP = 15
_WORDS_ANYWHERE = 20
_LEAST_FILLED = 2
# On a page of fewer words there is too little evidence, so all usual blocks are taken.
_SHORT_PAGE_WORDS = 150
# Written without spaces between words: each character counts as one.
_WORD = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\\W_]+")


class Vote:
    """The text that trafilatura found, as runs of words."""

    def __init__(self, text: str) -> None:
        self.words = words_of(text)
        self._runs = set(zip(self.words, self.words[1:], self.words[2:], strict=False))
        self._lines = {tuple(words) for line in text.split("\n") if (words := words_of(line))}

    def share(self, words: list[str]) -> float:
        """Return which share of the runs of these words it has; a text shorter than a run has to be a line of its own."""
        if len(words) < _RUN:
            return float(tuple(words) in self._lines)
        runs = list(zip(words, words[1:], words[2:], strict=False))
        return sum(run in self._runs for run in runs) / len(runs)


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters, by which two readings are compared."""
    return _WORD.findall(text.lower())


def main_blocks(blocks: list[Block], vote: Vote) -> list[Block]:
    """Return the blocks that are the text of the page.

    No block of text is lost because trafilatura lost it: substantial ones are taken wherever they stand, unless they are at
    the margin or introduce another page.
    """
    words = [words_of(block.text) for block in blocks]
    usual = [not block.margin for block in blocks]
    voted = [vote.share(each) >= _SHARE_OF_RUNS if each else False for each in words]
    taken = [a and b for a, b in zip(voted, usual, strict=True)]
    text = [a and not _is_linked(block) for a, block in zip(voted, blocks, strict=True)]
    if 2 * _count(words, taken) < _count(words, text):  # what seemed to be the margin is most of the text
        usual, taken = [True] * len(blocks), voted
    elif _count(words, [a and not block.valued for a, block in zip(usual, blocks, strict=True)]) < _SHORT_PAGE_WORDS:
        return usual_blocks(blocks)
    _take_fields(blocks, words, usual, taken)
    _take_between(blocks, words, usual, taken)
    _take_beside(blocks, words, usual, taken)
    _take_substantial(blocks, words, usual, taken)
    _take_headings(blocks, usual, taken)
    return [block for block, is_taken in zip(blocks, taken, strict=True) if is_taken]


def usual_blocks(blocks: list[Block]) -> list[Block]:
    """Return all blocks that are not at the margin of the page, or all if nothing else is on it."""
    usual = [block for block in blocks if not block.margin]
    return usual if any(block.kind is not Kind.HEADING for block in usual) else blocks


def _count(words: list[list[str]], taken: list[bool]) -> int:
    return sum(len(each) for each, is_taken in zip(words, taken, strict=True) if is_taken)


def _take_fields(blocks: list[Block], words: list[list[str]], usual: list[bool], taken: list[bool]) -> None:
    """Take the blocks of a form that somebody filled in, with the labels before them; trafilatura leaves out all forms.

    A single field has a value on most pages, such as an amount, and is no such form.
    """
    filled = sum(1 for block, each in zip(blocks, usual, strict=True) if each and (block.typed or TICKED in block.text))
    if filled < _LEAST_FILLED:
        return
    for places in (range(len(blocks)), reversed(range(len(blocks)))):
        distance = _LONGEST_GAP
        for place in places:
            block = blocks[place]
            distance = 0 if block.typed else distance + 1
            if block.fields and distance < _LONGEST_GAP:
                distance = 0
                taken[place] = taken[place] or usual[place]
    for place in range(len(blocks) - 1):
        label, following = blocks[place], blocks[place + 1]
        if following.fields and taken[place + 1] and usual[place] and not _is_linked(label):
            taken[place] = taken[place] or len(words[place]) < _WORDS_IN_GAP


def _take_between(blocks: list[Block], words: list[list[str]], usual: list[bool], taken: list[bool]) -> None:
    """Take what stands between blocks that are taken and near each other; in the main text what is substantial anyway."""
    last = None
    in_main = False
    for place, block in enumerate(blocks):
        if not taken[place]:
            in_main = in_main and block.in_main
            continue
        if last is not None:
            together = in_main and block.in_main
            near = place - last - 1 <= (_LONGEST_GAP_IN_MAIN if together else _LONGEST_GAP)
            for between in range(last + 1, place):
                each = blocks[between]
                if not usual[between] or not words[between] or _is_linked(each):
                    continue
                taken[between] = near or (together and _is_substantial(each, words[between]))
        last, in_main = place, block.in_main


def _take_beside(blocks: list[Block], words: list[list[str]], usual: list[bool], taken: list[bool]) -> None:
    """Take substantial blocks of the main text that follow one another before the first one taken, or after the last.

    The end of a quotation or figure is taken with its beginning.
    """
    for step in (1, -1):
        beside = False
        for place in range(len(blocks))[::step]:
            block = blocks[place]
            if taken[place]:
                beside = True
            elif not (beside and block.in_main and usual[place]):
                beside = False
            elif block.kind is not Kind.HEADING:
                beside = taken[place] = _is_substantial(block, words[place])
    for place in range(1, len(blocks)):
        if taken[place - 1] and blocks[place - 1].quoted and blocks[place].quoted and usual[place]:
            taken[place] = True


def _is_substantial(block: Block, words: list[str]) -> bool:
    if _is_linked(block):
        return False
    return block.kind in (Kind.TABLE, Kind.CODE) or bool(block.items) or block.aside or len(words) >= _WORDS_IN_GAP


def _take_substantial(blocks: list[Block], words: list[list[str]], usual: list[bool], taken: list[bool]) -> None:
    """Take every paragraph of many words, table or code that trafilatura lost, with the short blocks between them.

    If what it found is in an element that the markup names as main text, those outside of such elements are not taken.
    """
    main_only = any(block.in_main for block, is_taken in zip(blocks, taken, strict=True) if is_taken)
    long = [
        is_usual and not _is_linked(block) and (block.kind in (Kind.TABLE, Kind.CODE) or len(each) >= _WORDS_ANYWHERE)
        for block, each, is_usual in zip(blocks, words, usual, strict=True)
    ]
    last = None
    teasers = _teasers(blocks, long)
    for place, block in enumerate(blocks):
        if long[place] and block.kind is not Kind.HEADING and (block.in_main or not main_only):
            taken[place] = taken[place] or place not in teasers
        if taken[place]:
            if last is not None and place - last < _LONGEST_GAP:
                for between in range(last + 1, place):
                    taken[between] = usual[between] and not _is_linked(blocks[between])
            last = place


def _teasers(blocks: list[Block], long: list[bool]) -> set[int]:
    """Return the places of paragraphs that alone follow a heading that is a link: each introduces another page.

    A single one may be the text of the page below a title that links to the page itself.
    """
    found: set[int] = set()
    below: list[int] = []
    headed_by_link = False
    for place, block in enumerate(blocks):
        if block.kind is Kind.HEADING:
            found.update(below if headed_by_link and len(below) == 1 else ())
            headed_by_link, below = _is_linked(block), []
        elif long[place]:
            below.append(place)
    found.update(below if headed_by_link and len(below) == 1 else ())
    return found if len(found) > 1 else set()


def _take_headings(blocks: list[Block], usual: list[bool], taken: list[bool]) -> None:
    """Take a heading, or a button that shows a text, with the block after it; a button shows nothing that has a heading."""
    following: Kind | None = None
    for place in reversed(range(len(blocks))):
        kind = blocks[place].kind
        if following is not None and usual[place]:
            taken[place] = (
                taken[place] or kind is Kind.HEADING or (kind is Kind.CONTROL and following is not Kind.HEADING)
            )
        following = kind if taken[place] else None


def _is_linked(block: Block) -> bool:
    return 2 * block.linked > len(block.text)


def trafilatura_text(page: "HtmlElement") -> str:
    """Return what trafilatura finds to be the main text of a page, which it may change; "" if it finds none."""
    import trafilatura

    # trafilatura logs pages without main text as errors, but that is an ordinary case here.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
    return (
        trafilatura.extract(
            page,
            include_comments=False,
            include_tables=True,
            include_formatting=False,
            deduplicate=False,  # deduplication would remember paragraphs from one document to the next
        )
        or ""
    )
