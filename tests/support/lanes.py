"""Two lanes of tests: those that are marked `integration`, and the fast ones, which start nothing outside their own process.

What belongs here: which tests are marked by what they use, and a guard that fails any other test that starts a process, runs
Dagster or reaches a service. What does not: which lane a command runs (Makefile).

The guard listens to Python's audit events, so it sees what the project and its dependencies do, whatever module does it.
"""

import multiprocessing.util
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg2
import pytest

INTEGRATION = "integration"
# PostgreSQL, RabbitMQ and Redis.
SERVICE_PORTS = {5432, 5672, 6379}
# What a test with one of these marks takes, in tests that have none.
_TAKES = {"long": 1000, INTEGRATION: 100, "slow": 100}
_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "multiprocessing.spawn"}
# Python announces thousands of others in a test.
_HEARD = _STARTS | {"psycopg2.connect", "socket.connect", "sqlite3.connect"}


class Guard:
    """Refuses what only an integration test may do, and remembers it: the code under test may swallow the refusal."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self._watching = False
        self._earlier_threads: frozenset[threading.Thread] = frozenset()

    def install(self) -> None:
        """Listen; an audit hook stays as long as its process."""
        # Neither of the two raises an audit event by itself.
        multiprocessing.util.spawnv_passfds = _announced("multiprocessing.spawn", multiprocessing.util.spawnv_passfds)
        psycopg2.connect = _announced("psycopg2.connect", psycopg2.connect)
        sys.addaudithook(self._hear)

    def begin(self, item: pytest.Item) -> None:
        """Watch a test, unless it is marked."""
        self.refused.clear()
        self._watching = item.get_closest_marker(INTEGRATION) is None
        # A thread of an earlier test, which keeps worker processes for one, is not this test's doing.
        self._earlier_threads = frozenset(threading.enumerate()) - {threading.current_thread()}

    def end(self) -> None:
        """Watch nothing any more."""
        self._watching = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching or event not in _HEARD:
            return
        what = _refusal(event, arguments)
        if what and threading.current_thread() not in self._earlier_threads:
            self.refused.append(what)
            pytest.fail(_message(what))


def mark(items: Sequence[pytest.Item]) -> None:
    """Mark the tests that are given the fixture of this name, most of them by another one; others bear the mark."""
    for item in items:
        if isinstance(item, pytest.Function) and INTEGRATION in item.fixturenames:
            item.add_marker(INTEGRATION)


def longest_first(items: list[pytest.Item]) -> None:
    """Bring the modules with the most work to the front, so that no process is left with a long one at the end."""
    work: Counter[Path] = Counter()
    for item in items:
        work[item.path] += max((takes for name, takes in _TAKES.items() if item.get_closest_marker(name)), default=1)
    items.sort(key=lambda item: (-work[item.path], item.path))


def note(report: pytest.TestReport, refused: list[str]) -> None:
    """Fail a test that went on after it was refused something; each refusal is reported once."""
    if refused and not report.failed:
        report.outcome = "failed"
        report.longrepr = _message(refused[0])
    refused.clear()


def _refusal(event: str, arguments: tuple[Any, ...]) -> str:
    # Once per process, Python asks the system about itself by `uname` and `file`, when Dagster or OpenAI's client is imported,
    # and matplotlib asks for the system's fonts, when it finds no list of them in the user's cache.
    if event in _STARTS and not _called_by("platform") and not _called_by("matplotlib.font_manager"):
        return f"starts a process ({event}: {str(arguments[0])[:80] if arguments else ''})"
    if event == "psycopg2.connect":
        return "connects to PostgreSQL"
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][1] in SERVICE_PORTS:
        return f"connects to a service ({arguments[1]})"
    # Every instance of Dagster keeps records in SQLite, the ephemeral ones in memory.
    if event == "sqlite3.connect" and _called_by("dagster"):
        return "opens an instance of Dagster"
    return ""


def _called_by(package: str) -> bool:
    frame = sys._getframe()
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name == package or name.startswith(f"{package}."):
            return True
        frame = frame.f_back
    return False


def _announced(event: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def announce(*arguments: Any, **named: Any) -> Any:
        sys.audit(event)
        return function(*arguments, **named)

    return announce


def _message(what: str) -> str:
    return (
        f"A test that is not marked `{INTEGRATION}` {what}. Give it a fake, or mark it: `make test-fast` is for tests that "
        "need no other process."
    )
