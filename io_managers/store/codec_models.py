"""Pydantic models as JSON and back.

What belongs here: what JSON by itself does not settle (names, order, exactness). What does not: every other kind of
value (codecs).

Fields go by their own names, whatever their aliases. Mappings and sets are sorted, since the order in which they happen
to be must not decide a digest. A model that does not come back equal is refused when it is made, not when it is needed.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, RootModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError

from io_managers.store.errors import UnencodableError, UnknownFormatError


def encode_models(value: object) -> bytes:
    """JSON of a model, or of lists and mappings of them. Raises UnencodableError."""
    name = type(value).__qualname__
    try:
        plain = _adapter(Any).dump_python(value, mode="json", round_trip=True, by_alias=False, warnings="none")
        data = json.dumps(_settled(value, plain), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (PydanticSerializationError, ValueError, TypeError) as error:
        raise UnencodableError(f"A value of type {name} cannot be stored as JSON: {error}") from error
    if isinstance(value, BaseModel):
        try:
            again = decode_models(data, type(value))
        except UnknownFormatError as error:
            raise UnencodableError(f"A {name} cannot be read back from its own JSON: {error}") from error
        if not _same(value, again):
            raise UnencodableError(
                f"A {name} does not come back equal from JSON: a field holds a subclass of what is declared, or is left "
                "out of the JSON. Declare what it holds."
            )
    return data


def decode_models(data: bytes, expected: Any) -> Any:
    """The value as `expected`; plain data where that is Any. Raises UnknownFormatError."""
    try:
        if expected is Any:
            return json.loads(data)
        return _adapter(expected).validate_json(data, by_alias=False, by_name=True)
    except (PydanticUserError, ValueError, TypeError, NameError, RecursionError) as error:
        raise UnknownFormatError(str(error)) from error


def _same(one: object, other: object) -> bool:
    """Equality in which NaN, which comes back as what it was, is equal to itself."""
    if one == other:
        return True
    match one, other:
        case float(), float():
            return math.isnan(one) and math.isnan(other)
        case BaseModel(), BaseModel():
            return type(one) is type(other) and _same(dict(one), dict(other))
        case dict(), dict():
            return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
        case (list() | tuple(), list() | tuple()):
            return len(one) == len(other) and all(map(_same, one, other))
        case _:
            return False


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _settled(value: object, plain: Any) -> Any:
    """`plain`, which pydantic made of `value`, with what was a set in an order that only its members decide."""
    match value:
        case RootModel():
            return _settled(value.root, plain)
        case BaseModel() if isinstance(plain, dict):
            return {name: _settled(getattr(value, name, None), item) for name, item in plain.items()}
        case Mapping() if isinstance(plain, dict) and len(plain) == len(value):
            return {
                name: _settled(item, plain_item)
                for item, (name, plain_item) in zip(value.values(), plain.items(), strict=True)
            }
        case set() | frozenset() if isinstance(plain, list):
            items = (_settled(item, plain_item) for item, plain_item in zip(value, plain, strict=True))
            return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
        case Sequence() if isinstance(plain, list) and len(plain) == len(value):
            return [_settled(item, plain_item) for item, plain_item in zip(value, plain, strict=True)]
        case _ if dataclasses.is_dataclass(value) and isinstance(plain, dict):
            return {name: _settled(getattr(value, name, None), item) for name, item in plain.items()}
        case _:
            return plain
