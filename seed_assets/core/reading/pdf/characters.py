"""The characters of a page with their places, as pdfium has them, and accents that are drawn apart from their letters.

What does not belong here: what a page's text is made of besides (pages).
"""

import ctypes
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from seed_assets.core.reading.pdf.annotations import Box
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
# An accent is drawn directly before or after its letter, or at the end of the line by programs that sort. Chosen by judgement.
_FARTHEST_CHARACTERS = 120
# Where pdfium writes the sides of a box; it is called for one box at a time.
_NUMBERS = tuple(ctypes.c_double() for _ in range(4))
# A page of more characters is no page of print; its accents are left where they are.
_MOST_CHARACTERS = 200_000


def placed_text(page: "PdfTextPage", *, most: int | None = None, only_around_accents: bool = False) -> PlacedText:
    """Return the characters of a page with their boxes; lines end in a line feed.

    most: how many characters are read; None for all.
    only_around_accents: whether characters far from all accents get no boxes, which takes less time.
    """
    from pypdfium2 import raw

    count = page.count_chars() if most is None else min(page.count_chars(), most)
    codes = [raw.FPDFText_GetUnicode(page.raw, number) for number in range(count)]
    wanted = _around_accents(codes) if only_around_accents else range(count)
    found = {number: box for number in wanted if (box := _box(page, number)) is not None}
    characters: list[str] = []
    boxes: list[Box | None] = []
    for number, code in enumerate(codes):
        character = chr(code)
        if code in (0, 0x0D):
            continue
        if 0xDC00 <= code <= 0xDFFF and characters and "\ud800" <= characters[-1] <= "\udbff":
            characters[-1] = (characters[-1] + character).encode("utf-16", "surrogatepass").decode("utf-16")
            continue
        characters.append(character)
        boxes.append(found.get(number))
    return PlacedText("".join(characters), boxes)


def _box(page: "PdfTextPage", number: int) -> Box | None:
    """Return the box of a character; None if pdfium added the character, as line ends and some blanks."""
    from pypdfium2 import raw

    if raw.FPDFText_IsGenerated(page.raw, number):
        return None
    left, right, bottom, top = _NUMBERS
    if not raw.FPDFText_GetCharBox(page.raw, number, left, right, bottom, top):
        return None
    return Box(left.value, bottom.value, right.value, top.value)


def _around_accents(codes: Sequence[int]) -> Iterable[int]:
    accents = {ord(sign) for sign in _COMBINING}
    places = (place for place, code in enumerate(codes) if code in accents)
    end = 0
    for place in places:
        first, last = max(end, place - _FARTHEST_CHARACTERS), min(len(codes), place + _FARTHEST_CHARACTERS)
        yield from range(first, last)
        end = max(end, last)


def has_accents_apart(text: str) -> bool:
    """Whether a text has characters that may be accents of other letters."""
    return len(text) < _MOST_CHARACTERS and _MAY_BE_APART.search(text) is not None


def with_accents_joined(page: PlacedText) -> PlacedText:
    """Return a page with each accent on the letter that it is drawn over or under.

    An accent that stands over no letter stays as it is.
    """
    characters = list(page.text)
    dropped: set[int] = set()
    for place, character in enumerate(characters):
        if character in _COMBINING and (box := page.boxes[place]) is not None:
            letter = _letter_below(page, place, box, _COMBINING[character])
            if letter is not None:
                characters[letter] = unicodedata.normalize("NFC", characters[letter] + _COMBINING[character])
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


def _letter_below(page: PlacedText, accent: int, box: Box, combining: str) -> int | None:
    """Return the place of the letter that an accent belongs to: the one that it is drawn over."""
    center = (box.left + box.right) / 2
    first, last = max(0, accent - _FARTHEST_CHARACTERS), min(len(page.text), accent + _FARTHEST_CHARACTERS)
    best: tuple[float, int] | None = None
    for place in range(first, last):
        other = page.boxes[place]
        if other is None or place == accent or not page.text[place].isalpha():
            continue
        if not other.left <= center <= other.right or not _touches(other, box):
            continue
        if len(unicodedata.normalize("NFC", page.text[place] + combining)) > 1:
            continue  # there is no such letter
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
