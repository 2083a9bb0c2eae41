"""Where a quotation stands in a text. What belongs here: finding what was copied with other spaces, quotation marks,
dashes or capitals, at exact offsets. What does not: whether it shows anything (judging), and finding what was not copied
(passages).
"""

import re
import unicodedata
from bisect import bisect_left

from seed_assets.core.words import MARKS, UNSPACED

Span = tuple[int, int]

_UNSPACED = UNSPACED.pattern[1:-1]
# One character of an unspaced script, or a run of letters and digits of the others.
_WORD = re.compile(rf"[{_UNSPACED}]|(?:[^\W_{_UNSPACED}]|[{MARKS}])+")
# A word that was broken at the end of a line.
_BROKEN = re.compile(r"(?<=\w)[-\u00ad\u2010]\s*\n\s*(?=[^\W\d_A-Z])|\u00ad")


def locate(quotation: str, text: str) -> Span | None:
    """Start and end, in characters, of the first place where `text` has the quotation; None where it has none.

    As it stands, else by its words alone, whatever spaces and signs are between them, whatever their case and Unicode
    form, and where a line end breaks one of them. Words are whole: "art" is not found in "party". A quotation without
    a letter or digit is nowhere.
    """
    return QuotedText(text).locate(quotation)


def folded_words(text: str) -> list[str]:
    """The words that quotations are compared by, in order."""
    return [word for word, _, _ in _folded_words(text)]


class QuotedText:
    """A text in which several quotations are looked for: its words are found once, and only when they are needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = ""
        self._starts: list[int] = []
        self._spans: list[Span] = []

    def locate(self, quotation: str) -> Span | None:
        """See `locate`."""
        quotation = quotation.strip()
        sought = _folded_words(quotation)
        if not sought:
            return None
        at = self.text.find(quotation)
        while at >= 0:
            if not _cuts_word(self.text, at):
                if not _cuts_word(self.text, at + len(quotation)):
                    return at, at + len(quotation)
                following = at + 1
            else:
                # Nothing whole begins before this word ends.
                word = _WORD.match(self.text, at)
                following = word.end() if word else at + 1
            at = self.text.find(quotation, following)
        self._read()
        at = self._words.find(f" {' '.join(word for word, _, _ in sought)} ")
        if at < 0:
            return None
        first = bisect_left(self._starts, at)
        return self._spans[first][0], self._spans[first + len(sought) - 1][1]

    def _read(self) -> None:
        if self._spans or not self.text:
            return
        place = 0
        pieces: list[str] = []
        for word, start, end in _folded_words(self.text):
            self._starts.append(place)
            self._spans.append((start, end))
            pieces.append(word)
            place += len(word) + 1
        self._words = f" {' '.join(pieces)} "


def _folded_words(text: str) -> list[tuple[str, int, int]]:
    """The words, case-folded and in one Unicode form, with their offsets; a broken one is whole."""
    breaks = {match.start(): match.end() for match in _BROKEN.finditer(text)}
    found: list[tuple[str, int, int]] = []
    joined = -1
    for match in _WORD.finditer(text):
        start, end = match.span()
        word = match.group().casefold()
        if not word.isascii():
            word = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", match.group()).casefold())
        if found and start == joined:
            word, start = found[-1][0] + word, found[-1][1]
            found.pop()
        found.append(("".join(word.split()), start, end))
        joined = breaks.get(end, -1)
    return found


def _cuts_word(text: str, place: int) -> bool:
    """Whether the characters before and after a place are of one word."""
    return 0 < place < len(text) and _WORD.fullmatch(text, place - 1, place + 1) is not None
