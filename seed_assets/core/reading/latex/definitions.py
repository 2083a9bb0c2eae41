"""Macros that a document defines: reading their definitions, and what a use of one stands for, within limits.

What does not belong here: commands of LaTeX and of packages (commands).
"""

import re
from typing import NamedTuple

from seed_assets.core.reading.latex.source import Source, without_comments

_PLACE = re.compile(r"#([1-9#])")
_PATTERN = re.compile(r"(?:#[1-9]\s*)*")
# The limits were chosen by judgement: macros that use each other may become long without end. A body with more characters
# draws something, and all uses together may become so much text.
_MOST_EXPANDED = 2_000_000
_MOST_DEEP = 25
_LONGEST_PATTERN = 200


class _Macro(NamedTuple):
    """arguments: how many. default: of the first, which is then optional; None if it is not."""

    arguments: int
    default: str | None
    body: str


class Definitions:
    """The macros of a document.

    not_replaced: names of macros that were not replaced, since they use themselves or become too much.
    """

    def __init__(self) -> None:
        self._macros: dict[str, _Macro] = {}
        self._left = _MOST_EXPANDED
        self._depth = 0
        self.not_replaced: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._macros

    def read_command(self, source: Source) -> None:
        r"""Read what follows \newcommand and its kin."""
        name = source.argument().strip()
        count = source.optional()
        default = source.optional() if count is not None else None
        body = source.argument()
        arguments = int(count) if count is not None and count.strip() in "123456789" and count.strip() else 0
        self._define(name, _Macro(arguments, default, body))

    def read_plain(self, source: Source) -> None:
        r"""Read what follows \def: a name, a pattern of arguments, a body in braces."""
        source.skip_blank()
        _, name = source.token()
        pattern = _PATTERN.match(source.characters, source.place)
        if pattern is not None:
            source.place = pattern.end()
        # Other signs in a pattern are arguments that end at a sign; such macros are for programs.
        if not source.next_is("{"):
            found = source.characters.find("{", source.place, source.place + _LONGEST_PATTERN)
            if found >= 0:
                source.place = found
                source.argument()
            return
        count = pattern[0].count("#") if pattern is not None else 0
        self._define(name, _Macro(count, None, source.argument()))

    def read_operator(self, source: Source) -> None:
        r"""Read what follows \DeclareMathOperator: a name, and what is printed."""
        name = source.argument().strip()
        self._define(name, _Macro(0, None, source.argument()))

    def replaced(self, name: str, source: Source) -> str:
        """Return what a use of a macro stands for, and go behind its arguments; "" if it is not replaced."""
        macro = self._macros[name]
        given: list[str] = []
        if macro.default is not None:
            optional = source.optional()
            given.append(macro.default if optional is None else optional)
        while len(given) < macro.arguments:
            given.append(source.argument())
        size = len(macro.body) + sum(map(len, given)) * max(macro.body.count("#"), 1)
        if self._depth >= _MOST_DEEP or size > self._left:
            self.not_replaced.add(name)
            return " ".join(given)
        self._left -= size
        return _PLACE.sub(lambda found: _filled(found[1], given), macro.body)

    def entered(self) -> None:
        """Count a macro whose text is being read."""
        self._depth += 1

    def left(self) -> None:
        """Count a macro whose text was read."""
        self._depth -= 1

    def _define(self, name: str, macro: _Macro) -> None:
        if name.startswith("\\") and name[1:].rstrip("*").isalpha():
            self._macros[name[1:].rstrip("*")] = macro._replace(body=without_comments(macro.body))


def _filled(place: str, given: list[str]) -> str:
    if place == "#":
        return "#"
    return given[int(place) - 1] if int(place) <= len(given) else ""
