"""A remote: files in a bucket that several homes share, and what is known of them here.

```
 segments/<signer>/<digest>     finished actions: key, digest, costs (segments.segment); never changed, but compacted
 values/<2 digits>/<62 digits>  the value of a digest, compressed
 probes/...                     what the check of the bucket leaves if it is interrupted
```

A segment is written after the values that it names, so what a reader finds is there as a whole, whenever the writer was killed.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import zstandard

from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.buckets.opening import check_writable
from io_managers.sharing.redis_tier import RedisTier
from io_managers.sharing.remote_index import RemoteIndex
from io_managers.sharing.segments.segment import (
    LARGEST_BYTES,
    SharedAction,
    decode_segment,
    encode_segment,
    segment_name,
    signer_name,
)
from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.errors import RemoteError, SegmentError
from io_managers.store.fingerprint import content_digest

AT_ONCE = 16
"""Requests in flight: enough to hide latencies of 30 ms, and few enough for a small server (a judgement)."""
_LEVEL = 3


@dataclass(slots=True)
class Pulled:
    """What a pull found. segments, results: how many are new. refused: the names of files that were not used, and why."""

    segments: int = 0
    results: int = 0
    refused: dict[str, str] = field(default_factory=dict)


class Access(NamedTuple):
    """How a remote is used from here. signer: signs what is pushed; None for no signature. writable: whether to push.

    tier: keeps values for a while, in front of the bucket; None for none.
    """

    bucket: Bucket
    trust: Trust
    signer: SigningKey | None
    writable: bool
    tier: RedisTier | None = None

    def check_readable(self) -> None:
        """Raise RemoteError if nothing that lies there could be used."""
        if not self.trust.keys and not self.trust.unsigned:
            raise RemoteError(
                f"No key is trusted, so nothing in the remote {self.bucket.address} can be used.",
                "Put the public keys of those who push into store.trusted_keys (`seedbank cache keygen` makes a pair). If nobody "
                'but you can write there, store.unsigned = "accept" does without.',
            )

    def check_writable(self) -> str:
        """Check that the bucket can be written safely. Returns a warning, or "". Raises RemoteError."""
        if not self.writable:
            raise RemoteError(
                f"The remote {self.bucket.address} is only read from here.",
                'To push to it, set store.remote_access = "write" and store.signing_key. In CI it is only read by default.',
            )
        if self.signer is None and not self.trust.unsigned:
            raise RemoteError(
                f"What is pushed to {self.bucket.address} would not be signed, so nobody would use it.",
                "Set store.signing_key (`seedbank cache keygen` makes one).",
            )
        return check_writable(self.bucket)


class Remote:
    """A remote, as one store uses it. Several threads may."""

    def __init__(self, opening: Callable[[], Access], index: RemoteIndex) -> None:
        """opening: opens the bucket when it is first needed; it may raise RemoteError."""
        self.index = index
        self.fetched = 0
        """How many values this process has asked for."""
        self._opening = opening
        self._checked = False

    @cached_property
    def access(self) -> Access:
        """The bucket, and how it is used. Raises RemoteError."""
        access = self._opening()
        access.check_readable()
        return access

    @property
    def bucket(self) -> Bucket:
        """Where its files lie. Raises RemoteError."""
        return self.access.bucket

    @property
    def own_folder(self) -> str:
        """The folder of the segments that this store signs."""
        signer = self.access.signer
        return f"segments/{signer_name(signer.public if signer else b'')}"

    def check_writable(self) -> str:
        """Check once that the bucket can be written safely. Returns a warning, or "". Raises RemoteError."""
        if self._checked:
            return ""
        warning = self.access.check_writable()
        self._checked = True
        return warning

    def pull(self, *, again: bool = False) -> Pulled:
        """Bring the index up to date. again: look again at files and values that were refused before.

        Raises RemoteError; the index stays as it was then.
        """
        if again:
            self.index.forget_refusals()
        pulled = Pulled()
        there, complete = self._look(pulled)
        if not complete or self.index.segments().keys() - there:
            # What replaced a missing file was there before it went, so a listing that begins now has it.
            there, complete = self._look(pulled)
        if complete:
            self.index.drop(self.index.segments().keys() - there)
        self.index.note_pulled()
        pulled.refused = {name: reason for name, reason in self.index.segments().items() if reason}
        return pulled

    def _look(self, pulled: Pulled) -> tuple[set[str], bool]:
        """Take in new segments. Returns the names of all, and whether all new ones were still there."""
        files, known = {found.name: found.size_bytes for found in self.bucket.list("segments")}, self.index.segments()
        for name in files.keys() - known.keys():
            if files[name] > LARGEST_BYTES:
                self.index.refuse(
                    name, f"It has {files[name]:,} bytes, and no segment has more than {LARGEST_BYTES:,}."
                )
        names, complete = sorted(files.keys() - self.index.segments().keys()), True
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for name, data in zip(names, threads.map(self._segment_data, names), strict=True):
                if data is None:
                    complete = False
                    continue
                try:
                    if segment_name(data) != name:
                        raise SegmentError("It is not what its name says: it was changed or cut off.")
                    segment = decode_segment(data, self.access.trust)
                    self.index.add(name, segment, len(data))
                except SegmentError as error:
                    self.index.refuse(name, str(error))
                else:
                    pulled.segments += 1
                    pulled.results += segment.rows
        return set(files), complete

    def _segment_data(self, name: str) -> bytes | None:
        return self.bucket.get(name, LARGEST_BYTES)

    def put_segment(self, actions: Iterable[SharedAction], erased: Mapping[str, float] | None = None) -> str:
        """Write a segment and take it in; returns its name. The values of its actions are there already."""
        data = encode_segment(actions, self.access.signer, erased)
        name = segment_name(data)
        self.bucket.put_first(name, data)
        self.index.add(name, decode_segment(data, self.access.trust), len(data))
        return name

    def put_value(self, digest: str, data: bytes) -> bool:
        """Write a value unless it is there; returns whether it was written. One that was found to be damaged is replaced."""
        name, stored = _value_name(digest), zstandard.ZstdCompressor(level=_LEVEL).compress(data)
        if digest in self.index.withheld():
            self.bucket.replace(name, stored)
            return True
        return self.bucket.put_first(name, stored)

    def value(self, digest: str, size_bytes: int) -> bytes | None:
        """A value that is right by its digest; otherwise None, and no action with this value is used any more.

        size_bytes: its size by the segment that named it; nothing larger is decompressed. Raises RemoteError.
        """
        tier = self.access.tier
        if tier is not None and (data := _right(tier.get(digest), digest, size_bytes)) is not None:
            return data
        self.fetched += 1
        stored = self.bucket.get(_value_name(digest), _most_bytes(size_bytes))
        if stored is None:
            self.index.withhold(digest, "it is missing from the remote, or larger than recorded")
            return None
        if (data := _right(stored, digest, size_bytes)) is None:
            self.index.withhold(digest, "its bytes in the remote were changed or cut off")
            return None
        if tier is not None:
            tier.put(digest, stored)
        return data

    def delete_values(self, digests: Iterable[str]) -> None:
        """Remove values. Raises RemoteError."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(self._delete_value, digests))

    def _delete_value(self, digest: str) -> None:
        self.bucket.delete(_value_name(digest))
        if self.access.tier is not None:
            self.access.tier.forget(digest)

    def close(self) -> None:
        """Close the index, and the connections to Redis."""
        self.index.close()
        if "access" in self.__dict__ and self.access.tier is not None:
            self.access.tier.close()


def _value_name(digest: str) -> str:
    name = digest.removeprefix("sha256:")
    return f"values/{name[:2]}/{name[2:]}"


def _most_bytes(size_bytes: int) -> int:
    """The most bytes that zstandard makes of so many (ZSTD_compressBound), with some room."""
    return size_bytes + (size_bytes >> 8) + 1024


def _right(stored: bytes | None, digest: str, size_bytes: int) -> bytes | None:
    """The value in stored bytes; None if it is not the one of the digest."""
    if stored is None:
        return None
    try:
        if zstandard.get_frame_parameters(stored).content_size != size_bytes:
            return None
        data = zstandard.ZstdDecompressor().decompress(stored, max_output_size=max(1, size_bytes))
    except zstandard.ZstdError:
        return None
    return data if content_digest(data) == digest else None
