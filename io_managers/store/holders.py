"""Messages about the process that holds a lease, and when they are shown to a user who waits for it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from io_managers.store import processes
from io_managers.store.processes import Process

logger = logging.getLogger(__name__)

# How long to wait before the holder is reported: soon if it is stopped and needs the user, later if it runs on another host
# and may have been killed, and latest if it simply works here (judgements).
_SAY_STOPPED_AFTER_SECONDS = 5.0
_SAY_ELSEWHERE_AFTER_SECONDS = 20.0
_SAY_AFTER_SECONDS = 120.0
_SAY_AGAIN_AFTER_SECONDS = 300.0
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for a lease. stopped: tells whether to give up now. patience_seconds: the longest wait; None for no limit."""

    stopped: Callable[[], object] = bool
    patience_seconds: float | None = None


FOR_EVER = Waiting()


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lease. command: its command line, "" if unknown. since: when it took it, in UNIX seconds."""

    process: Process
    command: str = ""
    since: float | None = None

    def __str__(self) -> str:
        """A short description, such as `process 12 on host (seedbank seed), since 2026-01-31 22:01:03`."""
        where = "" if self.process.is_here else f" on {self.process.host}"
        what = f" ({self.command})" if self.command else ""
        when = time.strftime(", since %Y-%m-%d %H:%M:%S", time.localtime(self.since)) if self.since else ""
        return f"process {self.process.pid}{where}{what}{when}"

    @property
    def if_stopped(self) -> str:
        """What the user can do if the process is stopped, in a sentence; "" if it is not."""
        pid = self.process.pid
        return (
            f"That process is stopped (Ctrl-Z): continue it with `fg` in its terminal or `kill -CONT {pid}`, or end it "
            f"with `kill -9 {pid}`; its finished work is kept."
            if self.process.is_stopped
            else ""
        )

    @property
    def remedy(self) -> str:
        """What the user of a process that waits for this one can do, in one or two sentences."""
        if self.if_stopped:
            return self.if_stopped
        if not self.process.is_here:
            return (
                "It runs on another host or in another container: if it was killed, this process continues when it has seen "
                f"no heartbeat of it for {processes.EXPIRY_SECONDS:.0f} s."
            )
        return "It is working; this process continues when that one has finished."


class Patience:
    """One wait for a lease, which reports the holder after a while and then from time to time."""

    def __init__(self, waiting: Waiting = FOR_EVER) -> None:
        self._waiting = waiting
        self._began = time.monotonic()
        self._looked = self._began
        self._said: float | None = None

    def is_over(self) -> bool:
        """Whether to stop waiting."""
        limit = self._waiting.patience_seconds
        return bool(self._waiting.stopped()) or (limit is not None and time.monotonic() - self._began >= limit)

    def look(self, wanted: str, find: Callable[[], Holder | None]) -> None:
        """Log a warning about the holder if it is time for that. `find` is called at most once per second."""
        now = time.monotonic()
        if now - self._began < _SAY_STOPPED_AFTER_SECONDS or now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        if self._said is not None and now - self._said < _SAY_AGAIN_AFTER_SECONDS:
            return
        holder = find()
        if holder is None or now - self._began < _seconds_of(holder):
            return
        self._said = now
        logger.warning(f"Waiting for {wanted}, held by {holder}. {holder.remedy}")


def _seconds_of(holder: Holder) -> float:
    if holder.process.is_stopped:
        return _SAY_STOPPED_AFTER_SECONDS
    return _SAY_AFTER_SECONDS if holder.process.is_here else _SAY_ELSEWHERE_AFTER_SECONDS
