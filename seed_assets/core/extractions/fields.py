"""The fields of an extraction, and the JSON schema of the answers that have them.

What belongs here: the type, and what a model is shown of a field. What does not: fields as users declare them
(declared_fields) or as a JSON Schema has them (schema_fields), and reading an answer (answer_values).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal["text", "number", "integer", "boolean", "date", "one of", "record"]
KINDS: tuple[Kind, ...] = get_args(Kind)

ROWS = "rows"
"""The name of the list of rows in an answer that has many."""
VALUE, QUOTE, UNIT = "value", "quote", "unit"
"""The names of the parts of an answer's value, where it is more than a value alone."""

_TYPES: Mapping[Kind, str] = {
    "text": "string",
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "date": "string",
    "one of": "string",
}
_DATE = "as YYYY-MM-DD, or YYYY-MM or YYYY if no more of it is known"
_QUOTED = "copied from the document character by character, at most 200 characters"


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    kind: the type of its value, or of each value if `is_list`. choices: the values that "one of" allows. unit: of a number; ""
    for none. units: further units, with how many of `unit` each is. quoted: whether a value needs a quotation; a record needs
    one for the whole of it. fields: of a record. limits: a JSON Schema that a value must satisfy besides; empty for none.
    """

    name: str
    kind: Kind
    description: str = ""
    is_list: bool = False
    choices: tuple[str, ...] = ()
    unit: str = ""
    units: tuple[tuple[str, float], ...] = ()
    quoted: bool = False
    fields: tuple["Field", ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def has_parts(self) -> bool:
        """Whether an answer has an object for each value: the value with its quotation or unit, or a record."""
        return bool(self.quoted or self.unit or self.fields)

    @property
    def declaration(self) -> str:
        """All that decides what is found, in a few words that people can read; it is in the key of results."""
        kind = f"list of {self.kind}" if self.is_list else self.kind
        parts = [
            kind,
            json.dumps(self.choices, ensure_ascii=False) if self.choices else "",
            f"in {self.unit}" if self.unit else "",
            json.dumps(dict(self.units), ensure_ascii=False) if self.units else "",
            "with its quotation" if self.quoted else "",
            f"limited by {json.dumps(self.limits, sort_keys=True, ensure_ascii=False)}" if self.limits else "",
            f"of ({'; '.join(f'{one.name}: {one.declaration}' for one in self.fields)})" if self.fields else "",
        ]
        said = " ".join(filter(None, parts))
        return f"{said}: {self.description}" if self.description else said


def answer_schema(fields: Sequence[Field], *, many: bool) -> dict[str, Any]:
    """Return the JSON schema of an answer: an object with all fields, or with a list of such objects under ROWS."""
    row = _object({one.name: _field_schema(one) for one in fields})
    return _object({ROWS: {"type": "array", "items": row}}) if many else row


def field_lines(fields: Sequence[Field], indent: str = "") -> str:
    """Return the lines that describe the fields to a model; a server may not show it the schema."""
    lines: list[str] = []
    for one in fields:
        lines.append(f"{indent}- {one.name}: {'; '.join(filter(None, _about(one)))}")
        if one.fields:
            lines.append(field_lines(one.fields, f"{indent}  "))
    return "\n".join(lines)


def _about(one: Field) -> tuple[str, ...]:
    kind = "true or false" if one.kind == "boolean" else "an object" if one.kind == "record" else one.kind
    if one.kind == "one of":
        kind = f"one of {', '.join(one.choices)}"
    several = f"a list, of each {kind}" if one.is_list else kind
    unit = f"the number as the document has it, with its unit as written there, such as {one.unit}" if one.unit else ""
    return several, one.description, _DATE if one.kind == "date" else "", unit, "with a quote" if one.quoted else ""


def _field_schema(one: Field) -> dict[str, Any]:
    described = {"description": one.description} if one.description else {}
    if one.is_list:
        return {"type": "array", **described, "items": _item_schema(one)}
    schema = _item_schema(one)
    if one.has_parts:
        return {"anyOf": [schema, {"type": "null"}], **described}
    allowed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **allowed, **described}


def _item_schema(one: Field) -> dict[str, Any]:
    """The schema of one value that is there."""
    # The quotation comes first, so that a model looks for it before it decides on a value.
    quote = {QUOTE: {"type": "string", "description": _QUOTED}} if one.quoted else {}
    if one.fields:
        return _object(quote | {part.name: _field_schema(part) for part in one.fields})
    value: dict[str, Any] = {"type": _TYPES[one.kind]}
    if one.kind == "one of":
        value["enum"] = list(one.choices)
    if one.kind == "date":
        value["description"] = f"a date, {_DATE}"
    if not one.has_parts:
        return value
    unit = {UNIT: {"type": ["string", "null"], "description": "the unit as the document has it"}} if one.unit else {}
    return _object({**quote, VALUE: value, **unit})


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
