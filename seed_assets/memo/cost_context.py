"""Who pays for a request: the action in which it is asked, and the stage that this action is a part of.

A cost context is made for each action that is computed, and handed down to whatever asks a model. It asks the budget before a
request is sent, records the cost after, and holds what was paid until the result is durable. Computing and committing the
action is in reuse, and the sums of a run are in accounts.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec

from io_managers.store.action_cache import ActionRecord
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.request_ledger import Attempt
from io_managers.store.store import Store
from resources.endpoints.llm import BatchedRequests, Usage
from seed_assets.memo.accounts import Accounts, usage_of
from seed_assets.memo.budget import Budget


class Spending:
    """What one run may spend, and where that is recorded; all its cost contexts share it.

    stop_reason: why a stage may not send any more requests, "" while it may. batched: its requests that are in batches.
    """

    def __init__(
        self,
        store: Store,
        budget: Budget,
        stop_reason: Callable[[str], str],
        batched: BatchedRequests | None = None,
    ) -> None:
        self.store = store
        self.budget = budget
        self.accounts = Accounts(store)
        self.stop_reason = stop_reason
        self.batched = batched
        self._refusals = store.database.refusals
        self._prepared = False

    def unwritable(self) -> StoreUnavailableError | None:
        """Why no answer could be kept any more: the disk did not take a commit, here or in another process."""
        return self.store.refusal(self._refusals)

    def prepare(self) -> None:
        """See that an answer can be kept. Raises StoreUnavailableError."""
        if not self._prepared:
            self.store.prepare_to_pay()
            self._prepared = True
        if (error := self.unwritable()) is not None:
            raise error


class CostContext:
    """Checks the budget for the requests of one action and records their cost.

    It implements resources.endpoints.llm.RequestCosts.

    stage: which the costs are charged to: that of the outermost action. outer_key: of that action. action_key: of the action
    itself; all are "" outside of any action. usage: what was paid so far, inner actions included. answered: requests that the
    result is made of. reused: what actions had cost that were found inside, inner actions included. owners: what this action is
    made for, and what that is made for, see ActionCache.put_origins. unit: what it is for in the end, such as a document. found:
    the keys of actions that were found inside. latencies: the seconds of all usable answers, those of inner actions included.

    The context keeps the place of the last answer among the requests in flight until the result is durable, so that no more
    answers are under way than can be lost. While it waits, it keeps none: what it waits for may need that very place.
    """

    def __init__(
        self,
        spending: Spending,
        stage: str = "",
        action_key: str = "",
        owners: tuple[tuple[str, str], ...] = (),
        outer_key: str = "",
    ) -> None:
        self.stage = stage
        self.action_key = action_key
        self.outer_key = outer_key
        self.owners = owners
        self.unit = owners[0][0] if owners else ""
        self.found: set[str] = set()
        self.usage = Usage()
        self.answered: list[Attempt] = []
        self.reused = Usage()
        self.latencies: list[float] = []
        self._spending = spending
        self._waits = 0
        self._kept: Callable[[], None] | None = None
        self._ended = False

    @property
    def of_action(self) -> bool:
        """Whether an action pays; otherwise nothing is charged to any stage."""
        return bool(self.action_key)

    def inner(self, stage: str, action_key: str, partition: str = "") -> "CostContext":
        """The context of an action that is computed for this one. stage: of that action. partition: which it is made for."""
        owner = self.action_key or partition
        owners = (*self.owners, (owner, action_key)) if owner else self.owners
        return CostContext(self._spending, self.stage or stage, action_key, owners, self.outer_key or action_key)

    def settle(self, inner: "CostContext") -> None:
        """Take over what an inner action has paid."""
        if self.of_action:
            self.usage.add(inner.usage)
            self.reused.add(inner.reused)
            self.latencies += inner.latencies
        else:
            self._spending.accounts.charge(inner.stage, inner.usage)

    def note_found(self, records: Iterable[ActionRecord]) -> None:
        """Count what these actions had cost as saved by the action of this context, if there is one."""
        if self.of_action:
            accounts = self._spending.accounts
            for record in records:
                self.found.add(record.key)
                self.reused.add(accounts.note_inside(self.stage, self.action_key, record.key, record.provenance))

    @property
    def batched(self) -> BatchedRequests | None:
        """See RequestCosts."""
        return self._spending.batched

    def promise(self, usd: float) -> None:
        """See RequestCosts."""
        self._spending.budget.spend(usd)

    @property
    def limited(self) -> bool:
        """Whether there is a budget."""
        return self._spending.budget.limited

    def stop_reason(self) -> str:
        """Why no request may be sent any more; "" while it may."""
        error = self._spending.unwritable()
        return error.reason if error is not None else self._spending.stop_reason(self.stage)

    @asynccontextmanager
    async def reserve(self, usd: float | None) -> AsyncIterator[None]:
        """See Budget.reserve. Raises StoreUnavailableError if an answer could not be kept."""
        self._spending.prepare()
        with self.waiting():
            async with self._spending.budget.reserve(usd):
                yield

    def attempted(
        self,
        attempt: Attempt,
        *,
        reply: bytes = b"",
        usable: bool,
        give_back: Callable[[], None] = lambda: None,
        promised: bool = False,
    ) -> None:
        """Charge a request that ended, and record it: a usable answer with the result, another at once with its reply.

        give_back: called when the record is durable, or at once if it is not committed with a result. promised: see RequestCosts.
        """
        spending = self._spending
        attempt = msgspec.structs.replace(attempt, stage=self.stage, action_key=self.action_key)
        usage = usage_of(attempt)
        if promised:
            spending.accounts.promised_usd += usage.usd
        else:
            spending.budget.spend(usage.usd)
        self.charge(usage)
        if usable and not promised:
            self.latencies.append(attempt.seconds)
        if usable and self.of_action:
            self.answered.append(attempt)
            self._keep(give_back)
            return
        give_back()
        if usable:
            spending.store.requests.record(attempt)
        else:
            spending.store.keep_failed(attempt, reply, self.owners)

    def charge(self, usage: Usage) -> None:
        """Count a cost to this action."""
        self.usage.add(usage)

    def record_answers(self) -> None:
        """Record the answers of an action that failed, since no result will be committed with them."""
        for attempt in self.answered:
            self._spending.store.requests.record(attempt)

    @property
    def waits(self) -> bool:
        """Whether the action waits for a request or for other actions now."""
        return self._waits > 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside, the action waits for a request or for other actions."""
        self._let_go()
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1

    def end(self) -> None:
        """The result is durable, or there is none."""
        self._ended = True
        self._let_go()

    def _keep(self, give_back: Callable[[], None]) -> None:
        if self._waits or self._ended:
            give_back()
        else:
            self._let_go()
            self._kept = give_back

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept()
