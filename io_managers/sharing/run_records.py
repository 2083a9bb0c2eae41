"""What a home and a worker with a home of its own hand each other for one run: refs and failures, as a signed file of the remote.

```
 runs/<id>/given          what is published for the documents of the run, from the home that asks for it
 runs/<id>/<run>          what the run has published and what failed in it, from the worker
```

A file is signed (segments.signed_files); its payload is the compressed record. A ref names an action, and a reader uses the ref
only if that action, which is signed by itself (segments), is there. So a record cannot make one result that of another document
without being found out: its action key is not the one that a plan forms.
"""

from collections.abc import Sequence

import msgspec
import zstandard

from io_managers.sharing.remote import Remote
from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.sharing.segments.signed_files import sealed, unsealed
from io_managers.store.errors import SegmentError
from io_managers.store.failures import FailureRecord
from io_managers.store.refs import Ref

_KIND, _VERSION = "run", 1
_LEVEL = 6
# A run has 1,000 documents by default, and 300 bytes for each of their refs.
_LARGEST_BYTES = 64 << 20
_GIVEN = "given"


class RunRecord(msgspec.Struct, frozen=True):
    """refs: what is published. failures: what failed."""

    refs: Sequence[Ref] = ()
    failures: Sequence[FailureRecord] = ()


class RunRecords:
    """The records of runs in a remote. Every method raises RemoteError."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def give(self, spread_id: str, record: RunRecord) -> None:
        """Leave what is published for the documents of a run that a worker will do."""
        self._put(spread_id, _GIVEN, record)

    def given(self, spread_id: str) -> RunRecord | None:
        """What the home has left for a run; None if there is nothing. Raises SegmentError."""
        return self._get(spread_id, _GIVEN)

    def hand_in(self, spread_id: str, run_id: str, record: RunRecord) -> None:
        """Leave what became of a run."""
        self._put(spread_id, run_id, record)

    def handed_in(self, spread_id: str, run_id: str) -> RunRecord | None:
        """What became of a run; None if its worker has not said so. Raises SegmentError."""
        return self._get(spread_id, run_id)

    def forget(self, spread_id: str) -> None:
        """Remove the records of a run."""
        for found in list(self._remote.bucket.list(f"runs/{spread_id}")):
            self._remote.bucket.delete(found.name)

    def _put(self, spread_id: str, name: str, record: RunRecord) -> None:
        self._remote.check_writable()
        self._remote.bucket.replace(f"runs/{spread_id}/{name}", encode_record(record, self._remote.access.signer))

    def _get(self, spread_id: str, name: str) -> RunRecord | None:
        data = self._remote.bucket.get(f"runs/{spread_id}/{name}", _LARGEST_BYTES)
        return None if data is None else decode_record(data, self._remote.access.trust)


def encode_record(record: RunRecord, signer: SigningKey | None) -> bytes:
    """The bytes of a record."""
    payload = zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.msgpack.encode(record))
    return sealed(_KIND, _VERSION, payload, signer)


def decode_record(data: bytes, trust: Trust) -> RunRecord:
    """The record of these bytes, whose signature is right and trusted. Raises SegmentError."""
    payload = unsealed(data, _KIND, _VERSION, trust)
    try:
        raw = zstandard.ZstdDecompressor().decompress(payload, max_output_size=8 * _LARGEST_BYTES)
        return msgspec.msgpack.decode(raw, type=RunRecord)
    except (msgspec.MsgspecError, zstandard.ZstdError) as error:
        raise SegmentError(f"It is damaged or was cut off: {error}.") from error
