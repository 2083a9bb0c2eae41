"""The lines at the top and at the bottom of a page, which may be running headers, footers and page numbers.

What belongs here: which lines these are. What does not: comparing those of several pages (running_lines).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from seed_assets.core.reading.page_numbers import only_numbers_page
from seed_assets.core.reading.pdf.characters import HYPHEN_MARK, PageCharacters
from seed_assets.core.reading.pdf.running.line_numbers import is_roman

# Lines are side by side if their heights differ by less, in points; and how many heights at each edge are looked at. Both
# were chosen by judgement, as was the length of a line that is a paragraph.
_SAME_HEIGHT, MOST_HEIGHTS = 2.0, 4
_LONGEST = 120
_MOST_LINES = 5
# Headers and footers are in the outer part of a page. On a page with fewer lines, a line at its edge may well be its text: a
# ticket, a slide, a short letter. Both were chosen by judgement.
_MARGIN = 0.2
FEWEST_LINES = 9


class Sheet(NamedTuple):
    """The place of a page's top and bottom, in points as `EdgeLine.at`.

    turned: by how many quarters the page is shown turned clockwise.
    """

    turned: int
    top: float
    bottom: float

    def share_from_edge(self, at: float, *, is_top: bool) -> float:
        """Return how far a height is from the top or the bottom, as a share of the height of the page."""
        return (self.top - at if is_top else at - self.bottom) / max(self.top - self.bottom, 1.0)


def sheet_of(box: tuple[float, float, float, float], turned: int) -> Sheet:
    """Return the sheet of a page. box: left, bottom, right, top, in points before the page is turned."""
    left, bottom, right, top = box
    ends = ((top, bottom), (-left, -right), (-bottom, -top), (right, left))[turned]
    return Sheet(turned, *ends)


class EdgeLine(NamedTuple):
    """A line near an edge of a page.

    at: its height, in points; greater is nearer to the top.
    depth: how many lines are nearer to the edge, those side by side counted once.
    gap: how far the next line away from the edge is, in distances that are usual between lines of the page.
    """

    text: str
    at: float
    is_top: bool
    depth: int
    gap: float


def edge_lines(page: PageCharacters, sheet: Sheet) -> tuple[EdgeLine, ...]:
    """Return the lines near the top and near the bottom, among those that come first and last in the text.

    Of a page with few lines, only those that have nothing but the number of the page are returned: another may be its text.
    """
    spans = _line_spans(page.text)
    if not spans:
        return ()
    # The top of a page that is turned is one of its other sides.
    heights = [(up, -across, -up, across)[sheet.turned] for across, up in page.origins([start for start, _ in spans])]
    order = sorted(range(len(spans)), key=lambda number: -heights[number])
    bands: list[list[int]] = []
    for number in order:
        if bands and heights[bands[-1][0]] - heights[number] < _SAME_HEIGHT:
            bands[-1].append(number)
        else:
            bands.append([number])
    levels = [heights[band[0]] for band in bands]
    distances = [before - after for before, after in pairwise(levels)]
    usual = sorted(distances)[len(distances) // 2] if distances else 1.0
    is_short = page.text.count("\n") + 1 < FEWEST_LINES
    found: list[EdgeLine] = []
    for is_top in (True, False):
        for depth in range(min(MOST_HEIGHTS, len(bands))):
            place = depth if is_top else len(bands) - 1 - depth
            after = place if is_top else place - 1
            gap = distances[after] / usual if 0 <= after < len(distances) else 0.0
            if sheet.share_from_edge(levels[place], is_top=is_top) > _MARGIN:
                break
            for number in bands[place]:
                start, end = spans[number]
                text = page.text[start:end]
                if end - start <= _LONGEST and (not is_short or only_numbers_page(text) or is_roman(text)):
                    found.append(EdgeLine(text, levels[place], is_top, depth, gap))
    return tuple(found)


def _line_spans(text: str) -> list[tuple[int, int]]:
    """Return where each of the first and the last lines that are not blank begins and ends."""
    # pdfium joins a line that ends in a hyphen with what follows, which may be the number of the page.
    lines = text.replace(HYPHEN_MARK, "\n").split("\n")
    if len(lines) <= 2 * _MOST_LINES:
        return _spans(lines, 0)
    last = lines[-_MOST_LINES:]
    return _spans(lines[:_MOST_LINES], 0) + _spans(last, len(text) + 1 - sum(len(line) + 1 for line in last))


def _spans(lines: Sequence[str], start: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for line in lines:
        if stripped := line.strip():
            first = start + line.index(stripped[0])
            spans.append((first, first + len(stripped)))
        start += len(line) + 1
    return spans
