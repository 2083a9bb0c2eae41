"""Plain text that is divided into pages. What belongs here: removing the headers, footers and page numbers that are repeated
on each page. What does not: pages of PDF files.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

_PAGE_END = "\f"
_PAGE_WORD = (
    r"(?:pages?|p\.|pg\.?|seite|s\.|página|pagina|pag\.?|sivu|side|sida|strona|strana|stránka|oldal|sayfa|стр\.?"
    r"|страница|σελίδα)"
)
_OF = r"(?:of|/|von|de|di|van|av|z|из)"
# The footer of an RFC, or a line that has nothing but the number of a page.
_MARK = re.compile(
    rf"[^\n\[]*+\[{_PAGE_WORD}[ \t]*(\d+)\][ \t]*$"
    rf"|[ \t]*[-–—][ \t]*(\d+)[ \t]*[-–—][ \t]*$"
    rf"|[ \t]*[-–—(\[]?[ \t]*{_PAGE_WORD}[ \t]*(\d+)(?:[ \t]*{_OF}[ \t]*\d+)?[ \t]*[-–—)\]]?[ \t]*$",
    re.IGNORECASE,
)
# Few lines end in one of these behind a digit, so that most need not be compared with the above.
_BEHIND_NUMBER = " \t])-–—"
_MARK_ENDS = frozenset(f"0123456789{_BEHIND_NUMBER}")
# Where the number of a page can stand in a repeated line: after a word for it, alone, or far from the other words.
_NUMBER = re.compile(
    rf"(?<=\[){_PAGE_WORD}\s*\d+|\b{_PAGE_WORD}\s*\d+(?:\s*{_OF}\s*\d+)?|^\W*\d+\W*$|^\d+(?=\s\s)|(?<=\s\s)\d+$",
    re.IGNORECASE,
)
# The numbers were chosen by judgement: lines at each end of a page that may be repeated; the fewest pages; the least share
# of the pages with such a line, since those on the left and on the right may differ.
_EDGE_LINES, _FEWEST_PAGES, _LEAST_SHARE = 3, 2, 0.3
# A line without letters, such as the last bracket of a program's function, is none unless it has the number of the page.
_FEWEST_LETTERS = 4
_FEWEST_MARKS = 3
# Paged text is 72 to 80 characters wide, or up to 100 with a broad table; a longer line is a paragraph.
_LONGEST_LINE = 100
_SENTENCE_END = re.compile(r"[.!?:;。！？…][\"'”’)\]]*$")


class _Page(NamedTuple):
    """The lines of a page between those that are repeated. cut: whether some were removed at its (beginning, end)."""

    lines: list[str]
    cut: tuple[bool, bool]


def without_running_lines(text: str) -> str:
    """Return a text without the lines that are repeated at the edges of its pages; any other text is returned as it is.

    Pages end with a form feed, or with a line that has the number of the page. A paragraph that continues on the next page
    is not divided.
    """
    pages = _pages(text)
    if len(pages) < _FEWEST_PAGES:
        return text
    heads = _running([_edge(lines) for lines in pages])
    feet = _running([_edge(lines[::-1]) for lines in pages])
    if not heads and not feet:
        return text
    return _joined([_without(lines, heads, feet) for lines in pages])


def _pages(text: str) -> list[list[str]]:
    """Return the lines of each page, of which there is one if nothing divides the text."""
    if _PAGE_END in text:
        return [page.split("\n") for page in text.replace("\r\n", "\n").split(_PAGE_END)]
    if "\n" not in text:
        return []
    lines = text.replace("\r\n", "\n").split("\n")
    marked = [
        (number, int(next(filter(None, found.groups()))))
        for number, line in enumerate(lines)
        if line[-1:] in _MARK_ENDS
        and len(line) <= _LONGEST_LINE
        and line.rstrip(_BEHIND_NUMBER)[-1:].isdecimal()
        and (found := _MARK.match(line))
    ]
    following = [b == a + 1 for (_, a), (_, b) in pairwise(marked)]
    if len(marked) < _FEWEST_MARKS or not all(following):
        return []
    starts = [0, *(number + 1 for number, _ in marked)]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def _edge(lines: Sequence[str]) -> list[str]:
    """Return the form of the first lines that are not blank."""
    found: list[str] = []
    for line in lines:
        if line.strip():
            found.append(_form(line))
        if len(found) == _EDGE_LINES:
            break
    return found


def _form(line: str) -> str:
    """Return what a running line has in common on all pages: its words without the number of the page."""
    if len(line) > _LONGEST_LINE:
        return ""
    return " ".join(_NUMBER.sub("#", line.strip().replace("#", "")).split())


def _running(edges: Sequence[Sequence[str]]) -> frozenset[str]:
    counts = Counter(form for edge in edges for form in set(edge))
    fewest = max(_FEWEST_PAGES, ceil(_LEAST_SHARE * sum(map(bool, edges))))
    return frozenset(form for form, count in counts.items() if count >= fewest and _can_run(form))


def _can_run(form: str) -> bool:
    return "#" in form or sum(map(str.isalpha, form)) >= _FEWEST_LETTERS


def _without(lines: list[str], heads: frozenset[str], feet: frozenset[str]) -> _Page:
    start = _after_running(lines, heads)
    end = len(lines) - _after_running(lines[: start - 1 : -1] if start else lines[::-1], feet)
    return _Page(lines[start:end], (start > 0, end < len(lines)))


def _after_running(lines: Sequence[str], running: frozenset[str]) -> int:
    """Return how many lines at the beginning are running lines or blank; 0 if there is no running line."""
    after = seen = 0
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        if seen == _EDGE_LINES or _form(line) not in running:
            break
        seen += 1
        after = number + 1
    return after


def _joined(pages: Sequence[_Page]) -> str:
    text: list[str] = []
    cut = False
    for lines, (at_start, at_end) in pages:
        if cut or at_start:
            lines = _trimmed(lines)
            while text and not text[-1].strip():
                text.pop()
            if text and lines and not _continues(text[-1], lines[0]):
                text.append("")
        text += lines
        cut = at_end
    return "\n".join(text)


def _trimmed(lines: list[str]) -> list[str]:
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    return lines[start:]


def _continues(before: str, after: str) -> bool:
    return not _SENTENCE_END.search(before.rstrip()) and after.strip()[:1].islower()
