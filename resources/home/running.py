"""The marks that processes leave in a home while they work in it, which show who is running and who was killed.

A mark is a file named after its process, which touches it from time to time: the modification time is the heartbeat. Notes
about the heartbeats of others are in one file per place beside the marks, so that the next process there can use them.
`io_managers.store.processes` judges by a heartbeat whether a process is alive.
"""

import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from io_managers.store import processes
from io_managers.store.holders import Holder
from io_managers.store.processes import Process, SeenProcess
from io_managers.store.whole_files import write_whole

# How many notes about heartbeats are kept (a judgement).
_MOST_SEEN = 200
# For each mark of this process: the event that ends its heartbeat, and how many callers hold it.
_beating: dict[Path, tuple[threading.Event, int]] = {}
_lock = threading.Lock()


@cache
def _nonce(pid: int) -> str:
    """Distinguishes this process from one with the same pid and ticks in a sandbox that always starts in the same way."""
    return secrets.token_hex(4)


def this_process() -> str:
    """The unique name of this process: `host/boot/namespace/pid/ticks/nonce`."""
    process = processes.this_process()
    where = "/".join([*process.place.split(" "), "-", "-"][:3])
    return f"{where}/{process.pid}/{process.started:.0f}/{_nonce(process.pid)}"


def parsed(process: str) -> Process | None:
    """The process of a name from `this_process`; None if it is not such a name, as in a file that a power failure emptied."""
    try:
        host, boot, namespace, pid, started, _ = process.split("/")
        place = " ".join(part for part in (host, boot, namespace) if part != "-")
        return Process(place, int(pid), float(started))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks in one folder."""

    folder: Path

    def leave(self, command: str = "") -> Path:
        """Leave the mark of this process and touch it regularly, until `remove` was called as often. Raises OSError.

        command: what others are to read instead of the command line of this process.
        """
        command = command or processes.command()
        mark = self.folder / this_process().replace("/", "_")
        with _lock:
            ended, times = _beating.get(mark, (threading.Event(), 0))
            _write_mark(mark, command)
            _beating[mark] = ended, times + 1
        if not times:
            threading.Thread(
                target=_keep_fresh, args=(mark, ended, command), name="seedbank-running", daemon=True
            ).start()
        return mark

    def remove(self, mark: Path) -> None:
        """Remove a mark of this process or an abandoned one."""
        with _lock:
            if mark in _beating:
                ended, times = _beating.pop(mark)
                if times > 1:
                    _beating[mark] = ended, times - 1
                    return
                ended.set()
            with suppress(OSError):  # a mark that cannot be removed is left to the next run
                mark.unlink()

    def abandoned(self) -> list[Path]:
        """The marks of processes that were killed."""
        marks = [(mark, process) for mark, process in self._marks() if process != this_process()]
        alive = self._alive([process for _, process in marks])
        # A mark that was removed meanwhile belongs to a run that has ended.
        return [mark for mark, process in marks if not alive[process] and mark.exists()]

    def others(self) -> Iterator[Holder]:
        """The other processes that are running."""
        marks = [(mark, process) for mark, process in self._marks() if process != this_process()]
        alive = self._alive([process for _, process in marks])
        for mark, process in marks:
            if alive[process]:
                yield _holder(mark, process)

    def is_alive(self, process: str) -> bool:
        """Whether a process is alive, judged by the mark that it leaves while it works here."""
        return self._alive([process])[process]

    def unchanged_seconds(self, name: str, beat: str) -> float:
        """For how many seconds processes of this place have seen the same `beat` under `name`; 0 the first time.

        beat: a value that differs whenever the thing has changed.
        """
        before, now = self._seen(), time.monotonic()
        found = before.get(name)
        if found is None or found.beat != beat or found.at > now:
            self._keep_seen(before, {name: SeenProcess(beat, now)})
            return 0.0
        return now - found.at

    def _alive(self, names: list[str]) -> dict[str, bool]:
        """For each process whether it is alive; the heartbeats are noted."""
        if not names:
            return {}
        before, seen = self._seen(), dict[str, SeenProcess]()
        alive: dict[str, bool] = {}
        for name in names:
            alive[name], found = self._judged(name, before.get(name))
            if found is not None:
                seen[name] = found
        self._keep_seen(before, seen)
        return alive

    @property
    def _seen_file(self) -> Path:
        return self.folder / f".seen-{hashlib.sha256(processes.place().encode()).hexdigest()[:12]}"

    def _seen(self) -> dict[str, SeenProcess]:
        try:
            found = json.loads(self._seen_file.read_text(encoding="utf-8"))
            return {name: SeenProcess(str(beat), float(at)) for name, (beat, at) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _keep_seen(self, before: dict[str, SeenProcess], seen: dict[str, SeenProcess]) -> None:
        if all(before.get(name) == found for name, found in seen.items()):
            return
        newest = sorted({**before, **seen}.items(), key=lambda item: item[1].at)[-_MOST_SEEN:]
        with suppress(OSError):  # the next process begins to watch then
            write_whole(self._seen_file, json.dumps({name: [found.beat, found.at] for name, found in newest}))

    def _judged(self, name: str, seen: SeenProcess | None) -> tuple[bool, SeenProcess | None]:
        try:
            beat = str((self.folder / name.replace("/", "_")).stat().st_mtime_ns)
        except (OSError, ValueError):
            beat = ""
        process = parsed(name)
        if process is None:
            return _judged_as_before(name, beat, seen)
        if not beat:  # it works in another home, or has ended
            return False, seen
        return processes.judge(process, beat, seen, ours=name == this_process())

    def _marks(self) -> Iterator[tuple[Path, str]]:
        """The marks of runs, each with the name of its process."""
        for mark in self.folder.glob("[!.]*"):
            with suppress(FileNotFoundError):  # its run has just ended
                yield mark, mark.read_text(encoding="utf-8", errors="replace").partition("\n")[0]


def _judged_as_before(name: str, beat: str, seen: SeenProcess | None) -> tuple[bool, SeenProcess | None]:
    """Judge a mark of an earlier version: `host/pid/start`, with the start by the wall clock and without a heartbeat."""
    try:
        host, pid, started = name.rsplit("/", 2)
        number, start = int(pid), float(started)
    except ValueError:
        return False, seen
    if host != processes.place().partition(" ")[0]:
        return processes.judge(Process(host, number, start), beat, seen)
    import psutil

    try:
        return abs(psutil.Process(number).create_time() - start) < 2, seen
    except psutil.NoSuchProcess:
        return False, seen
    except psutil.AccessDenied:  # it belongs to another user, so it exists
        return True, seen


def _holder(mark: Path, name: str) -> Holder:
    host, _, pid = name.partition("/")
    process = parsed(name) or Process(host, int(pid.partition("/")[0]), 0.0)
    try:
        command, since = mark.read_text(encoding="utf-8").split("\n")[1:3]
        return Holder(process, command, float(since))
    except (OSError, ValueError):
        return Holder(process)


def _keep_fresh(mark: Path, ended: threading.Event, command: str) -> None:
    while not ended.wait(processes.HEARTBEAT_SECONDS):
        # A heartbeat that fails is skipped; the next one follows.
        with suppress(OSError):
            try:
                os.utime(mark)
            except FileNotFoundError:
                if not ended.is_set():  # another process took this one for dead, as after its machine slept
                    _write_mark(mark, command)


def _write_mark(mark: Path, command: str) -> None:
    write_whole(mark, f"{this_process()}\n{command}\n{time.time():.0f}\n")
