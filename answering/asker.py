"""Answering a question: from the passages that search finds, by the answerer of the settings, each step once.

What belongs here: the order of the steps, and when a kept answer holds. What does not: the actions (steps), finding passages
(retrieving), writing an answer (sentence_answers, model_answers), and which questions were asked (asked).

These steps are actions in the store: a follow-up question that a model puts so that it stands alone; the vector of a question, if
a server makes it; the passages found for a question, keyed by the rows of the tables and not by LanceDB's version; and the
answer, keyed by the question, the passages and the answerer. So an edited document changes the answers that were made from it,
and no others.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import msgspec

from answering.answers import CacheUse, Event, Passage, Question, Reply
from answering.asked import Asked, question_key
from answering.drafts import Answerer, Draft, cited_in, resolved
from answering.finding import Finder, Snapshot
from answering.follow_ups import FollowUps
from answering.passages import POOL, Choice, choose, digest_of, lacks_cited, with_cited
from answering.retrieving import Found, Retriever
from answering.steps import Bill, Steps
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.fingerprint import Action
from io_managers.store.store import Store
from resources.errors import ConfigurationError
from retrieval.filters import NO_FILTERS, FilterError, Filters
from retrieval.search import LONGEST_QUERY_CHARACTERS
from seed_assets.engine.runner import Asking
from seed_assets.memo.reuse import Reuse

# So many replies are kept in memory; each has some ten thousand characters (a judgement).
_REMEMBERED = 1_000
# What was saved is written at most so often, since a kept answer takes a hundredth of the time of a write (a judgement).
_SAVINGS_SECONDS = 10.0
MOST_PASSAGES = 20
"""An answer is made from at most so many passages; more would hide the few that count (a judgement)."""

T = TypeVar("T")


class QuestionError(ConfigurationError):
    """A question cannot be asked as it is."""


class Asker:
    """Answers questions over one home; `open_asker` makes it. Not for several event loops at once."""

    def __init__(
        self,
        store: Store,
        finder: Finder,
        answerer: Answerer,
        asked: Asked,
        reuse: Callable[[bool], Reuse],
        *,
        passages: int,
        follow_ups: FollowUps | None = None,
    ) -> None:
        """reuse: makes the reuse of requests; its argument says whether to ignore what is in the store. passages: the most that
        an answer is made from, if the question does not say. follow_ups: makes follow-up questions stand alone; without it, they
        are looked for with the words of the question before."""
        self.sessions = asked
        self._answerer = answerer
        self._new_reuse = reuse
        self._limit = passages
        self._reuse = reuse(False)
        identity = None if follow_ups is None else follow_ups.identity
        self._steps = Steps(store, finder.identity, answerer.identity, identity)
        self._retriever = Retriever(
            store, finder, follow_ups, self._steps, self._reuse, asking_again=lambda: reuse(True)
        )
        self._remembered: OrderedDict[tuple[str, str], tuple[Reply, Bill]] = OrderedDict()
        self._savings_kept = time.monotonic()
        self._going_on: set[asyncio.Task[Any]] = set()

    async def ask(self, question: Question, *, use_cache: bool = True, refresh: bool = False) -> Reply:
        """Answer a question.

        use_cache: whether passages and answers that are kept may be used; requests to a model that were answered are reused in
        either case. refresh: ask the model once more as well, and keep the new answer in place of the old one.

        Raises ConfigurationError for a question that cannot be asked and if nothing is seeded, DocumentError if a model failed,
        StoppedError if a budget forbids it, and StoreError.
        """
        async for event in self.stream(question, use_cache=use_cache, refresh=refresh):
            if event.reply is not None:
                return event.reply
        raise AssertionError("the last event has the reply")

    async def stream(
        self, question: Question, *, use_cache: bool = True, refresh: bool = False
    ) -> AsyncIterator[Event]:
        """Answer a question step by step: its passages, each sentence as soon as it is checked, and the whole reply.

        If nobody listens any more, the answer is finished and kept, since a request that was sent is paid for.
        """
        question = self._checked(question)
        kept = self.peek(question) if use_cache and not refresh else None
        if kept is not None:
            yield Event("passages", passages=kept.passages)
        else:
            started, bill = time.perf_counter(), Bill()
            chosen = await self._to_its_end(self._choose(question, bill, use_cache=use_cache, refresh=refresh))
            yield Event("passages", passages=tuple(chosen.passages.values()))
            kept = await self._to_its_end(self._answer(question, chosen, bill, use_cache=use_cache, refresh=refresh))
            kept = msgspec.structs.replace(kept, seconds=round(time.perf_counter() - started, 6))
        for sentence in kept.answer.sentences:
            yield Event("sentence", sentence=sentence)
        yield Event("reply", reply=kept)

    async def search(
        self, query: str, limit: int = 10, filters: Filters = NO_FILTERS
    ) -> tuple[list[Passage], CacheUse]:
        """Find the passages for a query; they are kept like those of a question. Raises what `ask` raises."""
        question, bill = self._checked(Question(query, filters=filters)), Bill()
        if limit > POOL:
            return list((await self._retriever.find_many(question, limit)).passages), CacheUse(embed_misses=1)
        found = await self._retriever.find(question, bill)
        self._settle(bill)
        return list(found.retrieved.passages[:limit]), found.cache

    def peek(self, question: Question) -> Reply | None:
        """Return the kept reply to a question if nothing has to be computed for it; it takes less than a millisecond.

        Raises what `ask` raises.
        """
        started = time.perf_counter()
        question = self._checked(question)
        snapshot = self._retriever.snapshot_at_once(question.filters)
        if snapshot is None or not snapshot.rows:
            return None
        key = question_key(question)
        kept = self._remembered.get((key, snapshot.rows)) or self._kept(question, key, snapshot)
        if kept is None:
            return None
        self._remember(key, snapshot, *kept)
        reply, bill = kept
        self.sessions.count(key)
        self._settle(bill)
        return msgspec.structs.replace(reply, seconds=round(time.perf_counter() - started, 6))

    def uses_of(self, document: str) -> list[Question]:
        """Return the questions whose kept answers were made from passages of a document."""
        return self.sessions.uses_of(document)

    def forget(self) -> None:
        """Forget replies in memory, and which passages answers were made from, as after a purge of the store."""
        self._remembered.clear()
        self.sessions.forget()

    async def aclose(self) -> None:
        """Wait for answers that nobody listens to any more, close the connections to a model, and write what is left to write."""
        if self._going_on:
            await asyncio.wait(self._going_on)
        if isinstance(self._answerer, Asking):
            await self._answerer.endpoint.aclose()
        await self._retriever.aclose()
        self.close()

    def close(self) -> None:
        """Write what is not written yet."""
        self._keep_savings()
        self.sessions.close()

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for work that goes on if the waiting is cancelled."""
        task = asyncio.ensure_future(work)
        self._going_on.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._going_on.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, even if nobody listens any more

    def _kept(self, question: Question, key: str, snapshot: Snapshot) -> tuple[Reply, Bill] | None:
        """Return the reply from the store, and what it is made of, or None if a step of it is missing there."""
        bill = Bill()
        found = self._retriever.kept(question, snapshot, bill)
        if found is None:
            return None
        before = self.sessions.choice(key)
        if before is not None and lacks_cited(found.retrieved, before):
            narrow = self._among_used(question, key)
            rows = self._retriever.snapshot_at_once(narrow.filters)
            more = None if rows is None else self._retriever.kept(narrow, rows, bill)
            if more is None:
                return None
            found = found._replace(retrieved=with_cited(found.retrieved, more.retrieved, before))
        choice = choose(found.retrieved, question.limit, before)
        draft = self._steps.kept_answer(self._steps.answer(question, choice), bill) if choice.chosen else None
        if draft is None:
            return None
        return self._reply(question, draft, _Chosen(choice, found), hit=True), bill

    async def _choose(self, question: Question, bill: Bill, *, use_cache: bool, refresh: bool) -> "_Chosen":
        """The passages that an answer is to be made from."""
        use_kept = use_cache and not refresh
        found = await self._retriever.find(question, bill, use_cache=use_kept, refresh=refresh)
        key = question_key(question)
        before = self.sessions.choice(key) if use_kept else None
        if before is not None and lacks_cited(found.retrieved, before):
            with suppress(FilterError):  # a document is gone
                more = await self._retriever.find(self._among_used(question, key), bill)
                found = found._replace(retrieved=with_cited(found.retrieved, more.retrieved, before))
        held = _Chosen(choose(found.retrieved, question.limit, before), found)
        if (
            len(held.passages) < len(held.choice.chosen)
            and self._steps.record(self._steps.answer(question, held.choice)) is None
        ):
            # The answer is not kept, and a passage that it did not cite is gone, so it cannot be given from the same ones.
            return held._replace(choice=choose(found.retrieved, question.limit, None))
        return held

    def _among_used(self, question: Question, key: str) -> Question:
        """The question, asked of the documents that its last answer was made from: others may have taken their places."""
        filters = replace(question.filters, documents=self.sessions.documents(key))
        return msgspec.structs.replace(question, filters=filters)

    async def _answer(
        self, question: Question, chosen: "_Chosen", bill: Bill, *, use_cache: bool, refresh: bool
    ) -> Reply:
        key = question_key(question)
        self.sessions.count(key)
        choice, passages = chosen.choice, chosen.passages
        draft, hit = Draft((), ""), False
        if choice.chosen:
            action = self._steps.answer(question, choice)
            kept = self._steps.kept_answer(action, bill) if use_cache and not refresh else None
            hit = kept is not None
            draft = kept or await self._draft(question, action, passages, bill, use_cache=use_cache, refresh=refresh)
        choice = msgspec.structs.replace(choice, cited=tuple(choice.chosen[number] for number in cited_in(draft)))
        if chosen.found.snapshot.rows and choice != self.sessions.choice(key):
            documents = {passage.document for passage in passages.values()}
            with suppress(StoreUnavailableError):  # then the best passages are chosen the next time
                self.sessions.choose(key, question, choice, documents)
        self._settle(bill)
        usage = bill.paid
        return msgspec.structs.replace(
            self._reply(question, draft, chosen, hit=hit),
            usd=None if usage.unpriced else round(usage.usd, 6),
            requests=usage.requests,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
        )

    async def _draft(
        self,
        question: Question,
        action: Action,
        passages: Mapping[str, Passage],
        bill: Bill,
        *,
        use_cache: bool,
        refresh: bool,
    ) -> Draft:
        """The answer that is not kept yet, or that is to be made once more."""
        computed = False
        once_more = refresh or not use_cache

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            nonlocal computed
            computed = True
            inner = self._reuse.inside(own.costs) if once_more and not refresh else own
            try:
                return [(await self._answerer.draft(question, list(passages.values()), inner), "")]
            finally:
                bill.paid.add(own.costs.usage)

        reuse = self._new_reuse(True) if once_more else self._reuse
        (draft,) = await reuse.values([action], compute, Draft)
        if once_more:
            reuse.accounts.keep_savings()
        if not computed:  # another one who asked the same has paid for it meanwhile
            self._steps.kept_answer(action, bill)
        return draft

    def _settle(self, bill: Bill) -> None:
        """Count what was found as saved."""
        bill.count_saved(self._reuse.accounts)
        if time.monotonic() - self._savings_kept > _SAVINGS_SECONDS:
            self._keep_savings()

    def _keep_savings(self) -> None:
        self._savings_kept = time.monotonic()
        with suppress(StoreUnavailableError):
            self._reuse.accounts.keep_savings()

    def _reply(self, question: Question, draft: Draft, chosen: "_Chosen", *, hit: bool) -> Reply:
        choice, found, passages = chosen.choice, chosen.found, chosen.passages
        numbered = {number: passages[digest] for number, digest in enumerate(choice.chosen) if digest in passages}
        return Reply(
            question,
            resolved(draft, numbered, choice.probability),
            tuple(numbered.values()),
            msgspec.structs.replace(found.cache, answer_hit=hit),
            index_behind=not found.snapshot.rows,
            sought="" if found.words == question.text else found.words,
        )

    def _checked(self, question: Question) -> Question:
        """Return the question as it is asked. Raises ConfigurationError."""
        # Lone surrogates come from a command line that is not UTF-8.
        text = " ".join(question.text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").split())
        if not text:
            raise QuestionError("The question is empty. Enter a question or some words.")
        if len(text) > LONGEST_QUERY_CHARACTERS:
            raise QuestionError(
                f"The question has {len(text):,} characters, and {LONGEST_QUERY_CHARACTERS:,} are allowed. Ask a shorter one."
            )
        limit = question.limit or self._limit
        if not 1 <= limit <= MOST_PASSAGES:
            raise QuestionError(f"An answer is made from 1 to {MOST_PASSAGES} passages, not from {limit}.")
        return msgspec.structs.replace(question, text=text, limit=limit, filters=question.filters.tidy)

    def _remember(self, key: str, snapshot: Snapshot, reply: Reply, bill: Bill) -> None:
        self._remembered[key, snapshot.rows] = reply, bill
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)


class _Chosen(NamedTuple):
    """The passages that an answer is made from, among those that were found."""

    choice: Choice
    found: Found

    @property
    def passages(self) -> dict[str, Passage]:
        """The passages of the choice by digest, in its order, where they are now; one that is not found any more is left out."""
        by_digest = {digest_of(passage): passage for passage in self.found.retrieved.passages}
        return {digest: by_digest[digest] for digest in self.choice.chosen if digest in by_digest}
