"""The process that parses documents for a parser pool: one after another, until its standard input ends.

Run as `python -P -m seed_assets.core.parser_worker MODULE:FUNCTION PARENT_PID MEMORY_BYTES TIMEOUT_SECONDS`. What
belongs here: how this process limits itself. What does not: parsing, and what its death means (parser_pool).
"""

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from resources.errors import DocumentError
from seed_assets.core.extracted_text import ExtractedText
from seed_assets.core.parser_frames import READY, Failure, Reply, Request, read_frame, write_frame

_PR_SET_PDEATHSIG = 1
# The parent ends a worker that is late; the alarm is for one whose parent is dead.
_ALARM_GRACE_SECONDS = 5


def main(parse: str, parent_pid: int, memory_bytes: int, timeout_seconds: float) -> None:
    """Serves requests from standard input to standard output. `parse` names an (data, format) -> ExtractedText."""
    requests, replies = _claimed_streams()
    _die_with_parent(parent_pid)
    _limit_memory(memory_bytes)
    module, _, name = parse.partition(":")
    function = getattr(importlib.import_module(module), name)
    write_frame(replies, READY)
    while (frame := read_frame(requests)) is not None:
        request = msgspec.msgpack.decode(frame, type=Request)
        del frame
        signal.setitimer(signal.ITIMER_REAL, timeout_seconds + _ALARM_GRACE_SECONDS)
        reply, retires = _reply(function, request, memory_bytes)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_frame(replies, reply)
        if retires:
            return


def _reply(parse: Callable[[bytes, str], ExtractedText], request: Request, memory_bytes: int) -> tuple[bytes, bool]:
    """(the reply, whether it is this worker's last)."""
    try:
        text = parse(request.data, request.format)
        retires = _has_grown(memory_bytes)
        return msgspec.msgpack.encode(Reply(text, None, retires)), retires
    except DocumentError as error:
        retires = isinstance(error.__cause__, MemoryError) or _has_grown(memory_bytes)
        failure = Failure(error.reason, error.remedy, error.transient)
        return msgspec.msgpack.encode(Reply(None, failure, retires)), retires
    except MemoryError:
        failure = Failure(
            f"parsing it takes more than the {memory_bytes >> 20:,} MB of memory allowed.",
            "Split it into smaller documents.",
            False,
        )
        return msgspec.msgpack.encode(Reply(None, failure, retires=True)), True


def _claimed_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, for frames alone: what a library prints goes where errors go."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    os.close(nowhere)
    return requests, replies


def _die_with_parent(parent_pid: int) -> None:
    """Without this a worker caught in an endless loop would outlive a parent that was killed."""
    # Ctrl-C reaches the whole terminal; it is the parent that decides what is still finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # dead before the line above
        os._exit(1)


def _limit_memory(memory_bytes: int) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
    except (ValueError, OSError):
        return  # macOS refuses it; there the time limit alone holds
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _has_grown(memory_bytes: int) -> bool:
    """Whether what earlier documents left behind could cost a later one its share."""
    return _peak_bytes() > memory_bytes // 2


def _peak_bytes() -> int:
    try:
        # Not getrusage: on Linux its peak begins with that of the process that started this one.
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (FileNotFoundError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
