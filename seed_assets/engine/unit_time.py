"""How long the code of a stage may take for one unit, and what ends it.

What belongs here: code that waits for ever in the event loop, or in a thread. What does not: code that computes for ever
(resources.time_limits), and why a unit failed (stage_errors).
"""

import asyncio
import inspect
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType
from typing import Any, Self

from resources.errors import DocumentError
from resources.time_limits import OutOfTimeError, time_limit
from resources.wording import counted
from seed_assets.graph.stage import Stage

_TICK_SECONDS = 1.0


def called(stage: Stage, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a plain function of a stage returns. Raises DocumentError if it takes longer than the stage may."""
    try:
        with time_limit(stage.seconds):
            return function(*arguments)
    except OutOfTimeError as error:
        raise _out_of_time(stage, _line_of(stage, traceback.extract_tb(error.__traceback__))) from None


async def awaited(stage: Stage, running: Coroutine[Any, Any, Any], waits: Callable[[], bool]) -> Any:
    """What a stage's function returns for one unit. Raises DocumentError if it takes longer than the stage may.

    waits: whether it waits for requests or for other actions now, which have limits of their own and do not count.

    Time in which the loop does something else for long does not count either, nor time in which the process is stopped.
    """
    if stage.seconds is None:
        return await running
    loop, left, where = asyncio.get_running_loop(), stage.seconds, ""

    def tick() -> None:
        nonlocal left, where, timer
        left -= 0 if waits() else _TICK_SECONDS
        if left > 0:
            timer = loop.call_later(_TICK_SECONDS, tick)
        else:
            where = _line_of(
                stage, traceback.StackSummary.extract((frame, frame.f_lineno) for frame in _frames(running))
            )
            limit.reschedule(loop.time())

    timer = loop.call_later(_TICK_SECONDS, tick)
    limit = asyncio.timeout(None)
    try:
        async with limit:
            return await _InSteps(running, stage.seconds)
    except OutOfTimeError as error:
        raise _out_of_time(stage, _line_of(stage, traceback.extract_tb(error.__traceback__))) from None
    except TimeoutError:
        if limit.expired():
            raise _out_of_time(stage, where) from None
        raise
    finally:
        timer.cancel()


def bound_time(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """Let no task of a loop compute for longer than so many seconds from one wait to the next, and no thread keep it open."""

    def made(loop: asyncio.AbstractEventLoop, running: Any, **options: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(_InSteps(running, seconds), loop=loop, **options)

    loop.set_task_factory(made)
    loop.set_default_executor(_ThreadPerCall())


class _InSteps(Coroutine[Any, Any, Any]):
    """Runs a coroutine as `await` does, with a limit for each step from one wait to the next."""

    def __init__(self, running: Coroutine[Any, Any, Any], seconds: float) -> None:
        self._running, self._seconds = running, seconds

    def send(self, value: Any, /) -> Any:
        """See Coroutine."""
        with time_limit(self._seconds):
            return self._running.send(value)

    def throw(self, *error: Any) -> Any:
        """See Coroutine."""
        with time_limit(self._seconds):
            return self._running.throw(*error)

    def close(self) -> None:
        """See Coroutine."""
        self._running.close()

    def __await__(self) -> Self:
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return self.send(None)


class _ThreadPerCall(ThreadPoolExecutor):
    """Runs each call in a thread of its own, which ends with the process: one that hangs holds up no other and no exit."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See Executor."""
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
                    future.set_exception(error)

        threading.Thread(target=run, name=f"{fn!r}", daemon=True).start()
        return future


def _out_of_time(stage: Stage, where: str) -> DocumentError:
    assert stage.seconds is not None
    return DocumentError(
        f"the stage's code took longer than {counted(int(stage.seconds), 'second')}{where}.",
        "Correct the code. If it only needs more time, raise `stages.document_seconds`. Then run again.",
        transient=True,
    )


def _frames(running: Any) -> Iterator[FrameType]:
    """The frames of a coroutine that waits, and of those that it waits for."""
    while (frame := getattr(running, "cr_frame", None)) is not None:
        yield frame
        running = running.cr_await


def _line_of(stage: Stage, frames: traceback.StackSummary) -> str:
    """The innermost line in the file of the stage, as the end of a clause; "" if there is none."""
    file = inspect.getfile(inspect.unwrap(stage.function))
    lines = [f", at {one.filename}, line {one.lineno}: {one.line}" for one in frames if one.filename == file]
    return lines[-1] if lines else ""
