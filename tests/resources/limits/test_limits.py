"""Limits on requests to a model, seen from one process."""

import asyncio
import hashlib
import socket
import time
import traceback
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from resources.errors import ConfigurationError, StoppedError
from resources.limits import request_slots
from resources.limits.limits import LimitRules, Limits
from resources.limits.request_slots import FileSlots
from resources.limits.request_window import Window
from resources.limits.shared_window import FileWindow

REDIS = "redis://127.0.0.1:6379/0"


@pytest.fixture
def name() -> Iterator[str]:
    """An endpoint that no other test knows; what it leaves in Redis is removed."""
    own = f"test {uuid.uuid4()}"
    yield own
    forget_in_redis(own)


@pytest.fixture(params=["files", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """No Redis, and Redis."""
    if request.param == "files":
        return ""
    if not redis_answers():
        pytest.skip("no Redis server on 127.0.0.1:6379")
    return REDIS


def redis_answers() -> bool:
    try:
        socket.create_connection(("127.0.0.1", 6379), timeout=1).close()
    except OSError:
        return False
    return True


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def forget_in_redis(name: str) -> None:
    if not redis_answers():
        return
    from redis import Redis

    with Redis.from_url(REDIS) as client:
        for key in client.scan_iter(f"seedbank:limits:{digest(name)}:*"):
            client.delete(key)


def never() -> str:
    return ""


def run(limits: Limits, *bodies: Callable[[Limits], Coroutine[Any, Any, None]]) -> None:
    """Each body in an event loop of its own, one after the other."""
    try:
        for body in bodies:
            asyncio.run(asyncio.wait_for(body(limits), 20))
    finally:
        limits.close()


async def permitted(limits: Limits, tokens: int = 0) -> float:
    """When a permit came."""
    async with limits.permit(tokens, never):
        return time.monotonic()


def test_a_request_larger_than_the_window_is_refused(tmp_path: Path) -> None:
    """It would wait for ever; and one that just fits must not be refused for being rounded up."""

    async def body(limits: Limits) -> None:
        with pytest.raises(ConfigurationError) as raised:
            await permitted(limits, 4_002)
        for said in ("4,002", "4,001", "llm.tpm", "llm.context_tokens"):
            assert said in str(raised.value)
        await permitted(limits, 4_001)

    run(Limits("endpoint", LimitRules(tokens=4_001), tmp_path), body)


@pytest.mark.integration
def test_a_lease_of_a_host_that_died_ends_by_itself(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Redis no system frees anything; a lease that is held is renewed and outlives its own time."""
    if not redis_answers():
        pytest.skip("no Redis server on 127.0.0.1:6379")
    # Fifteen renewals may come late before the lease is lost.
    monkeypatch.setattr(request_slots, "LEASE_SECONDS", 1.5)
    monkeypatch.setattr(request_slots, "_RENEWAL_SECONDS", 0.1)
    stem = f"seedbank:limits:{digest(name)}"
    one, other = (request_slots.RedisSlots(REDIS, stem, 1) for _ in range(2))
    assert one.take() is not None
    for _ in range(20):
        time.sleep(0.1)
        assert other.take() is None
    one._closed.set()  # as if its host had died: nothing is renewed, nothing freed
    end = time.monotonic() + 10
    while (slot := other.take()) is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    other.free(slot)
    other.close()
    one.close()


@pytest.mark.integration
def test_a_waiting_request_learns_when_nothing_more_may_begin(tmp_path: Path, name: str, redis_url: str) -> None:
    """In line, for a slot, for the window and in a pause alike; nothing of it is left behind."""
    reasons = [""]

    async def stopped_while_waiting(limits: Limits, count: int) -> None:
        waiting = [asyncio.create_task(asked(limits)) for _ in range(count)]
        assert not (await asyncio.wait(waiting, timeout=0.3))[0]
        reasons[0] = "the budget is spent"
        done, _ = await asyncio.wait(waiting, timeout=20)
        reasons[0] = ""
        assert len(done) == count
        for one in done:
            error = one.exception()
            assert isinstance(error, StoppedError)
            assert error.reason == "the budget is spent"

    async def asked(limits: Limits) -> None:
        async with limits.permit(0, lambda: reasons[0]):
            pytest.fail("nothing was free")

    async def for_a_slot(limits: Limits) -> None:
        async with limits.permit(0, never):
            await stopped_while_waiting(limits, 3)
        limits.pause(1.0)
        await stopped_while_waiting(limits, 2)
        await permitted(limits)

    async def for_the_window(limits: Limits) -> None:
        await permitted(limits)
        await stopped_while_waiting(limits, 3)

    run(Limits(f"{name}", LimitRules(in_flight=1), tmp_path, redis_url), for_a_slot)
    run(Limits(f"{name}", LimitRules(requests=1, in_flight=1), tmp_path, redis_url), for_the_window)


def test_what_is_stopped_already_begins_nothing(tmp_path: Path) -> None:
    async def body(limits: Limits) -> None:
        with pytest.raises(StoppedError, match="interrupted"):
            async with limits.permit(0, lambda: "interrupted"):
                pytest.fail("begun")

    run(Limits("endpoint", LimitRules(), tmp_path), body)


@pytest.mark.integration
def test_cancelling_leaks_no_slot(tmp_path: Path, name: str, redis_url: str) -> None:
    """At whatever moment: in line, while a slot is asked for, in the body. All slots are there afterwards."""

    held = 0

    async def hold(limits: Limits) -> None:
        nonlocal held
        async with limits.permit(0, never):
            held += 1
            try:
                await asyncio.sleep(60)
            finally:
                held -= 1

    async def body(limits: Limits) -> None:
        for moment in range(40):
            tasks = [asyncio.create_task(hold(limits)) for _ in range(4)]
            await asyncio.sleep(moment * 0.0002)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        tasks = [asyncio.create_task(hold(limits)) for _ in range(3)]
        refused = asyncio.create_task(hold(limits))
        while held < 3:
            await asyncio.sleep(0.01)
        limits_of_another = Limits(name, LimitRules(in_flight=3), tmp_path, redis_url)
        assert not (await asyncio.wait((asyncio.create_task(permitted(limits_of_another)),), timeout=0.2))[0]
        for task in (*tasks, refused):
            task.cancel()
        await asyncio.gather(*tasks, refused, return_exceptions=True)
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(limits.permit(0, never))

    run(Limits(name, LimitRules(in_flight=3), tmp_path, redis_url), body)


def test_an_error_in_the_body_frees_the_slot(tmp_path: Path) -> None:
    async def body(limits: Limits) -> None:
        for _ in range(3):
            with pytest.raises(ValueError, match="the answer was no JSON"):
                async with limits.permit(0, never):
                    raise ValueError("the answer was no JSON")
        await permitted(limits)

    run(Limits("endpoint", LimitRules(in_flight=1), tmp_path), body)


@pytest.mark.integration
def test_requests_of_a_process_go_in_the_order_in_which_they_asked(tmp_path: Path, name: str, redis_url: str) -> None:
    """Else a document could wait for ever; one that gives up in the middle does not stop those behind it."""
    order: list[int] = []

    async def ask(limits: Limits, number: int) -> None:
        async with limits.permit(number * 10, never):
            order.append(number)
            await asyncio.sleep(0.005)

    async def body(limits: Limits) -> None:
        async with limits.permit(0, never):
            tasks = [asyncio.create_task(ask(limits, number)) for number in range(20)]
            await asyncio.sleep(0.05)
            for given_up in (0, 7, 19):
                tasks[given_up].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(Limits(name, LimitRules(requests=100, tokens=10_000, in_flight=1), tmp_path, redis_url), body)
    assert order == [number for number in range(20) if number not in (0, 7, 19)]


@pytest.mark.parametrize("rules", [LimitRules(in_flight=0), LimitRules(requests=100)])
@pytest.mark.slow
def test_a_pause_is_obeyed_and_a_shorter_one_does_not_shorten_it(tmp_path: Path, rules: LimitRules) -> None:
    """The server refuses, and may punish, what comes before the time that it named."""

    async def body(limits: Limits) -> None:
        await permitted(limits)
        paused = time.monotonic()
        limits.pause(1.2)
        limits.pause(0.1)
        first = asyncio.create_task(permitted(limits))
        # Long enough for it to wait, and a second before its pause is over, even if this process is disturbed.
        await asyncio.sleep(0.2)
        limits.pause(1.2)
        assert await first - paused >= 1.4
        assert await permitted(limits) >= paused + 1.4

    run(Limits("endpoint", rules, tmp_path), body)


@pytest.mark.integration
def test_event_loops_may_follow_one_another(tmp_path: Path, name: str, redis_url: str) -> None:
    """Each run has its own; one that ends with requests in line leaves nothing to the next."""

    async def in_line(limits: Limits) -> None:
        async with limits.permit(0, never):
            tasks = [asyncio.create_task(permitted(limits)) for _ in range(3)]
            await asyncio.sleep(0.05)
            assert not any(task.done() for task in tasks)

    async def again(limits: Limits) -> None:
        await asyncio.gather(*(permitted(limits, 10) for _ in range(3)))

    rules = LimitRules(requests=100, tokens=1000, in_flight=1)
    run(Limits(name, rules, tmp_path, redis_url), again, in_line, again, in_line, again)


@pytest.mark.slow
def test_a_clock_that_was_put_back_closes_no_window_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of the future count for one window from now on, not until the clock is there again."""

    async def body(limits: Limits) -> None:
        now = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)
        await permitted(limits)
        monkeypatch.setattr(time, "time_ns", now)
        back = time.monotonic()
        assert await permitted(limits) - back >= 0.5

    run(Limits("endpoint", LimitRules(requests=1, window_seconds=0.5), tmp_path), body)


@pytest.mark.slow
def test_precedence_of_a_dead_process_ends_though_the_clock_was_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = LimitRules(requests=10, tokens=100, window_seconds=0.5)
    now = time.time_ns
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)
        dead = Window(rules, FileWindow(tmp_path / "window"))
        assert dead.take(100, starved=False)[0] == 0
        assert dead.take(100, starved=True)[0] > 0  # it claims precedence, and is killed
        dead.close()

    other = Window(rules, FileWindow(tmp_path / "window"))
    until = time.monotonic() + 20
    while other.take(1, starved=False)[0]:
        assert time.monotonic() < until
        time.sleep(0.05)
    other.close()


@pytest.mark.slow
def test_a_slot_is_left_to_other_processes_only_if_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was alone left each of its slots unused for a while, again and again, and sent less than it might."""
    monkeypatch.setattr(request_slots, "TURN_SECONDS", 0.02)
    monkeypatch.setattr(request_slots, "_LOOK_SECONDS", 0.01)

    def left_alone() -> bool:
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            slot = ours.take()
            if slot is None:
                return True
            ours.free(slot)
        return False

    ours, other = (FileSlots(tmp_path / "slots", 1) for _ in range(2))
    try:
        assert not left_alone()
        until = time.monotonic() + 10
        while (taken := other.take()) is None and time.monotonic() < until:
            time.sleep(0.001)
        assert taken is not None
        other.free(taken)
        assert left_alone()
        other.close()
        time.sleep(0.05)
        assert not left_alone()
    finally:
        ours.close()
        other.close()


def test_more_processes_than_can_be_distinguished_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_slots, "_MOST_SEEN", 2)
    monkeypatch.setattr(request_slots, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(request_slots, "REST_SECONDS", 60.0)  # a busy machine may stop this process for a while
    three = [FileSlots(tmp_path / "slots", 1) for _ in range(3)]
    try:
        for slots in three:
            taken = slots.take()
            assert taken is not None
            slots.free(taken)
        assert [slots.take() for slots in three] == [None, None, None]
    finally:
        for slots in three:
            slots.close()


def test_without_limits_nothing_is_written(tmp_path: Path) -> None:
    async def body(limits: Limits) -> None:
        await asyncio.gather(*(permitted(limits, 1000) for _ in range(10)))

    run(Limits("endpoint", LimitRules(in_flight=0), tmp_path / "limits"), body)
    assert not list(tmp_path.iterdir())


def test_the_name_is_not_written_anywhere(tmp_path: Path) -> None:
    """It holds a key."""

    async def body(limits: Limits) -> None:
        await permitted(limits, 1)
        for path in tmp_path.iterdir():
            assert b"sk-secret" not in path.name.encode() + path.read_bytes()

    run(Limits("host sk-secret", LimitRules(requests=5, tokens=5), tmp_path), body)


@pytest.mark.parametrize("rules", [LimitRules(requests=5, in_flight=0), LimitRules(in_flight=1)])
def test_files_that_cannot_be_used_are_named(tmp_path: Path, rules: LimitRules) -> None:
    (tmp_path / "limits").write_text("not a directory")

    async def body(limits: Limits) -> None:
        with pytest.raises(ConfigurationError, match=str(tmp_path / "limits")):
            await permitted(limits)

    run(Limits("endpoint", rules, tmp_path / "limits"), body)


@pytest.mark.parametrize("rules", [LimitRules(requests=5, in_flight=0), LimitRules(in_flight=1)])
@pytest.mark.parametrize("url", ["redis://:sesame@127.0.0.1:{port}/0", "redis://:ses/ame@127.0.0.1", "redis:/sesame:x"])
def test_a_redis_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path, rules: LimitRules, url: str
) -> None:
    """Messages end in logs and in Dagster's records, with the whole chain of what led to them."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # nobody listens
        address = url.format(port=bound.getsockname()[1])

        async def body(limits: Limits) -> None:
            with pytest.raises(ConfigurationError, match=r"limits\.redis_url") as raised:
                await permitted(limits)
            message = "".join(traceback.format_exception(raised.value))
            assert "sesame" not in message
            assert "ses/ame" not in message
            if "{port}" in url:
                assert "127.0.0.1" in str(raised.value)

        run(Limits("endpoint", rules, tmp_path, address), body)


@pytest.mark.integration
def test_scripts_are_sent_again_to_a_redis_that_forgot_them(tmp_path: Path, name: str) -> None:
    """A server that was started again knows none of them."""
    if not redis_answers():
        pytest.skip("no Redis server on 127.0.0.1:6379")

    async def body(limits: Limits) -> None:
        await permitted(limits, 1)
        assert limits._window is not None
        for bucket in limits._window._buckets.values():
            bucket.script_hash = "0" * 40  # not by flushing them: others may use the server
        await permitted(limits, 1)

    run(Limits(name, LimitRules(requests=5, tokens=5), tmp_path, REDIS), body)
