"""Identifies processes and judges whether they are alive, across hosts, containers, restarts and changes of the clock.

Heartbeats are stored elsewhere: those of leases in a table, those of runs in the marks that they leave in the home.

A process of this *place* (this host since its last boot, and this container on it) is judged by its pid and by its start
time in ticks, which no change of the clock affects; it is dead as soon as it is gone. Any other process is judged by its
heartbeat, a value that it changes every HEARTBEAT_SECONDS. The clocks of two hosts are never compared: an observer notes
the value and the time, by its own monotonic clock, and considers the process dead if the value is the same after
EXPIRY_SECONDS. The notes are stored, so that a short-lived observer can continue from another one in the same place.
"""

import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HEARTBEAT_SECONDS = 10.0
# Six missed heartbeats (a judgement): a machine that swaps, or a laptop that slept briefly, keeps its leases.
EXPIRY_SECONDS = 60.0
# In a sandbox that always starts in the same way and under the same name, pids and ticks of different starts can be equal.
# A process that is found here and runs, but has given no heartbeat for this long, is therefore another one.
SAME_PLACE_EXPIRY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process: the place in which its pid is valid, the pid, and its start time in ticks since the system booted."""

    place: str
    pid: int
    started: float

    @property
    def host(self) -> str:
        """The name of its host."""
        return self.place.partition(" ")[0]

    @property
    def is_here(self) -> bool:
        """Whether its pid is valid in the place of this process."""
        return self.place == place()

    @property
    def exists(self) -> bool:
        """Whether it is a process of this place that has not ended."""
        if not self.is_here:
            return False
        state, started = _looked_up(self.pid)
        return bool(state) and abs(started - self.started) < 1

    @property
    def is_stopped(self) -> bool:
        """Whether it is a process of this place that was stopped (Ctrl-Z, SIGSTOP) and can be continued."""
        if not self.is_here:
            return False
        state, started = _looked_up(self.pid)
        return state in ("T", "t") and abs(started - self.started) < 1


@dataclass(frozen=True, slots=True)
class SeenProcess:
    """A heartbeat that an observer saw, and when, in seconds of the monotonic clock of its place."""

    beat: str
    at: float


@cache
def place() -> str:
    """The place in which pids are valid now: this host since its last boot, and this container on it."""
    name = socket.gethostname()
    if sys.platform == "linux":
        with suppress(OSError):
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return f"{name} {boot} {os.readlink('/proc/self/ns/pid')}"
    return name


def this_process() -> Process:
    """The current process."""
    return process_here(os.getpid())


def process_here(pid: int) -> Process:
    """The process of this place that has this pid now."""
    return Process(place(), pid, _looked_up(pid)[1])


def command() -> str:
    """The command line of this process for messages, at most 200 characters."""
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return " ".join([name, *sys.argv[1:]])[:200]


def judge(
    process: Process, beat: str, seen: SeenProcess | None, *, ours: bool = False
) -> tuple[bool, SeenProcess | None]:
    """Whether a process is alive, and the note that the observer has to store for its next call.

    beat: the current heartbeat. seen: the note of the last call; None at the first. ours: whether the process is known to be
    this one, so that it is not confused with another of the same pid and ticks.
    """
    if ours:
        return True, seen
    expiry = EXPIRY_SECONDS
    if process.is_here and process.pid != os.getpid():
        state, started = _looked_up(process.pid)
        if not state or abs(started - process.started) >= 1:
            return False, seen
        if state in ("T", "t"):
            return True, seen
        expiry = SAME_PLACE_EXPIRY_SECONDS
    elif process.is_here and abs(_looked_up(process.pid)[1] - process.started) >= 1:
        return False, seen
    now = time.monotonic()
    # A note from the future was made before this machine booted, since the monotonic clock starts again then.
    if seen is None or seen.beat != beat or seen.at > now:
        return True, SeenProcess(beat, now)
    return now - seen.at < expiry, seen


def _looked_up(pid: int) -> tuple[str, float]:
    """The state letter and the start time of a process of this place; "" and 0 if it is gone or a zombie."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return "", 0.0
        return ("", 0.0) if fields[0] in "ZX" else (fields[0], float(fields[19]))
    import psutil

    try:
        process = psutil.Process(pid)
        status = process.status()
        if status == psutil.STATUS_ZOMBIE:
            return "", 0.0
        return "T" if status == psutil.STATUS_STOPPED else "S", process.create_time()
    except psutil.NoSuchProcess:
        return "", 0.0
    except psutil.AccessDenied:  # it belongs to another user, so it exists, but its start time is unknown
        return "S", float("nan")
