"""Bounds on the work of one knowledge base: how many questions are worked on at once, how long a client waits, and each once.

What belongs here: waiting, refusing, and equal work that is under way. What does not: the work itself, and what is kept of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from typing import Any, TypeVar

from service.problems import RETRY_SECONDS, ServiceError

T = TypeVar("T")
# So many questions may wait for each one that is worked on; more would wait longer than clients do (a judgement).
_WAITING_FOR_EACH = 16


class Work:
    """The work that is under way."""

    def __init__(self, parallel: int, timeout_seconds: float) -> None:
        """parallel: how much is done at once. timeout_seconds: how long a client waits for it."""
        self._slots = asyncio.Semaphore(parallel)
        self._most_waiting = parallel * _WAITING_FOR_EACH
        self._waiting = 0
        self._timeout_seconds = timeout_seconds
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def once(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of some work, which is done once for all who wait for the same. It goes on if they leave.

        Raises ServiceError if too much is waiting, or if it takes too long, and the errors of the work.
        """
        task = self._under_way.get(key)
        if task is None:
            self._check_room()
            task = asyncio.create_task(self._in_turn(begin))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await asyncio.shield(task)
        except TimeoutError as error:
            raise self._too_slow() from error

    async def stream(self, begin: Callable[[], AsyncIterator[T]]) -> AsyncIterator[T]:
        """The steps of some work, one after the other. Raises the same errors."""
        self._check_room()
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        async with self._turn():
            steps = begin()
            while True:
                # A time limit around the whole loop would also strike while this generator rests, in the code that uses it.
                left = deadline - asyncio.get_running_loop().time()
                try:
                    step = await asyncio.wait_for(anext(steps), max(0.0, left))
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise self._too_slow() from error
                yield step

    async def _in_turn(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with self._turn():
            return await begin()

    def _turn(self) -> "_Turn":
        return _Turn(self, self._slots)

    def _check_room(self) -> None:
        if self._waiting >= self._most_waiting:
            raise ServiceError(
                503,
                f"{self._waiting} questions are waiting already. Ask again in a few seconds.",
                {"Retry-After": str(RETRY_SECONDS)},
            )

    def _too_slow(self) -> ServiceError:
        return ServiceError(
            504,
            f"It takes longer than {self._timeout_seconds:g} seconds (service.timeout_seconds). It goes on, and its result is "
            "kept: ask again later.",
        )

    def _ended(self, key: Hashable, task: "asyncio.Task[Any]") -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # retrieved, even if all who waited have left

    def wait(self, change: int) -> None:
        """Count one more or one less that waits."""
        self._waiting += change


class _Turn:
    """A turn to work: waiting is counted until it comes."""

    def __init__(self, work: Work, slots: asyncio.Semaphore) -> None:
        self._work = work
        self._slots = slots

    async def __aenter__(self) -> None:
        self._work.wait(1)
        try:
            await self._slots.acquire()
        finally:
            self._work.wait(-1)

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()
