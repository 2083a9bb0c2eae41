"""Reading a model's answer: its rows, each value in its normal form and with the place of its quotation.

What belongs here: the shape of an answer, and which of its values are kept. What does not: the normal form of a value
(normal_values), and rows of several answers (merging).

An answer of another shape is refused, so that the model can correct it. A value that cannot be kept (its quotation is not in
the text, it is no date) is left out, with a warning: the rest of the answer is sound.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from resources.errors import DocumentError
from resources.time_limits import OutOfTimeError, time_limit
from resources.wording import shortened
from seed_assets.core.extractions.extraction import Extraction, FoundRow, Quotation
from seed_assets.core.extractions.fields import QUOTE, ROWS, UNIT, VALUE, Field
from seed_assets.core.extractions.normal_values import normal_value
from seed_assets.core.text.quotations import QuotedText

# How many characters of a value or of a quotation a message shows.
_SHOWN = 80
# A regular expression of the user may go on for ever on a text of the model.
_MOST_SECONDS = 10
_TYPES: Mapping[str, tuple[type, ...]] = {"number": (int, float), "integer": (int, float), "boolean": (bool,)}


@dataclass(frozen=True)
class Passage:
    """The text that an answer is about. start: its offset in the document; page_starts: those of the pages of the document."""

    text: str
    start: int = 0
    page_starts: tuple[int, ...] = ()

    @cached_property
    def _quoted(self) -> QuotedText:
        return QuotedText(self.text)

    def quotation(self, quoted: str) -> Quotation | None:
        """Return the place of a quotation in the document; None if the text does not have it."""
        span = self._quoted.locate(quoted)
        if span is None:
            return None
        start, end = self.start + span[0], self.start + span[1]
        return Quotation(self.text[slice(*span)], start, end, bisect_right(self.page_starts, start))


def read_answer(found: Any, fields: Sequence[Field], passage: Passage, *, many: bool) -> Extraction:
    """Return what an answer found; a row without any value is left out if there are many. Raises ValueError for another shape.

    A field that an answer lacks counts as not found.
    """
    if many:
        rows = _mapping(found, "the answer").get(ROWS)
        if not isinstance(rows, list):
            raise ValueError(f"{ROWS}: a list of objects is needed")
        read = [_Row(fields, passage, f"{ROWS}[{place}]", row) for place, row in enumerate(rows)]
    else:
        read = [_Row(fields, passage, "", found)]
    kept = tuple(FoundRow(row.values, row.quotes) for row in read if row.values or not many)
    return Extraction(kept, tuple(warning for row in read for warning in row.warnings))


@dataclass
class _Row:
    """Reads one row. where: its name in messages; "" if there is only one."""

    fields: Sequence[Field]
    passage: Passage
    where: str
    found: Any
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    quotes: dict[str, tuple[Quotation, ...]] = field(default_factory=dict[str, tuple[Quotation, ...]])
    warnings: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        row = _mapping(self.found, self.where or "the answer")
        for one in self.fields:
            given = row.get(one.name)
            name = f"{self.where}.{one.name}" if self.where else one.name
            if one.is_list and given is not None and not isinstance(given, list):
                raise ValueError(f"{name}: a list is needed")
            items = given if isinstance(given, list) and one.is_list else [given]
            kept = [found for item in items if (found := self._kept(one, name, item)) is not None]
            if not kept:
                continue
            self.values[one.name] = [value for value, _ in kept] if one.is_list else kept[0][0]
            quotes = tuple(quote for _, quote in kept if quote is not None)
            if quotes:
                self.quotes[one.name] = quotes

    def _kept(self, one: Field, name: str, item: Any) -> tuple[Any, Quotation | None] | None:
        """A value with its quotation; None if there is none, or if it cannot be kept."""
        if item is None:
            return None
        parts = _mapping(item, name) if one.has_parts else {VALUE: item}
        value = self._record(one, name, parts) if one.fields else self._single(one, name, parts)
        if value is None or not one.quoted:
            return None if value is None else (value, None)
        quoted = parts.get(QUOTE)
        if not isinstance(quoted, str):
            raise ValueError(f"{name}.{QUOTE}: a text is needed, copied from the document")
        quotation = self.passage.quotation(quoted)
        if quotation is None:
            self.warnings.append(
                f"`{name}`: {_word(value)} is not kept, since its quotation {_word(quoted)} is not in the document."
            )
            return None
        return value, quotation

    def _record(self, one: Field, name: str, parts: Mapping[str, Any]) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for part in one.fields:
            given, where = parts.get(part.name), f"{name}.{part.name}"
            if given is not None:
                inner = _mapping(given, where) if part.has_parts else {VALUE: given}
                found[part.name] = self._single(part, where, inner)
        return {name: value for name, value in found.items() if value is not None} or None

    def _single(self, one: Field, name: str, parts: Mapping[str, Any]) -> Any:
        """One value in its normal form; None if it was not found or cannot be kept."""
        value, unit = parts.get(VALUE), parts.get(UNIT)
        if value is None:
            return None
        types = _TYPES.get(one.kind, (str,))
        if not isinstance(value, types) or isinstance(value, bool) != (one.kind == "boolean"):
            raise ValueError(f"{name}: {_word(value)} is not of the type {one.kind}")
        try:
            normal = normal_value(one, value, unit if isinstance(unit, str) else None)
            if normal is not None and one.limits:
                _check_limits(one, normal)
        except ValueError as error:
            self.warnings.append(f"`{name}`: a value is not kept, since {shortened(str(error), 2 * _SHOWN)}.")
            return None
        return normal


def _check_limits(one: Field, value: Any) -> None:
    from jsonschema import Draft202012Validator

    try:
        with time_limit(_MOST_SECONDS):
            error = next(Draft202012Validator(one.limits).iter_errors(value), None)
    except OutOfTimeError:
        raise DocumentError(
            f"comparing a value of `{one.name}` with its limits took longer than {_MOST_SECONDS} seconds.",
            f"Correct its `pattern` in the schema: {shortened(str(one.limits.get('pattern')), _SHOWN)}.",
            transient=True,
        ) from None
    if error is not None:
        raise ValueError(error.message)


def _mapping(found: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise ValueError(f"{name}: an object is needed")
    return found


def _word(value: Any) -> str:
    return shortened(repr(value), _SHOWN)
