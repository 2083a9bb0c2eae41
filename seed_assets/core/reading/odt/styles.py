"""The styles of an OpenDocument text that change what is read: hidden, raised and lowered text, titles, numbers of lists.

What does not belong here: the text (body, inline).
"""

from typing import TYPE_CHECKING, NamedTuple

from seed_assets.core.reading.docx.elements import attribute, child, local, number

if TYPE_CHECKING:
    from lxml.etree import _Element

# A chain of styles that is longer is one of a damaged file; chosen by judgement.
_LONGEST_CHAIN = 50
# The most levels of a list (OpenDocument 1.3, 16.32).
_MOST_LEVELS = 10


class ListLevel(NamedTuple):
    """One level of a list. form: of its numbers, "1", "a", "A", "i" or "I"; "" for bullets."""

    form: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1

    def label(self, count: int) -> str:
        """Return what stands before an item. count: how many items come before it."""
        if not self.form:
            return "-"
        return f"{self.prefix}{_written(self.form, self.start + count)}{self.suffix or '.'}"


class OdtStyles:
    """The styles of a file, from the parts that hold them."""

    def __init__(self, *roots: "_Element") -> None:
        self._parents: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._positions: dict[str, str] = {}
        self._lists: dict[str, list[ListLevel]] = {}
        for root in roots:
            for element in root.iter():
                name = local(element)
                if name == "style":
                    self._add(element)
                elif name == "list-style":
                    self._lists[attribute(element, "name")] = _levels(element)

    def is_hidden(self, style: str) -> bool:
        """Whether text of a style is not shown."""
        return any(name in self._hidden for name in self._chain(style))

    def position(self, style: str) -> str:
        """Return "super" or "sub" for a style of raised or lowered text; otherwise ""."""
        return next((self._positions[name] for name in self._chain(style) if name in self._positions), "")

    def is_title(self, style: str) -> bool:
        """Whether a paragraph is the title of the document."""
        return "Title" in self._chain(style)

    def list_level(self, style: str, level: int) -> ListLevel:
        """Return a level of a list, from 0 on."""
        levels = self._lists.get(style, [])
        return levels[level] if level < len(levels) else ListLevel()

    def _add(self, element: "_Element") -> None:
        name = attribute(element, "name")
        self._parents[name] = attribute(element, "parent-style-name")
        properties = child(element, "text-properties")
        if attribute(properties, "display") == "none":
            self._hidden.add(name)
        position = attribute(properties, "text-position").split()
        if position and position[0] not in ("0%", "0"):
            self._positions[name] = "sub" if position[0] == "sub" or position[0].startswith("-") else "super"

    def _chain(self, style: str) -> list[str]:
        chain: list[str] = []
        while style and style not in chain and len(chain) < _LONGEST_CHAIN:
            chain.append(style)
            style = self._parents.get(style, "")
        return chain


def _levels(element: "_Element") -> list[ListLevel]:
    levels = [ListLevel()] * _MOST_LEVELS
    for each in element:
        place = number(each, "level", 1) - 1
        if local(each) == "list-level-style-number" and 0 <= place < _MOST_LEVELS:
            form = attribute(each, "num-format")
            levels[place] = ListLevel(
                form, attribute(each, "num-prefix"), attribute(each, "num-suffix"), number(each, "start-value", 1)
            )
    return levels


def _written(form: str, value: int) -> str:
    if form in ("a", "A") and value > 0:
        letters = chr(ord("a") + (value - 1) % 26) * ((value - 1) // 26 + 1)
        return letters if form == "a" else letters.upper()
    if form in ("i", "I") and 0 < value < 4_000:
        roman = _roman(value)
        return roman if form == "i" else roman.upper()
    return str(value)


def _roman(value: int) -> str:
    written = ""
    for size, sign in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    ):
        written += sign * (value // size)
        value %= size
    return written
