"""Parsing in processes of their own, so that a crafted file harms no other document: a crash, an endless loop or a
memory bomb ends one worker, which is replaced, and is a DocumentError of the document it had.

What belongs here: which document goes where. What does not: what happens in and to a worker (parser_process).
"""

import asyncio
import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from seed_assets.core.extracted_text import ExtractedText
from seed_assets.core.extraction import EXTRACTION_VERSION, SUFFIXES, extract
from seed_assets.core.parser_process import ParserProcess, WorkerGoneError

_PLAIN = frozenset({"text", "markdown"})
# Larger texts could keep this process busy for seconds: detecting an encoding, or normalising what was made to be slow.
_LIGHT_BYTES = 64 * 1024
_LIGHT_ASCII_BYTES = 4 * 2**20
_MOST_ATTEMPTS = 3
_JOIN_SECONDS = 10


@dataclass(frozen=True, slots=True)
class _Job:
    data: bytes
    format: str
    outcome: "Future[ExtractedText]"


class ParserPool:
    """Up to `workers` processes, started when they are first needed, each parsing one document after another.

    It may be used from several event loops, one after the other or at once. Small texts are decoded in a thread of
    this process: nothing in that can crash. When this process dies, by whatever cause, so do the workers.
    """

    def __init__(
        self,
        workers: int = 2,
        timeout_seconds: float = 120,
        memory_bytes: int = 2 * 1024**3,
        *,
        parse: str = "seed_assets.core.extraction:extract",
    ) -> None:
        """timeout_seconds: for one document. memory_bytes: address space of a worker, where the system can limit it.

        parse: "module:function" of what the workers call, a (data, format) -> ExtractedText that raises DocumentError.
        """
        self._most_workers = workers
        self._process_arguments = (parse, timeout_seconds, memory_bytes)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._processes: set[ParserProcess] = set()
        self._unfinished = 0
        self._closed = False

    @property
    def identity(self) -> Mapping[str, str]:
        """What decides the text of given bytes: the version of the extraction, not in which process it runs."""
        return {"extraction": EXTRACTION_VERSION}

    async def extract(self, data: bytes, format: str) -> ExtractedText:
        """The text of a document, as extraction.extract.

        Raises DocumentError as that does, and for a crash, a parse that takes too long or too much memory;
        RuntimeError where workers cannot be started or the pool is closed.
        """
        if format not in SUFFIXES.values():
            raise ValueError(f"no reader for format {format!r}")
        if format in _PLAIN and len(data) <= (_LIGHT_ASCII_BYTES if data.isascii() else _LIGHT_BYTES):
            return await asyncio.to_thread(extract, data, format)
        return await asyncio.wrap_future(self._submit(data, format))

    def close(self) -> None:
        """Ends all workers at once; what they had fails with RuntimeError."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)
            for process in self._processes:
                process.stop()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _submit(self, data: bytes, format: str) -> "Future[ExtractedText]":
        outcome: Future[ExtractedText] = Future()
        with self._lock:
            self._refuse_closed()
            self._unfinished += 1
            self._jobs.put(_Job(data, format, outcome))
            if len(self._threads) < min(self._most_workers, self._unfinished):
                # A daemon: the end of the program waits for no parser.
                thread = threading.Thread(target=self._serve, name="parser-pool", daemon=True)
                self._threads.append(thread)
                thread.start()
        return outcome

    def _serve(self) -> None:
        """One thread keeps one worker busy."""
        process: ParserProcess | None = None
        while (job := self._jobs.get()) is not None:
            if job.outcome.set_running_or_notify_cancel():
                try:
                    for _ in range(_MOST_ATTEMPTS):
                        if process is not None and not process.is_alive:
                            process = self._ended(process)
                        process = process or self._started()
                        try:
                            text, retires = process.extract(job.data, job.format)
                        except WorkerGoneError:  # killed while it was idle
                            process = self._ended(process)
                            continue
                        if retires:
                            process = self._ended(process)
                        job.outcome.set_result(text)
                        break
                    else:
                        raise RuntimeError(f"{_MOST_ATTEMPTS} parser processes died before they were given a document")
                except BaseException as error:  # noqa: BLE001 (handed to the one who waits)
                    job.outcome.set_exception(RuntimeError("the parser pool was closed") if self._closed else error)
            with self._lock:
                self._unfinished -= 1
            del job
        if process is not None:
            self._ended(process)

    def _started(self) -> ParserProcess:
        process = ParserProcess(*self._process_arguments)
        with self._lock:
            self._processes.add(process)
            if self._closed:
                process.stop()
        return process

    def _ended(self, process: ParserProcess) -> None:
        process.close()
        with self._lock:
            self._processes.discard(process)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the parser pool is closed")
