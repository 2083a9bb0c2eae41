"""The format of a segment: finished actions, sorted, compressed in blocks, and signed as a whole.

A segment is one line, `seedbank segment <version>`, followed by a MessagePack array: the payload as bytes, the public key, and
the signature of the line with the payload (both empty if it is not signed). The payload holds blocks, each a compressed array of
actions. Actions are sorted by stage and key, so that the actions of a stage are in few blocks, and similar parts compress well.
A payload may also hold the keys of actions that were erased, each with the time up to which its rows must not be used.

Every size that decides how much is read or decompressed has a bound, and nothing is decoded before the signature was checked.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

import msgspec
import zstandard

from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.errors import SegmentError

VERSION = 1
LARGEST_BYTES = 256 << 20
"""No segment is larger. Compaction stops long before that."""
_LINE = b"seedbank segment "
_HEADER = _LINE + b"%d\n" % VERSION
_BLOCK_ROWS = 256
_LARGEST_BLOCK_BYTES = 64 << 20
_LARGEST_VALUE_BYTES = 1 << 40
_LATEST = 1e12
_LEVEL = 6
# msgspec raises the second one for a text that is not UTF-8.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)
_KEY = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class SharedAction(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A finished action as it is shared. size_bytes: of its value. parts, provenance: as JSON. created_at: seconds since 1970."""

    stage: str
    key: str
    content_digest: str
    size_bytes: int
    type_name: str
    parts: str
    provenance: str
    created_at: float


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Some of a segment's actions. rows: how many. data: compressed; `rows_of` gives them."""

    rows: int
    data: bytes


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """The content of a segment. erased: key -> up to when its results must not be used any more, in seconds since 1970."""

    blocks: list[Block]
    erased: dict[str, float] = {}

    @property
    def rows(self) -> int:
        """The number of its actions."""
        return sum(block.rows for block in self.blocks)


class _Signed(msgspec.Struct, frozen=True, array_like=True):
    payload: bytes
    key: bytes
    signature: bytes


def encode_segment(
    actions: Iterable[SharedAction], signer: SigningKey | None, erased: Mapping[str, float] | None = None
) -> bytes:
    """The bytes of a segment."""
    rows = sorted(actions, key=attrgetter("stage", "key"))
    blocks = [block_of(rows[first : first + _BLOCK_ROWS]) for first in range(0, len(rows), _BLOCK_ROWS)]
    payload = msgspec.msgpack.encode(Segment(blocks, dict(erased or {})))
    key, signature = (signer.public, signer.sign(_HEADER + payload)) if signer else (b"", b"")
    return _HEADER + msgspec.msgpack.encode(_Signed(payload, key, signature))


def block_of(rows: Sequence[SharedAction]) -> Block:
    """Some actions as a block."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    return Block(len(rows), compressor.compress(msgspec.msgpack.encode(rows)))


def decode_segment(data: bytes, trust: Trust) -> Segment:
    """The content of a segment, whose signature is right and trusted. Raises SegmentError."""
    header, signed = _parts_of(data)
    trust.check(header + signed.payload, signed.key, signed.signature)
    try:
        segment = msgspec.msgpack.decode(signed.payload, type=Segment)
    except _UNREADABLE as error:
        raise SegmentError(f"Its content cannot be read: {error}.") from error
    if not all(map(_KEY.fullmatch, segment.erased)) or not all(map(_is_time, segment.erased.values())):
        raise SegmentError("Its content cannot be read: a key or a time in it is none.")
    return segment


def signer_of(data: bytes) -> bytes:
    """The public key that a segment says it is signed with; b"" for none. Raises SegmentError."""
    return _parts_of(data)[1].key


def _parts_of(data: bytes) -> tuple[bytes, _Signed]:
    header, newline, _ = data[:64].partition(b"\n")
    if not newline or not header.startswith(_LINE) or not header[len(_LINE) :].isdigit():
        raise SegmentError("It is not a segment, or it was cut off.")
    if header + newline != _HEADER:
        raise SegmentError(
            f"Its version is {header[len(_LINE) :].decode()}, and this Seedbank reads {VERSION}.", "Update Seedbank."
        )
    try:
        return _HEADER, msgspec.msgpack.decode(memoryview(data)[len(_HEADER) :], type=_Signed)
    except _UNREADABLE as error:
        raise SegmentError(f"It is damaged or was cut off: {error}.") from error


def rows_of(block: Block) -> list[SharedAction]:
    """The actions of a block. Raises SegmentError if it is damaged or holds what no action can have."""
    try:
        size_bytes = zstandard.get_frame_parameters(block.data).content_size
        if not 0 <= size_bytes <= _LARGEST_BLOCK_BYTES:
            raise SegmentError(f"One of its blocks would have {size_bytes:,} bytes.")
        raw = zstandard.ZstdDecompressor().decompress(block.data, max_output_size=_LARGEST_BLOCK_BYTES)
        rows = msgspec.msgpack.decode(raw, type=list[SharedAction])
    except (zstandard.ZstdError, *_UNREADABLE) as error:
        raise SegmentError(f"One of its blocks is damaged: {error}.") from error
    if len(rows) != block.rows or not all(map(_is_possible, rows)):
        raise SegmentError("One of its blocks holds what no finished action can have.")
    return rows


def _is_possible(row: SharedAction) -> bool:
    return bool(
        _KEY.fullmatch(row.key)
        and _DIGEST.fullmatch(row.content_digest)
        and 0 <= row.size_bytes <= _LARGEST_VALUE_BYTES
        and _is_time(row.created_at)
    )


def _is_time(seconds: float) -> bool:
    return math.isfinite(seconds) and 0 <= seconds < _LATEST


def segment_name(data: bytes) -> str:
    """The name of a segment below the remote: who signed it, and its own digest, so that a changed one is recognised.

    Raises SegmentError.
    """
    return f"segments/{signer_name(signer_of(data))}/{hashlib.sha256(data).hexdigest()}"


def signer_name(key: bytes) -> str:
    """The folder for the segments of a signer. key: the public key; b"" for segments without a signature."""
    return key.hex()[:16] or "unsigned"
