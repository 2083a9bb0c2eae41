"""What becomes of the batches of a home: whether they were begun, whether they have ended, and ending them.

What belongs here: going through all batches that have not ended, with one connection for each server. What does not: the steps
for one batch (submission, results).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from io_managers.store.batches.batch_records import Batch, Batches
from io_managers.store.leases import Leases
from resources.batches.batch_service import BatchAccess, BatchService, batch_trouble
from resources.batches.results import take_in
from resources.batches.stage_batches import lease_of
from resources.batches.submission import recover, submitted
from resources.endpoints.endpoint_errors import AttemptError

_Step = Callable[[BatchAccess, BatchService, Batch], Coroutine[Any, Any, Batch]]
# Providers take up to ten minutes to cancel a batch (OpenAI's documentation).
CANCEL_SECONDS = 15 * 60.0
_POLL_SECONDS = 2.0


class OpenBatches:
    """The batches of a home that have not ended."""

    def __init__(self, records: Batches, leases: Leases, folder: Path, accesses: Iterable[BatchAccess]) -> None:
        """folder: see StageBatches. accesses: those of the models in the settings."""
        self._records = records
        self._leases = leases
        self._folder = folder
        self._accesses = list(accesses)

    def reached_by(self, batch: Batch) -> BatchAccess | None:
        """How the server of a batch is reached; None if no setting names it any more."""
        return next((access for access in self._accesses if access.deployment == batch.deployment), None)

    def look(self) -> list[Batch]:
        """Look at all open batches once, and take in those that have ended; all that ended now.

        Raises TransientLLMError or EndpointError if a server does not answer, and ConfigurationError; what was taken in is kept.
        """
        return [batch for batch in self._each(self._records.open(), self._look) if batch.state == "ended"]

    def cancel(self, batches: Iterable[Batch]) -> list[Batch]:
        """Ask the providers to end these batches; the batches as they are then. Raises as `look` does.

        A batch that its provider does not know is given up, which frees its requests.
        """
        return self._each(batches, self._cancel)

    def end(self, stopped: Callable[[], bool], patience_seconds: float = CANCEL_SECONDS) -> list[Batch]:
        """Cancel all open batches and wait until they have ended; those that had not ended when the patience did.

        stopped: whether to wait no longer. Raises as `look` does.
        """
        self.cancel(self._records.open())
        until = time.monotonic() + patience_seconds
        while True:
            self.look()
            left = self._records.open()
            if not left or stopped() or time.monotonic() >= until:
                return left
            time.sleep(_POLL_SECONDS)

    def _each(self, batches: Iterable[Batch], step: _Step) -> list[Batch]:
        found: list[Batch] = []
        for batch in batches:
            access = self.reached_by(batch)
            # Another process that holds the lease is sending this batch, or taking in its results.
            if access is None or lease_of(batch) not in self._leases.take([lease_of(batch)]):
                found.append(batch)
                continue
            try:
                found.append(asyncio.run(_connected(access, batch, step)))
            finally:
                self._leases.free([lease_of(batch)])
            self._file(batch).unlink(missing_ok=True)
        return found

    def _file(self, batch: Batch) -> Path:
        return self._folder / f"{batch.batch_id}.jsonl"

    async def _look(self, access: BatchAccess, service: BatchService, batch: Batch) -> Batch:
        if batch.state != "submitted":
            batch = await recover(self._records, access, service, batch)
        if batch.state != "submitted":
            return batch
        remote = await service.get(batch.remote_id)
        if remote is None:
            batch = replace(batch, remote_state="unknown", detail=_unknown(access))
            self._records.keep(batch)
            return batch
        batch = submitted(self._records, batch, remote)
        return await take_in(self._records, service, batch, remote) if remote.ended else batch

    async def _cancel(self, access: BatchAccess, service: BatchService, batch: Batch) -> Batch:
        batch = await self._look(access, service, batch)
        if batch.state != "submitted":
            return batch
        remote = await service.cancel(batch.remote_id)
        if remote is None:
            batch = replace(batch, state="ended", remote_state="unknown", detail=_unknown(access), ended_at=time.time())
            self._records.release(batch)
            return batch
        batch = submitted(self._records, batch, remote)
        return await take_in(self._records, service, batch, remote) if remote.ended else batch


async def _connected(access: BatchAccess, batch: Batch, step: _Step) -> Batch:
    try:
        async with access.opened() as service:
            return await step(access, service, batch)
    except AttemptError as failed:
        raise batch_trouble(access, failed) from failed


def _unknown(access: BatchAccess) -> str:
    return (
        f"{access.name} does not know it: it belongs to another account or project than the present API key, or was deleted "
        "there. With `seedbank batch cancel` it is given up, and its requests are sent again"
    )
