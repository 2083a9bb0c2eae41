"""Running headers, footers and page numbers, which are set apart from the text of a document.

What belongs here: which lines are repeated at the edges of its pages, and removing them. What does not: which lines are at an
edge (edge_lines), and plain texts with pages (text.paged_text).
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from seed_assets.core.reading.page_numbers import only_numbers_page
from seed_assets.core.reading.pdf.characters import HYPHEN_MARK
from seed_assets.core.reading.pdf.running.edge_lines import MOST_HEIGHTS, EdgeLine
from seed_assets.core.reading.pdf.running.line_numbers import Number, is_roman, numbers_in

# All numbers were chosen by judgement: it is worse to remove a line of the text than to leave a header in it.
_FEWEST_PAGES, _FEWEST_NUMBERED = 3, 2
_MOST_SHARE, _SLOT_SHARE, _USUAL_SHARE, _LEAST_SHARE = 0.5, 0.6, 0.1, 0.05
_FEWEST_LETTERS = 4
_NEAR_PAGES = 4
# A line that is so much farther from the text than its lines are from each other stands apart.
_APART = 1.4
_SAME_PLACE = 3.0
# A longer line that ends as a sentence does is rarely a header.
_FEWEST_WORDS_OF_SENTENCE = 6
_SENTENCE_END = re.compile(r"[.!?。！？][\"'”’)\]]*$")
# In front of a number that counts something else than pages.
_COUNTED = re.compile(
    r"(?:\b(?:no|nr|num|number|nummer|numéro|número|numero|id|ref|code|item|invoice|rechnung|facture|ticket|seat|platz|room|raum|"
    r"floor|step|schritt|stage|phase|question|frage|answer|task|aufgabe|exercise|example|beispiel|problem|lesson|lektion|day|tag|"
    r"week|woche|month|year|jahr|table|tabelle|figure|abbildung|slide|folie|section|part|teil|level|grade|class|points?|group|"
    r"version|form|sheet|unit|case|order|account|customer|kunde)|[#№º°])\W*$",
    re.IGNORECASE,
)
# Repeated lines that are more of a page are not its headers and footers.
_MOST_OF_PAGE = 0.25
# Where in a page's text a line of its edge is looked for: a footer may have been drawn first.
_FARTHEST = 8


_Key = tuple[str, bool, float]


class _Seen(NamedTuple):
    """A line at the edge of a page. form: what it has in common with those of other pages. is_number: nothing but a number."""

    page: int
    line: EdgeLine
    form: str
    is_numbered: bool
    is_number: bool

    @property
    def key(self) -> _Key:
        """The form, whether at the top, and the place."""
        return self.form, self.line.is_top, self.line.at


@dataclass(frozen=True, slots=True)
class _Running:
    """Lines that run: (form, whether at the top, place). usual: those with the page's number that many pages have."""

    forms: frozenset[_Key]
    usual: frozenset[_Key]


def without_running_lines(texts: Sequence[str], edges: Sequence[Sequence[EdgeLine]], title: str) -> list[str]:
    """Return the texts of pages without the lines that are repeated at their edges.

    title: of the document; the line that has it stays on the first page, or the first header if there is none.
    """
    if sum(map(bool, edges)) < _FEWEST_NUMBERED:
        return list(texts)
    pages = sum(map(bool, edges))
    seen: dict[tuple[int, bool], list[_Seen]] = {}
    running = _Running(frozenset(), frozenset())
    # Most pages have no running lines, so that lines behind others are only looked at if those run.
    left = [(page, is_top) for page, lines in enumerate(edges) if lines for is_top in (True, False)]
    for depth in range(MOST_HEIGHTS):
        bands = {
            (page, is_top): [line for line in edges[page] if line.depth == depth and line.is_top == is_top]
            for page, is_top in left
        }
        for key, found in _seen_in(bands, pages).items():
            seen.setdefault(key, []).extend(found)
        running = _running([each for found in seen.values() for each in found], pages)
        left = [key for key in left if _all_run(seen[key], depth, running)]
        if not left:
            break
    removed = [
        [line for top in (True, False) for line in _removable(seen.get((page, top), ()), running, title)]
        for page in range(len(texts))
    ]
    if _are_the_text(texts, removed):
        removed = [[line for line in lines if only_numbers_page(line.text) or is_roman(line.text)] for lines in removed]
    found = [_without(text, lines) for text, lines in zip(texts, removed, strict=True)]
    return found if any(found) else list(texts)


