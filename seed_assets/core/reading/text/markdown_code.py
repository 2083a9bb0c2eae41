"""Where a Markdown text has code and comments. What belongs here: their borders, as in CommonMark and Obsidian. What does not:
what is done with them (markdown_text).

The text is read once from its beginning: a comment in code is code, and code in a comment is a comment.
"""

import re
from bisect import bisect_left
from functools import lru_cache

Span = tuple[int, int]
"""Start and end of a part of a text."""

# A fence may stand in a quotation or in an item of a list.
_FENCE = r"^[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+(?P<fence>`{3,}+(?=[^`\n]*$)|~{3,}+)"
_TOKEN = re.compile(rf"{_FENCE}|(?P<ticks>`++)|(?P<html><!--)|(?P<obsidian>%{{2,}}+)", re.MULTILINE)
_TICKS = re.compile("`++")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_INDENTED = re.compile(r" {4}| {0,3}\t")
# A comment between two marks within a line. In `100%%` and the like, a letter or a digit touches a mark on its outer side.
_WITHIN_LINE = re.compile(r"(?<![\w%])%%(?!%)[^\n%]*+(?:%(?!%)[^\n%]*+)*+%%(?![\w%])")
_BLOCK_END = re.compile(r"%%[ \t]*$", re.MULTILINE)


def code_and_comments(text: str) -> tuple[list[Span], list[Span]]:
    """Return where a text has code and where it has comments, each in order."""
    return _Scan(text).spans()


class _Scan:
    """One reading of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._code: list[Span] = []
        self._comments: list[Span] = []
        self._ticks: dict[int, list[int]] | None = None
        self._next_blank = -1
        self._unclosed: set[str] = set()

    def spans(self) -> tuple[list[Span], list[Span]]:
        """Return the code and the comments."""
        indented = _indented_code(self._text)
        place = 0
        end = 0
        while token := _TOKEN.search(self._text, end):
            start = token.start(token.lastgroup or 0)
            while place < len(indented) and indented[place][1] <= start:
                self._add(self._code, indented[place], end)
                place += 1
            if place < len(indented) and indented[place][0] <= start:
                end = max(token.end(), indented[place][1])
                continue
            end = self._part(token, start)
        for span in indented[place:]:
            self._add(self._code, span, end)
        return sorted(self._code), self._comments

    def _add(self, spans: list[Span], span: Span, earliest: int) -> None:
        if span[0] >= earliest:
            spans.append(span)

    def _part(self, token: re.Match[str], start: int) -> int:
        """Record the part that begins with a token, and return where it ends."""
        kind = token.lastgroup
        if kind == "fence":
            closing = _closing_fence(token["fence"][0], len(token["fence"]))
            found = closing.search(self._text, self._line_end(token.end()))
            return self._record(self._code, start, found.end() if found else len(self._text))
        if kind == "ticks":
            end = self._closing_ticks(token.end(), len(token["ticks"]))
            return self._record(self._code, start, end) if end else token.end()
        end = self._html_end(start) if kind == "html" else self._obsidian_end(start)
        return self._record(self._comments, start, end) if end else token.end()

    def _record(self, spans: list[Span], start: int, end: int) -> int:
        spans.append((start, end))
        return end

    def _line_end(self, place: int) -> int:
        end = self._text.find("\n", place)
        return len(self._text) if end < 0 else end

    def _closing_ticks(self, place: int, count: int) -> int:
        """Return the end of the next run of so many backticks in the paragraph; 0 if there is none."""
        if self._ticks is None:
            self._ticks = {}
            for run in _TICKS.finditer(self._text):
                self._ticks.setdefault(len(run[0]), []).append(run.start())
        if self._next_blank < place:
            blank = _BLANK_LINE.search(self._text, place)
            self._next_blank = blank.start() if blank else len(self._text)
        runs = self._ticks.get(count, [])
        number = bisect_left(runs, place)
        return runs[number] + count if number < len(runs) and runs[number] < self._next_blank else 0

    def _html_end(self, start: int) -> int:
        end = -1 if "html" in self._unclosed else self._text.find("-->", start + 2)
        if end < 0:
            self._unclosed.add("html")
            return 0
        return end + 3

    def _obsidian_end(self, start: int) -> int:
        if found := _WITHIN_LINE.match(self._text, start):
            return found.end()
        # A block begins after at most three blanks.
        before = self._text[max(0, start - 4) : start]
        if before.rpartition("\n")[2].strip() or ("\n" not in before and start > 3) or "obsidian" in self._unclosed:
            return 0
        # A row of more than two such signs is a decoration.
        if self._text[start + 2 : start + 3] == "%":
            return 0
        block = _BLOCK_END.search(self._text, start + 2)
        if block is None:
            self._unclosed.add("obsidian")
            return 0
        return block.end()


@lru_cache(maxsize=64)
def _closing_fence(sign: str, count: int) -> re.Pattern[str]:
    return re.compile(rf"^[ \t>]*+{sign}{{{count},}}+[ \t]*$", re.MULTILINE)


def _indented_code(text: str) -> list[Span]:
    """Return the lines with at least four blanks in front that follow an empty line, except in lists, whose items have them."""
    if "    " not in text and "\t" not in text:
        return []
    spans: list[Span] = []
    place = 0
    after_blank, in_list, in_code = True, False, False
    for line in text.split("\n"):
        end = place + len(line) + 1
        if not line.strip():
            after_blank = True
        elif _INDENTED.match(line):
            if (after_blank or in_code) and not in_list:
                if in_code:
                    spans[-1] = (spans[-1][0], end)
                else:
                    spans.append((place, end))
                in_code = True
            after_blank = False
        else:
            in_list = bool(_LIST_ITEM.match(line)) or (in_list and (not after_blank or line[0] in " \t"))
            after_blank = in_code = False
        place = end
    return spans
