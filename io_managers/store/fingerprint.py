"""Action keys and content digests, and the canonical encoding of what they are made of. docs/identity.md explains them.

The encoding is injective: every part has its type as a tag and its length in front, so that different parts always give
different bytes (`1` and `"1"`, `["ab", "c"]` and `["a", "bc"]` differ). A change of the encoding or of the order of a key's
parts must raise SCHEME; golden digests in the tests enforce that.
"""

import base64
import hashlib
import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from io_managers.store.errors import UnencodableError

SCHEME = 1

_TYPE_NAMES = "None, bool, int, float, str, bytes, list, tuple, mapping with str keys"

Part = None | bool | int | float | str | bytes | Sequence["Part"] | Mapping[str, "Part"]


def content_digest(data: bytes | bytearray | memoryview) -> str:
    """The content digest of the bytes of a value: `sha256:<hex>`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def encode_part(part: Part, where: str = "key") -> bytes:
    """The canonical bytes of one part.

    Text is not normalised: the NFC and NFD forms of a word are different parts, since a model may answer them differently
    (ids of documents are normalised before). 0.0 and -0.0 are equal and give the same bytes.

    where: the place of the part, for the message. Raises UnencodableError for any other type, for NaN and for lone
    surrogates: a part that cannot be encoded exactly must not be left out of a key.
    """
    try:
        return _encode_usual(part)
    except _UnusualError:
        return _encode_any(part, where)


class _UnusualError(Exception):
    """The fast encoder met a part that it does not know; the careful one encodes it or reports what is wrong."""


def _encode_usual(part: object) -> bytes:
    """A fast encoder for the usual types. A plan of 10,000 documents encodes half a million parts."""
    kind = type(part)
    if kind is str:
        try:
            data = part.encode()  # type: ignore[attr-defined]
        except UnicodeEncodeError as error:
            raise _UnusualError from error
        return b"s%d:%b" % (len(data), data)
    if kind is dict:
        items = [(_encode_usual(name), _encode_usual(value)) for name, value in part.items()]  # type: ignore[attr-defined]
        if not all(type(name) is str for name in part):  # type: ignore[attr-defined]
            raise _UnusualError
        items.sort()
        return b"m%d:" % len(items) + b"".join([name + value for name, value in items])
    if kind is list or kind is tuple:
        return b"l%d:" % len(part) + b"".join([_encode_usual(item) for item in part])  # type: ignore[arg-type,attr-defined]
    raise _UnusualError


def _encode_any(part: Part, where: str) -> bytes:
    kind = type(part)
    if isinstance(part, str) and kind is str:
        try:
            data = part.encode()
        except UnicodeEncodeError as error:
            raise UnencodableError(f"{where}: text with an undecodable byte has no exact encoding.") from error
        return b"s%d:" % len(data) + data
    if part is None:
        return b"n"
    if part is True:
        return b"t"
    if part is False:
        return b"f"
    if isinstance(part, Mapping):
        items = []
        for name, value in part.items():
            if type(name) is not str:
                raise UnencodableError(f"{where}: the name {name!r} of a mapping is not a str.")
            items.append((_encode_any(name, where), _encode_any(value, f"{where}.{name}")))
        items.sort()
        return b"m%d:" % len(items) + b"".join(name + value for name, value in items)
    # Only the plain types: a subclass (an Enum, a NamedTuple, a numpy scalar) may have a state that is not encoded.
    if isinstance(part, list | tuple) and kind in (list, tuple):
        return b"l%d:" % len(part) + b"".join(_encode_any(item, f"{where}[{i}]") for i, item in enumerate(part))
    if isinstance(part, int) and kind is int:
        if not -(1 << 63) <= part < 1 << 63:
            raise UnencodableError(f"{where}: an int beyond 64 bits cannot be kept beside the key; give it as text.")
        return b"i%d:" % part
    if isinstance(part, float) and kind is float:
        if math.isnan(part):
            raise UnencodableError(f"{where}: NaN is not equal to itself and cannot decide a result.")
        return b"d" + struct.pack(">d", part + 0.0)
    if isinstance(part, bytes) and kind is bytes:
        return b"b%d:" % len(part) + part
    raise UnencodableError(f"{where}: a {kind.__qualname__} has no exact encoding; use one of {_TYPE_NAMES}.")


@dataclass(frozen=True, slots=True)
class Action:
    """One application of a stage to exact inputs, or one request to a model.

    key: 64 hex digits; equal keys mean equal results.
    parts: everything that the key was made of, stored beside it so that a miss can be explained.
    """

    stage: str
    key: str
    parts: Mapping[str, Part] = field(hash=False)


class KeyTemplate:
    """Makes the actions of one stage. The parts that all of them share are hashed once."""

    __slots__ = ("_fixed", "_hasher", "stage")

    def __init__(self, stage: str, fixed: Mapping[str, Part]) -> None:
        """fixed: the parts that all actions of the stage share: its version, parameters and the identities of resources."""
        self.stage = stage
        self._fixed = dict(fixed)
        self._hasher = hashlib.sha256(b"seedbank action" + encode_part([SCHEME, stage]) + encode_part(self._fixed))

    def action(self, inputs: Mapping[str, Part]) -> Action:
        """The action of this stage on these inputs (usually names to content digests)."""
        hasher = self._hasher.copy()
        hasher.update(encode_part(inputs))
        return Action(self.stage, hasher.hexdigest(), {**self._fixed, **inputs})

    def keys(self, inputs: Mapping[str, Mapping[str, Part]], partitions: Iterable[str]) -> dict[str, str]:
        """The keys of many actions by partition. inputs: for each input, its part by partition."""
        encoded = sorted(((encode_part(name), values) for name, values in inputs.items()), key=itemgetter(0))
        head = b"m%d:" % len(encoded)
        keys: dict[str, str] = {}
        for partition in partitions:
            hasher = self._hasher.copy()
            hasher.update(head + b"".join([name + encode_part(values[partition]) for name, values in encoded]))
            keys[partition] = hasher.hexdigest()
        return keys


def first_difference(before: Mapping[str, Part], now: Mapping[str, Part]) -> str:
    """The first part in which two actions of a stage differ, such as `version: 1 -> 2`; "" if they are equal.

    `before` may have been read from the JSON beside an action, with lists for tuples and text for bytes.
    """
    for name in [*now, *(name for name in before if name not in now)]:
        if name not in before:
            return f"{name}: new"
        if name not in now:
            return f"{name}: gone"
        if not same_part(before[name], now[name]):
            return f"{name}: {_short(before[name], now[name])}"
    return ""


def same_part(before: Part, now: Part) -> bool:
    """Whether two parts are equal; either may have been read from JSON."""
    return _recorded(before) == _recorded(now)


def _recorded(part: Part) -> str:
    return json.dumps(part, default=_plain, sort_keys=True)


def _plain(part: object) -> object:
    return dict(part) if isinstance(part, Mapping) else base64.b64encode(part).decode()  # type: ignore[arg-type]


def _short(before: Part, now: Part) -> str:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return first_difference(before, now)
    if isinstance(now, str) and now.startswith("sha256:"):
        return "changed"
    return f"{before!r} -> {now!r}" if str(before) == str(now) else f"{before} -> {now}"
