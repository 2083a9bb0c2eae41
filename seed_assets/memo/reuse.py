"""Find the result of an action or compute it: the one mechanism for stage results, single embeddings and model requests.

This module makes sure that an action is computed once, by whichever process comes first, and that its result is durable before
anybody sees it. Who pays for what an action asks is in cost_context; the sums of a run are in accounts.
"""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import partial
from typing import Any

from io_managers.store.action_cache import ActionRecord
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreUnavailableError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action
from io_managers.store.holders import Patience
from io_managers.store.store import Store
from resources.endpoints.llm import BatchedRequests, EndpointError
from resources.errors import DocumentError, StoppedError
from seed_assets.memo.accounts import provenance_of, shares_of
from seed_assets.memo.budget import Budget
from seed_assets.memo.cost_context import CostContext, Spending
from seed_assets.memo.durable import durable

# How often one process looks whether another has finished the same action: seldom enough to cost nothing beside it.
_WAIT_SECONDS = 0.1

Made = tuple[Any, str] | tuple[Any, str, Sequence[str]]
"""A value, its preview, and its warnings if there can be any."""
Compute = Callable[[Sequence[Action], "Reuse"], Awaitable[Sequence[Made]]]
"""(missing actions, the reuse in them) -> what was made for each. What it asks is paid by `reuse.costs`."""


