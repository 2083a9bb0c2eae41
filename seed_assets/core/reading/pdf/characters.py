"""The characters of a page with their places, as pdfium has them, and accents that are drawn apart from their letters.

What does not belong here: what a page's text is made of besides (pages).
"""

import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.pdfium_calls import (
    address,
    are_generated,
    character_boxes,
    codes,
    font_heights,
    function,
    origins,
)
from seed_assets.core.reading.pdf.placing import PlacedText

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

# Accents as characters of their own, which old fonts draw over or under a letter.
_COMBINING: Mapping[str, str] = {
    "\u00a8": "\u0308",
    "\u00b4": "\u0301",
    "`": "\u0300",
    "\u02c6": "\u0302",
    "\u02dc": "\u0303",
    "\u00b8": "\u0327",
    "\u02da": "\u030a",
    "\u02c7": "\u030c",
    "\u02d8": "\u0306",
    "\u00af": "\u0304",
    "\u02d9": "\u0307",
    "\u02dd": "\u030b",
    "\u02db": "\u0328",
}
# A grave accent is a quotation mark if it is doubled.
_MAY_BE_APART = re.compile("[\u00a8\u00b4\u02c6\u02dc\u00b8\u02da\u02c7\u02d8\u00af\u02d9\u02dd\u02db]|(?<!`)`(?!`)")
HYPHEN_MARK = "\ufffe"
"""What pdfium writes for a hyphen at the end of a line."""
# An accent is drawn directly before or after its letter, or at the end of the line by programs that sort. Chosen by judgement.
_FARTHEST_CHARACTERS = 120
_NEAR = 3
_ACCENT = re.compile(f"[{''.join(_COMBINING)}]")
# What pdfium adds between words and lines.
_MAY_BE_ADDED = frozenset(" \r\n")
_HALF = re.compile("[\udc00-\udfff]")
# A page of more characters is no page of print; its accents are left where they are.
_MOST_CHARACTERS = 200_000


class PageCharacters:
    """The characters of a page by their numbers in pdfium, which include those that it adds.

    layer: the text as pdfium gives it; line ends are "\\r\\n".
    text: the same with exactly as many characters as there are numbers.
    """

    def __init__(self, page: "PdfTextPage") -> None:
        self._page = address(page.raw)
        count = page.count_chars()
        self.layer = self.text = page.get_text_range() if count else ""
        if len(self.text) != count:
            # There are characters that are no text, or that are beyond the first 65,536.
            self.text = "".join(map(_character, codes(self._page, count)))

    @cached_property
    def piece_count(self) -> int:
        """How many rectangles the text has: one for each piece of a line. pdfium makes them when they are counted."""
        return function("FPDFText_CountRects")(self._page, 0, -1)

    def leave_out(self, numbers: Sequence[int]) -> None:
        """Take characters out of the text; in `text`, which has as many characters as the page, they become zeros."""
        characters = list(self.text)
        for number in numbers:
            characters[number] = "\0"
        self.text = "".join(characters)
        self.layer = self.text.replace("\0", "")

    def replace(self, found: Mapping[int, str]) -> None:
        """Put other characters in the places of some, one for each."""
        characters = list(self.text)
        for number, character in found.items():
            characters[number] = character
        self.text = "".join(characters)
        self.layer = self.text.replace("\0", "")

    def heights(self, numbers: Sequence[int]) -> list[float]:
        """Return how high the fonts of characters are, which depends on no form of a letter."""
        return font_heights(self._page, numbers)

    def boxes(self, numbers: Sequence[int]) -> list[Box | None]:
        """Return the boxes of characters; None for those that pdfium added."""
        found: list[Box | None] = list(character_boxes(self._page, numbers))
        text = self.text
        places = [place for place, number in enumerate(numbers) if text[number] in _MAY_BE_ADDED]
        for place, added in zip(places, are_generated(self._page, [numbers[each] for each in places]), strict=True):
            if added:
                found[place] = None
        return found

    def origins(self, numbers: Sequence[int]) -> list[tuple[float, float]]:
        """Return where characters stand on their base lines, from the left and from below."""
        return origins(self._page, numbers)

    def drawn_boxes(self, numbers: Sequence[int]) -> list[Box]:
        """Return the boxes of characters that are not blank, and so are drawn."""
        return character_boxes(self._page, numbers)


def _character(code: int) -> str:
    return chr(code) if code <= sys.maxunicode else "\ufffd"


def placed_text(page: PageCharacters) -> PlacedText:
    """Return the characters of a page with their boxes; lines end in a line feed."""
    return _as_placed(page.text, page.boxes(range(len(page.text))))


