"""The requests of one run that are in batches: which reply is here, which is waited for, and which are added to a batch.

What belongs here: deciding for each request of an action whether it is answered from a batch, waits, is added to one or is sent
alone. What does not: sending a batch (submission), its results (results), parsing replies (endpoint).

A stage runs as always. Where it needs an answer, its request is claimed and written to a file, and its document waits; at the
end of the stage the file is sent. A later run computes the document again: requests that were answered are found, whether as
actions or as replies of a batch, and the next ones are added to the next batch.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from io_managers.store.batches.batch_records import REPLIED, Batch, Batches, KeptReply
from io_managers.store.leases import Leases
from resources.batches.batch_service import BatchAccess
from resources.batches.request_file import RequestFile
from resources.batches.submission import submit
from resources.endpoints.llm import BatchTerms, RequestCosts, Tokens, Unsent
from resources.errors import WaitingError
from resources.settings.model_settings import BatchMode

LEAST_OF_AUTO = 100
"""With the mode `auto`, fewer requests of a stage than this are sent alone: half of their price is not worth a wait of hours."""
# In so many batches the server may fail a request before its document fails; a judgement.
_MOST_TRIES = 3
_WAITS = "it waits for a batch"


def lease_of(batch: Batch) -> str:
    """The name of the lease of a batch: whoever holds it, and nobody else, sends it or takes in its results."""
    return f"batch {batch.batch_id}"


class StageBatches:
    """The batches of one run. It implements BatchedRequests. It is used by one event loop at a time, that of a stage."""

    def __init__(self, records: Batches, leases: Leases, folder: Path, modes: Mapping[str, BatchMode]) -> None:
        """folder: for the files of requests. modes: by stage; the requests of others are sent alone."""
        self._records = records
        self._leases = leases
        self._folder = folder
        self._modes = modes
        # The keys whose replies this run has used, by which a second request of the same action is sent alone.
        self._served: set[str] = set()
        self._files: list[RequestFile] = []
        # Stages whose requests turned out to be too few for a batch.
        self._alone: set[str] = set()
        self._answering: set[str] = set()
        self._first: dict[str, asyncio.Lock] = {}
        self._adding = asyncio.Lock()

    def begin(self) -> None:
        """A stage begins, in an event loop of its own."""
        self._first, self._adding = {}, asyncio.Lock()

    @asynccontextmanager
    async def turn(self, terms: BatchTerms, request: Unsent, costs: RequestCosts) -> AsyncIterator[KeptReply | None]:
        """See BatchedRequests.

        The first request of a run to a model is sent alone, and the others wait for its answer: a wrong key, and the form in
        which the server wants answers asked for, show at once, and not after hours.
        """
        key = costs.action_key
        found = self._records.found(key) if key and key not in self._served else None
        if found is not None:
            state, reply = found
            if state != REPLIED:
                self._records.wait(costs.outer_key, costs.unit, key)
                raise WaitingError(_WAITS)
            self._served.add(key)
            yield reply
            return
        if not key or key in self._served or not self._collects(terms, costs.stage):
            yield None
            return
        if terms.name not in self._answering:
            async with self._first.setdefault(terms.name, asyncio.Lock()):
                if terms.name not in self._answering:
                    yield None
                    self._answering.add(terms.name)
                    return
        await self._add(terms, request, costs, 1)
        raise WaitingError(_WAITS)

    async def again(self, terms: BatchTerms, request: Unsent, costs: RequestCosts, reply: KeptReply) -> None:
        """See BatchedRequests."""
        if reply.tries < _MOST_TRIES and self._collects(terms, costs.stage):
            self._served.discard(costs.action_key)
            await self._add(terms, request, costs, reply.tries + 1)
            raise WaitingError(_WAITS)

    def recorded(self, action_key: str) -> None:
        """See BatchedRequests."""
        self._records.forget([action_key])

    def _collects(self, terms: BatchTerms, stage: str) -> bool:
        mode = self._modes.get(stage, "off")
        # What saves nothing that is known is not worth the wait.
        return mode == "always" or (
            mode == "auto" and stage not in self._alone and terms.price.usd(Tokens(1)) is not None
        )

    async def _add(self, terms: BatchTerms, request: Unsent, costs: RequestCosts, tries: int) -> None:
        assert isinstance(terms, BatchAccess), "what an endpoint knows of batches is how they are reached"
        access = terms
        line = access.line(costs.action_key, request.path, request.body)
        # Counting takes milliseconds, so it is done only if there is a budget.
        usd = terms.price.usd(request.most()) if costs.limited else 0.0
        async with costs.reserve(usd):
            async with self._adding:
                file = self._with_room(access, request.path, costs.stage, line)
                file.add(costs.action_key, line, usd or 0.0)
            await self._records.claim(file.batch, costs.action_key, costs.outer_key, costs.unit, usd or 0.0, tries)
            costs.promise(usd or 0.0)

    def _with_room(self, access: BatchAccess, path: str, stage: str, line: bytes) -> RequestFile:
        for file in self._files:
            same = file.access is access and file.batch.path == path and file.batch.stage == stage
            if same and file.has_room(line):
                return file
        file = RequestFile(access, self._folder, path, stage)
        self._leases.take([lease_of(file.batch)])
        self._records.keep(file.batch)
        self._files.append(file)
        return file

    async def end(self, costs: RequestCosts, *, interrupted: bool) -> bool:
        """Send the batches of a stage that has ended; True if its requests are to be sent alone instead, now.

        costs: outside of any action, for what need not be paid after all. interrupted: whether nothing may be begun any more.
        Raises EndpointError if a batch was refused; its requests are free again.
        """
        files, self._files = self._files, []
        stages = {file.batch.stage for file in files}
        few = bool(files) and sum(len(file.keys) for file in files) < LEAST_OF_AUTO
        alone = not interrupted and few and all(self._modes.get(stage) == "auto" for stage in stages)
        left = list(files)
        try:
            for file in files:
                batch = file.complete()
                if not (interrupted or alone):
                    await submit(self._records, file.access, batch, file.file)
                    left.remove(file)
        finally:
            for file in left:
                self._release(file, costs)
            for file in files:
                file.remove()
            self._leases.free([lease_of(file.batch) for file in files])
        if alone:
            self._alone |= stages
        return alone

    def _release(self, file: RequestFile, costs: RequestCosts) -> None:
        """Let the requests of a file be sent in another way, since its batch was not begun."""
        (recorded,) = [one for one in self._records.all() if one.batch_id == file.batch.batch_id]
        if recorded.state in ("collecting", "uploading"):
            detail = "it was not begun: too few requests, or the run was stopped"
            self._records.release(replace(recorded, state="ended", remote_state="not begun", detail=detail))
        costs.promise(-file.promised_usd)
