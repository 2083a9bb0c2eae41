"""Takes in what a batch has answered, whatever its final state is.

What belongs here: reading all results of a batch that has ended, once, and freeing the requests without an answer. What does not:
what an answer means: it is parsed, checked and paid as if it had been sent alone, when its document is computed (endpoint).

Batches that expired or were cancelled have answers as well, and these are paid. What was answered is counted from the lines,
since the provider's own counts were seen to be wrong.
"""

import hashlib
import logging
import time

from msgspec.structs import replace

from io_managers.store.batches.batch_records import Batch, Batches, KeptReply
from resources.batches.batch_service import BatchReply, BatchService, RemoteBatch

logger = logging.getLogger(__name__)

# Replies that are recorded in one commit (a judgement): their bodies are in memory.
_GROUP = 1_000
# What is kept of a request for which there are different replies: nobody can say which is right, so none is used.
_DOUBLE = KeptReply(
    "", 500, b'{"error": {"code": "double_id", "message": "the batch has different replies to this request"}}'
)


async def take_in(records: Batches, service: BatchService, batch: Batch, remote: RemoteBatch) -> Batch:
    """Record all replies of a batch that has ended; the batch as it is recorded then. Raises AttemptError.

    If it is interrupted, it can be repeated. Requests without a reply are free again.
    """
    results = _Results(records, batch)
    async for reply in service.replies(remote):
        results.add(reply)
    return results.end(remote)


class _Results:
    def __init__(self, records: Batches, batch: Batch) -> None:
        self._records = records
        self._batch = batch
        self._known = records.requests_of(batch.batch_id)
        self._seen: dict[str, bytes] = {}
        self._double: set[str] = set()
        self._unknown = 0
        self._failed = 0
        self._group: list[KeptReply] = []

    def add(self, reply: BatchReply) -> None:
        key, digest = reply.action_key, hashlib.sha256(b"%d %b" % (reply.status, reply.body)).digest()
        if key not in self._known:
            self._unknown += 1
        elif key in self._seen:
            if self._seen[key] != digest:
                self._double.add(key)
        elif reply.executed:
            self._seen[key] = digest
            self._failed += reply.status >= 400
            self._group.append(KeptReply(key, reply.status, reply.body))
            if len(self._group) >= _GROUP:
                self._write()

    def _write(self) -> None:
        self._records.take_in(self._batch, self._group)
        self._group = []

    def end(self, remote: RemoteBatch) -> Batch:
        self._write()
        self._records.refuse(replace(_DOUBLE, action_key=key) for key in self._double)
        refused = self._unknown + len(self._double)
        if refused:
            logger.warning(
                "Batch %s has %d replies that no request of it asked for, and different replies to %d requests. None of them "
                "is used.",
                self._batch.batch_id,
                self._unknown,
                len(self._double),
            )
        ended = replace(
            self._batch,
            state="ended",
            remote_state=remote.state,
            detail=remote.detail,
            answered=len(self._seen) - self._failed - len(self._double),
            failed=self._failed,
            refused=refused,
            ended_at=time.time(),
        )
        self._records.release(ended)
        return ended
