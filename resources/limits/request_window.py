"""The sliding window in which all processes count requests and tokens: whether one more request fits, and when.

pyrate-limiter counts them, in a SQLite file of the home or, if several hosts share limits, in Redis. Checking and counting
are one step under a lock: both buckets (requests and tokens) must have room before either is filled. The clock is that of
the machine or of the Redis server. Waiting is in `limits`, the storage in `shared_window`.

**Headroom.** The window of the server decides. It also slides, and it sees a request some milliseconds after its permit. If
the first of two requests is delayed more than the second, the server sees them closer together than their permits. So our
window is 5% longer, and a permit whose owner was scheduled too late is replaced by another.
"""

import math
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

HEADROOM = 0.05
# How long to wait if others hold the lock of the window or have precedence.
_AGAIN_SECONDS = 0.005
# A bucket has one row per unit, so tokens are counted in units, at most this many per window.
_UNITS = 2000
# How long a claim to precedence is valid. Each try renews it, and the process that has it tries twice as often.
_CLAIM_MS = 1000


@dataclass(frozen=True, slots=True)
class LimitRules:
    """The limits of an endpoint. requests, tokens: per window. in_flight: concurrent requests. 0 means no limit."""

    requests: int = 0
    tokens: int = 0
    in_flight: int = 8
    window_seconds: float = 60.0


class SharedWindow(Protocol):
    """The storage of the counts of a window. Only one thread may use it; calls may block for a while."""

    def locked(self) -> AbstractContextManager[bool]:
        """Hold the lock of the window for the body; gives False if it was not free in time. All other methods need it.

        Raises ConfigurationError, also for errors in the body, if the files or the server cannot be used.
        """
        ...

    def opened(self, rates: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        """The buckets of pyrate-limiter by name. rates: for each name, how many units per how many milliseconds."""
        ...

    def now(self) -> int:
        """The time of the shared clock, in milliseconds since 1970."""
        ...

    def tidy(self, buckets: Mapping[str, Any], now: int) -> None:
        """Remove entries from before the window."""
        ...

    def first(self, now: int, longest_ms: int) -> str | None:
        """The process that has precedence; None if there is none. longest_ms: the longest valid claim."""
        ...

    def put_first(self, process: str | None, now: int, good_ms: int) -> None:
        """Give precedence to a process for some milliseconds, or to none."""
        ...

    def close(self) -> None:
        """Close files or connections."""
        ...


class Window:
    """The window that all processes share. Only one thread may use it."""

    def __init__(self, rules: LimitRules, shared: SharedWindow) -> None:
        self._shared = shared
        self._unit_tokens = max(1, math.ceil(rules.tokens / _UNITS))
        self._interval_ms = math.ceil(rules.window_seconds * (1 + HEADROOM) * 1000)
        self._limits = {"requests": rules.requests, f"tokens_{self._unit_tokens}": rules.tokens // self._unit_tokens}
        self._process = uuid.uuid4().hex
        self._claiming = False
        self._tidied_at = 0
        # Buckets of pyrate-limiter by name; their results are typed for its asynchronous buckets as well.
        self._buckets: dict[str, Any] = {}

    def take(self, tokens: int, starved: bool) -> tuple[float, float]:
        """Count one request and its tokens if they fit.

        Returns the seconds to wait before asking again (0 if it was counted) and the time of the check (time.monotonic()).
        starved: claim precedence. Raises ConfigurationError if the shared state cannot be used.
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

        if self._shared.first(now, _CLAIM_MS) not in (None, self._process):
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
            return _AGAIN_SECONDS  # entries of others are in the future: the clock was set back
        if self._claiming:
            self._claiming = False
            self._shared.put_first(None, now, 0)
        return 0.0

    def _wait_ms(self, bucket: Any, item: Any) -> int:
        # As `waiting` after a refused `put`, but without putting anything if there is room.
        in_the_way = bucket.peek(bucket.rates[0].limit - item.weight)
        return 0 if in_the_way is None else max(0, in_the_way.timestamp + self._interval_ms - item.timestamp + 1)
