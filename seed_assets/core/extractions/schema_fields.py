"""Fields as a JSON Schema has them: that of a file, or of a pydantic model.

What belongs here: which schemas can be columns of a table, and messages about those that cannot. What does not: reading files
and importing modules (declarations), and fields of the settings (declared_fields).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from seed_assets.core.extractions.declared_fields import FieldError, check_choices, checked_names
from seed_assets.core.extractions.fields import Field, Kind

_KINDS: Mapping[str, Kind] = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}
_DATES = ("date", "date-time")
# What a schema may say of a value besides its type, its choices and its description.
_LIMITS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
)
# A schema whose references go in a circle is followed so far.
_DEEPEST = 32

Schema = Mapping[str, Any]


def schema_fields(schema: Any, *, quotes: bool) -> tuple[Field, ...]:
    """Return the fields that the properties of a JSON Schema are; a list of objects gives those of an object.

    quotes: whether each value needs a quotation. Raises FieldError if the schema is none, or has what no column can hold.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
        json.dumps(schema, allow_nan=False)
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path)) or "the schema"
        raise FieldError(f"{where}: {error.message[:300]} (it is read as JSON Schema 2020-12)") from error
    except RecursionError as error:
        raise FieldError("the schema: it is nested too deeply") from error
    except ValueError as error:
        raise FieldError("the schema: NaN and infinite numbers are no limits") from error
    if not isinstance(schema, Mapping):
        raise FieldError("the schema: an object is needed")
    root = schema
    schema = _resolved(schema, root, "the schema")
    if schema.get("type") == "array":
        schema = _resolved(schema.get("items", {}), root, "the schema")
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        raise FieldError("the schema: an object with `properties` is needed, which become the columns")
    return checked_names(_field(name, one, root, quotes) for name, one in properties.items())


def _field(name: str, schema: Any, root: Schema, quotes: bool, above: str = "") -> Field:
    where = f"{above}{name}"
    outer = _resolved(schema, root, where)
    described = str(outer.get("description", ""))
    is_list = outer.get("type") == "array"
    inner = _resolved(outer.get("items", {}), root, where) if is_list else outer
    if above and is_list:
        raise FieldError(f"{where}: an object inside of an object or a list has single values only")
    choices = inner.get("enum", [inner["const"]] if "const" in inner else None)
    if choices is not None:
        texts = [choice for choice in choices if choice is not None]
        if not texts or not all(isinstance(choice, str) for choice in texts):
            raise FieldError(f"{where}: an `enum` of texts is needed")
        check_choices(where, texts)
        return Field(name, "one of", described, is_list, tuple(texts), quoted=quotes)
    if inner.get("type") == "object" or "properties" in inner:
        if above or not inner.get("properties"):
            raise FieldError(f"{where}: an object with `properties` is needed, nested once at most")
        parts = checked_names(_parts(inner, root, f"{where}."), f"{where}.")
        return Field(name, "record", described, is_list, quoted=quotes, fields=parts)
    kind = _KINDS.get(str(inner.get("type")))
    if kind is None:
        raise FieldError(
            f"{where}: the type {inner.get('type', 'any')} cannot be a column. A column is a string, number, integer, boolean, "
            "date, `enum` of texts, an object of these, or an array of these"
        )
    if kind == "text" and inner.get("format") in _DATES:
        kind = "date"
    limits = {limit: inner[limit] for limit in _LIMITS if limit in inner}
    return Field(name, kind, described, is_list, quoted=quotes, limits=limits)


def _parts(schema: Schema, root: Schema, above: str) -> Iterator[Field]:
    for name, one in schema["properties"].items():
        yield _field(name, one, root, quotes=False, above=above)


def _resolved(schema: Any, root: Schema, where: str) -> Schema:
    """The schema that a reference names, and of several possible ones the only one that is not null."""
    own: dict[str, Any] = {}
    for _ in range(_DEEPEST):
        if not isinstance(schema, Mapping):
            raise FieldError(f"{where}: a schema with a type is needed")
        own = {**{name: one for name, one in schema.items() if name in ("description", *_LIMITS)}, **own}
        if "$ref" in schema:
            schema = _referenced(str(schema["$ref"]), root, where)
            continue
        options = next((schema[name] for name in ("anyOf", "oneOf", "allOf") if name in schema), None)
        if options is not None:
            real = [option for option in options if not _is_null(option)]
            if len(real) != 1:
                raise FieldError(f"{where}: a value of one type is needed, besides null")
            schema = real[0]
            continue
        types = schema.get("type")
        if isinstance(types, list):
            real = [name for name in types if name != "null"]
            if len(real) != 1:
                raise FieldError(f"{where}: a value of one type is needed, besides null")
            schema = {**schema, "type": real[0]}
        return {**schema, **own}
    raise FieldError(f"{where}: its references go in a circle")


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _referenced(reference: str, root: Schema, where: str) -> Any:
    if reference.strip("/") == "#":
        raise FieldError(f"{where}: it refers to the schema as a whole, which contains it, and no column can hold that")
    found: Any = root
    for name in reference.removeprefix("#").strip("/").split("/"):
        name = name.replace("~1", "/").replace("~0", "~")
        if not reference.startswith("#") or not isinstance(found, Mapping) or name not in found:
            raise FieldError(f"{where}: there is no {reference} in the schema")
        found = found[name]
    return found
