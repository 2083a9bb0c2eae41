"""Ends code of users that computes for too long, in the thread in which it runs.

What belongs here: the limit for code that gives way to nothing else. What does not: code that waits in an event loop
(engine.unit_time), and limits on requests (resources.limits).
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_TICK_SECONDS = 1.0
# Packages whose functions end before a limit does: they commit, and send requests.
_UNDISTURBED = tuple(
    f"{Path(__file__).parents[1] / name}{os.sep}"
    for name in ("io_managers", "resources", os.path.join("seed_assets", "memo"))
)


class OutOfTimeError(BaseException):
    """Code has used up its time. It is no Exception, so that an `except Exception` in that code does not catch it."""


class _Limit:
    """One limit. frame: of the function that has set it. left: seconds."""

    def __init__(self, frame: FrameType, seconds: float) -> None:
        self.frame, self.left = frame, seconds


# Those in force, the innermost last. The process has one timer, which belongs to its main thread.
_limits: list[_Limit] = []


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """While the body runs, raise OutOfTimeError in it after so many seconds, also out of `time.sleep` or a regular expression.

    Seconds are counted one by one, so that time in which the process is stopped (Ctrl-Z) does not count. A commit or a request
    that the body has begun is not interrupted. Of nested limits, the innermost counts. Python interrupts its main thread only:
    elsewhere, and with None, there is no limit.
    """
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    limit = _Limit(sys._getframe(2), seconds)
    before = signal.signal(signal.SIGALRM, _tick)
    _limits.append(limit)
    if len(_limits) == 1:
        signal.setitimer(signal.ITIMER_REAL, _TICK_SECONDS, _TICK_SECONDS)
    try:
        yield
    finally:
        if len(_limits) == 1:
            signal.setitimer(signal.ITIMER_REAL, 0)
        _limits.remove(limit)
        signal.signal(signal.SIGALRM, before)


def _tick(_: int, frame: FrameType | None) -> None:
    if not _limits:
        return
    limit = _limits[-1]
    limit.left -= _TICK_SECONDS
    if limit.left > 0:
        return
    while frame is not None and frame is not limit.frame:
        if frame.f_code.co_filename.startswith(_UNDISTURBED):
            return
        frame = frame.f_back
    raise OutOfTimeError