def _are_the_text(texts: Sequence[str], removed: Sequence[Sequence[EdgeLine]]) -> bool:
    """Whether the lines that are repeated are much of the pages, as in letters that differ only in the name."""
    pairs = [(text, lines) for text, lines in zip(texts, removed, strict=True) if lines]
    large = sum(sum(len(line.text) for line in lines) > _MOST_OF_PAGE * len(text) for text, lines in pairs)
    return large * 2 > len(pairs)


def _seen_in(bands: Mapping[tuple[int, bool], Sequence[EdgeLine]], pages: int) -> dict[tuple[int, bool], list[_Seen]]:
    numbers = {key: [numbers_in(line.text) for line in lines] for key, lines in bands.items()}
    steps = _steps(numbers, pages)
    return {
        (page, is_top): [
            _seen(page, line, found, steps) for line, found in zip(lines, numbers[page, is_top], strict=True)
        ]
        for (page, is_top), lines in bands.items()
    }


def _steps(
    numbers: Mapping[tuple[int, bool], Sequence[Sequence[Number]]], pages: int
) -> frozenset[tuple[int, bool, bool]]:
    """Return how numbers of pages differ from the places of the pages: (difference, whether Roman, whether at the top)."""
    found: dict[tuple[int, bool, bool], set[int]] = defaultdict(set)
    for (page, is_top), lines in numbers.items():
        for number in chain.from_iterable(lines):
            found[number.value - page, number.is_roman, is_top].add(page)
    fewest = _FEWEST_NUMBERED if pages < 4 else _FEWEST_PAGES
    return frozenset(step for step, of_pages in found.items() if len(of_pages) >= fewest)


def _all_run(seen: Sequence[_Seen], depth: int, running: _Running) -> bool:
    own = [each for each in seen if each.line.depth == depth]
    return bool(own) and all(each.key in running.forms for each in own)


def _seen(page: int, line: EdgeLine, numbers: Sequence[Number], steps: frozenset[tuple[int, bool, bool]]) -> _Seen:
    if not numbers:
        return _Seen(page, line, " ".join(line.text.split()), is_numbered=False, is_number=False)
    form = line.text
    own = [number for number in numbers if (number.value - page, number.is_roman, line.is_top) in steps]
    own = [number for number in own if not _COUNTED.search(line.text[: number.start])]
    for number in reversed(own):
        form = f"{form[: number.start]}#{form[number.end :]}"
    form = " ".join(form.split())
    return _Seen(page, line, form, bool(own), bool(own) and only_numbers_page(form.replace("#", "")))


def _running(seen: Sequence[_Seen], pages: int) -> _Running:
    groups = _groups(seen)
    slots = _slots(groups, pages)
    found = [group for group in groups if _is_running(group, pages, is_in_slot=_slot(group[0]) in slots)]
    fewest = max(_FEWEST_PAGES, _USUAL_SHARE * pages)
    usual = [group for group in found if group[0].is_numbered and len(group) >= fewest]
    return _Running(*(frozenset(each.key for group in each_group for each in group) for each_group in (found, usual)))


def _groups(seen: Sequence[_Seen]) -> list[list[_Seen]]:
    """Return the lines of the same form at the same place, in the order of their pages."""
    groups: list[list[_Seen]] = []
    for each in sorted(seen, key=lambda each: each.key):
        last = groups[-1][-1] if groups else None
        is_same = last is not None and each.key[:2] == last.key[:2] and each.line.at - last.line.at <= _SAME_PLACE
        if is_same:
            groups[-1].append(each)
        else:
            groups.append([each])
    return [sorted(group, key=lambda each: each.page) for group in groups]


def _slot(seen: _Seen) -> tuple[bool, int]:
    return seen.line.is_top, round(seen.line.at / _SAME_PLACE)


