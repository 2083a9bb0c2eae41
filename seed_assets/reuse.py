"""Compute or reuse, commit at once: the one mechanism for stage results, single embeddings and single model requests.

What belongs here: making sure that an action is computed once, by whichever process comes first, and that its result is
durable before anybody sees it. What does not: what an action does, and refs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import msgspec

from io_managers.store.action_cache import ActionRecord, Provenance
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action
from io_managers.store.store import Store
from resources.errors import DocumentError

# How often one process looks whether another has finished the same action: seldom enough to cost nothing beside it.
_WAIT_SECONDS = 0.1

Compute = Callable[[Sequence[Action]], Awaitable[Sequence[tuple[Any, str]]]]


@dataclass(slots=True)
class Usage:
    """What was paid while something was computed."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0

    @property
    def tokens(self) -> int:
        """Of what was asked and of what was answered."""
        return self.input_tokens + self.output_tokens

    def add(self, other: "Usage") -> None:
        """Count another one in."""
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.usd += other.usd


_paying: ContextVar[Usage | None] = ContextVar("paying", default=None)


def charge(usage: Usage) -> None:
    """Whoever asks a paid service says so here; it is counted to the action that is being computed."""
    current = _paying.get()
    if current is not None:
        current.add(usage)


class Reuse:
    """The actions of one run over one store. Not for several event loops."""

    def __init__(self, store: Store, *, anew: bool = False, retry_failed: bool = False) -> None:
        """anew: compute everything once more, whatever is in the store. retry_failed: forget remembered failures."""
        self._store = store
        self._anew = anew
        self._since = time.time() if retry_failed or anew else 0.0
        self._done_here: set[str] = set()
        self._in_flight: dict[str, asyncio.Future[ActionRecord]] = {}
        self.usage = Usage()
        # By stage, what was paid for results and for failures.
        self.spent: dict[str, Usage] = {}

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
        wanted = {action.key: action for action in actions if action.key not in found}
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
        return [found[action.key] for action in actions]

    async def values(self, actions: Sequence[Action], compute: Compute, expected: Any = Any) -> list[Any]:
        """The value of each action, in order, opened and verified; see `records`."""
        records = await self.records(actions, compute)
        return [self._store.load(record.content_digest, expected, record.type_name) for record in records]

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
                await asyncio.sleep(_WAIT_SECONDS)
        return finished

    async def _compute(self, actions: Sequence[Action], compute: Compute, partition: str) -> list[ActionRecord]:
        started = time.perf_counter()
        usage = Usage()
        outer = _paying.get()
        token = _paying.set(usage)
        try:
            values = await compute(actions)
        except DocumentError as error:
            if len(actions) == 1:
                self._store.failures.record(
                    [
                        FailureRecord(
                            actions[0].key, actions[0].stage, partition, error.reason, error.remedy, error.transient
                        )
                    ]
                )
            raise
        finally:
            _paying.reset(token)
            if outer is None:
                self.usage.add(usage)
                self.spent.setdefault(actions[0].stage, Usage()).add(usage)
            else:
                outer.add(usage)
        if len(values) != len(actions):
            raise ValueError(f"{actions[0].stage}: {len(actions)} actions gave {len(values)} results.")
        seconds = (time.perf_counter() - started) / len(actions)
        paid = Provenance(
            round(seconds, 6), usage.requests, usage.input_tokens, usage.output_tokens, round(usage.usd, 9)
        )
        results = [
            (action, value, msgspec.structs.replace(paid, preview=preview))
            for action, (value, preview) in zip(actions, values, strict=True)
        ]
        # A commit is short; a cancellation must not lose what is computed.
        await asyncio.shield(asyncio.wrap_future(self._store.commit(results, replace=self._anew)))
        self._done_here.update(action.key for action in actions)
        records = self._store.actions.lookup(action.key for action in actions)
        return [records[action.key] for action in actions]
