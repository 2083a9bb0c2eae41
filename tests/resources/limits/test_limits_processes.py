"""Limits on requests to a model, kept by real processes at once: in files, and in Redis where a server answers.

By hand, a full minute of four processes: see tests/support/limited_process.py.
"""

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resources.limits.limits import LimitRules, Limits
from tests.resources.limits import test_limits
from tests.resources.limits.test_limits import permitted, run
from tests.support.limited_process import events, most_at_once, most_in_a_window, sent, start, used

pytestmark = [pytest.mark.integration, pytest.mark.alone]

REQUESTS = 60
WINDOW_SECONDS = 2.0

# Fixtures: an endpoint of the test's own; no Redis, and Redis.
name, redis_url = test_limits.name, test_limits.redis_url


def test_four_processes_together_keep_the_window_and_use_it(tmp_path: Path, name: str, redis_url: str) -> None:
    """A server that counts refuses what is too much, and what is not used is time lost."""
    options = ("--requests", str(REQUESTS), "--window", str(WINDOW_SECONDS), "--redis-url", redis_url)
    times = sent(events(tmp_path, name, 4, *options, seconds=6 if redis_url else 12))
    assert most_in_a_window(times, WINDOW_SECONDS) <= REQUESTS
    assert used(times, REQUESTS, WINDOW_SECONDS) >= 0.9


def test_tokens_of_all_processes_together_keep_the_window(tmp_path: Path, name: str, redis_url: str) -> None:
    """Requests of different sizes; units of several tokens are rounded up, so few tokens too many would show."""
    options = ("--tokens", "50000", "--window", "1", "--redis-url", redis_url)
    with ThreadPoolExecutor(2) as both:
        sizes = (1_990, 4_010)
        runs = [both.submit(events, tmp_path, name, 1, *options, "--each", str(size), seconds=3) for size in sizes]
        found = [sent(one.result()) for one in runs]
    weighed = sorted((at, size) for times, size in zip(found, sizes, strict=True) for at in times)
    assert all(found), "one of both sent nothing"
    assert sum(size for _, size in weighed) > 2 * 50_000
    for first, (began, _) in enumerate(weighed):
        assert sum(size for at, size in weighed[first:] if at - began < 1) <= 50_000


def test_many_tokens_at_once_find_room_beside_many_small_requests(tmp_path: Path, name: str, redis_url: str) -> None:
    """Small requests would else take every bit of room as it appears, for ever."""
    rules = LimitRules(tokens=10_000, in_flight=0, window_seconds=1.0)
    options = ("--tokens", "10000", "--window", "1", "--redis-url", redis_url, "--each", "200", "--seconds", "30")
    with start(tmp_path, name, *options) as small:
        try:
            assert small.stdout is not None
            assert small.stdout.readline().startswith("+")

            async def large(limits: Limits) -> None:
                await permitted(limits, 9_500)

            run(Limits(name, rules, tmp_path, redis_url), large)
            assert small.poll() is None
        finally:
            small.kill()


def test_three_processes_are_never_in_flight_with_more_than_the_limit(
    tmp_path: Path, name: str, redis_url: str
) -> None:
    """Each alone would use all slots."""
    options = ("--in-flight", "2", "--workers", "3", "--takes", "0.03", "--redis-url", redis_url)
    found = events(tmp_path, name, 3, *options, seconds=2)
    assert most_at_once(found) == 2


def test_no_process_keeps_a_slot_from_the_others(tmp_path: Path, name: str, redis_url: str) -> None:
    """The one that frees it knows first, and could hand it to its own next request for ever."""
    options = ("--in-flight", "1", "--workers", "2", "--takes", "0.2", "--redis-url", redis_url)
    for one in events(tmp_path, name, 2, *options, seconds=3):
        assert len(sent([one])) >= 3


def test_a_process_that_is_killed_frees_its_slots_at_once(tmp_path: Path, name: str) -> None:
    """The killed process cannot report that its requests have ended."""

    async def refused(limits: Limits) -> None:
        waiting = asyncio.create_task(permitted(limits))
        assert not (await asyncio.wait((waiting,), timeout=0.3))[0]
        killed = time.monotonic()
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert await waiting - killed < 5

    with start(tmp_path, name, "--in-flight", "2", "--workers", "2", "--takes", "60") as holder:
        try:
            assert holder.stdout is not None
            assert [holder.stdout.readline()[0] for _ in range(2)] == ["+", "+"]
            run(Limits(name, LimitRules(in_flight=2), tmp_path), refused)
        finally:
            holder.kill()
