"""Worker processes for parsing and for all other work on a document's text, so that a malicious file harms no other document.
A crash, an endless loop or excessive memory use ends one worker and fails one document; the worker is replaced.

What belongs here: which document goes to which worker, and how long each may take. What does not: the life of a single worker
(parser_process, parser_worker), and the tasks (text_tasks).
"""

import asyncio
import os
import queue
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self

import msgspec

from resources.corpus.formats import is_format
from seed_assets.core.reading.extracted_text import EXTRACTION_VERSION, ExtractedText
from seed_assets.core.reading.file_signatures import is_rtf
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.workers.parser_process import ParserProcess, WorkerGoneError
from seed_assets.core.workers.task_names import PARSE, READ_PAGES, WARM_UP

_PLAIN = frozenset({"text", "markdown"})
# The numbers of this module were chosen by judgement.
# The largest plain texts that this process decodes itself. Larger ones could keep it busy for seconds: detecting the
# encoding is slow, and a malicious text can make normalization slow.
_LIGHT_BYTES = 64 * 1024
_LIGHT_ASCII_BYTES = 4 * 2**20
# How often a document is handed to a new worker because the previous one died while it was idle.
_MOST_ATTEMPTS = 3
# How long close() waits for each thread.
_JOIN_SECONDS = 10
# The interval at which running workers are checked. At most _MOST_COUNTED_SECONDS of an interval count towards the time
# limit, so that no document is late because this process was stopped for a while (Ctrl-Z, a paused container).
_WATCH_SECONDS = 0.2
_MOST_COUNTED_SECONDS = 1.0
# A worker that has been busy with one document for so long is slow; for each slow one another worker is started, up to 4.
_SLOW_SECONDS = 3.0
_MOST_BESIDE_SLOW = 4
# Starting a worker and loading what it needs takes about a second of a core. Another one is started after so much work since the
# pool was idle, since as much again is to be expected, or if a task has taken a second. What waits says little, since stages hand
# over a few documents at a time.
_MUCH_WORK_SECONDS = 2.0
_LONG_TASK_SECONDS = 1.0
# An idle worker is ended after this time, since it holds about 100 MB.
_IDLE_SECONDS = 60.0
# How many processes with a shared pool of their own do the same work together.
_processes = 1


@dataclass(frozen=True, slots=True)
class _Job:
    """A task that waits for a worker, and the future of its encoded result."""

    task: str
    arguments: bytes
    outcome: "Future[bytes]"


