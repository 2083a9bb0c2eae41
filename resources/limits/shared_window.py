"""The storage of the shared window, in files of one machine or in Redis: its buckets, its lock and the precedence."""

import os
import random
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resources.limits.file_locks import try_lock, unlock
from resources.limits.request_slots import ANSWER_SECONDS, connected, redis_errors, unusable

# How long to try for the lock of a window; others hold it for about a millisecond.
_LOCK_SECONDS = 0.05


class FileWindow:
    """A window in SQLite files beside `stem`. If a process dies, the counts are right or count one request too many."""

    def __init__(self, stem: Path) -> None:
        self._path = stem.with_name(f"{stem.name}.sqlite")
        self._lock: int | None = None
        self._database: sqlite3.Connection | None = None

    @contextmanager
    def locked(self) -> Iterator[bool]:
        try:
            if self._lock is None:
                self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            end = time.monotonic() + _LOCK_SECONDS
            while not (locked := try_lock(self._lock)) and time.monotonic() < end:
                time.sleep(random.uniform(0.0003, 0.001))
            try:
                yield locked
            finally:
                if locked:
                    unlock(self._lock)
        except (OSError, sqlite3.Error) as error:
            raise unusable(self._path.parent, error) from error

    def opened(self, rates: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        from pyrate_limiter import Rate, SQLiteBucket
        from pyrate_limiter.buckets.sqlite_bucket import Queries

        # It is closed by another thread, after the thread that uses it has ended.
        database = self._database = sqlite3.connect(self._path, check_same_thread=False)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE IF NOT EXISTS first (process TEXT, until INTEGER)")
        for name in rates:
            database.execute(Queries.CREATE_BUCKET_TABLE.format(table=name))
            database.execute(Queries.CREATE_INDEX_ON_TIMESTAMP.format(index_name=f"{name}_time", table_name=name))
        database.commit()
        return {name: SQLiteBucket([Rate(*rate)], database, name) for name, rate in rates.items()}

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def tidy(self, buckets: Mapping[str, Any], now: int) -> None:
        for name, bucket in buckets.items():
            bucket.leak(now)
            # If the clock was set back, the window would otherwise be full until the clock has caught up.
            self._write(f"UPDATE {name} SET item_timestamp = ? WHERE item_timestamp > ?", now, now)

    def first(self, now: int, longest_ms: int) -> str | None:
        assert self._database is not None
        # A claim that is valid for longer than any process asks for was made before the clock was set back.
        valid = (now, now + longest_ms)
        found = self._database.execute("SELECT process FROM first WHERE until > ? AND until <= ?", valid).fetchone()
        return None if found is None else found[0]

    def put_first(self, process: str | None, now: int, good_ms: int) -> None:
        self._write("DELETE FROM first")
        if process is not None:
            self._write("INSERT INTO first VALUES (?, ?)", process, now + good_ms)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        if self._lock is not None:
            os.close(self._lock)

    def _write(self, statement: str, *values: int | str) -> None:
        assert self._database is not None
        with self._database:
            self._database.execute(statement, values)


class RedisWindow:
    """A window in a Redis server, with its clock. A host that dies with the lock delays the others for some seconds."""

    def __init__(self, url: str, stem: str) -> None:
        self._url = url
        self._stem = stem
        self._client = connected(url)
        self._lock = self._client.lock(f"{stem}:lock", ANSWER_SECONDS, sleep=0.002, raise_on_release_error=False)

    @contextmanager
    def locked(self) -> Iterator[bool]:
        with redis_errors(self._url):
            locked = bool(self._lock.acquire(blocking_timeout=_LOCK_SECONDS))
            try:
                yield locked
            finally:
                if locked:
                    self._lock.release()

    def opened(self, rates: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        from pyrate_limiter import Rate, RateItem, RedisBucket
        from pyrate_limiter.buckets.redis_bucket import LuaScript
        from redis.exceptions import NoScriptError

        client: Any = self._client

        class Bucket(RedisBucket):
            def put(self, item: RateItem) -> Any:
                try:
                    return super().put(item)
                except NoScriptError:  # the server was restarted and has lost the script
                    self.script_hash = client.script_load(LuaScript.PUT_ITEM)
                    return super().put(item)

        return {name: Bucket.init([Rate(*rate)], client, f"{self._stem}:{name}") for name, rate in rates.items()}

    def now(self) -> int:
        seconds, microseconds = self._client.time()
        return seconds * 1000 + microseconds // 1000

    def tidy(self, buckets: Mapping[str, Any], now: int) -> None:
        for name, bucket in buckets.items():
            bucket.leak(now)
            self._client.pexpire(f"{self._stem}:{name}", 2 * bucket.rates[0].interval)

    def first(self, now: int, longest_ms: int) -> str | None:
        found = self._client.get(f"{self._stem}:first")
        return found.decode() if isinstance(found, bytes) else None

    def put_first(self, process: str | None, now: int, good_ms: int) -> None:
        if process is None:
            self._client.delete(f"{self._stem}:first")
        else:
            self._client.set(f"{self._stem}:first", process, px=good_ms)

    def close(self) -> None:
        self._client.close()
