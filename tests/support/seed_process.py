"""`seedbank seed` as a process of its own, and what it leaves in its home.

What belongs here: starting the command, ending it, and reading its traces from outside. What does not: what should be
there (the tests), and anything that reaches into the process.

Nothing here keeps a file of the home open between two calls: what a killed process leaves is found as a user finds it.
"""

import atexit
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from resources.tables.lance import LanceTables
from resources.tables.lance_schema import TABLES
from tests.support import forked_commands

if TYPE_CHECKING:
    import pyarrow as pa

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_corpus"
COMMAND = ("-m", "cli.main")
SLOW = ("-m", "tests.support.slow_seed")
HASTY = ("-m", "tests.support.hasty_seed")
PLAIN = ("-m", "tests.support.plain_seed")
# Only so that a hang ends; a machine that does much else takes minutes over what takes seconds.
PATIENCE_SECONDS = 600
_GOODBYE_SECONDS = 10
_POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended. status: its exit status, negative for a signal; output, errors: what it printed."""

    status: int
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """What it printed with --json."""
        return json.loads(self.output)

    @property
    def computed(self) -> dict[str, int]:
        """Stage -> documents that were computed, those of the seed's report that are not 0."""
        return {name: stage["computed"] for name, stage in self.report["stages"].items() if stage["computed"]}

    def printed(self) -> str:
        """All that it printed, for the message of a failed test."""
        return f"exit status {self.status}\n{self.output}\n{self.errors}"


class Seed:
    """A running command, the leader of a process group of its own; as a context manager it leaves nothing running."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        program: tuple[str, ...] = COMMAND,
        environment: dict[str, str] | None = None,
        before: Callable[[], None] | None = None,
        through: Sequence[str] = (),
    ) -> None:
        """arguments: of `seedbank`, `seed` for one. before: called in the new process, before the command begins.

        through: a command that starts it, as `unshare` does in namespaces of its own.
        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBANK_", "DAGSTER_"))}
        # Files, since nobody reads along; closed by `end`.
        self._output, self._errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")  # noqa: SIM115
        environment = {
            **clean,
            "SEEDBANK_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONFAULTHANDLER": "1",
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | forked_commands.ForkedCommand
        if before is None and not through and forked_commands.can_fork(program, environment):
            words = [*program[2:], *arguments]
            self.process = forked_commands.start(program[1], words, environment, self._output, self._errors)
            return
        self.process = subprocess.Popen(
            [*through, sys.executable, *program, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._errors,
            start_new_session=True,
            preexec_fn=before,
        )

    def wait_until(self, reached: Callable[[], bool]) -> bool:
        """Wait for something to be seen from outside; False if the process ended before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            if reached():
                return True
            if time.monotonic() > deadline:
                raise TimeoutError(f"The awaited moment did not come.\n{self.kill().printed()}")
            time.sleep(_POLL_SECONDS)
        return False

    def wait_for(self, seconds: float) -> None:
        """Wait so long for the end, which may come later."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def send(self, number: int) -> None:
        """Send a signal to the command alone, as a process manager does."""
        self.process.send_signal(number)

    def kill(self) -> Finished:
        """`kill -9` of the command alone: no handler, no goodbye."""
        self.process.kill()
        return self.finish()

    def finish(self, within_seconds: float | None = None) -> Finished:
        """Wait for its end. Raises TimeoutError; where `within_seconds` are given the command goes on then."""
        try:
            self.process.wait(within_seconds or PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as error:
            if within_seconds:
                raise TimeoutError(f"The command has not ended after {within_seconds} s.") from error
            # Python's own fault handler prints where each thread is.
            self.process.send_signal(signal.SIGABRT)
            self.wait_for(_GOODBYE_SECONDS)
            self.process.kill()
            self.process.wait()
            raise TimeoutError(f"The command did not end.\n{self._finished().printed()}") from error
        return self._finished()

    def end(self) -> None:
        """Leave nothing of the command and its children running, and no file open."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._output.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def _finished(self) -> Finished:
        self._output.seek(0)
        self._errors.seek(0)
        return Finished(self.process.returncode or 0, self._output.read(), self._errors.read())


def seedbank(home: Path, *arguments: str, **options: Any) -> Finished:
    """Run a command to its end; see Seed."""
    with Seed(home, *arguments, **options) as running:
        return running.finish()


def seed(home: Path, corpus: Path, *arguments: str, **options: Any) -> Finished:
    """Run `seedbank seed --json` to its end; see Seed."""
    return seedbank(home, "seed", "--corpus", str(corpus), "--json", *arguments, **options)


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query, empty while there is no such file or table yet. Writes nothing, not even a checkpoint."""
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "unable to open" in str(error):
            return []
        raise


def actions(home: Path) -> dict[str, str]:
    """Action key -> stage of everything that is committed."""
    return dict(query(home / "store" / "store.db", "SELECT action_key, stage FROM actions"))


def committed(home: Path) -> Counter[str]:
    """Stage -> how many of its actions are committed."""
    return Counter(dict(query(home / "store" / "store.db", "SELECT stage, count(*) FROM actions GROUP BY stage")))


def published(home: Path) -> Counter[str]:
    """Stage -> how many of its results are published."""
    return Counter(dict(query(home / "store" / "store.db", "SELECT stage, count(*) FROM refs GROUP BY stage")))


def dagster_runs(home: Path) -> dict[str, str]:
    """Run -> the status that Dagster shows."""
    return dict(query(home / "dagster" / "history" / "runs.db", "SELECT run_id, status FROM runs"))


def rows(home: Path) -> "dict[str, pa.Table]":
    """Table -> its rows, every column, in the order of the table's key."""
    tables = LanceTables(home / "lancedb")
    return {name: tables.read(name).combine_chunks() for name in TABLES}


@dataclass(frozen=True, slots=True, eq=False)
class Undisturbed:
    """A home that one seed filled without being disturbed."""

    home: Path
    finished: Finished
    actions: dict[str, str]
    rows: "dict[str, pa.Table]"


@cache
def undisturbed(corpus: Path) -> Undisturbed:
    """What a seed of this corpus gives; computed once a test run, not to be changed (see `copy_of`)."""
    directory = Path(tempfile.mkdtemp(prefix="seedbank-undisturbed-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    home = directory / "home"
    finished = seed(home, corpus)
    assert finished.status == 0, finished.printed()
    return Undisturbed(home, finished, actions(home), rows(home))


def copy_of(seeded: Undisturbed, home: Path) -> Path:
    """The same home once more, to be disturbed."""
    shutil.copytree(seeded.home, home)
    return home
