"""When a wrong answer is the model's, and when it is laid to an illness of the endpoint's."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resources.endpoints import endpoint_health
from resources.endpoints.endpoint_health import EndpointHealth
from resources.endpoints.llm import InvalidOutputError
from tests.support.model_answers import Call
from tests.support.model_faults import Fault, Latency, Status, WrongSchema
from tests.support.model_refusals import Says, said
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")


async def together(world: ModelWorld, *texts: str) -> list[Any]:
    """What becomes of these texts, asked at once in one run."""
    reuse = world.reuse()
    found = await asyncio.gather(*(world.asked(text, reuse) for text in texts), return_exceptions=True)
    reuse.accounts.look_again()
    return found


def remembered(world: ModelWorld) -> list[bool]:
    """Return for each failure whether it is permanent."""
    keys = {attempt.action_key for attempt in world.attempts()}
    return [not failure.transient for failure in world.store.failures.lookup(keys).values()]


def garbage_for(*words: str) -> Callable[[Call], Fault | None]:
    return lambda call: WrongSchema() if any(word in said(call) for word in words) else None


def test_a_model_that_answers_one_question_wrongly_is_at_fault(tmp_path: Path) -> None:
    """It would be paid for its wrong answers in every run."""
    wrong = garbage_for("odd")
    with ModelServer(lambda call, earlier: wrong(call)) as server, ModelWorld(tmp_path, server.url) as world:
        one, *others = world.run(together(world, "An odd text.", "One.", "Two.", "Three."))
        assert isinstance(one, InvalidOutputError)
        assert others == ["One.", "Two.", "Three."]
        assert remembered(world) == [True]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_server_that_fails_others_too_is_ill(when: str, tmp_path: Path) -> None:
    """Two garbage answers in a row are then no word on the question; a failure soon after counts as well."""

    def script(call: Call, earlier: int) -> Fault | None:
        if "down" in said(call):
            return Status(500) if earlier == 0 else None
        return WrongSchema() if "odd" in said(call) else None

    async def both(world: ModelWorld) -> InvalidOutputError:
        reuse = world.reuse()
        order = ["It is down.", "An odd text."] if when == "before" else ["An odd text.", "It is down."]
        found: list[Any] = []
        for text in order:
            found += await asyncio.gather(world.asked(text, reuse), return_exceptions=True)
        reuse.accounts.look_again()
        return next(one for one in found if isinstance(one, InvalidOutputError))

    with ModelServer(script) as server, ModelWorld(tmp_path, server.url) as world:
        error = world.run(both(world))
        assert error.transient
        assert "Run again" in error.remedy
        assert remembered(world) == [False]
        server.script = lambda call, earlier: None
        assert world.ask("An odd text.") == "An odd text."


def test_a_server_that_answered_and_then_gives_only_wrong_answers_is_ill(tmp_path: Path) -> None:
    ill = [False]
    with (
        ModelServer(lambda call, earlier: Says(lambda _: "Oh.") if ill[0] else None) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        assert world.ask("A text.") == "A text."
        ill[0] = True
        found = world.run(together(world, "One.", "Two.", "Three."))
        assert all(isinstance(one, InvalidOutputError) and one.transient for one in found)
        ill[0] = False
        assert world.run(together(world, "One.", "Two.", "Three.")) == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(("wrong", "ill"), [(3, True), (2, False)])
def test_so_is_one_that_is_asked_one_question_at_a_time(wrong: int, ill: bool, tmp_path: Path) -> None:
    """No other question was asked meanwhile, and all of these stayed failed for good."""
    texts = ["A text.", *(f"Odd {n}." for n in range(wrong)), "Another text."]
    garbage = garbage_for("Odd")

    async def all_of_them(world: ModelWorld) -> list[Any]:
        reuse = world.reuse()
        found: list[Any] = []
        for text in texts:
            found += await asyncio.gather(world.asked(text, reuse), return_exceptions=True)
        reuse.accounts.look_again()
        return found

    with ModelServer(lambda call, earlier: garbage(call)) as server, ModelWorld(tmp_path, server.url) as world:
        first, *odd, last = world.run(all_of_them(world))
        assert (first, last) == ("A text.", "Another text.")
        assert [one.transient for one in odd] == [ill] * wrong
        assert remembered(world) == [not ill] * wrong


def test_a_model_that_never_answered_rightly_is_at_fault(tmp_path: Path) -> None:
    with ModelServer(lambda call, earlier: WrongSchema()) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(together(world, "One.", "Two."))
        assert remembered(world) == [True, True]


@pytest.mark.slow
def test_a_limit_that_was_reached_is_no_illness(tmp_path: Path) -> None:
    def script(call: Call, earlier: int) -> Fault | None:
        if "odd" in said(call):
            return WrongSchema()
        return Status(429) if "many" in said(call) and earlier == 0 else Latency(0.05)

    with ModelServer(script) as server, ModelWorld(tmp_path, server.url) as world:
        world.run(together(world, "An odd text.", "One of many.", "Two.", "Three."))
        assert remembered(world) == [True]


def test_what_happened_long_before_is_no_part_of_an_illness(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(endpoint_health.time, "monotonic", lambda: now[0])
    health, question = EndpointHealth(), object()
    health.record(object(), "failed")
    now[0] += 70
    assert not health.was_down(question, now[0], now[0] + 5)
    assert health.was_down(question, now[0] - 15, now[0])
