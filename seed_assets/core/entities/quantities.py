"""Dates and amounts in a text, by their forms. What belongs here: where they stand, and their normal form. What does not: names
(name_spans), and numbers as a judge compares them (core.text.numerals).
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from seed_assets.core.entities.name_types import AMOUNT, DATE

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero",
            "february feb februar février febrero",
            "march mar märz mars marzo",
            "april apr avril abril",
            "may mai mayo",
            "june jun juni juin junio",
            "july jul juli juillet julio",
            "august aug août agosto",
            "september sep sept septembre septiembre",
            "october oct oktober okt octobre octubre",
            "november nov novembre noviembre",
            "december dec dezember dez décembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_YEAR = r"(?:1\d{3}|20\d{2})(?!\d)"
_DATE = re.compile(
    rf"\b(?:(?P<iso>{_YEAR}-\d{{2}}-\d{{2}})\b"
    rf"|(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of |de )?(?P<month>{_MONTH})(?:,? (?:de )?(?P<year>{_YEAR}))?"
    rf"|(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?: ?, (?P<year2>{_YEAR}))?\b"
    rf"|(?P<month3>{_MONTH}),? (?:of )?(?P<year3>{_YEAR})"
    r"|(?P<numeric>\d{1,2}\.\d{1,2}\.\d{4})\b"
    r"|(?P<decade>(?:1\d|20)\d0s)\b"
    rf"|(?<=\bin )(?P<bare>{_YEAR})\b)",
    re.IGNORECASE,
)
_NUMBER = r"\d{1,3}(?:[,.' ]\d{3}){1,6}(?:[.,]\d{1,4})?|\d{1,15}(?:[.,]\d{1,4})?"
_SCALE = r"(?: ?(?:thousand|million|billion|trillion|Millionen|Milliarden|Mio\.|Mrd\.|bn|m)\b)?"
_UNIT = r"(?:%|€|£|(?:percent|per cent|Prozent|US dollars?|dollars?|euros?|pounds?|yen|EUR|USD|GBP|CHF|JPY)\b)"
_AMOUNT = re.compile(
    rf"(?:US\$|[$€£¥]|\b(?:EUR|USD|GBP|CHF|JPY))\s?(?:{_NUMBER}){_SCALE}|(?<![\w.,])(?:{_NUMBER}){_SCALE}\s?{_UNIT}"
)


class Quantity(NamedTuple):
    """A date or an amount. start, end: its place. kind: its type. normal: its normal form; of a date in the form of ISO 8601."""

    start: int
    end: int
    kind: str
    normal: str


def quantities(text: str) -> list[Quantity]:
    """Return the dates and the amounts of a text in order, without overlaps."""
    found: list[Quantity] = []
    for one in sorted([*_dates(text), *_amounts(text)]):
        if not found or one.start >= found[-1].end:
            found.append(one)
    return found


def _dates(text: str) -> Iterator[Quantity]:
    for match in _DATE.finditer(text):
        # "May 3" is a date, and "march 3" or "may 10" may be anything.
        if match.lastgroup not in ("iso", "numeric", "decade", "bare") and not any(map(str.isupper, match[0])):
            continue
        yield Quantity(*match.span(), DATE, _iso(match))


def _iso(match: re.Match[str]) -> str:
    if match["iso"] or match["bare"] or match["decade"]:
        return match[0].casefold()
    if match["numeric"]:
        day, month, year = match["numeric"].split(".")
        return f"{year}-{int(month):02}-{int(day):02}"
    named = match["month"] or match["month2"] or match["month3"]
    month = _MONTHS[named.casefold().rstrip(".")]
    year = match["year"] or match["year2"] or match["year3"]
    day = match["day"] or match["day2"]
    return f"{year or '-'}-{month:02}" + (f"-{int(day):02}" if day else "")


def _amounts(text: str) -> Iterator[Quantity]:
    for match in _AMOUNT.finditer(text):
        yield Quantity(*match.span(), AMOUNT, " ".join(match[0].casefold().split()))
