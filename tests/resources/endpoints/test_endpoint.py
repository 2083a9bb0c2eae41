"""One endpoint, asked over HTTP: what is sent again, what is waited for, what ends all asking, and what is written down."""

import asyncio
import json
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from io_managers.store.request_ledger import ANSWERED
from resources.endpoints.llm import EndpointError, PermanentLLMError, TransientLLMError
from resources.endpoints.waits import limit_wait, retry_after, wait_asked
from resources.errors import StoppedError
from tests.support import model_server
from tests.support.model_answers import Call
from tests.support.model_faults import (
    BadBody,
    DropBeforeReply,
    DropMidReply,
    Fault,
    HtmlInstead,
    Huge,
    Latency,
    Stall,
    Status,
    TooMany,
    always,
    first,
    sequence,
)
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

# For those that stall: longer than a valid answer takes, shorter than the stall. For the others: as if there were none.
STALLED_SECONDS, PATIENCE_SECONDS = 1.0, 60.0
PASSING: list[tuple[Fault, str]] = [
    (Status(408), "HTTP 408"),
    (Status(409), "HTTP 409"),
    (TooMany(), "HTTP 429"),
    (Status(500), "HTTP 500"),
    (Status(503), "HTTP 503"),
    (DropBeforeReply(), "connection"),
    (DropMidReply(), "connection"),
    (DropMidReply(reset=False), "connection"),
    (Stall(30), "timeout"),
    (HtmlInstead(), "no JSON"),
    (BadBody(), "no JSON"),
    (Huge(50), "reply too large"),
]


def _name(value: object) -> str:
    return value.replace(" ", "-") if isinstance(value, str) else type(value).__name__


def patience(fault: Fault) -> float:
    """How long to wait for an answer."""
    return STALLED_SECONDS if isinstance(fault, Stall) else PATIENCE_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "outcome"), PASSING, ids=_name)
def test_what_passes_is_sent_again_and_each_attempt_is_in_the_accounts(
    fault: Fault, outcome: str, tmp_path: Path
) -> None:
    """A server that hiccups twice must cost neither the document nor a line of what was tried."""
    with (
        ModelServer(first(2, fault)) as server,
        ModelWorld(tmp_path, server.url, timeout_seconds=patience(fault)) as world,
    ):
        assert "bread" in world.run(world.say("A text about bread."))
        assert len(server.calls) == 3
        assert sum(server.valid_answers.values()) == 1
        attempts = world.attempts()
    assert [attempt.outcome for attempt in attempts] == [outcome, outcome, ANSWERED]
    assert all(attempt.detail for attempt in attempts[:2])
    assert attempts[2].input_tokens > 0
    assert {attempt.model for attempt in attempts} == {"scripted"}


@pytest.mark.slow
@pytest.mark.parametrize(("outcome", "fault"), {outcome: fault for fault, outcome in PASSING}.items(), ids=_name)
def test_a_failure_that_does_not_pass_is_reported_after_three_retries(
    fault: Fault, outcome: str, tmp_path: Path
) -> None:
    """Retries without an end would hold a run for ever; an error without words would send its reader guessing."""
    with (
        ModelServer(always(fault)) as server,
        ModelWorld(tmp_path, server.url, timeout_seconds=patience(fault) / 4) as world,
    ):
        with pytest.raises(TransientLLMError) as raised:
            world.run(world.say("A text about bread."))
        assert len(server.calls) == 4
        assert world.outcomes() == [outcome] * 4
    assert raised.value.transient
    assert not isinstance(raised.value, EndpointError)
    assert outcome in raised.value.reason
    assert "scripted at http://127.0.0.1" in raised.value.reason


def test_a_reply_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    """What is no answer at 16 MB must not fill the store either."""
    with ModelServer(sequence(Huge(50))) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(world.say("A text."))
        assert world.attempts()[0].response == ""


@pytest.mark.slow
def test_retry_after_in_seconds_is_waited_for_by_every_request(tmp_path: Path) -> None:
    """A client that ignores a server's Retry-After is locked out for longer."""

    async def both(world: ModelWorld, server: ModelServer) -> None:
        waiting = asyncio.create_task(world.say("The first."))
        while not world.outcomes():
            await asyncio.sleep(0.01)
        await world.say("The second.")
        await waiting

    with ModelServer(sequence(TooMany("1"))) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(both(world, server))
        arrivals = server.arrivals()
    assert len(arrivals) == 3
    assert min(arrivals[1:]) - arrivals[0] >= 1


