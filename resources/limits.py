"""How many requests, how many tokens, and how many at once: limits that all processes keep together.

What belongs here: when a request may be sent. What does not: sending it, and what it answered
(`pause` is told of a Retry-After); what the processes share, in files or in Redis
(`resources.request_slots`, `resources.shared_window`).

The window is counted by pyrate-limiter, in an SQLite file of the home, or in Redis where several hosts share it. A
look and what follows from it are one step, under a lock: the requests' and the tokens' bucket are both found with room
before either is filled, so nothing is wasted and nothing is taken back. Clock: the machine's, or that of Redis.

**Headroom.** What counts is the server's window, which slides and sees a request some milliseconds after its permit:
of two requests whose permits lie a window apart the first may be delayed by more than the second, and the server sees
them nearer. So the window is taken 5% longer, and a permit whose owner got to run too late is given up for another.

In a process, requests go in the order in which they asked. Among processes the one that wakes first is served first,
but who has waited for two windows (many tokens at once find no room where others take few, again and again) has
precedence: the others ask for nothing until it is served.
"""

import asyncio
import hashlib
import math
import random
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from resources.errors import ConfigurationError, StoppedError
from resources.request_slots import FileSlots, RedisSlots, unusable
from resources.shared_window import FileWindow, RedisWindow

_HEADROOM = 0.05
# How often one that waits looks whether it may go on waiting.
_LOOK_SECONDS = 0.1
# Those that wait for the same room wake at different times.
_JITTER_SECONDS = 0.004
# After others kept the window locked, or had precedence.
_AGAIN_SECONDS = 0.005
# A bucket has a row a unit, so tokens are counted in units of which a window has at most so many.
_UNITS = 2000
# For how long a claim to precedence is good; renewed by each try, and tries of who has it are half as far apart.
_CLAIM_MS = 1000

_Answer = TypeVar("_Answer")
_Stopped = Callable[[], str]


@dataclass(frozen=True, slots=True)
class LimitRules:
    """What an endpoint allows. requests, tokens: in a window; in_flight: at once; 0 is no limit."""

    requests: int = 0
    tokens: int = 0
    in_flight: int = 8
    window_seconds: float = 60.0


class Slots(Protocol):
    """A number of slots, of which other processes see the same."""

    blocking: bool
    """Whether `take` and `free` wait for a server, and so belong on another thread than an event loop's."""
    poll_seconds: tuple[float, float]
    """How long to sleep before asking again: at least, at most."""

    def take(self) -> int | None:
        """A slot, now; None where others have them all. Raises ConfigurationError where nobody can say."""
        ...

    def free(self, slot: int) -> None:
        """Give back what `take` gave. Raises nothing."""
        ...

    def close(self) -> None:
        """Free what is held."""
        ...


