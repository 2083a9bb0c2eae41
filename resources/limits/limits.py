"""Limits on requests per minute, tokens per minute and concurrent requests, which all processes keep together.

This module decides when a request may be sent. `request_window` counts requests and tokens; `request_slots` and
`shared_window` hold what processes share, in files or in Redis.

Within a process, requests are sent in the order in which they asked. Among processes, the one that wakes first is served
first. A process that has waited for two windows gets precedence, and the others wait until it is served: a request of many
tokens might otherwise never find room beside many small ones.
"""

import asyncio
import hashlib
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from resources.errors import ConfigurationError, StoppedError
from resources.limits.request_slots import FileSlots, RedisSlots, unusable
from resources.limits.request_window import HEADROOM, LimitRules, Window
from resources.limits.shared_window import FileWindow, RedisWindow

# How often a waiting request checks whether it should stop waiting (a judgement).
_LOOK_SECONDS = 0.1
# Waiting requests wake at slightly different times, so that they do not all ask at once (a judgement).
_JITTER_SECONDS = 0.004

_Answer = TypeVar("_Answer")
_Stopped = Callable[[], str]


class Slots(Protocol):
    """Concurrency slots that are shared with other processes."""

    blocking: bool
    """Whether `take` and `free` wait for a server, so that they must not run on the thread of an event loop."""
    poll_seconds: tuple[float, float]
    """The shortest and the longest time to sleep before asking again, in seconds."""

    def take(self) -> int | None:
        """Take a free slot; None if there is none. Raises ConfigurationError if the shared state cannot be used."""
        ...

    def free(self, slot: int) -> None:
        """Free a slot from `take`. Raises nothing."""
        ...

    def close(self) -> None:
        """Free all held slots."""
        ...


