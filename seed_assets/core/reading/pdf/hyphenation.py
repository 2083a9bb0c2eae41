"""Joining words that are hyphenated at the end of a line. What does not belong here: which hyphens are a part of their words
(compounds), and any other repair.

The mark of a page (PAGE_MARK) may stand between the two parts; it then follows the word.
"""

import re
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from seed_assets.core.reading.pdf.compounds import is_compound

# pdfium writes U+FFFE for a hyphen at a line's end, with or without the line break.
_HYPHEN = re.compile("[-\u2010\xad\ufffe\x02]\n|[\ufffe\x02]")
_NO_LETTER, _SECOND = re.compile(r"[\W\d_]"), re.compile(r"(\ufdd0?)[ \t]*([^\W\d_]{2,})")
# Much faster than to look for the words around them.
_MAY_BE_DIVIDED = ("-\n", "\u2010\n", "\xad\n", "\ufffe", "\x02")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_USUAL_WORD = 40
_CONTEXT = 40
# The beginning of an address, and what stands around the hyphen of a number: 10-year, COVID-19.
_ADDRESS = re.compile(r"(?:[a-z]{2,10}://|www\.|doi:|[\w.+-]+@)\S*", re.IGNORECASE)
_LONGEST_ADDRESS = 300
_IN_ADDRESS, _BEHIND_DIGIT, _DIGIT = re.compile(r"[\w/?#%&=.~]"), re.compile(r"[^\W_]"), re.compile(r"\d")
_MARK = re.compile(r"[\ufffe\x02]\n?")


def joined_hyphens(text: str) -> str:
    """Join words that are divided at line ends if their second part begins in lower case.

    The hyphen stays if the word occurs elsewhere in the text with a hyphen, or if both parts occur as words but the joined
    word does not, or if it is known to be a part of the word: "well-known" must not become "wellknown". It stays in addresses,
    in names, and beside digits as well, which are joined.
    """
    if not any(mark in text for mark in _MAY_BE_DIVIDED):
        return text
    text = _with_kept_joined(text)
    divided = list(_divided(text))
    # Each piece between blanks is looked at once, however often it occurs.
    others = set(_replaced(text, [(*each.span, " ") for each in divided]).casefold().split())
    known = set(_WORD.findall(" ".join(others)))
    return _MARK.sub("-", _replaced(text, [(*each.span, _joined(each, known)) for each in divided]))


def _with_kept_joined(text: str) -> str:
    """Join addresses, and what is divided beside a digit, with their hyphens."""
    spans: list[tuple[int, int, str]] = []
    for hyphen in _HYPHEN.finditer(text):
        start, end = hyphen.span()
        if _IN_ADDRESS.match(text, end) and (
            _is_address(text[max(0, start - _LONGEST_ADDRESS) : start])
            or (_DIGIT.match(text, start - 1) and _BEHIND_DIGIT.match(text, end))
            or (_BEHIND_DIGIT.match(text, start - 1) and _DIGIT.match(text, end))
        ):
            spans.append((start, end, "-"))
    return _replaced(text, spans)


def _is_address(before: str) -> bool:
    """Whether a text ends in an address. Only its last word is looked at."""
    words = before.split()
    return bool(words) and not before[-1].isspace() and _ADDRESS.match(words[-1].lstrip("(<[\"'“„«")) is not None


class _Divided(NamedTuple):
    """A word that is divided. page: the mark of a page between its parts, or "". context: what stands in front of it."""

    context: str
    span: tuple[int, int]
    first: str
    page: str
    second: str
    whole: str


def _divided(text: str) -> Iterator[_Divided]:
    """Return the words that are divided. A part that was the second of a word is not the first of another."""
    before = 0
    for hyphen in _HYPHEN.finditer(text):
        second = _SECOND.match(text, hyphen.end())
        first = _word_before(text, hyphen.start()) if second else None
        if second is None or first is None or first < before:
            continue
        before = second.end()
        yield _Divided(
            text[max(0, first - _CONTEXT) : first],
            (first, before),
            text[first : hyphen.start()],
            second[1],
            second[2],
            text[first:before],
        )


def _word_before(text: str, end: int) -> int | None:
    """Return where the letters that end at a place begin; None if there are fewer than two."""
    start = end
    while start > 0:
        piece = text[max(0, start - _USUAL_WORD) : start]
        found = _NO_LETTER.search(piece[::-1])
        start -= found.start() if found else len(piece)
        if found:
            break
    return start if end - start > 1 else None


def _replaced(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    before = 0
    for start, end, instead in spans:
        pieces += (text[before:start], instead)
        before = end
    return "".join([*pieces, text[before:]])


def _joined(word: _Divided, known: Set[str]) -> str:
    first, page, second = word.first, word.page, word.second
    if not second[0].islower():
        # Between capitals it joins a name. At the beginning of another page that may be one of its header.
        if _MARK.search(word.whole) or (first[0].isupper() and not page):
            return f"{first}-{page}{second}"
        return word.whole
    whole, halves = (first + second).casefold(), {first.casefold(), second.casefold()}
    if whole not in known and (
        f"{first}-{second}".casefold() in known or halves <= known or is_compound(word.context, first, second)
    ):
        return f"{first}-{second}{page}"
    return first + second + page
