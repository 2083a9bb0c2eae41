"""An action while it is computed, until its result is durable.

What belongs here: what it has paid for so far, and the place among the requests in flight that it holds. What does not:
computing it, and committing (reuse).
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from io_managers.store.request_ledger import Attempt
from resources.llm import Usage


@dataclass(slots=True)
class Computing:
    """What is being computed, and for which stage. answered: paid requests that its result is made of.

    Of the last answer it keeps the place among the requests in flight until the result is durable. But whoever waits
    keeps none: what it waits for may need that very place.
    """

    stage: str
    action_key: str
    usage: Usage = field(default_factory=Usage)
    answered: list[Attempt] = field(default_factory=list)
    _waits: int = 0
    _kept: Callable[[], None] | None = None
    _ended: bool = False

    def keep(self, give_back: Callable[[], None]) -> None:
        """Keep the place of an answer."""
        if self._waits or self._ended:
            give_back()
        else:
            self._let_go()
            self._kept = give_back

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside, requests and other actions are waited for."""
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

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept()


async def durable(committed: Future[list[str]], then: Callable[[], None]) -> None:
    """Wait for a commit, with `then` called the moment that it has ended, before others that are ready have their turn.

    A cancellation must not lose what is computed, nor be faster than its commit, which is short.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        then()
        if not done.done():
            done.set_result(None)

    def tell(_: Future[list[str]]) -> None:
        with suppress(RuntimeError):  # the loop was closed over its tasks
            loop.call_soon_threadsafe(end)

    committed.add_done_callback(tell)
    try:
        await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait((done,))
        raise
    committed.result()
