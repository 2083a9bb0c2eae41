"""The file of a batch while requests are added to it."""

from pathlib import Path
from uuid import uuid4

from msgspec.structs import replace

from io_managers.store.batches.batch_records import Batch, new_batch
from resources.batches.batch_service import BatchAccess
from resources.batches.submission import digest_of


class RequestFile:
    """One batch to which requests are added. It is in a file, since all of its texts would take hundreds of megabytes.

    keys: of its requests. promised_usd: the most that they cost.
    """

    def __init__(self, access: BatchAccess, folder: Path, path: str, stage: str) -> None:
        """folder: where the file is until it was sent. path: of the requests. stage: which needs them."""
        folder.mkdir(parents=True, exist_ok=True)
        self.access = access
        self.batch = new_batch(uuid4().hex[:16], access.deployment, access.model, path, stage)
        self.file = folder / f"{self.batch.batch_id}.jsonl"
        self.keys: list[str] = []
        self.promised_usd = 0.0
        self._bytes = 0
        self._opened = self.file.open("xb")

    def has_room(self, line: bytes) -> bool:
        """Whether one more request fits into the provider's limits."""
        limits = self.access.limits
        return len(self.keys) < limits.requests and self._bytes + len(line) <= limits.bytes

    def add(self, action_key: str, line: bytes, usd: float) -> None:
        """Add a request, which has been claimed."""
        self._opened.write(line)
        self._bytes += len(line)
        self.keys.append(action_key)
        self.promised_usd += usd

    def complete(self) -> Batch:
        """Close the file; the batch with the digest of its requests."""
        self._opened.close()
        self.batch = replace(self.batch, requests=len(self.keys), digest=digest_of(self.keys))
        return self.batch

    def remove(self) -> None:
        """Delete the file: what is in it is made again if it is needed again."""
        self._opened.close()
        self.file.unlink(missing_ok=True)