class ParserPool:
    """Up to `workers` processes, started when they are first needed; each works on one document at a time.

    Another worker is started only for work that takes longer than its start. While some workers are busy with one document for
    seconds, up to four more are started for the others. The pool may be used from several event loops, also at the same time.
    Small texts are decoded in a thread of this process, where nothing can crash. When this process dies for any reason, the
    workers die too.
    """

    def __init__(
        self,
        workers: int = 2,
        timeout_seconds: float = 120,
        memory_bytes: int = 2 * 1024**3,
        *,
        parse: str = "",
    ) -> None:
        """Create the pool; no worker is started yet.

        workers: the most workers, apart from those started beside slow ones.
        timeout_seconds: the time limit of one task.
        memory_bytes: the most address space of a worker, on systems that can limit it.
        parse: "module:function" of the parser, which takes (data, format), returns ExtractedText and raises DocumentError; "" for
            extraction.extract.
        """
        self._most_workers = workers
        self._timeout_seconds = timeout_seconds
        self._process_arguments = (parse, timeout_seconds, memory_bytes)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._watch: threading.Thread | None = None
        self._processes: set[ParserProcess] = set()
        # The pool's own clock: the seconds during which workers were watched; and the time on it at which each worker
        # began its current task.
        self._watched = 0.0
        self._busy: dict[ParserProcess, float] = {}
        self._worked = 0.0
        self._working = threading.Event()
        self._unfinished = 0
        self._closed = False

    @property
    def identity(self) -> Mapping[str, str]:
        """Everything that decides the text of given bytes: the version of the extraction."""
        return {"extraction": EXTRACTION_VERSION}

    async def extract(self, data: bytes, format: str) -> ExtractedText:
        """Return the text of a document; see extraction.extract.

        Raises DocumentError as that function does, and if parsing crashes, takes too long or takes too much memory;
        RuntimeError if workers cannot be started or the pool is closed; ValueError for an unknown format.
        """
        if not is_format(format):
            raise ValueError(f"no reader for format {format!r}")
        is_light = len(data) <= (_LIGHT_ASCII_BYTES if data.isascii() else _LIGHT_BYTES)
        if format in _PLAIN and is_light and not is_rtf(data):
            from seed_assets.core.reading.extraction import extract

            return await asyncio.to_thread(extract, data, format)
        found = await asyncio.wrap_future(self._submit(PARSE, msgspec.msgpack.encode((data, format))))
        return msgspec.msgpack.decode(found, type=ExtractedText)

    async def read(self, data: bytes, format: str, rules: ReadingRules) -> ExtractedText | list[int]:
        """Return the text of a document with pages, or the pages that have to be read as pictures first.

        See extraction.read_document. Raises what `extract` raises.
        """
        found = await asyncio.wrap_future(self._submit(READ_PAGES, msgspec.msgpack.encode((data, format, rules))))
        return msgspec.msgpack.decode(found, type=ExtractedText | list[int])

    async def run(self, task: str, *arguments: Any) -> Any:
        """Run one of text_tasks.TASKS and return its result; see TextWork. Raises what `extract` raises."""
        from seed_assets.core.workers.text_tasks import TASKS, as_sent

        found = await asyncio.wrap_future(self._submit(task, as_sent(arguments)))
        return TASKS[task].result(found)

    def warm_up(self) -> None:
        """Start a worker and let it load what embedding needs, unless there is one. The caller does not wait for it."""
        with self._lock:
            idle = not self._threads and not self._closed
        if idle:
            self._submit(WARM_UP, msgspec.msgpack.encode(([],)))

    def close(self) -> None:
        """End all workers at once; their unfinished tasks fail with RuntimeError."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            threads = list(self._threads)
            for _ in threads:
                self._jobs.put(None)
            for process in self._processes:
                process.stop()
            self._working.set()
        for thread in threads:
            thread.join(_JOIN_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        """Whether the pool accepts no more work."""
        return self._closed

    def _submit(self, task: str, arguments: bytes) -> "Future[bytes]":
        outcome: Future[bytes] = Future()
        with self._lock:
            self._refuse_closed()
            self._unfinished += 1
            self._jobs.put(_Job(task, arguments, outcome))
            self._grow()
        return outcome

    def _grow(self) -> None:
        """Start one more thread with a worker if there is work for it. The caller holds the lock."""
        if len(self._threads) >= min(self._most_threads(), self._unfinished) or not self._is_worth_another():
            return
        if self._watch is None:
            self._watch = threading.Thread(target=self._watch_workers, name="parser-watch", daemon=True)
            self._watch.start()
        # A daemon thread, so that the end of the program waits for no parser.
        thread = threading.Thread(target=self._serve, name="parser-pool", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _is_worth_another(self) -> bool:
        """Whether there is no worker yet, or enough work for one more. The caller holds the lock."""
        longest = max((self._watched - since for since in self._busy.values()), default=0.0)
        return not self._threads or self._worked > _MUCH_WORK_SECONDS or longest > _LONG_TASK_SECONDS

    def _most_threads(self) -> int:
        """Return the number of workers, and one more for each slow worker. The caller holds the lock."""
        slow = sum(self._watched - since > _SLOW_SECONDS for since in self._busy.values())
        return self._most_workers + min(slow, _MOST_BESIDE_SLOW)

    def _watch_workers(self) -> None:
        """End workers that exceed the time limit, and start others beside slow ones."""
        while self._working.wait() and not self._closed:
            with self._lock:
                late = [p for p, since in self._busy.items() if self._watched - since > self._timeout_seconds]
                self._grow()
                if not self._busy:
                    self._working.clear()
            for process in late:
                process.end_late()
            looked = time.monotonic()
            time.sleep(_WATCH_SECONDS)
            self._watched += min(time.monotonic() - looked, _MOST_COUNTED_SECONDS)

    def _serve(self) -> None:
        """Give one worker task after task; this runs in a thread of its own."""
        process: ParserProcess | None = None
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS if process is not None else None)
            except queue.Empty:
                process = self._ended(process)
                self._worked = 0.0
                continue
            if job is None:
                break
            if job.outcome.set_running_or_notify_cancel():
                try:
                    for _ in range(_MOST_ATTEMPTS):
                        if process is not None and not process.is_alive:
                            process = self._ended(process)
                        process = process or self._started()
                        try:
                            result, retires = self._run(process, job)
                        except WorkerGoneError:  # the worker was killed while it was idle
                            process = self._ended(process)
                            continue
                        if retires:
                            process = self._ended(process)
                        job.outcome.set_result(result)
                        break
                    else:
                        raise RuntimeError(f"{_MOST_ATTEMPTS} parser processes died before they were given a document")
                except BaseException as error:  # noqa: BLE001 (raised in the caller, which waits for the outcome)
                    job.outcome.set_exception(RuntimeError("the parser pool was closed") if self._closed else error)
            del job
            with self._lock:
                self._unfinished -= 1
                # This thread was started beside a slow worker and is no longer needed.
                if len(self._threads) > self._most_threads() and not self._closed:
                    self._threads.remove(threading.current_thread())
                    break
        self._ended(process)

    def _run(self, process: ParserProcess, job: _Job) -> tuple[bytes, bool]:
        with self._lock:
            self._busy[process] = self._watched
            self._working.set()
        started = time.monotonic()
        try:
            return process.run(job.task, job.arguments)
        finally:
            with self._lock:
                del self._busy[process]
                self._worked += time.monotonic() - started

    def _started(self) -> ParserProcess:
        process = ParserProcess(*self._process_arguments)
        with self._lock:
            if not self._closed:
                self._processes.add(process)
                return process
        process.close()
        raise RuntimeError("the parser pool was closed")

    def _ended(self, process: ParserProcess | None) -> None:
        if process is None:
            return
        process.close()
        with self._lock:
            self._processes.discard(process)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the parser pool is closed")


def shared_pool() -> ParserPool:
    """Return the pool that all pipelines of this process share, so that each does not have workers of its own."""
    if _shared().is_closed:
        _shared.cache_clear()
    return _shared()


def divide_processors(processes: int) -> None:
    """Let the shared pool of this process use its part of the processors, beside those of others that do the same work.

    processes: how many there are together. Call it before the pool is used.
    """
    global _processes
    _processes = processes


@cache
def _shared() -> ParserPool:
    # More than four workers would only wait for this process, which stores their results; each takes about 100 MB.
    workers = min(4, (os.cpu_count() or 2) // _processes)
    return ParserPool(workers=max(2 if _processes == 1 else 1, workers))
