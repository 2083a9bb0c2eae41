"""Encoding of Pydantic models as JSON.

Fields are written under their own names, not their aliases. Mappings and sets are sorted, since their order must not change
the digest. A model that cannot be read back as an equal model is refused when it is encoded, not when it is needed.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, RootModel, TypeAdapter
from pydantic.errors import PydanticUserError

from io_managers.store.errors import UnencodableError, UnknownFormatError


def encode_models(value: object) -> bytes:
    """The JSON of a model, or of lists and mappings of models. Raises UnencodableError."""
    name = type(value).__qualname__
    try:
        plain = _adapter(Any).dump_python(value, mode="json", round_trip=True, by_alias=False, warnings="none")
        data = json.dumps(_settled(value, plain), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, TypeError) as error:
        raise UnencodableError(f"A value of type {name} cannot be stored as JSON: {error}") from error
    if isinstance(value, BaseModel):
        try:
            again = decode_models(data, type(value))
        except UnknownFormatError as error:
            raise UnencodableError(f"A {name} cannot be read back from its own JSON: {error}") from error
        if not _same(value, again):
            raise UnencodableError(
                f"A {name} is not equal after it is read back from JSON: a field holds a subclass of its declared type, or is "
                "excluded from the JSON. Declare the type that it holds."
            )
    return data


def decode_models(data: bytes, expected: Any) -> Any:
    """The value as `expected`; plain data if that is Any. Raises UnknownFormatError."""
    try:
        if expected is Any:
            return json.loads(data)
        return _adapter(expected).validate_json(data, by_alias=False, by_name=True)
    except (PydanticUserError, ValueError, TypeError, NameError, RecursionError) as error:
        raise UnknownFormatError(str(error)) from error


def _same(one: object, other: object) -> bool:
    """Equality in which NaN is equal to itself, since it is read back unchanged."""
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
    """`plain`, which pydantic made from `value`, with the items of sets in an order that depends only on the items."""
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
