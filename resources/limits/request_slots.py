"""Concurrency slots that processes share, in files of one machine or in Redis.

In a directory, a slot is a locked file, and the operating system frees the lock when its holder dies. In Redis, a slot is a
lease that is renewed while it is held; the lease of a dead host ends after LEASE_SECONDS.

No process starves another. With files, a process that has used a slot for TURN_SECONDS leaves it free for REST_SECONDS if
there are other processes; this is longer than they sleep between two tries. (Each process announces itself by a locked
file.) With Redis, the process that asked first is served first.

The counts per minute are in `shared_window`; waiting is in `limits`.
"""

import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from io_managers.store.holders import Holder, Patience
from io_managers.store.processes import process_here
from resources.errors import ConfigurationError
from resources.limits.file_locks import lock_holders, try_lock, unlock

if TYPE_CHECKING:
    from redis import Redis

TURN_SECONDS = 1.0
REST_SECONDS = 0.015
# With more processes than this at one endpoint, those beyond it always assume that there are others.
_MOST_SEEN = 16
# How long the check for other processes is valid: less than a turn, but rare compared to requests (a judgement).
_LOOK_SECONDS = 0.1
LEASE_SECONDS = 60.0
_RENEWAL_SECONDS = 15.0
# A waiting process asks every 10 to 25 ms; one that has not asked for this long has stopped waiting.
_PATIENCE_SECONDS = 1.0
# After this time without a reply the Redis server counts as unreachable.
ANSWER_SECONDS = 5.0

# KEYS: leases (scored by their end), waiting processes (by their first request), the same (by their last request).
# ARGV: number of slots, lease, process, validity of a lease and of a place in the queue in milliseconds.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[5])) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
redis.call('ZADD', KEYS[2], 'NX', now, ARGV[3])
redis.call('ZADD', KEYS[3], now, ARGV[3])
local taken = 0
if redis.call('ZCARD', KEYS[1]) + redis.call('ZRANK', KEYS[2], ARGV[3]) < tonumber(ARGV[1]) then
  redis.call('ZREM', KEYS[2], ARGV[3])
  redis.call('ZREM', KEYS[3], ARGV[3])
  redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[2])
  taken = 1
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 2 * ARGV[4]) end
return taken
"""
# KEYS: leases. ARGV: validity of a lease in milliseconds; leases. An expired lease is renewed as well, since its request is
# still in flight.
_RENEW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[1])
"""


class FileSlots:
    """Slots for the processes of one machine: locked files beside `stem`, which stay open.

    Only one thread may use it. A child that was forked meanwhile and runs no other program keeps the locks of its parent.
    """

    blocking = False
    poll_seconds = (0.002, 0.010)

    def __init__(self, stem: Path, count: int) -> None:
        self._stem = stem
        self._count = count
        self._files: dict[str, int] = {}
        self._held: set[int] = set()
        self._mine_since: dict[int, float] = {}
        self._freed_at: dict[int, float] = {}
        self._here: int | None = None
        self._others = True
        self._looked_at = 0.0
        self._patience: Patience | None = None

    def take(self) -> int | None:
        now = time.monotonic()
        if self._here is None:
            self._here = self._appear()
        for slot in range(self._count):
            if slot in self._held:
                continue
            others_had_a_chance = now - self._freed_at.get(slot, 0.0) >= REST_SECONDS
            over = now - self._mine_since.get(slot, now) >= TURN_SECONDS
            if over and not others_had_a_chance and self._others_are_here(now):
                continue
            if self._lock(f"slot-{slot}"):
                if over or others_had_a_chance:
                    self._mine_since[slot] = now
                self._held.add(slot)
                self._patience = None
                return slot
        if self._patience is None:
            self._patience = Patience()
        self._patience.look("a concurrency slot", self._stopped_holder)
        return None

    def free(self, slot: int) -> None:
        if slot in self._held:
            self._held.discard(slot)
            self._freed_at[slot] = time.monotonic()
            unlock(self._files[f"slot-{slot}"])

    def close(self) -> None:
        self._held.clear()
        self._mine_since.clear()
        self._freed_at.clear()
        self._here, self._others, self._looked_at = None, True, 0.0
        while self._files:
            os.close(self._files.popitem()[1])

    def _stopped_holder(self) -> Holder | None:
        """A process that holds a slot and was stopped (Ctrl-Z); None if all holders are running."""
        slots = [self._path(f"slot-{slot}") for slot in range(self._count)]
        holders = (Holder(process_here(pid)) for pid in lock_holders(slots))
        return next((holder for holder in holders if holder.process.is_stopped), None)

    def _appear(self) -> int:
        """Take the first free place in the list of processes; _MOST_SEEN if there is none."""
        return next((place for place in range(_MOST_SEEN) if self._lock(f"process-{place}")), _MOST_SEEN)

    def _others_are_here(self, now: float) -> bool:
        """Whether there are other processes that may need a slot, now or later."""
        if self._looked_at and now - self._looked_at < _LOOK_SECONDS:
            return self._others
        self._looked_at, self._others = now, self._here == _MOST_SEEN
        for place in range(_MOST_SEEN):
            name = f"process-{place}"
            if self._others or place == self._here or not self._path(name).exists():
                continue
            if self._lock(name):
                unlock(self._files[name])
            else:
                self._others = True
        return self._others

    def _lock(self, name: str) -> bool:
        try:
            file = self._files.get(name)
            if file is None:
                file = self._files[name] = os.open(self._path(name), os.O_RDWR | os.O_CREAT, 0o600)
            return try_lock(file)
        except OSError as error:
            raise unusable(self._stem.parent, error) from error

    def _path(self, name: str) -> Path:
        return self._stem.with_name(f"{self._stem.name}.{name}")


