"""Raised and lowered numbers: 10⁶, m², H₂O, and the numbers of notes behind words. In the text layer they are ordinary digits.

What belongs here: finding them by their size and their base line. What does not: other raised text, which stays as it is, and
how it is written in other formats (superscripts).
"""

import re
from typing import TYPE_CHECKING

from seed_assets.core.reading.superscripts import lowered, raised

if TYPE_CHECKING:
    from seed_assets.core.reading.pdf.characters import PageCharacters

# A number with its sign, or several: the notes 1,3 and 2-4.
_NUMBER = re.compile(r"[-+\u2212]?\d+(?:[,\u2013-]\d+)*", re.ASCII)
# A raised number is so much smaller than the character before it, and its base line so much higher or lower: shares of the height
# of that character. Chosen by judgement; programs print it at 60 to 80%, by 15 to 40% higher or lower.
_SMALLER, _HIGHER, _LOWER, _FARTHEST = 0.86, 0.12, 0.06, 0.8
# A page of more is a table of numbers.
_MOST_CHARACTERS = 20_000


def mark_raised_numbers(page: "PageCharacters") -> None:
    """Write raised and lowered numbers of a page with the characters that Unicode has for them, one for each digit."""
    text = page.text
    if page.piece_count <= text.count("\n") + 1:
        return  # they are pieces of their own in their lines
    spans = [span for match in _NUMBER.finditer(text) if (span := _with_base(text, *match.span()))]
    numbers = [number for start, end in spans for number in range(start, end)]
    if not numbers or len(numbers) > _MOST_CHARACTERS:
        return
    places = dict(zip(numbers, zip(page.origins(numbers), page.heights(numbers), strict=True), strict=True))
    found: dict[int, str] = {}
    for start, end in spans:
        (left, base), height = places[start]
        for number in range(start + 1, end):
            (at, up), own = places[number]
            if not (0 < own <= _SMALLER * height and at > left and text[number] not in ",\u2013"):
                continue
            share = (up - base) / height
            if _HIGHER <= share <= _FARTHEST:
                found[number] = raised(text[number])
            elif -_FARTHEST <= share <= -_LOWER:
                found[number] = lowered(text[number])
    if found:
        page.replace(found)


def _with_base(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return a number with the character before it, if there is one in its word; None for a digit that stands alone."""
    before = start - 1 if start and not text[start - 1].isspace() and text[start - 1] != "\0" else start
    return (before, end) if end - before > 1 else None
