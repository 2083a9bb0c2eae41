"""Answering a question: from the passages that search finds, by the answerer of the settings, each step once.

What belongs here: what is kept of each step, and when it holds. What does not: finding passages (retrieval), writing an answer
(sentence_answers, model_answers), and which questions were asked (asked).

Three steps are actions in the store: the vector of a question, if a server makes it; the passages found for a question, keyed by
the rows of the tables and not by LanceDB's version; and the answer, keyed by the question, the passages and the answerer. So an
edited document changes the answers that were made from it, and no others.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import msgspec

from answering.answers import CacheUse, Event, Passage, Question, Reply
from answering.asked import Asked, question_key
from answering.drafts import Answerer, Draft, cited_in, resolved
from answering.finding import Finder, Snapshot
from answering.follow_ups import sought
from answering.passages import POOL, Choice, Retrieved, choose, digest_of
from io_managers.store.action_cache import ActionRecord, Provenance
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreUnavailableError
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.store import Store
from resources.endpoints.llm import Usage
from resources.errors import ConfigurationError
from retrieval.search import LONGEST_QUERY_CHARACTERS
from seed_assets.engine.runner import Asking
from seed_assets.memo.durable import durable
from seed_assets.memo.reuse import Reuse

RETRIEVAL, ANSWER = "retrieval", "answer"
# Raise it if an answer is made from other passages for the same question, or looked up in another way.
_VERSION = "1"
# So many replies are kept in memory; each has some ten thousand characters (a judgement).
_REMEMBERED = 1_000
_DAY_SECONDS = 86_400
MOST_PASSAGES = 20
"""An answer is made from at most so many passages; more would hide the few that count (a judgement)."""

T = TypeVar("T")


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
    ) -> None:
        """reuse: makes the reuse of requests; its argument says whether to ignore what is in the store. passages: the most that
        an answer is made from, if the question does not say."""
        self.sessions = asked
        self._store = store
        self._finder = finder
        self._answerer = answerer
        self._new_reuse = reuse
        self._limit = passages
        self._reuse = reuse(False)
        self._retrievals = KeyTemplate(RETRIEVAL, {"version": _VERSION, "search": finder.identity})
        self._answers = KeyTemplate(ANSWER, {"version": _VERSION, "answerer": dict(answerer.identity)})
        self._remembered: OrderedDict[tuple[str, str], Reply] = OrderedDict()
        self._going_on: set[asyncio.Task[Any]] = set()
        # (day, key) of kept steps whose use was noted.
        self._noted: set[tuple[int, str]] = set()

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
            started = time.perf_counter()
            found = await self._to_its_end(self._find(question, use_cache=use_cache and not refresh))
            yield Event("passages", passages=tuple(found.chosen.values()))
            kept = await self._to_its_end(self._answer(question, found, use_cache=use_cache, refresh=refresh))
            kept = msgspec.structs.replace(kept, seconds=round(time.perf_counter() - started, 6))
        for sentence in kept.answer.sentences:
            yield Event("sentence", sentence=sentence)
        yield Event("reply", reply=kept)

    async def search(self, query: str, limit: int = 10) -> tuple[list[Passage], CacheUse]:
        """Find the passages for a query; they are kept like those of a question. Raises what `ask` raises."""
        question = self._checked(Question(query))
        if limit > POOL:
            found = await asyncio.to_thread(self._finder.find, question.text, limit)
            return list(found.passages), CacheUse(embed_misses=1)
        found, _, cache = await self._retrieved(question, use_cache=True)
        return list(found.passages[:limit]), cache

    def peek(self, question: Question) -> Reply | None:
        """Return the kept reply to a question if nothing has to be computed for it; it takes less than a millisecond.

        Raises what `ask` raises.
        """
        started = time.perf_counter()
        question = self._checked(question)
        snapshot = self._finder.snapshot()
        if not snapshot.rows:
            return None
        key = question_key(question)
        reply = self._remembered.get((key, snapshot.rows))
        if reply is None:
            reply = self._kept(question, key, snapshot)
            if reply is None:
                return None
            self._remember(key, snapshot, reply)
        self.sessions.count(key)
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
        self.close()

    def close(self) -> None:
        """Write what is not written yet."""
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

    def _kept(self, question: Question, key: str, snapshot: Snapshot) -> Reply | None:
        """Return the reply from the store, or None if a step of it is missing there."""
        retrieval = self._lookup(self._retrieval(question, snapshot))
        found = self._value(retrieval, Retrieved)
        if found is None:
            return None
        choice = choose(found, question.limit, self.sessions.choice(key))
        draft = self._value(self._lookup(self._answer_action(question, choice)), Draft) if choice.chosen else None
        if draft is None:
            return None
        hit = CacheUse(answer_hit=True, retrieval_hit=True, embed_hits=1)
        return self._reply(question, draft, _Found(choice, found, snapshot, hit))

    def _lookup(self, action: Action) -> ActionRecord | None:
        record = self._store.actions.lookup([action.key]).get(action.key)
        noted = (int(time.time() // _DAY_SECONDS), action.key)
        if record is not None and noted not in self._noted:
            self._noted.add(noted)
            if self._store.actions.note_use([action.key]):
                return self._store.actions.lookup([action.key]).get(action.key)
        return record

    def _value(self, record: ActionRecord | None, expected: Any) -> Any:
        if record is None:
            return None
        try:
            return self._store.load(record.content_digest, expected, record.type_name)
        except (CorruptObjectError, MissingObjectError):
            return None

    async def _find(self, question: Question, *, use_cache: bool) -> "_Found":
        """The passages that an answer is to be made from."""
        found, snapshot, cache = await self._retrieved(question, use_cache=use_cache)
        before = self.sessions.choice(question_key(question)) if use_cache else None
        held = _Found(choose(found, question.limit, before), found, snapshot, cache)
        if (
            len(held.chosen) < len(held.choice.chosen)
            and self._lookup(self._answer_action(question, held.choice)) is None
        ):
            # The answer is not kept, and a passage that it did not cite is gone, so it cannot be given from the same ones.
            return held._replace(choice=choose(found, question.limit, None))
        return held

    async def _retrieved(self, question: Question, *, use_cache: bool) -> tuple[Retrieved, Snapshot, CacheUse]:
        snapshot = self._finder.snapshot()
        words = sought(question)
        action = self._retrieval(question, snapshot)
        keeps = bool(snapshot.rows) and use_cache
        kept = self._value(self._lookup(action), Retrieved) if keeps else None
        if kept is not None:
            return kept, snapshot, CacheUse(retrieval_hit=True, embed_hits=1)
        vector_kept = self._finder.vector_is_kept(words)
        found = await asyncio.to_thread(self._finder.find, words)
        if self._finder.snapshot() != snapshot:  # rows were written meanwhile
            snapshot = Snapshot("")
        elif keeps:
            with suppress(StoreUnavailableError):  # then it is found once more the next time
                await durable(self._store.commit([(action, found, Provenance())]), lambda: None)
        return found, snapshot, CacheUse(embed_hits=int(vector_kept), embed_misses=int(not vector_kept))

    async def _answer(self, question: Question, found: "_Found", *, use_cache: bool, refresh: bool) -> Reply:
        self.sessions.count(question_key(question))
        use_kept = use_cache and not refresh
        spent: list[Usage] = []

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            inner = own if use_kept or refresh else self._reuse.inside(own.costs)
            draft = await self._answerer.draft(question, list(found.chosen.values()), inner)
            spent.append(own.costs.usage)
            return [(draft, "")]

        choice, hit, draft = found.choice, False, Draft((), "")
        if choice.chosen:
            action = self._answer_action(question, choice)
            hit = use_kept and self._lookup(action) is not None
            (draft,) = await (self._reuse if use_kept else self._new_reuse(True)).values([action], compute, Draft)
        choice = msgspec.structs.replace(choice, cited=tuple(choice.chosen[number] for number in cited_in(draft)))
        key = question_key(question)
        if found.snapshot.rows and choice != self.sessions.choice(key):
            documents = {passage.document for passage in found.chosen.values()}
            with suppress(StoreUnavailableError):  # then the best passages are chosen the next time
                self.sessions.choose(key, question, choice, documents)
        usage = spent[0] if spent else Usage()
        reply = self._reply(question, draft, found._replace(cache=msgspec.structs.replace(found.cache, answer_hit=hit)))
        return msgspec.structs.replace(
            reply, usd=None if usage.unpriced else round(usage.usd, 6), requests=usage.requests
        )

    def _reply(self, question: Question, draft: Draft, found: "_Found") -> Reply:
        numbered = {
            number: found.chosen[digest] for number, digest in enumerate(found.choice.chosen) if digest in found.chosen
        }
        return Reply(
            question,
            resolved(draft, numbered, found.choice.probability),
            tuple(numbered.values()),
            found.cache,
            index_behind=not found.snapshot.rows,
        )

    def _checked(self, question: Question) -> Question:
        """Return the question as it is asked. Raises ConfigurationError."""
        # Lone surrogates come from a command line that is not UTF-8.
        text = " ".join(question.text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8").split())
        if not text:
            raise ConfigurationError("The question is empty. Enter a question or some words.")
        if len(text) > LONGEST_QUERY_CHARACTERS:
            raise ConfigurationError(
                f"The question has {len(text):,} characters, and {LONGEST_QUERY_CHARACTERS:,} are allowed. Ask a shorter one."
            )
        limit = question.limit or self._limit
        if not 1 <= limit <= MOST_PASSAGES:
            raise ConfigurationError(f"An answer is made from 1 to {MOST_PASSAGES} passages, not from {limit}.")
        return msgspec.structs.replace(question, text=text, limit=limit)

    def _retrieval(self, question: Question, snapshot: Snapshot) -> Action:
        return self._retrievals.action({"words": sought(question), "rows": snapshot.rows})

    def _answer_action(self, question: Question, choice: Choice) -> Action:
        turns = [[turn.question, turn.answer] for turn in question.turns]
        return self._answers.action({"question": question.text, "turns": turns, "passages": list(choice.chosen)})

    def _remember(self, key: str, snapshot: Snapshot, reply: Reply) -> None:
        self._remembered[key, snapshot.rows] = reply
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)


class _Found(NamedTuple):
    """What was found for a question. choice: the passages that its answer is made from. snapshot: the rows that were read."""

    choice: Choice
    retrieved: Retrieved
    snapshot: Snapshot
    cache: CacheUse

    @property
    def chosen(self) -> dict[str, Passage]:
        """The passages of the choice by digest, in its order, where they are now; one that is not found any more is left out."""
        by_digest = {digest_of(passage): passage for passage in self.retrieved.passages}
        return {digest: by_digest[digest] for digest in self.choice.chosen if digest in by_digest}
