"""A worker as its parent process sees it: starting it, sending it requests, and explaining its death in a document's failure.

What does not belong here: which document goes to which worker, and how long it may take (parser_pool).
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import msgspec

from resources.errors import DocumentError
from seed_assets.core.workers.parser_frames import (
    READY,
    WorkerReply,
    WorkerRequest,
    doing,
    read_frame,
    write_frame,
)
from seed_assets.core.workers.task_names import FILE_TASKS

# Both were chosen by judgement: how long a worker may take to start, and how much of its standard error is read.
_START_SECONDS = 60
_ERRORS_BYTES = 20_000
_MALFORMED = "Open it in another program and save it again, or list it in .seedbankignore."
_HARD = "Split it into smaller documents, or list it in .seedbankignore."
# Words that libraries in C, C++ and Rust write before they abort for lack of memory; Python raises MemoryError.
_SHORT_OF_MEMORY = (
    "memoryerror",
    "bad_alloc",
    "out of memory",
    "memory allocation of",
    "cannot allocate memory",
    "failed to allocate",
    "allocation failed",
    "memory exhausted",
)
# No parser sends itself these signals: the kernel sends them when memory runs out, or a person does.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)


class WorkerGoneError(Exception):
    """The worker died before it got the document, so another worker may take it."""


class ParserProcess:
    """A running worker. One thread uses it at a time; only `stop` and `end_late` may be called from any thread."""

    def __init__(self, parse: str, timeout_seconds: float, memory_bytes: int) -> None:
        """Start the worker and wait until it can parse. Raises RuntimeError, with its error output, if it cannot.

        parse, timeout_seconds, memory_bytes: see ParserPool.
        """
        self._timeout_seconds = timeout_seconds
        self._memory_bytes = memory_bytes
        self._late = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        try:
            self._process = self._begin([parse, str(os.getpid()), str(memory_bytes), str(timeout_seconds)])
        except BaseException:
            self._errors.close()
            raise
        started = threading.Event()
        threading.Thread(target=self._end_unless, args=(started,), name="parser-start", daemon=True).start()
        ready = self._answer(None)
        started.set()
        if ready != READY:
            words = self._words()
            self.close()
            raise RuntimeError(f"the parser process did not start: {words or 'it wrote no error message'}")

    def _begin(self, arguments: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            # -P keeps the working directory off the import path: a docx.py there must not replace the library.
            [sys.executable, "-P", "-W", "ignore", "-m", f"{__package__}.parser_worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            # In a process group of its own, the worker does not get Ctrl-C from the terminal.
            process_group=0,
        )

    def run(self, task: str, arguments: bytes) -> tuple[bytes, bool]:
        """Run a task and return (the encoded result, whether the worker has to be replaced).

        Raises DocumentError if the document is at fault, which includes a crash, a timeout (see `end_late`) and lack of
        memory; `is_alive` then says whether the worker can go on. Raises WorkerGoneError if the worker was dead before, and
        RuntimeError for an error in the program.
        """
        answer = self._answer(msgspec.msgpack.encode(WorkerRequest(task, arguments)))
        if answer is None:
            raise self._death(task)
        reply = msgspec.msgpack.decode(answer, type=WorkerReply)
        if reply.failure is not None:
            if reply.retires:
                self.stop()
            raise reply.failure.error()
        if reply.result is None:
            raise RuntimeError("the parser process answered with neither a result nor a failure")
        return reply.result, reply.retires

    def end_late(self) -> None:
        """End a worker that exceeds the time limit, which fails its document. Any thread may call this."""
        self._late = True
        self._process.kill()

    def _end_unless(self, started: threading.Event) -> None:
        # It waits second by second, so that the worker is not late because this process was stopped for a while.
        if not any(started.wait(1) for _ in range(_START_SECONDS)):
            self.end_late()

    @property
    def is_alive(self) -> bool:
        """Whether the worker can take a request."""
        return self._process.poll() is None and not self._late

    def stop(self) -> None:
        """Kill the worker at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill the worker and close its pipes. Only the thread that used it may call this."""
        self.stop()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with suppress(OSError):  # buffered data cannot be written any more, and no one needs it
                if stream is not None:
                    stream.close()

    def _answer(self, request: bytes | None) -> bytes | None:
        """Send a request, if there is one, and return the next frame; None if the worker died or was ended as late."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if request is not None:
                write_frame(self._process.stdin, request)
            return read_frame(self._process.stdout)
        except BrokenPipeError as error:
            if self._late:
                return None
            raise WorkerGoneError from error

    def _death(self, task: str) -> Exception:
        """Return the error for the document that the worker was busy with when it died."""
        status = self._process.wait()
        words = self._words()
        remedy = _MALFORMED if task in FILE_TASKS else _HARD
        if self._late:
            return DocumentError(
                f"{doing(task)} did not end within {self._timeout_seconds:g} seconds.",
                f"{remedy} `seedbank seed --retry-failed` tries it again.",
            )
        said = words.lower()
        if any(sign in said for sign in _SHORT_OF_MEMORY):
            return DocumentError(
                f"{doing(task)} takes more than the {self._memory_bytes >> 20:,} MB of memory allowed.",
                "Split it into smaller documents.",
            )
        worker = "parser process" if task in FILE_TASKS else f"process that was {doing(task)}"
        if "Traceback (most recent call last)" in words:
            return RuntimeError(f"the {worker} failed: {words}")
        if status >= 0:
            return DocumentError(f"the {worker} ended by itself (status {status}) on it.", remedy)
        name = _signal_name(-status)
        if -status in _FROM_OUTSIDE:
            return DocumentError(
                f"the {worker} was killed from outside ({name}), as a system short of memory does.",
                "Run again, with more memory free.",
                transient=True,
            )
        if task in FILE_TASKS:
            return DocumentError(f"the parser crashed on it ({name}).", remedy)
        return DocumentError(f"{doing(task)} crashed ({name}).", remedy)

    def _words(self) -> str:
        """Return the last part of the worker's standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _ERRORS_BYTES))
        return self._errors.read().decode("utf-8", "replace").strip()


def _environment() -> dict[str, str]:
    """Return this process's environment with its import path, which may come from pytest, Dagster or `python -c`."""
    paths = [str(Path(path or ".").resolve()) for path in sys.path]
    # The hash seed is fixed, so that a parser that depends on it (none is known to) gives the same text every time.
    # Each worker uses one thread: there are as many workers as processors, and each thread takes up address space.
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0", **one_thread}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
