"""The worker processes of one seed: which run goes to which of them, and what follows when one of them dies.

Runs of one group are over disjoint ranges of documents, so each can be done by any process. A process that dies loses only what
was in flight: everything finished is in the store, and another process does the same run, in which it is found.
"""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path

from resources.settings.config import Settings
from seed_assets.engine.interrupts import Draining
from seed_assets.engine.observer import Observer
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_run import Tally
from seed_assets.orchestration.dagster_runs import FinishedRun
from seed_assets.orchestration.job_names import JOBS
from seed_assets.planning.phases import Run
from seed_assets.spreading.messages import Begin, Broken, Message, Noted, Outcome, Stop, Task, decoded, encoded
from seed_assets.spreading.together import Together

# A range that has ended so many processes would end the next one as well (a judgement).
_MOST_DEATHS = 3
# How often the seed looks whether it was stopped, and how long it waits for idle processes to end.
_LOOK_SECONDS = 0.2
_GOODBYE_SECONDS = 30.0


@dataclass(slots=True)
class _Given:
    """A run that a process does. number: of the run in its group. deaths: how many have died of it. usd: what it may spend."""

    number: int
    run: Run
    deaths: int = 0
    usd: float | None = None


class WorkerPool:
    """Up to `count` processes, started when there are runs for them. shares_spent: whether a run has spent its share.

    One thread uses it. A seed with a budget gives each run a share, so that together they cannot exceed it; what the shares leave
    over is for the seed's own process.
    """

    def __init__(self, settings: Settings, runner: Runner, observer: Observer, count: int) -> None:
        """runner: of the seed; it takes in what the runs did."""
        self.shares_spent = False
        self._settings = settings
        self._runner = runner
        self._observer = observer
        self._count = count
        self._workers: list[_Worker] = []

    def run(self, runs: Sequence[Run]) -> Iterator[tuple[Run, FinishedRun | None]]:
        """Do these runs, as many at once as there are processes. Yields each with how it ended, as soon as it has.

        None stands for a process that died during the run, which another process does then. Raises what ended a run as a whole
        (StoreError, ConfigurationError), and KeyboardInterrupt.
        """
        runner = self._runner
        waiting = deque(_Given(number, run) for number, run in enumerate(runs))
        together = Together(self._observer, runner.reuse.accounts, runs)
        try:
            with Draining(runner.stopping):
                while waiting or any(worker.given for worker in self._workers):
                    if runner.stop_reason():
                        waiting.clear()
                        for worker in self._workers:
                            worker.stop()
                    self._give(waiting)
                    busy = {worker.pipe: worker for worker in self._workers if worker.given}
                    for pipe in wait(list(busy), _LOOK_SECONDS):
                        worker = busy[pipe]  # pyright: ignore[reportArgumentType] - `wait` gives what it was given
                        yield from self._heard(worker, together, waiting)
        except KeyboardInterrupt:
            for worker in self._workers:
                worker.kill()
            raise
        finally:
            together.end()
            for name, seconds in together.seconds.items():
                runner.tallies.setdefault(name, Tally()).seconds += seconds

    def _give(self, waiting: deque[_Given]) -> None:
        """Give runs to idle processes, and start processes for the others."""
        while waiting:
            worker = next((one for one in self._workers if not one.given), None)
            if worker is None:
                if len(self._workers) >= self._count:
                    return
                worker = _Worker(Begin(self._settings, self._count))
                self._workers.append(worker)
            given = waiting.popleft()
            given.usd = self._share(len(waiting) + 1)
            options = replace(self._runner.options, max_usd=given.usd)
            worker.give(given, Task(given.run.stages, given.run.range, JOBS[given.run.phase], options))

    def _share(self, runs: int) -> float | None:
        """What the next of so many runs may spend; None if there is no limit."""
        left = self._runner.budget.left_usd
        if left is None:
            return None
        return max(0.0, left - sum(one.given.usd or 0.0 for one in self._workers if one.given)) / runs

    def _heard(
        self, worker: "_Worker", together: Together, waiting: deque[_Given]
    ) -> Iterator[tuple[Run, FinishedRun | None]]:
        given = worker.given
        assert given is not None
        message = worker.heard()
        match message:
            case Noted():
                together.note(given.number, message)
            case Broken():
                raise message.error
            case Outcome():
                worker.given = None
                self._take(message)
                together.settled(given.number)
                yield given.run, message.finished
            case _:
                worker.given = None
                self._workers.remove(worker)
                # Nobody knows what it has spent of its share.
                self._runner.budget.spend(given.usd or 0.0)
                together.settled(given.number)
                given.deaths += 1
                if given.deaths < _MOST_DEATHS:
                    waiting.appendleft(given)
                    yield given.run, None
                else:
                    yield given.run, FinishedRun("", False, False, {"": _died(worker, given)})

    def _take(self, outcome: Outcome) -> None:
        """Count what a run in another process did, as if the seed's own process had done it."""
        runner = self._runner
        runner.stopped = outcome.stopped
        runner.faults.update(outcome.faults)
        runner.halted.update(outcome.halted)
        for name, found in outcome.tallies.items():
            tally = runner.tallies.setdefault(name, Tally())
            for unit in found.visited:
                tally.failed.pop(unit, None)
            tally.failed |= found.failed
            tally.waiting = (tally.waiting | found.waiting) - found.visited - found.failed.keys()
            tally.visited |= found.visited
            tally.computed |= found.computed
        runner.reuse.accounts.add(outcome.accounts)
        runner.budget.spend(outcome.spent_usd)
        self.shares_spent |= outcome.over_budget

    def close(self) -> None:
        """End the processes. A run that is still under way finishes what is in flight."""
        for worker in self._workers:
            worker.close()
        for worker in self._workers:
            worker.wait()
        self._workers = []


class _Worker:
    """A running process. given: the run that it does; None if it is idle."""

    def __init__(self, begin: Begin) -> None:
        from seed_assets.spreading import worker_start

        self.given: _Given | None = None
        self.pipe, far = Pipe()
        self._stopped = False
        paths = [str(Path(path or ".").resolve()) for path in sys.path]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", worker_start.__name__, str(far.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            pass_fds=[far.fileno()],
            # In a process group of its own, so that Ctrl-C in the terminal reaches the seed alone, which stops its processes.
            process_group=0,
        )
        far.close()
        self._send(begin)

    def give(self, given: _Given, task: Task) -> None:
        """Let the process do a run. If it has died, `heard` says so."""
        self.given = given
        self._send(task)

    def heard(self) -> Message | None:
        """The next message of the process; None if it has died."""
        try:
            return decoded(self.pipe.recv_bytes())
        except (EOFError, OSError):
            self.process.wait()
            self.pipe.close()
            return None

    def stop(self) -> None:
        """Let the process finish what is in flight, and begin nothing more."""
        if not self._stopped:
            self._stopped = True
            self._send(Stop())

    def close(self) -> None:
        """Let the process end."""
        self.pipe.close()

    def wait(self) -> None:
        """Wait for the end of the process, and end it if that takes too long."""
        try:
            self.process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()

    def _send(self, message: Message) -> None:
        with suppress(OSError):
            self.pipe.send_bytes(encoded(message))


def _died(worker: _Worker, given: _Given) -> str:
    first, last = given.run.range or ("", "")
    status = worker.process.returncode
    how = f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended by itself (status {status})"
    return (
        f"{given.deaths} worker processes died in the run over the documents {first} to {last}; the last one {how}, as happens "
        "if memory runs out."
    )
