"""Fields as users declare them, in the settings or by a JSON Schema: what they mean, and what is wrong with them."""

import datetime as dt
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from resources.settings.extract_settings import ExtractSettings
from seed_assets.core.extractions import fields as kinds
from seed_assets.core.extractions.declared_fields import FieldError, declared_fields
from seed_assets.core.extractions.schema_fields import schema_fields


def declared(fields: Any, *, quotes: bool = False) -> tuple[kinds.Field, ...]:
    """The fields of an extraction that declares these."""
    settings = ExtractSettings.model_validate({"prompt": "prompt.txt", "fields": fields})
    return declared_fields(settings.fields, quotes=quotes)


def test_short_forms_and_tables_mean_the_same() -> None:
    """A user writes the shortest form; a longer one must not be another field, which would be paid for again."""
    short = declared({"author": "list of text", "status": ["Draft", "Final"]})
    long = declared(
        [
            {"name": "author", "type": "list of texts"},
            {"name": "status", "type": "one_of", "values": ["Draft", "Final"], "quote": False},
        ]
    )
    assert short == long
    assert [(one.kind, one.is_list, one.choices) for one in short] == [
        ("text", True, ()),
        ("one of", False, ("Draft", "Final")),
    ]


def test_a_field_decides_by_itself_whether_it_is_quoted() -> None:
    """`quotes` is for all fields that do not say; a record is quoted as a whole."""
    fields = declared({"a": {"type": "text", "quote": False}, "b": {"fields": {"c": "date"}}}, quotes=True)
    assert [(one.name, one.quoted) for one in fields] == [("a", False), ("b", True)]
    assert not fields[1].fields[0].quoted


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"a": "txt"}, "a: there is no type 'txt'. Did you mean text?"),
        ({"a": {"description": "anything"}}, "a: a type is needed"),
        ({"a b": "text"}, "a b: a name begins with a letter"),
        ({"a": "text", "A": "text"}, "A: there is a field a already"),
        ({"a": "one of"}, "a: `values` and the type `one of` need each other"),
        ({"a": {"type": "text", "values": ["b"]}}, "a: `values` and the type `one of` need each other"),
        ({"a": ["b", "B"]}, "a: two of its values are the same"),
        ({"a": "record"}, "a: `fields` and the type `record` need each other"),
        ({"a": {"fields": {"b": {"fields": {"c": "text"}}}}}, "a.b: a field of a record is a single value"),
        ({"a": {"fields": {"b": "list of text"}}}, "a.b: a field of a record is a single value"),
        ({"a": {"fields": {"quote": "text"}}}, "a.quote: this is the name of the quotation of the record"),
        ({"a": {"type": "text", "unit": "mg"}}, "a: a unit is for a number or an integer"),
        ({"a": {"type": "number", "units": {"g": 2}}}, "a: `units` needs `unit`"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_wrong(fields: Any, said: str) -> None:
    """The message begins with the name of the field, as it stands in the settings."""
    with pytest.raises(FieldError) as error:
        declared(fields)
    assert str(error.value).startswith(said)


class Party(BaseModel):
    """A part of Contract."""

    name: str
    share: float | None = Field(None, ge=0, le=100)


class Contract(BaseModel):
    """A model as a user may have it."""

    parties: list[Party] = Field(description="who signs")
    signedOn: dt.date | None  # noqa: N815
    kind: Literal["sale", "lease"]
    note: str = ""


def test_a_pydantic_model_is_the_same_fields_as_a_user_would_declare() -> None:
    """References, optional values, choices, dates and limits are what pydantic writes into a schema."""
    found = {one.name: one for one in schema_fields(Contract.model_json_schema(), quotes=False)}
    assert found["parties"].is_list
    assert found["parties"].kind == "record"
    assert found["parties"].description == "who signs"
    assert found["parties"].fields[1].limits == {"minimum": 0.0, "maximum": 100.0}
    assert found["signedOn"].kind == "date"
    assert found["kind"].choices == ("sale", "lease")
    assert found["note"] == kinds.Field("note", "text")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "strin"}, "type: 'strin' is not valid"),
        ([], "the schema: "),
        (True, "the schema: an object is needed"),
        ({"type": "string"}, "the schema: an object with `properties` is needed"),
        ({"properties": {"a": {"$ref": "#"}}}, "a: it refers to the schema as a whole"),
        ({"properties": {"a": {"$ref": "#/gone"}}}, "a: there is no #/gone in the schema"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "a: its references go in a circle"),
        ({"properties": {"a": {}}}, "a: the type any cannot be a column"),
        ({"properties": {"a": {"enum": [1, 2]}}}, "a: an `enum` of texts is needed"),
        ({"properties": {"a": {"enum": ["x", " X"]}}}, "a: two of its values are the same"),
        (
            {"properties": {"a": {"type": "number", "minimum": float("nan")}}},
            "the schema: NaN and infinite numbers are no limits",
        ),
        (
            {"properties": {"a": {"type": "number", "exclusiveMinimum": True}}},
            "properties.a.exclusiveMinimum: True is not",
        ),
        ({"properties": {"a": {"$ref": "https://example.com/a.json"}}}, "a: there is no https://example.com/a.json"),
        ({"properties": {"a": {"type": ["string", "number"]}}}, "a: a value of one type is needed"),
        (
            {"properties": {"a": {"properties": {"b": {"properties": {"c": {"type": "string"}}}}}}},
            "a.b: an object with",
        ),
    ],
)
def test_a_schema_that_cannot_be_a_table_says_what_is_wrong(schema: Any, said: str) -> None:
    """A schema that is none, or one with what no column holds, is refused before anything is paid for."""
    with pytest.raises(FieldError) as error:
        schema_fields(schema, quotes=False)
    assert str(error.value).startswith(said)


def test_every_part_of_a_declaration_is_in_its_words() -> None:
    """These words are in the key: two fields that find other values must not have the same."""
    variants: list[dict[str, Any]] = [
        {"type": "number"},
        {"type": "list of number"},
        {"type": "integer"},
        {"type": "number", "unit": "mg"},
        {"type": "number", "unit": "g"},
        {"type": "number", "unit": "mg", "units": {"tablet": 250}},
        {"type": "number", "description": "the dose"},
        {"type": "number", "quote": True},
        {"values": ["a", "b"]},
        {"values": ["b", "a"]},
        {"fields": {"a": "text"}},
        {"fields": {"a": "text", "b": "date"}},
    ]
    words = [declared({"a": one})[0].declaration for one in variants]
    words.append(schema_fields({"properties": {"a": {"type": "number", "minimum": 0}}}, quotes=False)[0].declaration)
    assert len(set(words)) == len(words)


def test_the_schema_of_an_answer_is_one_that_strict_servers_take() -> None:
    """OpenAI refuses an object that allows other properties or does not require all of its own."""
    fields = declared({"a": "text", "b": ["x"], "c": {"type": "list of record", "fields": {"d": "date"}}}, quotes=True)
    objects = [kinds.answer_schema(fields, many=True)]
    seen = 0
    while objects:
        one = objects.pop()
        if one.get("type") == "object":
            seen += 1
            assert one["required"] == list(one["properties"])
            assert one["additionalProperties"] is False
        objects += [
            *one.get("properties", {}).values(),
            *one.get("anyOf", ()),
            *([one["items"]] if "items" in one else ()),
        ]
    assert seen == 5
