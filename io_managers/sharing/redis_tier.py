"""Values of a remote, kept in Redis for a while: in front of the remote, where a request takes tens of milliseconds.

It is never in front of the store of the home, which answers ten times faster than Redis. Redis is never the truth either: each
value from it is compared with its digest, and if the server is missing, slow, full, restarted or emptied, the remote is asked.

The client's own retries are off, since they wait for seconds; a circuit breaker skips a server that does not answer.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from io_managers.store.errors import RemoteError

if TYPE_CHECKING:
    pass

logger = logging.getLogger(__name__)

_FORMAT = 1
_TIMEOUT_SECONDS = 0.2
# So many failures in a row open the breaker, for so long; then one request probes the server (a judgement).
_MOST_FAILURES = 3
_OPEN_SECONDS = 30.0


def tier_key(digest: str) -> str:
    """The key of a value in Redis: the only place where one is formed."""
    return f"seedbank:{_FORMAT}:value:{digest}"


class RedisTier:
    """Values by digest in a Redis server, each for a limited time. Several threads may use it. Nothing here raises an error."""

    def __init__(self, url: str, ttl_seconds: int, largest_bytes: int) -> None:
        """ttl_seconds: how long a value is kept. largest_bytes: larger values never enter.

        Raises RemoteError if the package redis is not installed. Nothing is sent.
        """
        try:
            from redis import Redis
        except ImportError as error:
            raise RemoteError(
                "store.redis_url needs the package redis, which is not installed.",
                "Install it: `.venv/bin/pip install 'seedbank[redis]'`, or remove the setting.",
            ) from error
        self._client: Redis = Redis.from_url(
            url, retry=None, socket_connect_timeout=_TIMEOUT_SECONDS, socket_timeout=_TIMEOUT_SECONDS
        )
        self._ttl_seconds = ttl_seconds
        self._largest_bytes = largest_bytes
        self._breaker = Breaker()

    def get(self, digest: str) -> bytes | None:
        """The bytes that were kept for a digest; None if there are none, or if the server does not answer."""
        found = self._ask(lambda: self._client.get(tier_key(digest)))
        return found if isinstance(found, bytes) else None

    def put(self, digest: str, stored: bytes) -> None:
        """Keep bytes for a digest, unless they are too large."""
        if len(stored) <= self._largest_bytes:
            self._ask(lambda: self._client.set(tier_key(digest), stored, ex=self._ttl_seconds))

    def forget(self, digest: str) -> None:
        """Remove the bytes of a digest."""
        self._ask(lambda: self._client.delete(tier_key(digest)))

    def problem(self) -> str:
        """What is wrong with how the server is set up, in a sentence; "" if nothing is, or if it does not say."""
        found = self._ask(lambda: self._client.info("memory"))
        if not isinstance(found, dict):
            return ""
        limit, policy = found.get("maxmemory"), str(found.get("maxmemory_policy", ""))
        if limit == 0:
            return "The Redis server of store.redis_url has no limit (maxmemory 0): values could fill the memory of its machine."
        if policy == "noeviction":
            return (
                "The Redis server of store.redis_url evicts nothing (maxmemory-policy noeviction): once it is full, it takes no "
                "more values. Set allkeys-lru, unless limits are kept in the same server."
            )
        return ""

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _ask(self, request: Callable[[], Any]) -> Any:
        """The reply to a request; None if the server does not answer, or was left alone."""
        from redis.exceptions import RedisError, ResponseError

        if not self._breaker.lets_through():
            return None
        try:
            reply = request()
        except ResponseError:
            self._breaker.succeeded()  # it answers, though it refuses this, as when it is full
            return None
        except (RedisError, OSError, ValueError) as error:
            if self._breaker.failed():
                logger.warning("Redis is not used for now (%s); the remote is asked instead.", type(error).__name__)
            return None
        self._breaker.succeeded()
        return reply


class Breaker:
    """A circuit breaker: after some failures in a row it lets nothing through for a while, then one probe at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def lets_through(self) -> bool:
        """Whether a request may be sent now."""
        with self._lock:
            if self._failures < _MOST_FAILURES:
                return True
            if time.monotonic() < self._open_until:
                return False
            self._open_until = time.monotonic() + _OPEN_SECONDS  # this one is the probe, and others wait for its result
            return True

    def succeeded(self) -> None:
        """Note that the server has answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> bool:
        """Note that the server has not answered. True if nothing is let through from now on."""
        with self._lock:
            self._failures += 1
            self._open_until = time.monotonic() + _OPEN_SECONDS
            return self._failures == _MOST_FAILURES
