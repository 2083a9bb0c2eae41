"""Sends a batch so that no request is paid twice, whenever the process ends.

What belongs here: the order of what is recorded and what is sent, and what the next process does with a batch whose sender died.
What does not: which requests are in it (stage_batches), and its results (results).

Beginning a batch is not idempotent: a call that is repeated begins a second one, which is paid as well. So the intent is durable
before anything is sent, the call is made once, and after any failure in which the provider may have accepted it, the batch is
looked for by our own id. If it is not there for some minutes, it does not exist.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from io_managers.store.batches.batch_records import Batch, Batches
from resources.batches.batch_service import BatchAccess, BatchService, RemoteBatch, batch_error, refused_for_certain
from resources.endpoints.endpoint_errors import AttemptError
from resources.endpoints.llm import EndpointError

logger = logging.getLogger(__name__)

# After a call whose outcome is unknown the batch is looked for so often, with these pauses, before the run goes on without it.
_LOOKS_SECONDS = (0.2, 1.0, 3.0)
# A batch that the provider does not list so long after the call does not exist: a call that is on its way takes seconds.
UNKNOWN_SECONDS = 120.0


def digest_of(keys: Iterable[str]) -> str:
    """A digest of the requests of a batch, by which it is recognised among those of the provider."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


async def submit(records: Batches, access: BatchAccess, batch: Batch, file: Path) -> Batch:
    """Send a batch that is complete; the batch as it is recorded then.

    It may still be in the state `creating`: then its requests wait, and `recover` finds out whether it was begun. Raises
    EndpointError if it was certainly not begun; its requests are free again.
    """
    batch = replace(batch, state="uploading")
    records.keep(batch)
    try:
        async with access.opened() as service:
            file_id = await service.upload(f"seedbank-{batch.batch_id}.jsonl", file)
            batch = replace(batch, state="creating", file_id=file_id, submitted_at=time.time())
            records.keep(batch)
            remote = await _created(service, batch)
    except AttemptError as failed:
        _given_up(records, batch, f"{failed.outcome}: {failed.detail}")
        raise batch_error(access, failed) from failed
    except EndpointError as error:
        # The server cannot be reached. If it was to begin the batch, that is known only later.
        if batch.state != "uploading":
            return batch
        _given_up(records, batch, error.reason)
        raise
    return batch if remote is None else submitted(records, batch, remote)


async def _created(service: BatchService, batch: Batch) -> RemoteBatch | None:
    """The batch at the provider; None if it is not known whether it was begun. Raises AttemptError if it certainly was not."""
    try:
        return await service.create(batch)
    except AttemptError as failed:
        if refused_for_certain(failed):
            raise
        logger.warning(
            "It is not known whether batch %s was begun (%s: %s); it is looked for.",
            batch.batch_id,
            failed.outcome,
            failed.detail,
        )
    for seconds in _LOOKS_SECONDS:
        await asyncio.sleep(seconds)
        try:
            if (found := await service.find(batch)) is not None:
                return found
        except (AttemptError, EndpointError):
            continue
    return None


async def recover(records: Batches, access: BatchAccess, service: BatchService, batch: Batch) -> Batch:
    """Find out what became of a batch that another process, or an earlier call, was about to begin. Raises AttemptError."""
    if batch.state in ("collecting", "uploading"):
        return _given_up(records, batch, "its process ended before it was begun")
    found = await service.find(batch)
    if found is not None:
        return submitted(records, batch, found)
    if time.time() - batch.submitted_at < UNKNOWN_SECONDS:
        return batch
    return _given_up(records, batch, f"{access.name} does not know it, so it was not begun")


def submitted(records: Batches, batch: Batch, remote: RemoteBatch) -> Batch:
    """Record what the provider says of a batch that it has begun."""
    batch = replace(
        batch,
        state="submitted",
        remote_id=remote.remote_id,
        remote_state=remote.state,
        expires_at=remote.expires_at or batch.expires_at,
    )
    records.keep(batch)
    return batch


def _given_up(records: Batches, batch: Batch, why: str) -> Batch:
    batch = replace(batch, state="ended", remote_state="not begun", detail=why, ended_at=time.time())
    records.release(batch)
    return batch
