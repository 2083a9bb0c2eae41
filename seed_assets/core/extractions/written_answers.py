"""Rows written as the answer of a model that has them. What does not belong here: reading an answer (answer_values)."""

from collections.abc import Sequence
from typing import Any

from seed_assets.core.extractions.extraction import Extraction, FoundRow
from seed_assets.core.extractions.fields import QUOTE, ROWS, UNIT, VALUE, Field


def written_answer(found: Extraction, fields: Sequence[Field], *, many: bool) -> dict[str, Any]:
    """Return an answer that `read_answer` reads as these rows. many: whether an answer has many rows."""
    rows = [{one.name: _written(one, row) for one in fields} for row in found.rows]
    return {ROWS: rows} if many else rows[0]


def _written(one: Field, row: FoundRow) -> Any:
    value, quotes = row.values.get(one.name), row.quotes.get(one.name, ())
    if value is None:
        return [] if one.is_list else None
    texts = [quote.text for quote in quotes]
    items = value if one.is_list else [value]
    written = [_item(one, item, text) for item, text in zip(items, texts or [""] * len(items), strict=True)]
    return written if one.is_list else written[0]


def _item(one: Field, value: Any, quote: str) -> Any:
    quoted = {QUOTE: quote} if one.quoted else {}
    if one.fields:
        parts = {
            part.name: None if (inner := value.get(part.name)) is None else _item(part, inner, "")
            for part in one.fields
        }
        return {**quoted, **parts}
    if not one.has_parts:
        return value
    return {**quoted, VALUE: value, **({UNIT: one.unit} if one.unit else {})}
