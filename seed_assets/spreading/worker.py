"""A worker process of a seed: it does runs of Dagster over ranges of documents, and sends to the seed what became of them.

The seed starts it (worker_pool, worker_start) with one end of a pipe. It ends when the seed closes the pipe, or dies: then it
finishes what is in flight, so that nothing that is paid for is lost, and begins nothing more. If the seed has died, it ends as
soon as that is stored: the next seed publishes it, and closes the run in Dagster's records, as it does for the dead seed.
"""

import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from resources.collector import collect_rarely
from resources.endpoints.llm import Usage
from resources.home.private_files import keep_new_files_private
from seed_assets.core.workers.parent_death import end_without_parent, outlive_parent
from seed_assets.core.workers.parser_pool import divide_processors
from seed_assets.engine.progress import Progress
from seed_assets.engine.runner import Runner
from seed_assets.orchestration.dagster_runs import DagsterRuns, translated
from seed_assets.session.session import Session
from seed_assets.spreading.messages import Begin, Broken, Message, Noted, Outcome, Stop, Task, decoded, encoded


def serve(pipe: int, seed_pid: int) -> None:
    """Serve the seed of this process number at the other end of a pipe."""
    collect_rarely()
    keep_new_files_private()
    Worker(Connection(pipe), seed_pid).serve()


class Worker:
    """The process at this end of a pipe."""

    def __init__(self, pipe: Connection, seed_pid: int) -> None:
        self._pipe = pipe
        self._seed_pid = seed_pid
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._sending = threading.Lock()
        self._over = threading.Event()
        self._runner: Runner | None = None

    def serve(self) -> None:
        """Do task after task until the seed closes the pipe, or says that it is to stop."""
        try:
            begin: Begin = decoded(self._pipe.recv_bytes())
        except EOFError:  # the seed was stopped before it had anything to do
            return
        threading.Thread(target=self._receive, name="seedbank-tasks", daemon=True).start()
        outlive_parent()
        divide_processors(begin.workers)
        session = Session(begin.settings)
        try:
            while (task := self._tasks.get()) is not None:
                self.end_without_seed()
                self.send(self._outcome(session, task))
        finally:
            session.close()

    def _outcome(self, session: Session, task: Task) -> Outcome | Broken:
        runner = self._runner = session.runner(task.options, Sender(self))
        if self._over.is_set():
            runner.stopping.set()
        try:
            with session.home.running(), translated(runner):
                runs = DagsterRuns(session.settings, runner)
                try:
                    finished = runs.run(task.stages, task.range, task.job)
                finally:
                    runs.close()
        except Exception as error:  # noqa: BLE001 - the seed raises it
            return Broken(error)
        return Outcome(
            finished,
            runner.tallies,
            runner.faults,
            runner.halted,
            runner.stopped,
            runner.over_budget,
            runner.reuse.accounts.copied(),
            runner.budget.spent_usd,
        )

    def _receive(self) -> None:
        """Take what the seed sends, in a thread of its own, so that its end is noticed during a run."""
        message: Any = None
        with suppress(EOFError, OSError):
            while not isinstance(message := decoded(self._pipe.recv_bytes()), Stop):
                self._tasks.put(message)
        self._over.set()
        if self._runner is not None:
            self._runner.stopping.set()
        self._tasks.put(None)

    def end_without_seed(self) -> None:
        """End this process at once if the seed has died. Nothing may be in flight."""
        end_without_parent(self._seed_pid)

    def send(self, message: Message) -> None:
        """Send a message to the seed; nothing if it is gone, which `_receive` notices."""
        with suppress(OSError), self._sending:
            self._pipe.send_bytes(encoded(message))


class Sender:
    """The observer of a run, which sends to the seed what it sees. It implements engine.observer.Observer."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def began(self, stage: str, documents: int) -> None:
        """See Observer."""
        self._worker.send(Noted("began", (stage, documents)))

    def advanced(self, stage: str, *, reused: int = 0, computed: int = 0, failed: int = 0) -> None:
        """See Observer."""
        self._worker.send(Noted("advanced", (stage, reused, computed, failed)))

    def reached(self, progress: Progress) -> None:
        """See Observer."""
        self._worker.send(Noted("reached", (progress,)))

    def paid(self, stage: str, usage: Usage) -> None:
        """See Observer."""
        self._worker.send(Noted("paid", (stage, usage)))

    def ended(self, stage: str, seconds: float) -> None:
        """See Observer. What the stage had in flight is stored."""
        self._worker.end_without_seed()
        self._worker.send(Noted("ended", (stage, seconds)))