@pytest.mark.slow
def test_retry_after_as_a_date_is_waited_for(tmp_path: Path) -> None:
    until: list[int] = []

    def script(call: Call, earlier: int) -> Fault | None:
        if call.number:
            return None
        until.append(int(time.time()) + 2)
        return TooMany(formatdate(until[0], usegmt=True))

    with ModelServer(script) as server, ModelWorld(tmp_path, server.url) as world:
        offset = time.time() - time.monotonic()
        world.run(world.say("A text."))
        # Clocks of a machine differ by less than this.
        assert server.arrivals()[1] + offset >= until[0] - 0.05


def test_an_unreasonably_long_wait_is_an_error_at_once(tmp_path: Path) -> None:
    with ModelServer(always(TooMany("3600"))) as server, ModelWorld(tmp_path, server.url) as world:
        for _ in range(2):
            with pytest.raises(EndpointError, match="3,600 s"):
                world.run(world.say("A text."))
        assert len(server.calls) == 1


@pytest.mark.slow
def test_a_limit_of_which_nothing_is_left_holds_the_next_request_back(tmp_path: Path) -> None:
    """The server has said that the next one would be refused."""

    def spent(call: Call) -> dict[str, str]:
        if call.number:
            return {"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "1h"}
        return {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "600ms"}

    async def three(world: ModelWorld) -> None:
        for text in ("One.", "Two.", "Three."):
            await world.say(text)

    with ModelServer(extra_headers=spent) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(three(world))
        arrivals = server.arrivals()
    assert arrivals[1] - arrivals[0] >= 0.6
    assert len(arrivals) == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": formatdate(1_000_060, usegmt=True)}, 60),
        ({"retry-after": formatdate(999_000, usegmt=True)}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"X-Retry-After": "7"}, 7),
        ({"x-ratelimit-retry-after": "7s"}, 7),
        ({"retry-after": ""}, 0),
        ({}, 0),
    ],
)
def test_every_spelling_of_retry_after_is_read(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, 1_000_000.0) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}, 90),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "250ms"}, 0.25),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "1m"}, 0),
        ({"x-ratelimit-reset-requests": "1m"}, 0),
        ({"x-ratelimit-remaining-requests": "0"}, 0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6ms"}, 0.006),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1h2m3.5s"}, 3723.5),
        ({"x-ratelimit-remaining-tokens": "0.0", "x-ratelimit-reset-tokens": "7.66s"}, 7.66),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1900000045"}, 45),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1900000045500"}, 45.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1735689600"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": formatdate(1_900_000_030, usegmt=True)}, 30),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2030-03-17T17:46:50Z"}, 10),
        ({"anthropic-ratelimit-tokens-remaining": "9", "anthropic-ratelimit-tokens-reset": "2030-03-17T17:46:50Z"}, 0),
        ({"ratelimit": "limit=100, remaining=0, reset=12"}, 12),
        ({"ratelimit": "limit=100, remaining=1, reset=12"}, 0),
        ({"ratelimit": '"minute";r=0;t=9, "day";r=50;t=4000'}, 9),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1900000045500000"}, 45.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1900000045500000000"}, 45.5),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "PT1M30S"}, 90),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0:01:30"}, 90),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "12"}, 12),
        ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "12"}, 12),
        ({"x-ratelimit-remaining-minute": "0", "x-ratelimit-remaining-hour": "9", "ratelimit-reset": "12"}, 12),
        ({"ratelimit-remaining": "0, 5;w=60", "ratelimit-reset": "12"}, 12),
    ],
)
def test_the_end_of_a_limit_is_read_in_every_form(headers: dict[str, str], seconds: float) -> None:
    """Seconds since 1970 taken for a duration would be a pause of half a century."""
    assert limit_wait(headers, 1_900_000_000.0) == pytest.approx(seconds)