class Reuse:
    """The actions of one run over one store, as they are found or computed inside of one action, or outside of any.

    costs: pays for what is asked there. Whatever computes an action is given the reuse inside of that action, and makes actions
    of its own through it. Not for several event loops.
    """

    def __init__(
        self,
        store: Store,
        *,
        no_cache: bool = False,
        retry_failed: bool = False,
        budget: Budget | None = None,
        stop_reason: Callable[[str], str] = lambda stage: "",
        asked_with: Set[str] | None = None,
        batched: BatchedRequests | None = None,
    ) -> None:
        """no_cache: compute everything once more, whatever is in the store. retry_failed: ignore recorded failures.

        stop_reason: why a stage may not send any more requests, "" while it may. asked_with: digests of the present settings
        of requests; a failure that was recorded under other settings is tried again. None: all recorded failures hold. batched:
        the requests that are in batches, or are to be added to one; without it every request is sent alone.
        """
        self._store = store
        self._spending = Spending(store, budget or Budget(), stop_reason, batched)
        self.costs = CostContext(self._spending)
        self.accounts = self._spending.accounts
        self._asked_with = asked_with
        self._no_cache = no_cache
        self._since = time.time() if retry_failed or no_cache else 0.0
        self._done_here: set[str] = set()
        self._in_flight: dict[str, asyncio.Future[ActionRecord]] = {}

    def inside(self, costs: CostContext) -> "Reuse":
        """The same run inside of an action, which pays."""
        inner = copy.copy(self)
        inner.costs = costs
        return inner

    def unwritable(self) -> StoreUnavailableError | None:
        """Why nothing may be begun or sent any more: the disk did not take a commit, here or in another process."""
        return self._spending.unwritable()

    def note_found(self, stage: str, records: Mapping[str, ActionRecord]) -> None:
        """Count what these results had cost as saved, except for those that this run has made itself. records: by unit."""
        self.accounts.note_found(stage, {unit: record.provenance for unit, record in records.items()})

    def finished(self, keys: Iterable[str]) -> dict[str, ActionRecord]:
        """The actions that need not be computed, by key, in one query."""
        found = self._store.actions.lookup(self._done_here.intersection(keys) if self._no_cache else keys)
        for key in (noted := self._store.actions.note_use(found)):
            del found[key]
        return found | self._store.actions.lookup(noted) if noted else found

    def remembered(self, keys: Iterable[str]) -> dict[str, FailureRecord]:
        """The recorded failures of actions that another attempt cannot cure, by key."""
        failed = self._store.failures.lookup(keys)
        return {
            key: failure
            for key, failure in failed.items()
            if failure.holds(self._asked_with) and failure.failed_at >= self._since
        }

    async def records(self, actions: Sequence[Action], compute: Compute, *, partition: str = "") -> list[ActionRecord]:
        """The finished record of each action, in order. Only actions that nobody has finished are computed.

        What `compute` gives is committed before this returns. Its exception is raised here, for every caller who waits for one
        of the same actions. The DocumentError of a single action is recorded under its key, with `partition`.
        """
        found = self.finished({action.key for action in actions})
        self.costs.note_found(found.values())
        wanted = {action.key: action for action in actions if action.key not in found}
        if wanted:
            with self.costs.waiting():
                found |= await self._missing(wanted, compute, partition)
        return [found[action.key] for action in actions]

    async def _missing(self, wanted: Mapping[str, Action], compute: Compute, partition: str) -> dict[str, ActionRecord]:
        """The records of actions that are not finished. Other tasks of this run may be computing some of them already."""
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
                        future.exception()  # retrieved, even if nobody else waits for it
                    else:
                        future.cancel()
            raise
        finally:
            for action in own:
                del self._in_flight[action.key]
        for key, future in waiting.items():
            found[key] = await future
            self.costs.note_found([found[key]])
        return found

    def day_of(self, action: Action) -> str:
        """The day on which a finished action was committed, in UTC, as 2026-01-31; "" if it is not in the store."""
        made_at = self._store.actions.made_at(action.key)
        return "" if made_at is None else datetime.fromtimestamp(made_at, UTC).date().isoformat()

    async def values(self, actions: Sequence[Action], compute: Compute, expected: Any = Any) -> list[Any]:
        """The value of each action, in order, opened and verified; see `records`. Damaged values are computed again."""
        for again in (True, False):
            records = await self.records(actions, compute)
            self._store.content.fetch(record.content_digest for record in records)
            values: list[Any] = []
            damage: Exception | None = None
            for record in records:
                try:
                    values.append(self._store.load(record.content_digest, expected, record.type_name))
                except (CorruptObjectError, MissingObjectError) as error:
                    # The store has deleted the action of the damaged value. All are opened, so that all are found at once.
                    damage = error
            if damage is None:
                return values
            if not again:
                raise damage
        raise AssertionError("the second time returns or raises")

    async def _finish(self, actions: Sequence[Action], compute: Compute, partition: str) -> list[ActionRecord]:
        """Compute under leases. An action that another process holds is waited for, or taken over if that one gives up."""
        finished: list[ActionRecord] = []
        remaining = {action.key: action for action in actions}
        patience = Patience()
        while remaining:
            taken = self._store.leases.take(list(remaining))
            try:
                # Another process may have finished one between the caller's look-up and the lease.
                done = self.finished(remaining)
                finished += done.values()
                self.costs.note_found(done.values())
                for failure in self.remembered(remaining).values():
                    raise DocumentError(failure.reason, failure.remedy, settings=failure.settings)
                todo = [remaining[key] for key in remaining if key in taken and key not in done]
                if todo:
                    finished += await self._compute(todo, compute, partition)
            finally:
                if taken:
                    self._store.leases.free(list(taken))
            for record in finished:
                remaining.pop(record.key, None)
            if remaining:
                if reason := self.costs.stop_reason():
                    raise StoppedError(reason)
                key, action = next(iter(remaining.items()))
                patience.look(f"a result of {action.stage}", partial(self._store.leases.holder, key))
                await asyncio.sleep(_WAIT_SECONDS)
        return finished

    async def _compute(self, actions: Sequence[Action], compute: Compute, partition: str) -> list[ActionRecord]:
        costs = self.costs.inner(actions[0].stage, actions[0].key, partition)
        try:
            started = time.perf_counter()
            values = await self._computed(actions, compute, partition, costs)
            seconds = (time.perf_counter() - started) / len(actions)
            shares, reused = shares_of(costs.usage, len(actions)), shares_of(costs.reused, len(actions))
            results = [
                (
                    action,
                    made[0],
                    provenance_of(usage, seconds, made[1], made[2] if len(made) == 3 else (), found, costs.latencies),
                )
                for action, usage, found, made in zip(actions, shares, reused, values, strict=True)
            ]
            origins = [*costs.owners, *((actions[0].key, key) for key in costs.found)]
            origins += [(costs.owners[-1][0], action.key) for action in actions[1:] if costs.owners]
            committed = self._store.commit(results, replace=self._no_cache, attempts=costs.answered, origins=origins)
            await durable(committed, costs.end)
        finally:
            costs.end()
        self._done_here.update(action.key for action in actions)
        keys = [action.key for action in actions]
        records = self._store.actions.lookup(keys)
        if records.keys() != set(keys):
            # The index of the store is damaged: it does not lead from these keys to their rows.
            self._store.actions.rebuild_index()
            await durable(self._store.commit(results, replace=True), costs.end)
            records = self._store.actions.lookup(keys)
        return [records[key] for key in keys]

    async def _computed(
        self, actions: Sequence[Action], compute: Compute, partition: str, costs: CostContext
    ) -> Sequence[Made]:
        """What `compute` gives; a failure is recorded, and the cost is settled in either case."""
        try:
            values = await compute(actions, self.inside(costs))
            if len(values) != len(actions):
                raise ValueError(f"{actions[0].stage}: {len(actions)} actions gave {len(values)} results.")
            return values
        except BaseException as error:
            costs.record_answers()
            if isinstance(error, DocumentError) and len(actions) == 1:
                # If an endpoint answers nobody, no document is to blame.
                document = "" if isinstance(error, EndpointError) else partition
                failure = FailureRecord(
                    actions[0].key,
                    actions[0].stage,
                    document,
                    error.reason,
                    error.remedy,
                    error.transient,
                    settings=error.settings,
                )
                self.accounts.note_failure(failure, error)
                self._store.note_origins(costs.owners)
            raise
        finally:
            self.costs.settle(costs)
