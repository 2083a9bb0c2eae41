"""The window in which requests and tokens are counted, by all processes together: whether one more has room, and when.

What belongs here: rules, and the look at the buckets. What does not: waiting (`resources.limits`), and where the counts
lie (`resources.shared_window`).

The window is counted by pyrate-limiter, in an SQLite file of the home, or in Redis where several hosts share it. A
look and what follows from it are one step, under a lock: the requests' and the tokens' bucket are both found with room
before either is filled, so nothing is wasted and nothing is taken back. Clock: the machine's, or that of Redis.

**Headroom.** What counts is the server's window, which slides and sees a request some milliseconds after its permit:
of two requests whose permits lie a window apart the first may be delayed by more than the second, and the server sees
them nearer. So the window is taken 5% longer, and a permit whose owner got to run too late is given up for another.
"""

import math
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

HEADROOM = 0.05
# After others kept the window locked, or had precedence.
_AGAIN_SECONDS = 0.005
# A bucket has a row a unit, so tokens are counted in units of which a window has at most so many.
_UNITS = 2000
# For how long a claim to precedence is good; renewed by each try, and tries of who has it are half as far apart.
_CLAIM_MS = 1000


@dataclass(frozen=True, slots=True)
class LimitRules:
    """What an endpoint allows. requests, tokens: in a window; in_flight: at once; 0 is no limit."""

    requests: int = 0
    tokens: int = 0
    in_flight: int = 8
    window_seconds: float = 60.0


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


class Window:
    """The window that all processes share: one request and its tokens at a time. For one thread."""

    def __init__(self, rules: LimitRules, shared: SharedWindow) -> None:
        self._shared = shared
        self._unit_tokens = max(1, math.ceil(rules.tokens / _UNITS))
        self._interval_ms = math.ceil(rules.window_seconds * (1 + HEADROOM) * 1000)
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
