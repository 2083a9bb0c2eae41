"""Which types of values a codec can store, told from an annotation, before any value is computed.

The codecs themselves are in `codecs`; only a value shows whether it can be stored, so that what this accepts may fail later.
"""

import sys
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

_TABLES = (("numpy", "ndarray"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch"), ("pandas", "DataFrame"))


def unstorable(annotation: Any) -> str:
    """Return what of an annotated type no codec can store, as its name; "" if all of it can be stored, as far as it is known."""
    if annotation in (Any, None, type(None), object) or _is_of_a_library(annotation):
        return ""
    return next(_unstorable_parts(annotation, set()), "")


def _is_of_a_library(annotation: Any) -> bool:
    """Whether it is an array, a table or a pydantic model, or a list or a dict of these."""
    kind = get_origin(annotation) or annotation
    if kind in (list, dict, tuple) and get_args(annotation):
        return _is_of_a_library(get_args(annotation)[-1])
    if not isinstance(kind, type):
        return False
    base = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    if base is not None and issubclass(kind, base):
        return True
    return any(kind is getattr(sys.modules.get(package), name, None) for package, name in _TABLES)


def _unstorable_parts(annotation: Any, seen: set[Any]) -> Iterator[str]:
    try:
        found = msgspec.inspect.type_info(annotation)
    except Exception as error:  # noqa: BLE001 - a type that msgspec does not know, or whose own annotations are wrong
        yield f"{_name(annotation)} ({error})"
        return
    for part in _parts(found, seen):
        if isinstance(part, msgspec.inspect.CustomType) and part.cls is not object:
            yield _name(part.cls)


def _parts(found: Any, seen: set[int]) -> Iterator[msgspec.inspect.Type]:
    """A described type and all types inside of it."""
    if isinstance(found, list | tuple):
        for one in found:
            yield from _parts(one, seen)
        return
    if isinstance(found, msgspec.inspect.Field):
        found = found.type
    if not isinstance(found, msgspec.inspect.Type) or id(found) in seen:
        return
    seen.add(id(found))
    yield found
    for name in found.__struct_fields__:
        yield from _parts(getattr(found, name), seen)


def _name(kind: Any) -> str:
    return getattr(kind, "__qualname__", str(kind))