class RedisSlots:
    """Slots for all processes that use one Redis server, as leases in a sorted set. Only one thread may use it."""

    blocking = True
    poll_seconds = (0.010, 0.025)

    def __init__(self, url: str, stem: str, count: int) -> None:
        self._url = url
        self._client = connected(url)
        self._count = count
        self._process = uuid.uuid4().hex
        self._leases = f"{stem}:in-flight"
        self._keys = [self._leases, f"{stem}:waiting", f"{stem}:asked"]
        self._take = self._client.register_script(_TAKE)
        self._renew = self._client.register_script(_RENEW)
        self._held: set[int] = set()
        self._next = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._renewing: threading.Thread | None = None

    def take(self) -> int | None:
        self._next += 1
        slot = self._next
        with redis_errors(self._url):
            limits = (round(LEASE_SECONDS * 1000), round(_PATIENCE_SECONDS * 1000))
            taken: Any = self._take(keys=self._keys, args=[self._count, self._member(slot), self._process, *limits])
        if not taken:
            return None
        with self._lock:
            self._held.add(slot)
        if self._renewing is None:
            self._renewing = threading.Thread(target=self._keep_renewing, name="seedbank-slots", daemon=True)
            self._renewing.start()
        return slot

    def free(self, slot: int) -> None:
        with self._lock:
            self._held.discard(slot)
            # If the server does not answer, the lease expires, since it is not renewed.
            with suppress(ConfigurationError), redis_errors(self._url):
                self._client.zrem(self._leases, self._member(slot))

    def close(self) -> None:
        self._closed.set()
        if self._renewing is not None:
            self._renewing.join()
        for slot in list(self._held):
            self.free(slot)
        self._client.close()

    def _member(self, slot: int) -> str:
        return f"{self._process}:{slot}"

    def _keep_renewing(self) -> None:
        while not self._closed.wait(_RENEWAL_SECONDS):
            # Under the lock, so that a lease that is freed meanwhile is not created again. If a renewal fails, the next one
            # follows in time: a lease is valid for four of them.
            with self._lock, suppress(ConfigurationError), redis_errors(self._url):
                held = [self._member(slot) for slot in self._held]
                if held:
                    self._renew(keys=[self._leases], args=[round(LEASE_SECONDS * 1000), *held])


def unusable(directory: Path, error: Exception) -> ConfigurationError:
    """The error for shared files that cannot be used."""
    return ConfigurationError(
        f"Limits of requests are shared through files in {directory}, which cannot be used: {error}. "
        "Make the folder writable, on a file system with free space and file locks."
    )


def connected(url: str) -> "Redis":
    """A client of the Redis server, which connects at its first call.

    Raises ConfigurationError if the URL is not a Redis URL or the package is not installed.
    """
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ConfigurationError(
            "limits.redis_url is set, but the package `redis` is not installed. "
            "Install it (pip install 'seedbank[redis]') or unset limits.redis_url."
        ) from error
    try:
        return Redis.from_url(
            url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            # Retry once, immediately: an old connection may have been closed meanwhile.
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError:
        # Without its cause, which may quote a part of the password.
        message = "limits.redis_url is not the address of a Redis server. Write it as redis://HOST:6379/0."
        raise ConfigurationError(message) from None


@contextmanager
def redis_errors(url: str) -> Iterator[None]:
    """Turn every error of Redis into a ConfigurationError that names the host but no other part of the URL."""
    from redis.exceptions import RedisError

    try:
        yield
    except RedisError as error:
        host = urlsplit(url).hostname or "this machine"
        raise ConfigurationError(
            f"The Redis server of limits.redis_url, on {host}, cannot be used ({type(error).__name__}). "
            "Start it, fix limits.redis_url, or unset it to share limits among the processes of this home alone."
        ) from error
