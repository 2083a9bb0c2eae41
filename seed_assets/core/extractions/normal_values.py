"""The normal form of values: dates of ISO 8601, numbers in the declared unit, the declared spelling of a choice.

What belongs here: bringing one value of the right type into its form, or saying why it has none. What does not: the shape of an
answer and quotations (answer_values).
"""

import datetime as dt
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from seed_assets.core.extractions.fields import Field

if TYPE_CHECKING:
    import pint

# The parts of a date that are known; a time of day is left out.
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ]\d{2}:.*)?)?)?")
# What models write for a text that they did not find.
_NO_TEXT = frozenset({"", "null", "n/a", "not found", "not stated", "not specified"})
# pint calculates what it reads, so a unit has no numbers but small powers, and no power of a power.
_UNIT = re.compile(r"(?:[^\W\d_]|[ .°%/·²³]|\^-?\d(?![\d^])){1,40}")
# Conversions between units are exact to so many digits.
_DIGITS = 12


def normal_value(one: Field, value: Any, unit: str | None = None) -> Any:
    """Return a value of a field in its normal form; None if it says that nothing was found.

    value: a str, number or bool of the field's type. unit: the unit that was found with a number. Raises ValueError with the
    reason if it cannot be kept.
    """
    match one.kind:
        case "date":
            return _date(value)
        case "one of":
            return _choice(value, one.choices)
        case "number" | "integer":
            return _number(one, value, unit)
        case "boolean":
            return value
        case _:
            text = " ".join(value.split())
            return None if text.casefold() in _NO_TEXT else text


def folded(value: Any) -> Any:
    """Return a form of a value in which values that people take for the same are equal."""
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if isinstance(value, dict):
        return tuple(sorted((name, folded(part)) for name, part in value.items() if part is not None))
    return tuple(map(folded, value)) if isinstance(value, list | tuple) else value


def _date(value: str) -> str | None:
    value = value.strip()
    if value.casefold() in _NO_TEXT:
        return None
    found = _DATE.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!r} is not a date such as 2026-01-31, 2026-01 or 2026")
    year, month, day = found.groups()
    try:
        dt.date(int(year), int(month or 1), int(day or 1))
    except ValueError as error:
        raise ValueError(f"there is no date {value!r}") from error
    return "-".join(filter(None, (year, month, day)))


def _choice(value: str, choices: tuple[str, ...]) -> str | None:
    chosen = next((choice for choice in choices if folded(choice) == folded(value)), None)
    if chosen is None and folded(value) not in _NO_TEXT:
        raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
    return chosen


def _number(one: Field, value: float, unit: str | None) -> float | int:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if one.unit and unit and unit.strip():
        value = _converted(one, value, " ".join(unit.split()))
    if one.kind == "number":
        return float(value)
    if value != int(value) or abs(value) >= 1 << 53:
        raise ValueError(f"{value:g} is not a whole number")
    return int(value)


def _converted(one: Field, value: float, unit: str) -> float:
    if unit == one.unit:
        return value
    factor = next((factor for name, factor in one.units if folded(name) == folded(unit)), None)
    if factor is not None:
        return _rounded(value * factor)
    try:
        if not all(map(_UNIT.fullmatch, (unit, one.unit))):
            raise ValueError(unit)
        return _rounded(float(_units().Quantity(value, unit).to(one.unit).magnitude))
    except Exception as error:
        # pint raises errors of its own, and those of the parser for what is no unit at all.
        if folded(unit) == folded(one.unit):
            return value
        raise ValueError(f"{value:g} {unit} cannot be converted to {one.unit}") from error


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


@cache
def _units() -> "pint.UnitRegistry":
    """All units that pint knows; reading them takes a third of a second."""
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