def _slots(groups: Sequence[Sequence[_Seen]], pages: int) -> frozenset[tuple[bool, int]]:
    """Return the places at which most pages have an outermost line, and most of these lines are repeated."""
    all_of: Counter[tuple[bool, int]] = Counter()
    repeated: Counter[tuple[bool, int]] = Counter()
    for group in groups:
        outermost = {each.page for each in group if each.line.depth == 0 and each.line.gap >= _APART}
        all_of[_slot(group[0])] += len(outermost)
        if len(outermost) > 1:
            repeated[_slot(group[0])] += len(outermost)
    return frozenset(
        slot
        for slot, count in all_of.items()
        if count >= max(_FEWEST_PAGES, _SLOT_SHARE * pages) and repeated[slot] >= _MOST_SHARE * count
    )


def _is_running(group: Sequence[_Seen], pages: int, *, is_in_slot: bool) -> bool:
    first = group[0]
    if first.is_number:
        return True
    if sum(map(str.isalpha, first.form)) < _FEWEST_LETTERS:
        return False
    on_pages = len({each.page for each in group})
    apart = all(each.line.gap >= _APART or each.line.depth > 0 for each in group)
    if _SENTENCE_END.search(first.form) and len(first.form.split()) >= _FEWEST_WORDS_OF_SENTENCE and not apart:
        return False
    if first.is_numbered and on_pages >= max(_FEWEST_NUMBERED, _LEAST_SHARE * pages) and apart:
        return True
    # The header of a chapter is on pages near each other.
    near = group[-1].page - first.page < _NEAR_PAGES * on_pages
    if is_in_slot and near and on_pages >= _FEWEST_NUMBERED and all(each.line.depth == 0 for each in group):
        return True
    # The first line of each of many letters is the same, but it is not apart from the next one.
    return on_pages >= _FEWEST_PAGES and apart


def _removable(seen: Sequence[_Seen], running: _Running, title: str) -> list[EdgeLine]:
    """Return the lines at one edge of a page that are removed: those between the edge and the first line that does not run.

    Beyond a gap, these are lines with the number of the page that many pages have.
    """
    block: list[_Seen] = []
    apart = False
    for depth in range(MOST_HEIGHTS):
        band = [each for each in seen if each.line.depth == depth]
        runs = [each for each in band if each.key in running.forms]
        if apart and not all(each.key in running.usual for each in runs):
            break
        block += runs
        if not band or len(runs) < len(band):
            break
        apart = apart or band[0].line.gap >= _APART
    else:  # the pages have a text in common, and not only its header
        block = [each for each in block if each.line.depth == 0 and each.is_numbered]
    return [each.line for each in block if not (each.page == 0 and each.line.is_top and _is_title(each, title))]


def _is_title(header: _Seen, title: str) -> bool:
    """Whether a header on the first page is the title of the document, or the only one that it has."""
    return not header.is_number and (_key(header.line.text) == _key(title) if title else not header.is_numbered)


def _without(text: str, removed: Sequence[EdgeLine]) -> str:
    if not removed or not text:
        return text
    # A line end after the mark of a hyphen changes nothing when words are joined.
    lines = re.sub(rf"{HYPHEN_MARK}(?!\n)", f"{HYPHEN_MARK}\n", text).split("\n")
    for line in removed:
        place = _found(lines, line)
        if place is not None:
            del lines[place]
    left = "\n".join(lines).strip("\n")
    # A page that has nothing else is no page of text with a header.
    only_numbers = all(only_numbers_page(line.text) or is_roman(line.text.strip()) for line in removed)
    if not any(map(str.isalnum, left)) and not only_numbers:
        return text
    return left


def _found(lines: Sequence[str], line: EdgeLine) -> int | None:
    """Return where the line stands in the text of a page; None if something else was written into it."""
    key = _key(line.text)
    forwards = range(min(len(lines), _FARTHEST))
    backwards = range(len(lines) - 1, max(len(lines) - 1 - _FARTHEST, -1), -1)
    ways = (forwards, backwards) if line.is_top else (backwards, forwards)
    return next((place for way in ways for place in way if lines[place] and _key(lines[place]) == key), None)


def _key(text: str) -> str:
    """Return the letters and digits of a line, with accents as characters of their own, which may have been joined."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFD", text))).casefold()