class SharedWindow(Protocol):
    """Where the requests and tokens of a window are counted. For one thread, which it may keep waiting for a while."""

    def locked(self) -> AbstractContextManager[bool]:
        """Keep the others out for the body; False where that was not to be had soon. The rest is for under it.

        Raises ConfigurationError, also for errors of the body, where files or server cannot be used.
        """
        ...

    def opened(self, rates: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        """pyrate-limiter's buckets by name. rates: by name, how many in how many milliseconds."""
        ...

    def now(self) -> int:
        """The time that all agree on, in milliseconds since 1970."""
        ...

    def tidy(self, buckets: Mapping[str, Any], now: int) -> None:
        """Remove what no longer counts."""
        ...

    def first(self, now: int) -> str | None:
        """The process that has precedence."""
        ...

    def put_first(self, process: str | None, now: int, good_ms: int) -> None:
        """Give precedence to a process, for so long, or to nobody."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class Limits:
    """The limits of one endpoint and key, shared with every process that names the same in the same place.

    For one event loop at a time, and one after the other. Nothing is opened before it is needed, nor in a child that
    is forked while it is open.
    """

    def __init__(self, name: str, rules: LimitRules, directory: Path, redis_url: str = "") -> None:
        """name: endpoint and key, of which only a digest is ever written; directory: of the home, not used with Redis."""
        self._digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        self._rules = rules
        self._directory = directory
        self._redis_url = redis_url
        self._only_slots = bool(rules.in_flight) and not (redis_url or rules.requests or rules.tokens)
        self._no_limits = not (rules.requests or rules.tokens or rules.in_flight)
        self._slots: Slots | None = None
        self._window: _Window | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._paused_until = 0.0
        # Loops' own things, which end with their tasks: the line is empty between two loops.
        self._line: deque[asyncio.Future[None]] = deque()
        self._freed: asyncio.Future[None] | None = None
        self._waiting: deque[asyncio.Future[int]] = deque()

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens are limited."""
        return bool(self._rules.tokens)

    @asynccontextmanager
    async def permit(self, tokens: int, stopped: _Stopped) -> AsyncIterator[None]:
        """Wait until a request of so many tokens may be sent; the body sends it at once.

        stopped: why nothing more may be begun, or ""; asked again several times a second.
        Raises StoppedError with that reason; ConfigurationError where the request can never be sent, or where the
        shared state cannot be used.
        """
        self._refuse_what_never_fits(tokens)
        _go_on(stopped)
        if self._no_limits and not self._line and time.monotonic() >= self._paused_until:
            yield
            return
        slot = await self._begin(tokens, stopped)
        try:
            yield
        finally:
            self._free(slot)

    def pause(self, seconds: float) -> None:
        """The server said Retry-After: this process sends nothing for so long. A longer pause stays as it is."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def close(self) -> None:
        """Free what is held and close what is open."""
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
            self._line.clear()  # left by a loop that was closed over its tasks
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
        """A slot of files, in order of asking. One that is freed goes to who waits for it without a turn of the loop."""
        slots = self._slots = self._slots or self._open_slots()
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._waiting and self._waiting[0].get_loop() is not turn.get_loop():
            self._waiting.clear()  # left by a loop that was closed over its tasks
        self._waiting.append(turn)
        self._hand_out(slots)
        try:
            while not turn.done():
                first = self._waiting[0] is turn
                await asyncio.wait((turn,), timeout=random.uniform(*slots.poll_seconds) if first else _LOOK_SECONDS)
                if not turn.done():
                    _go_on(stopped)
                    self._hand_out(slots)  # another process may have freed one
            return turn.result()
        except BaseException:
            if turn.done():
                self._free(turn.result())
            else:
                self._waiting.remove(turn)
            raise

    def _hand_out(self, slots: Slots) -> None:
        while self._waiting and (slot := slots.take()) is not None:
            self._waiting.popleft().set_result(slot)

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
            if now >= self._paused_until and now - at <= self._rules.window_seconds * _HEADROOM / 2:
                return

    async def _in_thread(
        self, call: Callable[[], _Answer], stopped: _Stopped, undo: Callable[[Any], None] | None = None
    ) -> _Answer:
        """What the call returns, on this object's one thread. undo: what to do with an answer that comes too late."""
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

    def _open_window(self) -> "_Window":
        if self._redis_url:
            return _Window(self._rules, RedisWindow(self._redis_url, f"seedbank:limits:{self._digest}"))
        return _Window(self._rules, FileWindow(self._stem()))

    def _stem(self) -> Path:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(self._directory, error) from error
        return self._directory / self._digest


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


class _Window:
    """The window that all processes share: one request and its tokens at a time. For one thread."""

    def __init__(self, rules: LimitRules, shared: SharedWindow) -> None:
        self._shared = shared
        self._unit_tokens = max(1, math.ceil(rules.tokens / _UNITS))
        self._interval_ms = math.ceil(rules.window_seconds * (1 + _HEADROOM) * 1000)
        self._limits = {"requests": rules.requests, f"tokens_{self._unit_tokens}": rules.tokens // self._unit_tokens}
        self._process = uuid.uuid4().hex
        self._claiming = False
        self._tidied_at = 0
        # By name; a bucket of pyrate-limiter, whose answers are typed for its asynchronous kinds as well.
        self._buckets: dict[str, Any] = {}

    def take(self, tokens: int, starved: bool) -> tuple[float, float]:
        """How many seconds to wait before asking again, and when that was found (monotonic); 0 where it is taken.

        starved: claims precedence. Raises ConfigurationError where the shared state cannot be used.
        """
        with self._shared.locked() as locked:
            if not locked:
                return _AGAIN_SECONDS, time.monotonic()
            if not self._buckets:
                rates = {name: (limit, self._interval_ms) for name, limit in self._limits.items() if limit}
                self._buckets = self._shared.opened(rates)
            now = self._shared.now()
            wait = self._look(now, tokens, starved)
            return min(wait, _CLAIM_MS / 2000) if starved else wait, time.monotonic()

    def close(self) -> None:
        self._shared.close()

    def _look(self, now: int, tokens: int, starved: bool) -> float:
        from pyrate_limiter import RateItem

        if self._shared.first(now) not in (None, self._process):
            return _AGAIN_SECONDS
        if starved:
            self._claiming = True
            self._shared.put_first(self._process, now, _CLAIM_MS)
        if not 0 <= now - self._tidied_at <= self._interval_ms / 10:
            self._tidied_at = now
            self._shared.tidy(self._buckets, now)
        # At most the window: what is rounded up to more than that is one that has it for itself.
        units = (1, math.ceil(tokens / self._unit_tokens))
        items = [
            (self._buckets[name], RateItem("", now, min(weight, limit)))
            for (name, limit), weight in zip(self._limits.items(), units, strict=True)
            if limit and weight
        ]
        if wait := max(self._wait_ms(bucket, item) for bucket, item in items):
            return wait / 1000
        if not all(bucket.put(item) for bucket, item in items):
            return _AGAIN_SECONDS  # what others have put is of the future: the clock was put back
        if self._claiming:
            self._claiming = False
            self._shared.put_first(None, now, 0)
        return 0.0

    def _wait_ms(self, bucket: Any, item: Any) -> int:
        # As `waiting` after a `put` that was refused, but nothing is put where there is room.
        in_the_way = bucket.peek(bucket.rates[0].limit - item.weight)
        return 0 if in_the_way is None else max(0, in_the_way.timestamp + self._interval_ms - item.timestamp + 1)
