"""Encoding of values as bytes: which codec a value uses, and the header line. Pickle is not used.

The bytes begin with a line such as `seedbank msgpack 1`. They do not contain the name of the value's class, so that moving
a class to another module changes no digest. The reader gives the type, or the class name in the action's record is looked up
among the loaded modules; decoding imports no modules.

| value | codec |
|---|---|
| str, bytes | text (UTF-8), bytes |
| msgspec.Struct, dataclass, Enum, None, bool, int, float, set, tuple; list and dict (of str keys) of these | msgpack |
| pydantic models, and lists and dicts of them | json |
| numpy arrays, and dicts of them | safetensors |
| pyarrow tables, pandas DataFrames | arrow, pandas (Arrow IPC stream; the store compresses it) |

The parts of a value are decoded as their declared types: those of its own class, or of the `expected` type that the reader
gives. Inside an undeclared list or dict, a tuple or a set becomes a list, and a date or a Decimal becomes text.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from io_managers.store.errors import UnencodableError, UnknownFormatError

_MAGIC = b"seedbank "
_VERSIONS = {"text": 1, "bytes": 1, "msgpack": 1, "json": 1, "safetensors": 1, "arrow": 1, "pandas": 1}
# Embedding vectors hardly compress: measured, 8% for several times the time.
_INCOMPRESSIBLE = {"safetensors", "bytes"}
# An installed Seedbank has its packages below `seedbank`. The names of classes in a store do not say so, so that the repository
# and an installed Seedbank can use the same store.
_BELOW = __name__.rpartition("io_managers")[0]
# These types are listed, since msgpack would otherwise decode text as their base64 form.
_BYTES = (bytes, bytearray, memoryview)
_BUILTIN = {"set": set, "frozenset": frozenset, "tuple": tuple}

_msgpack = msgspec.msgpack.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded value. data: its bytes. type_name: `module:qualname` of its class, for the action's record."""

    data: bytes
    type_name: str
    compressible: bool


def encode(value: object) -> Encoded:
    """The bytes of a value; equal values of the same type give equal bytes.

    Raises UnencodableError, which names the type, if no codec can store the value exactly.
    """
    kind = type(value)
    try:
        codec, payload = _encode(value)
    except RecursionError as error:
        raise UnencodableError(
            f"A value of type {kind.__qualname__} contains itself or is nested too deeply."
        ) from error
    return Encoded(
        b"%s%s %d\n%s" % (_MAGIC, codec.encode(), _VERSIONS[codec], payload),
        f"{kind.__module__.removeprefix(_BELOW)}:{kind.__qualname__}",
        codec not in _INCOMPRESSIBLE,
    )


def decode(data: bytes, expected: Any = Any, type_name: str = "") -> Any:
    """The value of these bytes, as `expected` if it is given, otherwise as the class named `type_name`.

    Raises UnknownFormatError if the codec, its version or the class is not known, or if the shape does not fit.
    """
    line, separator, payload = data.partition(b"\n")
    words = line.removeprefix(_MAGIC).decode("ascii", "replace").split(" ")
    if not line.startswith(_MAGIC) or not separator or len(words) != 2:
        raise UnknownFormatError("These bytes are not a value of a Seedbank store: their first line is not a header.")
    codec, version = words
    if codec not in _VERSIONS or not version.isdigit() or not 1 <= int(version) <= _VERSIONS[codec]:
        raise UnknownFormatError(
            f"A value is stored as {codec!r} version {version}, which this Seedbank does not know. Update Seedbank."
        )
    if expected in (Any, None, object):
        expected = _loaded_type(type_name) if codec in ("msgpack", "json") else Any
    try:
        return _decode(codec, payload, expected)
    except (UnknownFormatError, msgspec.MsgspecError, ValueError, TypeError, NameError, RecursionError) as error:
        raise UnknownFormatError(
            f"A {codec} value cannot be read as {getattr(expected, '__qualname__', expected)}: {error}. "
            "If the class has changed, raise the version of the stage that makes it."
        ) from error


def _encode(value: object) -> tuple[str, bytes]:
    if type(value) is str:
        try:
            return "text", value.encode()
        except UnicodeEncodeError as error:
            raise UnencodableError("A str with an undecodable byte (a lone surrogate) cannot be stored.") from error
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes", bytes(value)
    if _holds(value, "numpy", "ndarray"):
        from io_managers.store.codecs.codec_tables import encode_arrays

        return "safetensors", encode_arrays(value)
    if _is(value, "pyarrow", "Table") or _is(value, "pyarrow", "RecordBatch"):
        from io_managers.store.codecs.codec_tables import encode_table

        return "arrow", encode_table(value)
    if _is(value, "pandas", "DataFrame"):
        from io_managers.store.codecs.codec_tables import encode_frame

        return "pandas", encode_frame(value)
    try:
        return "msgpack", _msgpack.encode(value)
    except (TypeError, OverflowError, ValueError, msgspec.MsgspecError) as error:
        if _holds_models(value):
            from io_managers.store.codecs.codec_models import encode_models

            return "json", encode_models(value)
        raise UnencodableError(
            f"A value of type {type(value).__qualname__} cannot be stored ({error}). Return str, bytes, plain data, a "
            "dataclass, a msgspec.Struct, a pydantic model, a numpy array, a pyarrow Table or a pandas DataFrame."
        ) from error


def _decode(codec: str, payload: bytes, expected: Any) -> Any:
    match codec:
        case "text":
            return msgspec.convert(payload.decode(), expected, builtin_types=_BYTES)
        case "bytes":
            return msgspec.convert(payload, expected, builtin_types=_BYTES)
        case "msgpack":
            return msgspec.msgpack.decode(payload, type=expected)
        case "json":
            from io_managers.store.codecs.codec_models import decode_models

            return decode_models(payload, expected)
        case "safetensors":
            from io_managers.store.codecs.codec_tables import decode_arrays

            return decode_arrays(payload)
        case "arrow":
            from io_managers.store.codecs.codec_tables import decode_table

            return decode_table(payload)
        case _:
            from io_managers.store.codecs.codec_tables import decode_frame

            return decode_frame(payload)


def _is(value: object, package: str, name: str) -> bool:
    """Whether a value is an instance of a class of an optional package, without importing the package."""
    kind = getattr(sys.modules.get(package), name, None)
    return kind is not None and isinstance(value, kind)


def _holds(value: object, package: str, name: str) -> bool:
    """Whether a value, or every item of a non-empty mapping, is an instance of such a class."""
    if isinstance(value, Mapping):
        return bool(value) and all(_is(item, package, name) for item in value.values())
    return _is(value, package, name)


def _holds_models(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_models(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_models(item) for item in value)
    return _is(value, "pydantic", "BaseModel")


def _loaded_type(type_name: str) -> Any:
    module_name, _, qualname = type_name.partition(":")
    if module_name == "builtins":
        return _BUILTIN.get(qualname, Any)
    if not module_name:
        return Any
    for name in (_BELOW + module_name, module_name):
        found: Any = sys.modules.get(name)
        for part in qualname.split("."):
            found = getattr(found, part, None)
        if isinstance(found, type):
            # A Counter or an OrderedDict is equal to the dict that is stored for it.
            return Any if issubclass(found, dict | list) else found
    raise UnknownFormatError(
        f"A value is a {type_name}, which is not loaded here. Annotate the input that loads it with its type."
    )
