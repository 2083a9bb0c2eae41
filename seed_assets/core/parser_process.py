"""One parser worker seen from its parent: starting it, asking it, and what its death says about the document it had.

What does not belong here: which document goes to which worker (parser_pool).
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
from seed_assets.core.extracted_text import ExtractedText
from seed_assets.core.parser_frames import READY, Reply, Request, read_frame, write_frame

_START_SECONDS = 60
_ERRORS_BYTES = 20_000
_MALFORMED = "Open it in another program and save it again, or list it in .seedbankignore."
# Nothing in a parser sends itself these: the kernel does when memory runs out, or a person.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)


class WorkerGoneError(Exception):
    """The worker died before it had the document: another one may take it."""


class ParserProcess:
    """A running worker. Used by one thread at a time, but for stop, which any may call."""

    def __init__(self, parse: str, timeout_seconds: float, memory_bytes: int) -> None:
        """Starts it and waits until it is able to parse. Raises RuntimeError, with its words, where it is not."""
        self._timeout_seconds = timeout_seconds
        self._memory_bytes = memory_bytes
        self._late = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        arguments = [parse, str(os.getpid()), str(memory_bytes), str(timeout_seconds)]
        self._process = subprocess.Popen(
            # -P: a docx.py in the working directory is not the library of that name.
            [sys.executable, "-P", "-W", "ignore", "-m", "seed_assets.core.parser_worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            # In a group of its own the terminal's Ctrl-C does not reach it.
            process_group=0,
        )
        if self._answer(None, _START_SECONDS) != READY:
            words = self._words()
            self.close()
            raise RuntimeError(f"the parser process did not start: {words or 'it said nothing'}")

    def extract(self, data: bytes, format: str) -> tuple[ExtractedText, bool]:
        """(the text, whether the worker is to be replaced).

        Raises DocumentError for what is wrong with the document, a crash, a hang and lack of memory included (then
        `is_alive` tells whether the worker may go on); WorkerGoneError where it was dead before; RuntimeError for an
        error in the program.
        """
        answer = self._answer(msgspec.msgpack.encode(Request(format, data)), self._timeout_seconds)
        if answer is None:
            raise self._death()
        reply = msgspec.msgpack.decode(answer, type=Reply)
        if reply.failure is not None:
            if reply.retires:
                self.stop()
            raise reply.failure.error()
        if reply.text is None:
            raise RuntimeError("the parser process answered with neither a text nor a failure")
        return reply.text, reply.retires

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None and not self._late

    def stop(self) -> None:
        """Ends it at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Ends it and lets go of its pipes; by the thread that used it."""
        self.stop()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with suppress(OSError):  # what was still to be written is for nobody
                if stream is not None:
                    stream.close()

    def _answer(self, request: bytes | None, seconds: float) -> bytes | None:
        """The next frame, after sending a request; None where the worker died or was late (and is dead now)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._end_late)
        timer.daemon = True
        timer.start()
        try:
            if request is not None:
                write_frame(self._process.stdin, request)
            return read_frame(self._process.stdout)
        except BrokenPipeError as error:
            if self._late:
                return None
            raise WorkerGoneError from error
        finally:
            timer.cancel()

    def _end_late(self) -> None:
        self._late = True
        self._process.kill()

    def _death(self) -> Exception:
        """What is to be said of the document that the worker had when it died."""
        status = self._process.wait()
        words = self._words()
        if self._late:
            return DocumentError(
                f"parsing it did not end within {self._timeout_seconds:g} seconds.",
                f"{_MALFORMED} `seedbank seed --retry-failed` tries it again.",
            )
        if any(sign in words for sign in ("MemoryError", "bad_alloc", "out of memory", "Out of memory")):
            return DocumentError(
                f"parsing it takes more than the {self._memory_bytes >> 20:,} MB of memory allowed.",
                "Split it into smaller documents.",
            )
        if "Traceback (most recent call last)" in words:
            return RuntimeError(f"the parser process failed: {words}")
        if status >= 0:
            return DocumentError(f"the parser process ended by itself (status {status}) on it.", _MALFORMED)
        name = _signal_name(-status)
        if -status in _FROM_OUTSIDE:
            return DocumentError(
                f"the parser process was killed from outside ({name}), as a system short of memory does.",
                "Run again, with more memory free.",
                transient=True,
            )
        return DocumentError(f"the parser crashed on it ({name}).", _MALFORMED)

    def _words(self) -> str:
        """The end of what the worker wrote to its standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _ERRORS_BYTES))
        return self._errors.read().decode("utf-8", "replace").strip()


def _environment() -> dict[str, str]:
    """That of this process, with its own import path: it may be pytest, Dagster or `python -c`."""
    paths = [str(Path(path or ".").resolve()) for path in sys.path]
    # A seed that does not vary, so that a parser that depends on it (none is known) would give the same text.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
