"""Compute or reuse, commit at once: the one mechanism for stage results, single embeddings and single model requests.

What belongs here: making sure that an action is computed once, by whichever process comes first, and that its result is
durable before anybody sees it. What does not: what an action does, and refs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import msgspec

from io_managers.store.action_cache import ActionRecord, Provenance
from io_managers.store.errors import CorruptObjectError, MissingObjectError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action
from io_managers.store.request_ledger import Attempt, Saving
from io_managers.store.store import Store
from resources.errors import DocumentError, StoppedError
from resources.llm import EndpointError, Usage
from seed_assets.budget import Budget
from seed_assets.computing import Computing, durable

# How often one process looks whether another has finished the same action: seldom enough to cost nothing beside it.
_WAIT_SECONDS = 0.1

Compute = Callable[[Sequence[Action]], Awaitable[Sequence[tuple[Any, str]]]]


_computing: ContextVar[Computing | None] = ContextVar("computing", default=None)


def charge(usage: Usage) -> None:
    """Whoever asks a paid service says so here; it is counted to the action that is being computed."""
    current = _computing.get()
    if current is not None:
        current.usage.add(usage)


class Reuse:
    """The actions of one run over one store. Not for several event loops."""

    def __init__(
        self,
        store: Store,
        *,
        anew: bool = False,
        retry_failed: bool = False,
        budget: Budget | None = None,
        stop_reason: Callable[[], str] = str,
    ) -> None:
        """anew: compute everything once more, whatever is in the store. retry_failed: forget remembered failures.

        stop_reason: why no request may be sent any more, "" while it may.
        """
        self._store = store
        self.budget = budget or Budget()
        self.stop_reason = stop_reason
        self._anew = anew
        self._since = time.time() if retry_failed or anew else 0.0
        self._done_here: set[str] = set()
        self._in_flight: dict[str, asyncio.Future[ActionRecord]] = {}
        self.usage = Usage()
        # By stage, what was paid for results and for failures, and what finished results had cost that were found.
        self.spent: dict[str, Usage] = {}
        self.latencies: dict[str, list[float]] = {}
        self._saved: dict[tuple[str, str], Usage] = {}
        self._found: dict[tuple[str, str], int] = {}
        self._noted: set[str] = set()

    def finished(self, keys: Iterable[str]) -> dict[str, ActionRecord]:
        """Those of the actions that need not be computed, by key, in one query."""
        return self._store.actions.lookup(self._done_here.intersection(keys) if self._anew else keys)

    def remembered(self, keys: Iterable[str]) -> dict[str, FailureRecord]:
        """Those of the actions that failed in a way that asking again cannot help, by key."""
        failed = self._store.failures.lookup(keys)
        return {
            key: failure
            for key, failure in failed.items()
            if not failure.transient and failure.failed_at >= self._since
        }

    async def records(self, actions: Sequence[Action], compute: Compute, *, partition: str = "") -> list[ActionRecord]:
        """The finished record of each action, in order; only those that nobody has finished are computed.

        `compute` gets the missing actions and gives a value and a preview for each; what it gives is committed before
        this returns. Its exception is raised here, for every caller who waits for one of the same actions; a
        DocumentError is remembered under the key of a single action, with `partition`.
        """
        found = self.finished({action.key for action in actions})
        outer = _computing.get()
        if outer is not None:
            self.note_found(outer.stage, found.values())
        wanted = {action.key: action for action in actions if action.key not in found}
        if wanted:
            with outer.waiting() if outer is not None else nullcontext():
                found |= await self._missing(wanted, compute, partition)
        return [found[action.key] for action in actions]

    async def _missing(self, wanted: Mapping[str, Action], compute: Compute, partition: str) -> dict[str, ActionRecord]:
        """The records of actions that are not finished, some of which others here may be computing already."""
        found: dict[str, ActionRecord] = {}
        waiting = {key: self._in_flight[key] for key in wanted if key in self._in_flight}
        own = [action for key, action in wanted.items() if key not in waiting]
        loop = asyncio.get_running_loop()
        for action in own:
            self._in_flight[action.key] = loop.create_future()
        try:
            for record in await self._finish(own, compute, partition):
                found[record.key] = record
                self._in_flight[record.key].set_result(record)
        except BaseException as error:
            for action in own:
                future = self._in_flight[action.key]
                if not future.done():
                    if isinstance(error, Exception):
                        future.set_exception(error)
                        future.exception()  # seen here, whether or not anybody else waits
                    else:
                        future.cancel()
            raise
        finally:
            for action in own:
                del self._in_flight[action.key]
        for key, future in waiting.items():
            found[key] = await future
        return found

    async def values(self, actions: Sequence[Action], compute: Compute, expected: Any = Any) -> list[Any]:
        """The value of each action, in order, opened and verified; see `records`. One that is damaged is computed again."""
        for again in (True, False):
            records = await self.records(actions, compute)
            try:
                return [self._store.load(record.content_digest, expected, record.type_name) for record in records]
            except (CorruptObjectError, MissingObjectError):
                # The store has forgotten its action.
                if not again:
                    raise
        raise AssertionError("the second time returns or raises")

    async def _finish(self, actions: Sequence[Action], compute: Compute, partition: str) -> list[ActionRecord]:
        """Compute under leases; what another process holds is waited for, or taken over when it gives up."""
        finished: list[ActionRecord] = []
        remaining = {action.key: action for action in actions}
        while remaining:
            taken = self._store.leases.take(list(remaining))
            try:
                # Somebody may have finished between the caller's look-up and the lease.
                done = self.finished(remaining)
                finished += done.values()
                for failure in self.remembered(remaining).values():
                    raise DocumentError(failure.reason, failure.remedy)
                todo = [remaining[key] for key in remaining if key in taken and key not in done]
                if todo:
                    finished += await self._compute(todo, compute, partition)
            finally:
                if taken:
                    self._store.leases.free(list(taken))
            for record in finished:
                remaining.pop(record.key, None)
            if remaining:
                if reason := self.stop_reason():
                    raise StoppedError(reason)
                await asyncio.sleep(_WAIT_SECONDS)
        return finished

    async def _compute(self, actions: Sequence[Action], compute: Compute, partition: str) -> list[ActionRecord]:
        outer = _computing.get()
        own = Computing(outer.stage if outer else actions[0].stage, actions[0].key)
        try:
            started = time.perf_counter()
            values = await self._computed(actions, compute, partition, own, outer)
            seconds = (time.perf_counter() - started) / len(actions)
            results = [
                (action, value, _provenance(own.usage if first else Usage(), seconds, preview))
                for first, action, (value, preview) in zip(
                    [True, *[False] * len(actions)], actions, values, strict=False
                )
            ]
            await durable(self._store.commit(results, replace=self._anew, attempts=own.answered), own.end)
        finally:
            own.end()
        self._done_here.update(action.key for action in actions)
        records = self._store.actions.lookup(action.key for action in actions)
        return [records[action.key] for action in actions]

    async def _computed(
        self,
        actions: Sequence[Action],
        compute: Compute,
        partition: str,
        own: Computing,
        outer: Computing | None,
    ) -> Sequence[tuple[Any, str]]:
        """What `compute` gives; what it pays and how it fails is accounted for."""
        token = _computing.set(own)
        try:
            values = await compute(actions)
            if len(values) != len(actions):
                raise ValueError(f"{actions[0].stage}: {len(actions)} actions gave {len(values)} results.")
            return values
        except BaseException as error:
            for attempt in own.answered:
                self._store.requests.record(attempt)
            if isinstance(error, DocumentError) and len(actions) == 1:
                key, stage = actions[0].key, actions[0].stage
                # Of an endpoint that answers nobody no document is to blame.
                whose = "" if isinstance(error, EndpointError) else partition
                failure = FailureRecord(key, stage, whose, error.reason, error.remedy, error.transient)
                self._store.failures.record([failure])
            raise
        finally:
            _computing.reset(token)
            if outer is None:
                self.usage.add(own.usage)
                self.spent.setdefault(own.stage, Usage()).add(own.usage)
            else:
                outer.usage.add(own.usage)

    @property
    def limited(self) -> bool:
        """Whether there is a budget."""
        return self.budget.limited

    @asynccontextmanager
    async def promise(self, usd: float | None) -> AsyncIterator[None]:
        """See Budget.promise."""
        current = _computing.get()
        with current.waiting() if current is not None else nullcontext():
            async with self.budget.promise(usd):
                yield

    def attempted(
        self, attempt: Attempt, *, reply: bytes = b"", usable: bool, give_back: Callable[[], None] = lambda: None
    ) -> None:
        """A paid request came to its end: it is charged to the action that is being computed, and kept account of.

        One that gave a usable answer is committed together with the result; of another the reply is kept as well.
        give_back: called when that commit has ended; at once where there will be none.
        """
        current = _computing.get()
        stage, action_key = (current.stage, current.action_key) if current else ("", "")
        attempt = msgspec.structs.replace(attempt, stage=stage, action_key=action_key)
        self.budget.spend(attempt.usd or 0.0)
        charge(
            Usage(
                1,
                attempt.input_tokens,
                attempt.output_tokens,
                attempt.usd or 0.0,
                unpriced=int(attempt.usd is None),
                model=attempt.model,
            )
        )
        if usable:
            self.latencies.setdefault(stage, []).append(attempt.seconds)
        if usable and current is not None:
            current.answered.append(attempt)
            current.keep(give_back)
            return
        give_back()
        if usable:
            self._store.requests.record(attempt)
        else:
            self._store.keep_failed(attempt, reply)

    def note_found(self, stage: str, records: Iterable[ActionRecord]) -> None:
        """These finished results were found: what was paid for them is saved, once a run."""
        for record in records:
            paid = record.provenance
            # A second pass comes across what the first has found or made.
            if paid.requests and record.key not in self._done_here and record.key not in self._noted:
                self._noted.add(record.key)
                name = (stage, paid.model)
                self._saved.setdefault(name, Usage()).add(paid_for(paid))
                self._found[name] = self._found.get(name, 0) + 1

    def keep_savings(self) -> None:
        """Put what was saved so far into the store's accounts."""
        self._store.requests.save(
            [
                Saving(*name, self._found[name], u.requests, u.input_tokens, u.output_tokens, u.usd, u.unpriced)
                for name, u in self._saved.items()
            ]
        )
        self._saved, self._found = {}, {}


def paid_for(provenance: Provenance) -> Usage:
    """What was paid for a result."""
    return Usage(
        provenance.requests,
        provenance.input_tokens,
        provenance.output_tokens,
        provenance.usd,
        provenance.unpriced,
        provenance.model,
    )


def _provenance(usage: Usage, seconds: float, preview: str) -> Provenance:
    return Provenance(
        round(seconds, 6),
        usage.requests,
        usage.input_tokens,
        usage.output_tokens,
        round(usage.usd, 9),
        preview,
        usage.unpriced,
        usage.model,
    )
