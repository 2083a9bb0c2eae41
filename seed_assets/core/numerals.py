"""Numbers in a text and what they amount to. What belongs here: finding them, in digits of any script and in English
words. What does not: whether another text has them too (evidence).
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
# "One" and "first" are mostly no numbers, "second" is a time, and "couple" two people.
_ORDINALS = _numbered(_ORDINAL_WORDS, 3)
_OTHERS = {"one": 1, "a": 1, "an": 1, "dozen": 12, "twice": 2, "thrice": 3}
_VALUES = _SMALL | _TENS | _SCALES | _ORDINALS | _OTHERS

_WORD = "|".join(sorted((*_SMALL, *_TENS, *_ORDINALS, "dozen", "twice", "thrice"), key=len, reverse=True))
_SCALE = "|".join(_SCALES)
_DIGITS = r"\d{1,3}(?:[.,’' ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*"
_NUMBER = re.compile(
    rf"(?<![\d.,])(?P<digits>{_DIGITS})(?P<scale>[\s-](?i:{_SCALE})s?\b)?"
    rf"|\b(?P<words>(?i:(?:{_WORD}|(?:one|an?)(?=[\s-](?:{_SCALE})\b)|hundred|thousand|million|billion)\b"
    rf"(?:[\s-](?:and\s)?(?:{_WORD}|one|{_SCALE})\b)*))"
)
_GROUPED = re.compile(r"(\d{1,3})((?:[.,’' ]\d{3})+)(?:[.,](\d+))?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text, from `start` to `end` (characters). value: the same for all its spellings, as "15000"."""

    value: str
    start: int
    end: int


def numbers_in(text: str) -> Iterator[Number]:
    """The numbers, in order. "15,000", "15 000", "15 thousand" and "fifteen thousand" have the same value.

    English words from two on are read, and ordinals from the third; digits of every script. What letters follow (3rd,
    20kg) is left out.
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
        if value is None:  # and
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
