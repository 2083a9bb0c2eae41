"""The characters of a LaTeX file as tokens, arguments and stretches up to an end. What does not belong here: what they mean."""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<word>\\[A-Za-z@]+\*?)[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?"
    r"|(?P<symbol>\\(?:[\s\S]|\Z))"
    r"|(?P<comment>%[^\n]*(?:\n[ \t]*)?)"
    r"|(?P<paragraph>\n[ \t]*\n\s*)"
    r"|(?P<math>\$\$?)"
    r"|(?P<dash>-{2,3})"
    r"|(?P<quote>``|'')"
    r"|(?P<text>[^\\%\n$&{}\[\]~\-`'\"]+)"
    r"|(?P<sign>[\s\S])"
)
_BLANK = re.compile(r"(?:[ \t]|\n(?![ \t]*\n)|%[^\n]*\n)*")
# Addresses may hold the sign of comments.
_PAIRED = re.compile(
    r"\\(?:url|href|path|nolinkurl)[ \t]*(?P<open>\{)[^{}\n]*(?P<close>\})|\\[\s\S]|%[^\n]*\n?|[{}\[\]]"
)
_OVERLAY = re.compile(r"<[^<>\n]{0,60}>")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n[ \t]*)?")
# An optional argument that is longer is text in brackets, which was never closed; chosen by judgement.
_LONGEST_OPTIONAL = 4_000


class Branches(NamedTuple):
    r"""Where the branches of a condition are.

    else_mark: where the first ends. second: where the second begins, or the text behind `\fi`. end_mark: where `\fi` begins.
    """

    else_mark: int
    second: int
    end_mark: int


class Source:
    """Characters and a place in them.

    conditions: what was found of the conditions in them (see conditionals).
    """

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self.place = 0
        self._pairs: dict[int, int] | None = None
        self._absent: set[str] = set()
        self.conditions: tuple[dict[int, Branches], dict[int, int]] | None = None

    def token(self) -> tuple[str, str]:
        """Return (kind, characters) of the next token and go behind it; ("", "") at the end."""
        found = _TOKEN.match(self.characters, self.place)
        if found is None:
            return "", ""
        self.place = found.end()
        kind = found.lastgroup or ""
        return kind, found[kind]

    def skip_blank(self) -> None:
        """Go behind blanks and comments that end no paragraph."""
        found = _BLANK.match(self.characters, self.place)
        self.place = found.end() if found else self.place

    def skip_overlay(self) -> None:
        """Go behind a specification of slides, as in `<1->`."""
        if found := _OVERLAY.match(self.characters, self.place):
            self.place = found.end()

    def next_is(self, sign: str) -> bool:
        """Whether a sign follows, with nothing but blanks in front of it; if so, go to it."""
        before = self.place
        self.skip_blank()
        if self.characters.startswith(sign, self.place):
            return True
        self.place = before
        return False

    def optional(self) -> str | None:
        """Return an argument in brackets and go behind it; None if there is none."""
        if not self.next_is("["):
            return None
        end = self._ends().get(self.place, 0)
        if not 0 < end - self.place < _LONGEST_OPTIONAL:
            return None
        start, self.place = self.place + 1, end + 1
        return self.characters[start:end]

    def argument(self) -> str:
        """Return an argument as it is written, without its braces, and go behind it; a single token if it has no braces."""
        if not self.next_is("{"):
            self.skip_blank()
            kind, characters = self.token()
            if kind == "text":
                self.place -= len(characters) - 1
                return characters[:1]
            if kind in ("paragraph", "") or characters == "}":
                self.place -= len(characters)
                return ""
            return characters
        end = self._ends().get(self.place)
        start = self.place + 1
        if end is None:  # what follows the brace is text
            self.place = start
            return ""
        self.place = end + 1
        return self.characters[start:end]

    def _ends(self) -> dict[int, int]:
        """Return the place of the end of each pair of braces or brackets, by the place where it begins."""
        if self._pairs is None:
            self._pairs = _pairs_of(self.characters)
        return self._pairs

    def up_to(self, end: str) -> str | None:
        """Return what stands before an end and go behind it; None if there is no such end."""
        found = -1 if end in self._absent else self.characters.find(end, self.place)
        if found < 0:
            self._absent.add(end)
            return None
        start, self.place = self.place, found + len(end)
        return self.characters[start:found]


def _pairs_of(characters: str) -> dict[int, int]:
    pairs: dict[int, int] = {}
    waiting: list[tuple[str, int]] = []
    for found in _PAIRED.finditer(characters):
        sign, place = found[0], found.start()
        if found["open"]:
            pairs[found.start("open")] = found.start("close")
        elif sign in ("{", "["):
            waiting.append((sign, place))
        elif sign == "]":
            if waiting and waiting[-1][0] == "[":
                pairs[waiting.pop()[1]] = place
        elif sign == "}":
            # A bracket without an end is text.
            while waiting and waiting[-1][0] == "[":
                waiting.pop()
            if waiting:
                pairs[waiting.pop()[1]] = place
    return pairs


def without_comments(characters: str) -> str:
    """Return a formula or a definition without its comments."""
    return _COMMENT.sub(r"\1", characters) if "%" in characters else characters
