"""What was read of the picture of one page: its words, where each of them is, and how sure the engine was.

What does not belong here: reading a picture (engine), and what a document is made of (picture_file, pdf.document).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from seed_assets.core.reading.page_numbers import only_numbers_page

LEAST_CONFIDENCE = 0.5
"""A page that is read with less confidence is not legible. Chosen by judgement: right words are near .95, noise is near .3."""
SURE_CONFIDENCE = 0.8
"""With less confidence, a person should look at the page. Chosen by judgement."""

# A title is in the upper part of a page, and its words are so many times as high as usual. Chosen by judgement.
_TOP, _LARGER = 0.4, 1.3
_LETTERS_OF_A_LINE = 8
# So many lines at each edge may be headers and footers.
_MOST_EDGES = 4
# They are in the outer part of a page; on a page with fewer lines, a line at its edge may well be its text.
_MARGIN, _FEWEST_LINES = 0.2, 9


class ScannedWord(msgspec.Struct, frozen=True, array_like=True):
    """One word and its place.

    confidence: 0 to 100, as the engine gives it.
    left, top, right, bottom: its box in pixels of the picture as it was read: upright, and after `ScannedPage.turned`.
    lines: the number of line ends in front of it: 0 within a line, 1 for a new line, 2 for a new paragraph.
    """

    text: str
    confidence: int
    left: int
    top: int
    right: int
    bottom: int
    lines: int = 0


class ScannedEdge(msgspec.Struct, frozen=True, array_like=True):
    """A line near the top or the bottom of a page.

    depth: how many lines are nearer to the edge. gap: how far the next line away from the edge is, in distances that are usual
    between lines of the page.
    """

    text: str
    is_top: bool
    depth: int
    gap: float


class ScannedPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the engine read of one picture.

    width, height: of the picture as it was read, in pixels.
    turned: by how many degrees the picture was turned clockwise before it was read; a multiple of 90 except for the angle by
        which lines are straightened.
    words: in reading order.
    script: the writing system that was found, such as "Cyrillic", if reading it was doubtful; otherwise "".
    is_blank: whether there is nothing on the picture.
    problem: why it was not read; "" if it was.
    n_lost_letters: how many letters the engine was so unsure of that they are not kept.
    """

    width: int = 0
    height: int = 0
    turned: float = 0.0
    words: tuple[ScannedWord, ...] = ()
    script: str = ""
    is_blank: bool = False
    problem: str = ""
    n_lost_letters: int = 0

    @property
    def confidence(self) -> float:
        """The mean confidence over all letters, 0 to 1; letters that are not kept have none."""
        return confidence_of(self.words, self.n_lost_letters)

    @property
    def text(self) -> str:
        """The words in lines and paragraphs. A paragraph does not end within a sentence, though the engine may think so."""
        pieces: list[str] = []
        for word in self.words:
            goes_on = word.text[0].islower() and pieces and pieces[-1][-1] not in ".!?:;"
            lines = min(word.lines, 1) if goes_on else word.lines
            pieces += ("\n" * lines or " ", word.text)
        return "".join(pieces).strip()

    @property
    def title(self) -> str:
        """The line in large print near the top of the page; "" if no line is larger than the others."""
        # The height of a short line depends on its letters.
        lines = [line for line in self._lines() if sum(len(word.text) for word in line) >= _LETTERS_OF_A_LINE]
        if not lines:
            return ""
        usual = _middle(_height(line) for line in lines)
        top = [line for line in lines if line[0].top < self.height * _TOP]
        largest = max(top, key=_height, default=None)
        if largest is None or _height(largest) < _LARGER * usual:
            return ""
        return " ".join(word.text for word in largest)

    @property
    def edges(self) -> tuple[ScannedEdge, ...]:
        """The lines nearest to the top and to the bottom."""
        lines = sorted(self._lines(), key=lambda line: line[0].top)
        bands: list[list[list[ScannedWord]]] = []
        for line in lines:
            if bands and line[0].top - bands[-1][0][0].top < _height(line) / 2:
                bands[-1].append(line)
            else:
                bands.append([line])
        distances = [after[0][0].top - before[0][0].top for before, after in pairwise(bands)]
        usual = max(1, _middle(distances)) if distances else 1
        found: list[ScannedEdge] = []
        is_short = len(bands) < _FEWEST_LINES
        for is_top in (True, False):
            for depth, band in enumerate(bands[:_MOST_EDGES] if is_top else bands[: -_MOST_EDGES - 1 : -1]):
                after = depth if is_top else len(distances) - 1 - depth
                gap = distances[after] / usual if 0 <= after < len(distances) else 0.0
                place = band[0][0].top if is_top else self.height - band[0][0].bottom
                if place > _MARGIN * self.height:
                    break
                texts = [" ".join(word.text for word in line) for line in band]
                found += (
                    ScannedEdge(text, is_top, depth, gap) for text in texts if not is_short or only_numbers_page(text)
                )
        return tuple(found)

    def _lines(self) -> list[list[ScannedWord]]:
        lines: list[list[ScannedWord]] = []
        for word in self.words:
            if word.lines or not lines:
                lines.append([])
            lines[-1].append(word)
        return lines


def _height(line: Sequence[ScannedWord]) -> int:
    return _middle(word.bottom - word.top for word in line)


def _middle(numbers: Iterable[int]) -> int:
    ordered = sorted(numbers)
    return ordered[len(ordered) // 2]


class PictureText(msgspec.Struct, frozen=True, array_like=True):
    """A page as the document's text is made of it; see ScannedPage.

    title: see ScannedPage.
    picture: the digest of the picture, from which the action of its page is found.
    """

    text: str
    confidence: float
    picture: str
    title: str = ""
    script: str = ""
    is_blank: bool = False
    problem: str = ""
    edges: tuple[ScannedEdge, ...] = ()


def confidence_of(words: Sequence[ScannedWord], n_lost_letters: int = 0) -> float:
    """Return the mean confidence over the letters of words, 0 to 1; 0 without words. n_lost_letters: further ones without any."""
    letters = sum(len(word.text) for word in words) + n_lost_letters
    return sum(word.confidence * len(word.text) for word in words) / (100 * letters) if letters else 0.0
