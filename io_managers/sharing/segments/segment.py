"""The format of a segment: finished actions, sorted, compressed in blocks, and signed as a whole.

A segment is a signed file (signed_files). Its payload holds blocks, each a compressed array of actions. Actions are sorted by
stage and key, so that the actions of a stage are in few blocks, and similar parts compress well. A payload may also hold the
keys of actions that were erased, each with the time up to which its rows must not be used.

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
from io_managers.sharing.segments.signed_files import UNREADABLE, parts_of, sealed, unsealed
from io_managers.store.errors import SegmentError

VERSION = 1
LARGEST_BYTES = 256 << 20
"""No segment is larger. Compaction stops long before that."""
_KIND = "segment"
_BLOCK_ROWS = 256
_LARGEST_BLOCK_BYTES = 64 << 20
_LARGEST_VALUE_BYTES = 1 << 40
_LATEST = 1e12
_LEVEL = 6
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


def encode_segment(
    actions: Iterable[SharedAction], signer: SigningKey | None, erased: Mapping[str, float] | None = None
) -> bytes:
    """The bytes of a segment."""
    rows = sorted(actions, key=attrgetter("stage", "key"))
    blocks = [block_of(rows[first : first + _BLOCK_ROWS]) for first in range(0, len(rows), _BLOCK_ROWS)]
    return sealed(_KIND, VERSION, msgspec.msgpack.encode(Segment(blocks, dict(erased or {}))), signer)


def block_of(rows: Sequence[SharedAction]) -> Block:
    """Some actions as a block."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    return Block(len(rows), compressor.compress(msgspec.msgpack.encode(rows)))


def decode_segment(data: bytes, trust: Trust) -> Segment:
    """The content of a segment, whose signature is right and trusted. Raises SegmentError."""
    payload = unsealed(data, _KIND, VERSION, trust)
    try:
        segment = msgspec.msgpack.decode(payload, type=Segment)
    except UNREADABLE as error:
        raise SegmentError(f"Its content cannot be read: {error}.") from error
    if not all(map(_KEY.fullmatch, segment.erased)) or not all(map(_is_time, segment.erased.values())):
        raise SegmentError("Its content cannot be read: a key or a time in it is none.")
    return segment


def signer_of(data: bytes) -> bytes:
    """The public key that a segment says it is signed with; b"" for none. Raises SegmentError."""
    return parts_of(data, _KIND, VERSION).key


def rows_of(block: Block) -> list[SharedAction]:
    """The actions of a block. Raises SegmentError if it is damaged or holds what no action can have."""
    try:
        size_bytes = zstandard.get_frame_parameters(block.data).content_size
        if not 0 <= size_bytes <= _LARGEST_BLOCK_BYTES:
            raise SegmentError(f"One of its blocks would have {size_bytes:,} bytes.")
        raw = zstandard.ZstdDecompressor().decompress(block.data, max_output_size=_LARGEST_BLOCK_BYTES)
        rows = msgspec.msgpack.decode(raw, type=list[SharedAction])
    except (zstandard.ZstdError, *UNREADABLE) as error:
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