class Limits:
    """The limits of one endpoint and key, shared by all processes with the same name and directory or Redis server.

    Several event loops may use it, one after the other. Files and connections are opened when they are first needed. A child
    that is forked while they are open must not use them.
    """

    def __init__(self, name: str, rules: LimitRules, directory: Path, redis_url: str = "") -> None:
        """name: identifies the endpoint and the key; only a digest of it is written. directory: the folder for shared files,
        which is not used with Redis."""
        self._digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        self._rules = rules
        self._directory = directory
        self._redis_url = redis_url
        self._only_slots = bool(rules.in_flight) and not (redis_url or rules.requests or rules.tokens)
        self._no_limits = not (rules.requests or rules.tokens or rules.in_flight)
        self._slots: Slots | None = None
        self._window: Window | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._paused_until = 0.0
        # These belong to one event loop and end with its tasks; they are empty between two loops.
        self._line: deque[asyncio.Future[None]] = deque()
        self._freed: asyncio.Future[None] | None = None
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._asking: asyncio.AbstractEventLoop | None = None

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens are limited."""
        return bool(self._rules.tokens)

    @asynccontextmanager
    async def permit(self, tokens: int, stopped: _Stopped) -> AsyncIterator[None]:
        """Hold a permission from `take` for the body."""
        give_back = await self.take(tokens, stopped)
        try:
            yield
        finally:
            give_back()

    async def take(self, tokens: int, stopped: _Stopped) -> Callable[[], None]:
        """Wait until a request of this many tokens may be sent; it must be sent at once then.

        stopped: returns the reason to stop waiting, or ""; it is called several times per second. Returns a function that
        frees the concurrency slot; call it once, in this event loop, when the answer is durable.
        Raises StoppedError with that reason, and ConfigurationError if the request can never be sent or the shared state
        cannot be used.
        """
        self._refuse_what_never_fits(tokens)
        _go_on(stopped)
        if self._no_limits and not self._line and time.monotonic() >= self._paused_until:
            return _nothing_to_give_back
        return partial(self._free, await self._begin(tokens, stopped))

    def pause(self, seconds: float) -> None:
        """Let all requests of this process wait for some seconds, as after Retry-After. A longer pause is kept."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def close(self) -> None:
        """Free all held slots, and close files and connections."""
        if self._worker is not None:
            self._worker.shutdown()
        for opened in (self._slots, self._window):
            if opened is not None:
                opened.close()
        self._worker = self._slots = self._window = None

    def _refuse_what_never_fits(self, tokens: int) -> None:
        if 0 < self._rules.tokens < tokens:
            raise ConfigurationError(
                f"A request of {tokens:,} tokens can never be sent: the limit is {self._rules.tokens:,} in "
                f"{self._rules.window_seconds:g} s. Raise llm.tpm, or lower llm.context_tokens."
            )

    async def _begin(self, tokens: int, stopped: _Stopped) -> int | None:
        if self._only_slots:
            slot = await self._next_slot(stopped)
            try:
                await self._room(tokens, stopped)
            except BaseException:
                self._free(slot)
                raise
            return slot
        turn = asyncio.get_running_loop().create_future()
        if self._line and self._line[0].get_loop() is not turn.get_loop():
            self._line.clear()  # left over from a loop that was closed before its tasks ended
        self._line.append(turn)
        try:
            while self._line[0] is not turn:
                await asyncio.wait((turn,), timeout=_LOOK_SECONDS)
                _go_on(stopped)
            slot = await self._slot(stopped)
            try:
                await self._room(tokens, stopped)
            except BaseException:
                self._free(slot)
                raise
            return slot
        finally:
            self._line.remove(turn)
            if self._line and not self._line[0].done():
                self._line[0].set_result(None)

    async def _next_slot(self, stopped: _Stopped) -> int:
        """A slot in files, in the order of asking. A freed slot is passed directly to the next waiting request."""
        slots = self._slots = self._slots or self._open_slots()
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[int] = loop.create_future()
        if self._waiting and self._waiting[0].get_loop() is not loop:
            self._waiting.clear()  # left over from a loop that was closed before its tasks ended
        self._waiting.append(turn)
        self._hand_out(slots)
        if not turn.done():
            if self._asking is not loop:
                self._asking = loop
                self._ask_again(slots, loop)
            loop.call_later(_LOOK_SECONDS, self._look_at, turn, stopped)
        try:
            return await turn
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.done() and not turn.cancelled() and turn.exception() is None:
                self._free(turn.result())
            raise

    def _hand_out(self, slots: Slots) -> None:
        while self._waiting:
            if self._waiting[0].done():  # the caller that waited for it has stopped
                self._waiting.popleft()
                continue
            try:
                slot = slots.take()
            except ConfigurationError as error:
                self._waiting.popleft().set_exception(error)
                continue
            if slot is None:
                return
            self._waiting.popleft().set_result(slot)

    def _ask_again(self, slots: Slots, loop: asyncio.AbstractEventLoop) -> None:
        """Try to take a slot for a waiting request, since another process may have freed one."""
        if not self._waiting or self._waiting[0].get_loop() is not loop:
            self._asking = None
            return
        self._hand_out(slots)
        loop.call_later(random.uniform(*slots.poll_seconds), self._ask_again, slots, loop)

    def _look_at(self, turn: "asyncio.Future[int]", stopped: _Stopped) -> None:
        """Stop a waiting request if `stopped` gives a reason; otherwise check again later."""
        if turn.done():
            return
        if reason := stopped():
            turn.set_exception(StoppedError(reason))
        else:
            turn.get_loop().call_later(_LOOK_SECONDS, self._look_at, turn, stopped)

    async def _slot(self, stopped: _Stopped) -> int | None:
        if not self._rules.in_flight:
            return None
        slots = self._slots = self._slots or self._open_slots()
        while True:
            slot = await self._in_thread(slots.take, stopped, slots.free) if slots.blocking else slots.take()
            if slot is not None:
                return slot
            self._freed = asyncio.get_running_loop().create_future()
            try:
                await asyncio.wait((self._freed,), timeout=random.uniform(*slots.poll_seconds))
            finally:
                self._freed = None
            _go_on(stopped)

    def _free(self, slot: int | None) -> None:
        if slot is None or self._slots is None:
            return
        if not self._slots.blocking:
            self._slots.free(slot)
            if self._waiting and self._waiting[0].get_loop() is asyncio.get_running_loop():
                self._hand_out(self._slots)
        elif self._worker is not None:
            self._worker.submit(self._slots.free, slot)
        if self._freed is not None and not self._freed.done():
            self._freed.set_result(None)

    async def _room(self, tokens: int, stopped: _Stopped) -> None:
        """Wait for the end of a pause, and for one request and its tokens."""
        asked_at = time.monotonic()
        while True:
            while (left := self._paused_until - time.monotonic()) > 0:
                await _sleep(left, stopped)
            if not (self._rules.requests or (self._rules.tokens and tokens)):
                return
            window = self._window = self._window or self._open_window()
            starved = time.monotonic() - asked_at > 2 * self._rules.window_seconds
            wait, at = await self._in_thread(partial(window.take, tokens, starved), stopped)
            if wait:
                await _sleep(wait + random.uniform(0, _JITTER_SECONDS), stopped)
                continue
            now = time.monotonic()
            if now >= self._paused_until and now - at <= self._rules.window_seconds * HEADROOM / 2:
                return

    async def _in_thread(
        self, call: Callable[[], _Answer], stopped: _Stopped, undo: Callable[[Any], None] | None = None
    ) -> _Answer:
        """Run a call on the thread of this object. undo: called with a result that comes after the caller was cancelled."""
        self._worker = self._worker or ThreadPoolExecutor(1, thread_name_prefix="seedbank-limits")
        asked = self._worker.submit(call)
        answer = asyncio.wrap_future(asked)
        try:
            while not (await asyncio.wait((answer,), timeout=_LOOK_SECONDS))[0]:
                _go_on(stopped)
        except BaseException:
            answer.cancel()
            if undo is not None:
                asked.add_done_callback(partial(_undone, undo))
            raise
        return answer.result()

    def _open_slots(self) -> Slots:
        if self._redis_url:
            return RedisSlots(self._redis_url, f"seedbank:limits:{self._digest}", self._rules.in_flight)
        return FileSlots(self._stem(), self._rules.in_flight)

    def _open_window(self) -> "Window":
        if self._redis_url:
            return Window(self._rules, RedisWindow(self._redis_url, f"seedbank:limits:{self._digest}"))
        return Window(self._rules, FileWindow(self._stem()))

    def _stem(self) -> Path:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(self._directory, error) from error
        return self._directory / self._digest


def _nothing_to_give_back() -> None:
    pass


def _go_on(stopped: _Stopped) -> None:
    if reason := stopped():
        raise StoppedError(reason)


async def _sleep(seconds: float, stopped: _Stopped) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(left, _LOOK_SECONDS))
        _go_on(stopped)


def _undone(undo: Callable[[Any], None], late: Future[Any]) -> None:
    if not late.cancelled() and late.exception() is None and late.result() is not None:
        undo(late.result())
