"""Finding a quotation in a text. What belongs here: the exact offsets of text that was copied with other spaces, quotation
marks, dashes or capitals. What does not: whether it is evidence for anything (judging), and finding text that was not copied
(passages).
"""

import re
from bisect import bisect_left
from functools import cached_property

from io_managers.plain_text import seen_places
from seed_assets.core.text.unicode_forms import normal_form
from seed_assets.core.text.words import MARKS, UNSPACED, Span

_UNSPACED = UNSPACED.pattern[1:-1]
# One character of an unspaced script, or a run of letters and digits of the others.
_WORD = re.compile(rf"[{_UNSPACED}]|(?:[^\W_{_UNSPACED}]++|[{MARKS}]++)++")
# A hyphen at the end of a line inside a word, or a soft hyphen.
_BROKEN = re.compile(r"(?<=\w)[-\u00ad\u2010][^\S\n]*+\n\s*+(?=[^\W\d_A-Z])|\u00ad")
# A quotation that was found inside of longer words so often is then searched for by its words; chosen by judgement.
_MOST_CUT = 100


def locate(quotation: str, text: str) -> Span | None:
    """Return the span of the first place where `text` contains the quotation; None if there is none.

    An exact match is tried first. Then only words are compared, ignoring the spaces and signs between them, their case and
    Unicode form, and hyphens at line ends. Only whole words match: "art" is not found in "party". A quotation without a
    letter or digit is not found anywhere.
    """
    return QuotedText(text).locate(quotation)


def folded_words(text: str) -> list[str]:
    """Return the words of a text in the form in which quotations are compared, in order."""
    return [word for word, _, _ in _folded_words(text)]


class QuotedText:
    """A text in which several quotations are searched for; its words are found once, when they are first needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = ""
        self._starts: list[int] = []
        self._spans: list[Span] = []

    def locate(self, quotation: str) -> Span | None:
        """Return the span of a quotation; see `locate`. It may lack characters that are invisible in the text."""
        found = self._locate(quotation)
        if found is None and (seen := self._as_seen) is not None:
            shown, places = seen
            span = shown.locate(quotation)
            found = None if span is None else (places[span[0]], places[span[1] - 1] + 1)
        return found

    @cached_property
    def _as_seen(self) -> "tuple[QuotedText, list[int]] | None":
        """The text without invisible characters, and the place of each of its characters; None if there are none."""
        seen = seen_places(self.text)
        return None if seen is None else (QuotedText(seen[0]), seen[1])

    def _locate(self, quotation: str) -> Span | None:
        quotation = quotation.strip()
        sought = _folded_words(quotation)
        if not sought:
            return None
        at = self.text.find(quotation)
        for _ in range(_MOST_CUT):
            if at < 0:
                break
            if not _cuts_word(self.text, at):
                if not _cuts_word(self.text, at + len(quotation)):
                    return at, at + len(quotation)
                following = at + 1
            else:
                # No whole word begins before the end of this one.
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
    """Return (word, start, end) for each word, case-folded and normalized; words broken at a line end are joined."""
    breaks = {match.start(): match.end() for match in _BROKEN.finditer(text)}
    found: list[tuple[str, int, int]] = []
    # The parts of the current word, and its offsets.
    parts: list[str] = []
    first = end = 0
    for match in _WORD.finditer(text):
        if parts and match.start() != breaks.get(end, -1):
            found.append(("".join(parts), first, end))
            parts = []
        if not parts:
            first = match.start()
        end = match.end()
        word = match.group().casefold()
        if not word.isascii():
            word = normal_form("NFKC", normal_form("NFKC", match.group()).casefold())
        parts.append("".join(word.split()))
    if parts:
        found.append(("".join(parts), first, end))
    return found


def _cuts_word(text: str, place: int) -> bool:
    """Whether a place lies inside a word."""
    return 0 < place < len(text) and _WORD.fullmatch(text, place - 1, place + 1) is not None
