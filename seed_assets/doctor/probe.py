"""What a probe is, and running probes at the same time, each for a bounded time.

What belongs here: the types and the bound. What does not: what is looked at (the other modules of this package).
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

# What the system answers where this user may not write.
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)

State = Literal["fine", "off", "warning", "fault"]
"""off: not configured, or there is nothing yet. warning: it works, and something should be changed. fault: it does not work."""


@dataclass(slots=True)
class Finding:
    """What a probe found. said: sentences. remedy: what to change; "" for nothing. seconds: how long single operations took."""

    state: State
    said: str
    remedy: str = ""
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def warn(self, said: str, remedy: str) -> None:
        """Add something that should be changed."""
        self.state = "warning" if self.state != "fault" else self.state
        self.said, self.remedy = f"{self.said} {said}".strip(), f"{self.remedy} {remedy}".strip()

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Note how long the body takes."""
        started = time.perf_counter()
        yield
        self.seconds[what] = time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to look at. look: must not change anything that others see; it may raise any Exception."""

    name: str
    look: Callable[[], Finding]
    remedy: str = "See that it is running and can be reached from here."


def run_probes(probes: Sequence[Probe], within_seconds: float) -> list[tuple[str, Finding]]:
    """What the probes found, in their order. One that takes longer than that is a fault, and is left behind."""
    found: dict[str, Finding] = {}
    threads = [threading.Thread(target=_look, args=(probe, found), daemon=True) for probe in probes]
    for thread in threads:
        thread.start()
    until = time.monotonic() + within_seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = f"It did not answer within {within_seconds:g} seconds."
    return [(probe.name, found.get(probe.name) or Finding("fault", late, probe.remedy)) for probe in probes]


def _look(probe: Probe, found: dict[str, Finding]) -> None:
    try:
        found[probe.name] = probe.look()
    except Exception as error:  # noqa: BLE001 - a probe reports whatever keeps it from looking
        found[probe.name] = _fault(error, probe.remedy)


def _fault(error: Exception, remedy: str) -> Finding:
    if isinstance(error, OSError) and error.errno in _NOT_WRITABLE and error.filename:
        folder = os.path.dirname(error.filename)
        return Finding("fault", f"{folder} cannot be written: {error.strerror}.", "Make it writable for this user.")
    return Finding("fault", str(error) or type(error).__name__, remedy)


def median(seconds: Iterable[float]) -> float:
    """The median of some times."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2]
