"""Numbers of list items and headings as they are printed: 3., c), 4.2 (ECMA-376, part 1, 17.9).

What belongs here: the definitions of numbering.xml, and counting. What does not: which paragraph has which numbering (styles).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, child, children, number
from seed_assets.core.reading.docx.symbols import in_symbol_font, is_symbol_font

if TYPE_CHECKING:
    from lxml.etree import _Element

BULLET = "-"
"""How every bullet is written, as in Markdown."""
# Word has nine levels.
MOST_LEVELS = 9
_ROMAN = zip(
    (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
    ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
    strict=True,
)
_ROMAN_SIGNS = tuple(_ROMAN)
# Word repeats a letter after z; a number beyond that is written in figures.
_MOST_LETTERS, _MOST_ROMAN = 26 * 8, 3999


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a list.

    form: of the number, such as "decimal".
    text: what is printed, with %1 for the number of the first level.
    start: the first number.
    restarts_after: a paragraph of this level or of one above it starts the count again; 0 for none.
    style: the paragraph style that has this level, "" for none.
    legal: whether the numbers of higher levels are written in figures.
    """

    form: str = "decimal"
    text: str = ""
    start: int = 1
    restarts_after: int = MOST_LEVELS
    style: str = ""
    legal: bool = False


class Numbering:
    """Counts the paragraphs of each list of a document, in the order in which they are asked for."""

    def __init__(self, root: "_Element") -> None:
        """root: the element of numbering.xml; one without definitions if there is no such part."""
        self._abstract = {attribute(each, "abstractNumId"): each for each in children(root, "abstractNum")}
        self._numbers = {attribute(each, "numId"): each for each in children(root, "num")}
        self._levels: dict[str, dict[int, _Level]] = {}
        self._counts: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._begun: set[str] = set()

    def level_of_style(self, list_id: str, style: str) -> int:
        """Return the level that a list gives to a paragraph style; 0 if it gives none."""
        return next((level for level, found in self._levels_of(list_id).items() if style and found.style == style), 0)

    def next_label(self, list_id: str, level: int) -> str:
        """Count one more paragraph of a list and return its number; BULLET for a bullet or an unknown list, "" for none."""
        if list_id not in self._numbers:
            return BULLET
        levels = self._levels_of(list_id)
        counts = self._counts[self._counted_with(list_id)]
        self._begin(list_id, levels, counts)
        own = levels.get(level, _Level())
        counts[level] = counts[level] + 1 if level in counts else own.start
        for deeper in [each for each in counts if each > level]:
            if level < levels.get(deeper, _Level()).restarts_after:
                del counts[deeper]
        if own.form == "bullet":
            return BULLET
        return _label(own, levels, counts)

    def _begin(self, list_id: str, levels: Mapping[int, _Level], counts: dict[int, int]) -> None:
        """Let a list that states a first number of its own start with it."""
        if list_id in self._begun:
            return
        self._begun.add(list_id)
        for override in children(self._numbers[list_id], "lvlOverride"):
            if child(override, "startOverride") is not None:
                counts.pop(number(override, "ilvl"), None)

    def _counted_with(self, list_id: str) -> str:
        """Return the definition by which a list counts: lists of one definition go on counting after each other."""
        return attribute(child(self._numbers[list_id], "abstractNumId"), "val")

    def _levels_of(self, list_id: str) -> dict[int, _Level]:
        if list_id not in self._levels:
            found: dict[int, _Level] = {}
            if (chosen := self._numbers.get(list_id)) is not None:
                for element in children(self._definition(self._counted_with(list_id)), "lvl"):
                    found[number(element, "ilvl")] = _level(element)
                for override in children(chosen, "lvlOverride"):
                    level = number(override, "ilvl")
                    if (element := child(override, "lvl")) is not None:
                        found[level] = _level(element)
                    if (start := child(override, "startOverride")) is not None:
                        before = found.get(level, _Level())
                        found[level] = _Level(
                            before.form,
                            before.text,
                            number(start, otherwise=1),
                            before.restarts_after,
                            before.style,
                            before.legal,
                        )
            self._levels[list_id] = found
        return self._levels[list_id]

    def _definition(self, abstract_id: str) -> "_Element | tuple[()]":
        """Return a definition, or the one that it refers to by the name of a list style; empty if there is none."""
        found = self._abstract.get(abstract_id)
        if found is None:
            return ()
        if link := attribute(child(found, "numStyleLink"), "val"):
            linked = (each for each in self._abstract.values() if attribute(child(each, "styleLink"), "val") == link)
            return next(linked, found)
        return found


def _level(element: "_Element") -> _Level:
    font = attribute(child(element, "rPr", "rFonts"), "ascii")
    text = attribute(child(element, "lvlText"), "val")
    restart = child(element, "lvlRestart")
    return _Level(
        attribute(child(element, "numFmt"), "val") or "decimal",
        in_symbol_font(text, font) if is_symbol_font(font) else text,
        number(child(element, "start"), otherwise=0),
        number(element, "ilvl") if restart is None else number(restart),
        attribute(child(element, "pStyle"), "val"),
        child(element, "isLgl") is not None,
    )


def _label(own: _Level, levels: Mapping[int, _Level], counts: Mapping[int, int]) -> str:
    """Return what is printed before a paragraph: its level's text with the numbers of all levels that it names."""
    label = own.text
    for level in range(MOST_LEVELS):
        sign = f"%{level + 1}"
        if sign in label:
            there = levels.get(level, _Level())
            form = "decimal" if own.legal else there.form
            label = label.replace(sign, _written(counts.get(level, there.start), form))
    return " ".join(label.split())


def _written(count: int, form: str) -> str:
    return _FORMS.get(form, str)(count)


def _letters(count: int) -> str:
    if not 0 < count <= _MOST_LETTERS:
        return str(count)
    return chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)


def _roman(count: int) -> str:
    if not 0 < count <= _MOST_ROMAN:
        return str(count)
    written = ""
    for value, sign in _ROMAN_SIGNS:
        written += sign * (count // value)
        count %= value
    return written


def _ordinal(count: int) -> str:
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


# Forms that are not here, those of other scripts among them, are written in figures.
_FORMS: Mapping[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda count: _letters(count).upper(),
    "lowerRoman": lambda count: _roman(count).lower(),
    "upperRoman": _roman,
    "decimalZero": lambda count: f"{count:02}",
    "ordinal": _ordinal,
    "none": lambda count: "",
    "decimalEnclosedCircle": lambda count: chr(0x245F + count) if 0 < count <= 20 else str(count),
    "russianLower": lambda count: "абвгдежзиклмнопрстуфхцчшщыэюя"[count - 1] if 0 < count <= 29 else str(count),
    "russianUpper": lambda count: "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯ"[count - 1] if 0 < count <= 29 else str(count),
}
