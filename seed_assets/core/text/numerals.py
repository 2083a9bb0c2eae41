"""Numbers in a text and their values. What belongs here: finding them, in digits of any script and in English words. What
does not: whether another text has the same numbers (evidence).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SMALL_WORDS = """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen"""
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"


def _numbered(words: str, first: int, step: int = 1) -> dict[str, int]:
    return {word: first + step * place for place, word in enumerate(words.split())}


_SMALL, _TENS = _numbered(_SMALL_WORDS, 2), _numbered(_TENS_WORDS, 20, 10)
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
# "One" and "first" are rarely used as numbers, "second" is often a time, and "couple" two people.
_ORDINALS = _numbered(_ORDINAL_WORDS, 3)
_OTHERS = {"one": 1, "a": 1, "an": 1, "dozen": 12, "twice": 2, "thrice": 3}
_VALUES = _SMALL | _TENS | _SCALES | _ORDINALS | _OTHERS

_WORD = "|".join(sorted((*_SMALL, *_TENS, *_ORDINALS, "dozen", "twice", "thrice"), key=len, reverse=True))
_SCALE = "|".join(_SCALES)
# The most words of a number, chosen by judgement: "hundred" repeated a thousand times would have two thousand digits.
_MOST_WORDS = 30
_DIGITS = r"\d{1,3}(?:[.,’' ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*"
_NUMBER = re.compile(
    rf"(?<![\d.,])(?P<digits>{_DIGITS})(?P<scale>[\s-](?i:{_SCALE})s?\b)?"
    rf"|\b(?P<words>(?i:(?:{_WORD}|(?:one|an?)(?=[\s-](?:{_SCALE})\b)|hundred|thousand|million|billion)\b"
    rf"(?:[\s-](?:and\s)?(?:{_WORD}|one|{_SCALE})\b){{0,{_MOST_WORDS}}}))"
)
_GROUPED = re.compile(r"(\d{1,3})((?:[.,’' ]\d{3})+)(?:[.,](\d+))?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text, from `start` to `end` in characters.

    value: the number in digits, such as "15000"; all spellings of a number have the same value.
    """

    value: str
    start: int
    end: int


def numbers_in(text: str) -> Iterator[Number]:
    """Find the numbers of a text, in order. "15,000", "15 000", "15 thousand" and "fifteen thousand" have the same value.

    English words are read from "two" on, ordinals from "third" on, and digits of every script. Letters that follow a number
    (3rd, 20kg) are ignored.
    """
    for match in _NUMBER.finditer(text):
        words = match["words"]
        if words:
            yield Number(_amount(words), *match.span())
        else:
            value = _plain(match["digits"])
            scale = (match["scale"] or "").strip(" -\t\r\n\xa0").casefold().rstrip("s")
            yield Number(_scaled(value, _SCALES[scale]) if scale else value, *match.span())


def _amount(words: str) -> str:
    total = current = 0
    for word in re.split(r"[\s-]+", words.casefold()):
        value = _VALUES.get(word)
        if value is None:  # the word "and"
            continue
        if value >= 1_000 and word in _SCALES:
            total, current = total + max(current, 1) * value, 0
        elif word in ("hundred", "dozen"):
            current = max(current, 1) * value
        else:
            current += value
    return str(total + current)


def _plain(digits: str) -> str:
    ascii_digits = "".join(str(int(sign)) if sign.isdigit() and sign.isdecimal() else sign for sign in digits)
    grouped = _GROUPED.fullmatch(ascii_digits)
    if grouped:
        whole = grouped[1] + re.sub(r"\D", "", grouped[2])
        ascii_digits = whole + (f".{grouped[3]}" if grouped[3] else "")
    elif ascii_digits.count(",") == 1 and "." not in ascii_digits:
        ascii_digits = ascii_digits.replace(",", ".")
    whole, point, rest = ascii_digits.partition(".")
    return (whole.lstrip("0") or "0") + point + rest


def _scaled(value: str, scale: int) -> str:
    whole, _, decimals = value.partition(".")
    zeros = len(str(scale)) - 1
    if not (whole + decimals).isdigit() or len(decimals) > zeros:
        return value
    return (whole + decimals + "0" * (zeros - len(decimals))).lstrip("0") or "0"