def placed_around_accents(page: PageCharacters) -> PlacedText:
    """Return the characters of a page with the boxes of those that accents may belong to, which takes less time."""
    found: list[Box | None] = [None] * len(page.text)
    accents = [match.start() for match in _ACCENT.finditer(page.text)]
    near = sorted({number for accent in accents for number in _around(found, accent, _NEAR)})
    for number, box in zip(near, page.boxes(near), strict=True):
        found[number] = box
    far = {
        number
        for accent in accents
        if _under(page.text, found, accent, _NEAR) is None
        for number in _around(found, accent, _FARTHEST_CHARACTERS)
        if found[number] is None and page.text[number].isalpha()
    }
    for number, box in zip(far, page.boxes(list(far)), strict=True):
        found[number] = box
    return _as_placed(page.text, found)


def _as_placed(text: str, found: Sequence[Box | None]) -> PlacedText:
    if _HALF.search(text):
        return _with_halves_joined(text, found)
    kept = text.replace("\r", "").replace("\0", "")
    if len(kept) < len(found):
        found = [box for character, box in zip(text, found, strict=True) if character not in "\r\0"]
    return PlacedText(kept, found)


def _with_halves_joined(text: str, found: Sequence[Box | None]) -> PlacedText:
    """Make one character of the two halves of one, which have numbers of their own in pdfium."""
    characters: list[str] = []
    boxes: list[Box | None] = []
    for character, box in zip(text, found, strict=True):
        if character in "\0\r":
            continue
        if "\udc00" <= character <= "\udfff" and characters and "\ud800" <= characters[-1] <= "\udbff":
            characters[-1] = (characters[-1] + character).encode("utf-16", "surrogatepass").decode("utf-16")
            continue
        characters.append(character)
        boxes.append(box)
    return PlacedText("".join(characters), boxes)


def has_accents_apart(text: str) -> bool:
    """Whether a text has characters that may be accents of other letters."""
    if text.isascii() and "`" not in text:
        return False
    return len(text) < _MOST_CHARACTERS and _MAY_BE_APART.search(text) is not None


def with_accents_joined(page: PlacedText) -> PlacedText:
    """Return a page with each accent on the letter that it is drawn over or under.

    An accent that stands over no letter stays as it is.
    """
    characters = list(page.text)
    dropped: set[int] = set()
    for place in (match.start() for match in _ACCENT.finditer(page.text)):
        letter = _letter_below(page.text, page.boxes, place)
        if letter is not None:
            characters[letter] = unicodedata.normalize("NFC", characters[letter] + _COMBINING[page.text[place]])
            dropped.add(place)
            dropped |= _blanks_beside(page, place)
    if not dropped:
        return page
    kept = [place for place in range(len(characters)) if place not in dropped]
    # A letter and its accent may have no common character; the text may then have more characters than boxes.
    text, boxes = "", []
    for place in kept:
        text += characters[place]
        boxes += [page.boxes[place]] * len(characters[place])
    return PlacedText(text, boxes)


def _letter_below(text: str, boxes: Sequence[Box | None], accent: int) -> int | None:
    """Return the place of the letter that an accent belongs to: the one that it is drawn over, if there is such a letter."""
    letter = _under(text, boxes, accent, _NEAR)
    if letter is None:
        letter = _under(text, boxes, accent, _FARTHEST_CHARACTERS)
    if letter is None or len(unicodedata.normalize("NFC", text[letter] + _COMBINING[text[accent]])) > 1:
        return None
    return letter


def _around(page: Sequence[object], place: int, farthest: int) -> range:
    return range(max(0, place - farthest), min(len(page), place + farthest + 1))


def _under(text: str, boxes: Sequence[Box | None], accent: int, farthest: int) -> int | None:
    """Return the place of the letter over whose middle an accent is drawn."""
    if (box := boxes[accent]) is None:
        return None
    center = (box.left + box.right) / 2
    best: tuple[float, int] | None = None
    for place in _around(text, accent, farthest):
        other = boxes[place]
        if other is None or not other.left <= center <= other.right or place == accent:
            continue
        if not text[place].isalpha() or not _touches(other, box):
            continue
        distance = abs((other.left + other.right) / 2 - center)
        if best is None or distance < best[0]:
            best = distance, place
    return best[1] if best else None


def _touches(letter: Box, accent: Box) -> bool:
    """Whether an accent is at the height of a letter, and not of another line."""
    height = letter.top - letter.bottom
    return accent.bottom < letter.top + height and accent.top > letter.bottom - height / 2


def _blanks_beside(page: PlacedText, place: int) -> set[int]:
    """Return the blanks that pdfium added around an accent, since it is not drawn in line."""
    beside = (place - 1, place + 1)
    return {
        each for each in beside if 0 <= each < len(page.text) and page.text[each] == " " and page.boxes[each] is None
    }