def test_a_request_that_is_wrong_is_sent_once(tmp_path: Path) -> None:
    with (
        ModelServer(sequence(Status(400, "The text is too long."))) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        with pytest.raises(PermanentLLMError, match=r"HTTP 400.*too long"):
            world.run(world.say("A text."))
        assert len(server.calls) == 1
        assert world.outcomes() == ["HTTP 400"]
        # It says nothing of other requests.
        world.run(world.say("Another text."))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"message": "Rate limit reached for m on tokens per min. Please try again in 1.2s. Visit x."}}, 1.2),
        ({"error": {"message": "Rate limit reached. Please try again in 1m2.5s."}}, 62.5),
        ({"error": {"message": "Rate limit reached. Please try again in 20ms."}}, 0.02),
        ({"error": {"message": "Requests have exceeded the rate limit. Please retry after 26 seconds."}}, 26),
        ({"error": {"message": "Please retry in 34.074824224s."}}, 34.074824224),
        ({"error": {"code": 429, "details": [{"@type": "type/RetryInfo", "retryDelay": "34s"}]}}, 34),
        ([{"error": {"details": [{"retryDelay": "3.5s"}]}}], 3.5),
        ({"error": {"message": "slow down", "retry_after_ms": 1500}}, 1.5),
        ({"message": "slow down", "retry_after": 7}, 7),
        ({"message": "slow down", "retryAfterSeconds": "8"}, 8),
        ({"error": "Model m is currently loading", "estimated_time": 20.0}, 20),
        ({"error": {"message": "Too many requests. Please try again later."}}, 0),
        ({"error": {"message": "Please wait."}, "retry_after": None}, 0),
        (
            {"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1900000017000"}}}},
            17,
        ),
        ({"error": {"type": "usage_limit_reached", "resets_at": 1900000017}}, 17),
        ({"error": {"resets_in_seconds": 17}}, 17),
        ({"error": {"message": "You can retry your request in 30 seconds."}}, 30),
        ({"error": {"message": "Please try again in approximately 1 minute and 30 seconds."}}, 90),
        ({"error": {"message": "Please try again at 2030-03-17T17:46:50Z."}}, 10),
    ],
)
def test_a_delay_in_a_reply_is_read_in_every_form(body: object, seconds: float) -> None:
    text = json.dumps(body)
    assert wait_asked({}, body, text, 1_900_000_000.0) == pytest.approx(seconds)
    # What the server says by header is meant for programs.
    assert wait_asked({"retry-after": "3"}, body, text, 1_900_000_000.0) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        Status(429, "slow", {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "900ms"}),
        Status(429, "slow", {"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "0.9s"}),
        Status(429, "Rate limit reached. Please try again in 0.9s."),
        Status(429, json.dumps({"retryDelay": "0.9s"})),
        Status(503, "Overloaded, retry after 0.9 seconds"),
    ],
    ids=["requests", "tokens", "words", "inner", "503"],
)
@pytest.mark.slow
def test_a_wait_that_a_refusal_asks_for_holds_all_requests_back(refusal: Fault, tmp_path: Path) -> None:
    """Retries after half a second would use up what is left of a limit, and fail documents that need only a moment."""

    async def both(world: ModelWorld) -> None:
        waiting = asyncio.create_task(world.say("The first."))
        while not world.outcomes():
            await asyncio.sleep(0.01)
        await world.say("The second.")
        await waiting

    with ModelServer(sequence(refusal)) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(both(world))
        arrivals = server.arrivals()
    assert len(arrivals) == 3
    assert min(arrivals[1:]) - arrivals[0] >= 0.9


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_key_address_or_model_is_found_out_by_one_request(status: int, tmp_path: Path) -> None:
    """Ten thousand documents must not each be refused."""
    with ModelServer(always(Status(status))) as server, ModelWorld(tmp_path, server.url) as world:
        for text in ("One.", "Two."):
            with pytest.raises(EndpointError, match=str(status)) as raised:
                world.run(world.say(text))
            assert raised.value.transient
        assert len(server.calls) == 1
        assert len(world.attempts()) == 1


async def _fail(world: ModelWorld, times: int) -> list[BaseException | str]:
    results: list[BaseException | str] = []
    for number in range(times):
        results += await asyncio.gather(world.say(f"Text {number}."), return_exceptions=True)
    return results


