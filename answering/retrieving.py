"""Finding the passages for a question, each step once: what has to be looked for, and what is found for it.

What belongs here: when what was found may be kept. What does not: finding (finding), and which of the passages an answer is made
from (passages, asker).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from answering.answers import CacheUse, Question
from answering.finding import Finder, Snapshot
from answering.follow_ups import FollowUps
from answering.passages import Retrieved
from answering.steps import RETRIEVAL, Bill, Steps
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.fingerprint import Action
from io_managers.store.store import Store
from retrieval.filters import Filters
from seed_assets.engine.runner import Asking
from seed_assets.memo.accounts import provenance_of
from seed_assets.memo.durable import durable
from seed_assets.memo.reuse import Reuse


class Found(NamedTuple):
    """What was found for a question. words: what was looked for. snapshot: the rows that were read."""

    words: str
    retrieved: Retrieved
    snapshot: Snapshot
    cache: CacheUse


class Retriever:
    """Finds passages, and keeps what it finds. Not for several event loops at once."""

    def __init__(
        self,
        store: Store,
        finder: Finder,
        follow_ups: FollowUps | None,
        steps: Steps,
        reuse: Reuse,
        asking_again: Callable[[], Reuse],
    ) -> None:
        """follow_ups: makes follow-up questions stand alone, if a model does. asking_again: makes a reuse that ignores what is
        in the store."""
        self._store = store
        self._finder = finder
        self._follow_ups = follow_ups
        self._steps = steps
        self._reuse = reuse
        self._asking_again = asking_again

    def snapshot_at_once(self, filters: Filters) -> Snapshot | None:
        """Return which rows are searched now; None if that takes longer than microseconds."""
        return self._finder.snapshot(filters) if self._finder.is_ready(filters) else None

    def kept(self, question: Question, snapshot: Snapshot, bill: Bill) -> Found | None:
        """Return what was found for a question in these rows before, if it is kept."""
        words = self._steps.kept_words(question, bill)
        if words is None:
            return None
        found = self._steps.kept_passages(self._steps.retrieval(words, snapshot.rows), bill)
        return found and Found(words, found, snapshot, CacheUse(retrieval_hit=True, embed_hits=1))

    async def find(self, question: Question, bill: Bill, *, use_cache: bool = True, refresh: bool = False) -> Found:
        """Find the passages. use_cache: whether kept passages may be used, and kept. refresh: ask models once more."""
        words = await self._words(question, bill, refresh=refresh)
        snapshot = await self._snapshot(question.filters)
        action = self._steps.retrieval(words, snapshot.rows)
        keeps = bool(snapshot.rows) and use_cache
        kept = self._steps.kept_passages(action, bill) if keeps else None
        if kept is not None:
            return Found(words, kept, snapshot, CacheUse(retrieval_hit=True, embed_hits=1))
        vector_kept = self._finder.vector_is_kept(words)
        started, costs = time.perf_counter(), self._reuse.costs.inner(RETRIEVAL, action.key)
        try:
            found = await self._finder.find(words, self._reuse.inside(costs), filters=question.filters)
            if await self._snapshot(question.filters) != snapshot:  # rows were written meanwhile
                snapshot = Snapshot("")
            elif keeps:
                made = provenance_of(costs.usage, time.perf_counter() - started, "", reused=costs.reused)
                with suppress(StoreUnavailableError):  # then it is found once more the next time
                    await durable(self._store.commit([(action, found, made)]), costs.end)
        finally:
            costs.end()
            self._reuse.costs.settle(costs)
            bill.paid.add(costs.usage)
        return Found(words, found, snapshot, CacheUse(embed_hits=int(vector_kept), embed_misses=int(not vector_kept)))

    async def find_many(self, question: Question, count: int) -> Retrieved:
        """Find more passages than are kept."""
        return await self._finder.find(question.text, self._reuse, count, question.filters)

    async def aclose(self) -> None:
        """Close the connections to servers."""
        if isinstance(self._follow_ups, Asking):
            await self._follow_ups.endpoint.aclose()
        await self._finder.aclose()

    async def _words(self, question: Question, bill: Bill, *, refresh: bool) -> str:
        """Return what has to be looked for. A model is asked for it once."""
        once_more = refresh and bool(question.turns) and self._follow_ups is not None
        kept = None if once_more else self._steps.kept_words(question, bill)
        if kept is not None:
            return kept
        follow_ups = self._follow_ups
        assert follow_ups is not None

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            try:
                return [(await follow_ups.standalone(question, own), "")]
            finally:
                bill.paid.add(own.costs.usage)

        reuse = self._asking_again() if once_more else self._reuse
        (words,) = await reuse.values([self._steps.standalone(question)], compute, str)
        return words

    async def _snapshot(self, filters: Filters) -> Snapshot:
        return self.snapshot_at_once(filters) or await asyncio.to_thread(self._finder.snapshot, filters)
