"""How long a request counts as in flight: until its answer cannot be lost any more, and not a moment longer."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from io_managers.store.errors import StoreUnavailableError
from io_managers.store.fingerprint import Action, KeyTemplate
from io_managers.store.store import Store
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Compute, Reuse
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

TEMPLATE = KeyTemplate("answers", {"version": "1"})
# Long enough for a request on loopback, were one sent that must not be.
A_WHILE_SECONDS = 0.15
DEADLOCK_SECONDS = 30


class HeldUp:
    """Commits of a store that are acknowledged when the test says so, in their order."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self._commit = store.commit
        self.waiting: list[tuple[Future[list[str]], Future[list[str]]]] = []
        monkeypatch.setattr(store, "commit", self._take)

    def _take(self, *results: Any, **options: Any) -> Future[list[str]]:
        outcome: Future[list[str]] = Future()
        outcome.set_running_or_notify_cancel()
        self.waiting.append((outcome, self._commit(*results, **options)))
        return outcome

    def let_go(self, error: Exception | None = None) -> None:
        """Acknowledge the first; with an error it has failed."""
        outcome, real = self.waiting.pop(0)
        digests = real.result()
        if error is None:
            outcome.set_result(digests)
        else:
            outcome.set_exception(error)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLOCK_SECONDS):
        while not holds():
            await asyncio.sleep(0.002)


@pytest.mark.slow
def test_an_answer_counts_as_in_flight_until_it_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill lost nine answers where at most eight requests were in flight: the ninth was sent before the first was kept."""

    async def body(world: ModelWorld, server: ModelServer) -> None:
        held, reuse = HeldUp(world.store, monkeypatch), world.reuse()
        tasks = [asyncio.create_task(world.asked(f"Text {number}.", reuse)) for number in range(6)]
        for sent in range(2, 7):
            await until(lambda: len(held.waiting) == 2)
            await asyncio.sleep(A_WHILE_SECONDS)
            assert len(server.calls) == sent
            held.let_go()
        await until(lambda: len(held.waiting) == 1)
        held.let_go()
        assert len(await asyncio.gather(*tasks)) == 6

    with ModelServer() as server, ModelWorld(tmp_path, server.url, in_flight=2) as world:
        world.run(body(world, server))


def test_a_commit_that_fails_lets_the_next_request_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(world: ModelWorld, server: ModelServer) -> None:
        held, reuse = HeldUp(world.store, monkeypatch), world.reuse()
        first = asyncio.create_task(world.asked("The first.", reuse))
        await until(lambda: len(held.waiting) == 1)
        second = asyncio.create_task(world.asked("The second.", reuse))
        held.let_go(StoreUnavailableError("The disk is full."))
        with pytest.raises(StoreUnavailableError):
            await first
        await until(lambda: len(held.waiting) == 1)
        held.let_go()
        await second

    with ModelServer() as server, ModelWorld(tmp_path, server.url, in_flight=1) as world:
        world.run(body(world, server))


@pytest.mark.slow
def test_a_cancelled_request_counts_until_its_answer_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in one document cancels the others, whose commits are on their way to the disk."""

    async def body(world: ModelWorld, server: ModelServer) -> None:
        held, reuse = HeldUp(world.store, monkeypatch), world.reuse()
        first = asyncio.create_task(world.asked("The first.", reuse))
        await until(lambda: len(held.waiting) == 1)
        second = asyncio.create_task(world.asked("The second.", reuse))
        first.cancel()
        await asyncio.sleep(A_WHILE_SECONDS)
        assert len(server.calls) == 1
        held.let_go()
        await until(lambda: len(held.waiting) == 1)
        assert first.cancelled()
        held.let_go()
        await second
        assert await world.asked("The first.", reuse)
        assert len(server.calls) == 2

    with ModelServer() as server, ModelWorld(tmp_path, server.url, in_flight=1) as world:
        world.run(body(world, server))


class Asking:
    """Actions that ask without an action of their own between, by name; each gives what it was answered.

    own, inside: the reuse inside of the action that asks, or that needs the other one.
    """

    def __init__(self, world: ModelWorld, reuse: Reuse) -> None:
        self.world = world
        self.reuse = reuse

    def action(self, name: str, compute: Compute, inside: Reuse | None = None) -> Coroutine[Any, Any, list[Any]]:
        """One action's value, in a list."""
        return (inside or self.reuse).values([TEMPLATE.action({"name": name})], compute, str)

    def saying(self, *texts: str) -> Compute:
        """Asks one after another."""

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            return [("".join([await self.say(text, own) for text in texts]), "")]

        return compute

    def say(self, text: str, own: Reuse) -> Coroutine[Any, Any, str]:
        """Asks once."""
        return self.world.say(text, own)

    async def one_after_another(self) -> None:
        await self.action("a", self.saying("One.", "Two.", "Three."))

    async def all_at_once(self) -> None:
        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            return [("".join(await all_of(self.say(f"Text {number}.", own) for number in range(3))), "")]

        await self.action("a", compute)

    async def asks_and_then_its_parts_do(self) -> None:
        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            said = await self.say("The whole.", own)
            parts = await all_of(self.action(name, self.saying(name), own) for name in ("part 1", "part 2"))
            return [(said + "".join(part for (part,) in parts), "")]

        await self.action("a", compute)

    async def asks_while_its_parts_do(self) -> None:
        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            part = asyncio.create_task(self.action("part", self.saying("part"), own))
            return [(await self.say("The whole.", own) + (await part)[0], "")]

        await self.action("a", compute)

    async def waits_for_what_another_computes(self) -> None:
        """The other has begun first and is to ask; who waits for it was answered before."""
        answered = asyncio.Event()

        async def late(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            await answered.wait()
            return [(await self.say("Both need this.", own), "")]

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            said = await self.say("Only one needs this.", own)
            answered.set()
            return [(said + (await self.action("shared", late, own))[0], "")]

        await asyncio.gather(self.action("shared", late), self.action("a", compute))

    async def fails_after_an_answer(self) -> None:
        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            await self.say("One.", own)
            raise LookupError

        with pytest.raises(LookupError):
            await self.action("a", compute)

    async def leaves_a_request_behind(self) -> None:
        left: list[asyncio.Task[str]] = []

        async def compute(_: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
            left.append(asyncio.create_task(self.say("Nobody waits for this.", own)))
            return [("", "")]

        await self.action("a", compute)
        await left[0]

    async def alone(self) -> None:
        """As a query that is embedded for a search: no action is computed around it."""
        await self.say("One.", self.reuse)


@pytest.mark.parametrize(
    "way",
    [
        Asking.one_after_another,
        Asking.all_at_once,
        Asking.asks_and_then_its_parts_do,
        Asking.asks_while_its_parts_do,
        Asking.waits_for_what_another_computes,
        Asking.fails_after_an_answer,
        Asking.leaves_a_request_behind,
        Asking.alone,
    ],
    ids=lambda way: way.__name__,
)
def test_a_request_never_waits_for_the_only_slot_that_it_holds_itself(
    way: Callable[[Asking], Coroutine[Any, Any, None]], tmp_path: Path
) -> None:
    """One slot, and an action that is answered more than once: it would wait for itself for ever."""

    async def body(world: ModelWorld) -> None:
        async with asyncio.timeout(DEADLOCK_SECONDS):
            reuse = world.reuse()
            await way(Asking(world, reuse))
            # The place is free for the next.
            await world.asked("The next.", reuse)

    with ModelServer() as server, ModelWorld(tmp_path, server.url, in_flight=1) as world:
        world.run(body(world))
        assert server.in_flight_most == 1
