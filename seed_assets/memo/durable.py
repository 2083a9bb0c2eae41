"""Waiting until a commit is durable, whatever happens to the task that waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress


async def durable(committed: Future[list[str]], then: Callable[[], None]) -> None:
    """Wait for a commit, and call `then` the moment that it ends, before other tasks that are ready have their turn.

    A cancellation is raised after the commit only, which is short: what was computed is not lost.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        then()
        if not done.done():
            done.set_result(None)

    def ended(_: Future[list[str]]) -> None:
        with suppress(RuntimeError):  # the loop was closed over its tasks
            loop.call_soon_threadsafe(end)

    committed.add_done_callback(ended)
    try:
        await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait((done,))
        raise
    committed.result()
