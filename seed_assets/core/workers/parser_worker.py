"""The worker process: it runs one task after another, such as parsing a file, until its standard input ends.

Run as `python -P -m seed_assets.core.workers.parser_worker MODULE:FUNCTION PARENT_PID MEMORY_BYTES TIMEOUT_SECONDS`. What
belongs here: how this process limits itself. What does not: parsing, and what its death means (parser_process).
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.workers.parent_death import die_with_parent
from seed_assets.core.workers.parser_frames import (
    READY,
    WorkerFailure,
    WorkerReply,
    WorkerRequest,
    doing,
    read_frame,
    write_frame,
)
from seed_assets.core.workers.task_names import PARSE, READ_PAGES

# The parent ends a worker that exceeds its time limit; the alarm is for a worker whose parent is dead. It counts processor
# time, which does not pass while a worker is stopped, but which passes faster with several threads: hence twice the limit
# and some seconds more, chosen by judgement.
_ALARM_TIMES, _ALARM_GRACE_SECONDS = 2, 5


def main(parse: str, parent_pid: int, memory_bytes: int, timeout_seconds: float) -> None:
    """Read requests from standard input and write replies to standard output. See ParserPool for the parameters."""
    requests, replies = _claimed_streams()
    _die_with_parent(parent_pid)
    _limit_memory(memory_bytes)
    function = _parser(parse)
    write_frame(replies, READY)
    while (frame := read_frame(requests)) is not None:
        request = msgspec.msgpack.decode(frame, type=WorkerRequest)
        del frame
        signal.setitimer(signal.ITIMER_PROF, _ALARM_TIMES * timeout_seconds + _ALARM_GRACE_SECONDS)
        reply, retires = _reply(lambda request=request: _done(function, request), request.task, memory_bytes)
        del request
        signal.setitimer(signal.ITIMER_PROF, 0)
        write_frame(replies, reply)
        if retires:
            return


def _parser(named: str) -> Callable[[bytes, str], ExtractedText]:
    """Return the function that "module:function" names; extraction.extract for ""."""
    if not named:
        from seed_assets.core.reading.extraction import extract

        return extract
    module, _, name = named.partition(":")
    return getattr(importlib.import_module(module), name)


def _done(parse: Callable[[bytes, str], ExtractedText], request: WorkerRequest) -> bytes:
    """Run the task of a request and return its encoded result."""
    if request.task == PARSE:
        return msgspec.msgpack.encode(parse(*msgspec.msgpack.decode(request.arguments, type=tuple[bytes, str])))
    if request.task == READ_PAGES:
        from seed_assets.core.reading.extraction import read_document

        arguments = msgspec.msgpack.decode(request.arguments, type=tuple[bytes, str, ReadingRules])
        return msgspec.msgpack.encode(read_document(*arguments))
    # Imported here, so that a worker that only parses does not load it.
    from seed_assets.core.workers.text_tasks import TASKS

    task = TASKS[request.task]
    return msgspec.msgpack.encode(task.function(*task.arguments(request.arguments)))


def _reply(work: Callable[[], bytes], task: str, memory_bytes: int) -> tuple[bytes, bool]:
    """Return (the encoded reply, whether this worker ends after it)."""
    try:
        result = work()
        retires = _has_grown(memory_bytes)
        return msgspec.msgpack.encode(WorkerReply(result, None, retires)), retires
    except DocumentError as error:
        retires = isinstance(error.__cause__, MemoryError) or _has_grown(memory_bytes)
        failure = WorkerFailure(error.reason, error.remedy, error.transient)
        return msgspec.msgpack.encode(WorkerReply(None, failure, retires)), retires
    except MemoryError:
        failure = WorkerFailure(
            f"{doing(task)} takes more than the {memory_bytes >> 20:,} MB of memory allowed.",
            "Split it into smaller documents.",
            False,
        )
        return msgspec.msgpack.encode(WorkerReply(None, failure, retires=True)), True
    except RecursionError:
        failure = WorkerFailure(
            f"{doing(task)} failed: something in it is nested too deeply.",
            "Split it into smaller documents, or list it in .seedbankignore.",
            False,
        )
        return msgspec.msgpack.encode(WorkerReply(None, failure)), False


def _claimed_streams() -> tuple[BinaryIO, BinaryIO]:
    """Reserve standard input and output for frames: what a library prints goes to standard error instead."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    os.close(nowhere)
    return requests, replies


def _die_with_parent(parent_pid: int) -> None:
    """Let this process die with its parent; a worker in an endless loop would otherwise outlive a killed parent."""
    # Ctrl-C reaches every process of the terminal, but the parent decides which work is still finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    die_with_parent(parent_pid)


def _limit_memory(memory_bytes: int) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
    except (ValueError, OSError):
        return  # macOS refuses this limit; only the time limit applies there
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _has_grown(memory_bytes: int) -> bool:
    """Whether earlier documents have left this process so large that a later one could run out of memory."""
    return _peak_bytes() > memory_bytes // 2


def _peak_bytes() -> int:
    try:
        # getrusage does not serve: on Linux its peak includes that of the process that started this one.
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except (FileNotFoundError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