@pytest.mark.slow
def test_five_requests_that_fail_for_good_end_the_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that is down costs its retries a few times, not for every document; later it is tried once more."""
    down = [True]
    with (
        ModelServer(lambda call, earlier: Status(503) if down[0] else None) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        results = world.run(_fail(world, 5))
        assert [type(error) for error in results] == [TransientLLMError] * 5
        assert len(server.calls) == 20
        results = world.run(_fail(world, 3))
        assert [type(error) for error in results] == [EndpointError] * 3
        assert "5 requests in a row" in str(results[0])
        assert len(server.calls) == len(world.attempts()) == 20
        monkeypatch.setattr(world.model().endpoint.circuit, "_down_until", time.monotonic())
        results = world.run(_fail(world, 2))
        # One request is enough to see that it is still down.
        assert [type(error) for error in results] == [TransientLLMError, EndpointError]
        assert len(server.calls) == 24
        monkeypatch.setattr(world.model().endpoint.circuit, "_down_until", time.monotonic())
        down[0] = False
        assert all(isinstance(answer, str) for answer in world.run(_fail(world, 2)))


@pytest.mark.slow
def test_failures_with_an_answer_between_them_do_not_end_the_asking(tmp_path: Path) -> None:
    """One bad document in ten says nothing against the endpoint."""

    def script(call: Call, earlier: int) -> Fault | None:
        return Status(500) if "bad" in call.texts()[-1] else None

    async def mixed(world: ModelWorld) -> list[BaseException | str]:
        results: list[BaseException | str] = []
        for text in [f"bad {n}." for n in range(4)] + ["good."] + [f"bad {n}." for n in range(4)] + ["good."]:
            results += await asyncio.gather(world.say(text), return_exceptions=True)
        return results

    with ModelServer(script) as server, ModelWorld(tmp_path, server.url) as world:
        results = world.run(mixed(world))
    assert [type(one) for one in results] == ([TransientLLMError] * 4 + [str]) * 2


def test_connections_are_kept_for_the_next_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection a request costs a handshake each, and ten thousand sockets in TIME_WAIT."""
    opened: list[object] = []
    made = model_server._Connection.connection_made

    def counting(self: model_server._Connection, transport: asyncio.Transport) -> None:
        opened.append(transport)
        made(self, transport)

    async def many(world: ModelWorld) -> None:
        for number in range(10):
            await world.say(f"Text {number}.")
        await asyncio.gather(*(world.say(f"Other text {number}.") for number in range(20)))

    monkeypatch.setattr(model_server._Connection, "connection_made", counting)
    with (
        ModelServer(lambda call, earlier: Latency(0.02) if call.number >= 10 else None) as server,
        ModelWorld(tmp_path, server.url, in_flight=4) as world,
    ):
        world.run(many(world))
        assert len(server.calls) == 30
        assert server.in_flight_most == 4
        assert len(opened) == 4


def test_a_reason_to_stop_ends_a_wait(tmp_path: Path) -> None:
    """Ctrl-C during a Retry-After of half a minute must not wait for it, and nothing is sent after it."""
    reason = [""]

    async def stopped(world: ModelWorld) -> None:
        waiting = asyncio.create_task(world.say("A text.", world.reuse(stop_reason=lambda stage: reason[0])))
        while not world.outcomes():
            await asyncio.sleep(0.01)
        reason[0] = "interrupted"
        with pytest.raises(StoppedError, match="interrupted"):
            await asyncio.wait_for(waiting, 20)
        with pytest.raises(StoppedError, match="interrupted"):
            await world.say("Another.", world.reuse(stop_reason=lambda stage: reason[0]))

    with ModelServer(always(TooMany("30"))) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(stopped(world))
        assert len(server.calls) == 1
        assert world.outcomes() == ["HTTP 429"]


def test_a_request_that_is_given_up_is_in_the_accounts(tmp_path: Path) -> None:
    """The server may have computed and charged it."""

    async def cancelled(world: ModelWorld, server: ModelServer) -> None:
        asking = asyncio.create_task(world.say("A text."))
        while not server.calls:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()

    with ModelServer(always(Latency(30))) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(cancelled(world, server))
        assert world.outcomes() == ["given up"]
