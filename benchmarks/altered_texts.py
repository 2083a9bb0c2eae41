"""Makes summaries wrong in one place: a number, a date, a name, a quantity, or a negation.

What belongs here: the alterations. What does not: antonyms (antonyms), and what judges say about them (judging). No rule of a
judge is used here, since a judge that is measured by its own rules always looks good.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

KINDS = ("number", "date", "name swapped", "name invented", "quantity", "negation added", "negation removed")
"""Ways to make a text wrong."""

_COUNTED = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty hundred"
_COUNTS = _COUNTED.split()
_NUMBER = re.compile(rf"(?<![\w.:/-])(?:\d+(?:[.,]\d+)*|(?i:{'|'.join(_COUNTS)}))(?![\w/]|[-.:]\w)")
# A name is only looked for inside a sentence, where a capital letter is not just that of the first word.
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?![\w.:/-])")
_UNKNOWN = "Halvorsen Mirembe Tanzwald Okonkwo Brightwater Castellane Dvorak Ferreira Grunewald Ishikawa"
_INVENTED = _UNKNOWN.split()
_VERB = re.compile(r"\b(?:is|was|are|were|will|would|can|could|should|must|has|had|does|did|may)\b(?! not\b|n[’']t)")
_NEGATED = re.compile(
    r"(?<= (?:is|as|re|ll|ld|an|st|ve|ad|es|id|do|ay)) not (?=\w)|(?<=\w)n[’']t(?= \w)|(?<= )never (?=\w)"
)


_MONTH_NAMES = "January February March April May June July August September October November December"
_DAY_NAMES = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_MONTHS, _DAYS = _MONTH_NAMES.split(), _DAY_NAMES.split()
_DATE = re.compile(rf"\b(?:{'|'.join((*_MONTHS, *_DAYS))}|(?:1[89]|20)\d\d)\b")
_YEARS = (-10, -3, -2, -1, 1, 2, 3, 10)
_QUANTITIES = {
    "all": "some",
    "some": "all",
    "most": "few",
    "many": "few",
    "few": "many",
    "every": "no",
    "always": "sometimes",
    "never": "often",
    "several": "all",
    "both": "neither",
    "at least": "at most",
    "at most": "at least",
    "half": "all",
    "more than": "less than",
    "less than": "more than",
    "none": "all",
    "usually": "rarely",
    "often": "seldom",
}
_QUANTITY = re.compile(rf"(?<![\w-])(?:{'|'.join(_QUANTITIES)})(?![\w-])")


@dataclass(frozen=True, slots=True)
class Altered:
    """A text with one thing wrong.

    kind: one of KINDS. start: the place of the alteration, in characters. was, became: the text before and after it.
    """

    kind: str
    text: str
    start: int
    was: str
    became: str


def altered(text: str, source: str, kind: str, chance: random.Random) -> Altered | None:
    """Make a text wrong in this way at a random place. None if no place in it can be made wrong in this way."""
    match kind:
        case "number":
            return _replaced(text, kind, _NUMBER, chance, lambda was: _other_number(was, chance))
        case "date":
            return _replaced(text, kind, _DATE, chance, lambda was: _other_date(was, chance))
        case "quantity":
            return _replaced(text, kind, _QUANTITY, chance, _QUANTITIES.get)
        case "name swapped":
            names = sorted({match.group() for match in _NAME.finditer(source)})
            return _replaced(text, kind, _NAME, chance, lambda was: _other(names, was, chance))
        case "name invented":
            unused = [name for name in _INVENTED if name not in source]
            return _replaced(text, kind, _NAME, chance, lambda was: _other(unused, was, chance))
        case "negation added":
            return _replaced(text, kind, _VERB, chance, lambda was: f"{was} not")
        case "negation removed":
            return _replaced(text, kind, _NEGATED, chance, lambda was: " " if was.endswith("not ") else "")
        case _:
            raise ValueError(f"{kind!r} is none of {KINDS}")


def _replaced(
    text: str, kind: str, pattern: re.Pattern[str], chance: random.Random, other: Callable[[str], str | None]
) -> Altered | None:
    found = list(pattern.finditer(text))
    chance.shuffle(found)
    for match in found:
        became = other(match.group())
        if became is not None:
            return Altered(
                kind, text[: match.start()] + became + text[match.end() :], match.start(), match.group(), became
            )
    return None


def _other(names: Sequence[str], was: str, chance: random.Random) -> str | None:
    others = [name for name in names if name != was]
    return chance.choice(others) if others else None


def _other_date(was: str, chance: random.Random) -> str | None:
    if was.isdigit():
        return str(int(was) + chance.choice(_YEARS))
    return _other(_MONTHS if was in _MONTHS else _DAYS, was, chance)


def _other_number(was: str, chance: random.Random) -> str:
    if was.casefold() in _COUNTS:
        other = chance.choice([count for count in _COUNTS if count != was.casefold()])
        return other.capitalize() if was[0].isupper() else other
    digits = [place for place, sign in enumerate(was) if sign.isdigit()]
    place = chance.choice(digits)
    least = 1 if place == digits[0] and len(digits) > 1 else 0
    digit = chance.choice([d for d in map(str, range(least, 10)) if d != was[place]])
    return was[:place] + digit + was[place + 1 :]
