"""Commands as processes that need not import the project first: forks of a process that has imported it already.

What belongs here: a server, one per test process, that imports what commands import and forks for each command; and the handle by
which a test waits for a command and ends it. What does not: the commands (seed_process).

A command has its own session, environment, working directory and output, and Python ends it as it ends any program. It differs
from one that was started afresh only in what is imported already, which costs each process 3 to 4 s of a core.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("answering", "cli", "event_log", "io_managers", "resources", "retrieval", "seed_assets", "seedbank")
# Modules that are run as programs, and the one that Dagster loads.
_PROGRAMS = {"cli.main", "cli.start", "seed_assets.definitions"}
_OTHERS = ("dagster", "lancedb", "openai", "tests.support.pipelines", "tests.support.plain_runs")
# What functions of the project, Dagster and LanceDB import when they are called first: some 600 modules in a seed.
_IMPORTED_LATE = (
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.execution.execute_in_process",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.instance.runs.run_domain",
    "dagster._core.storage.migration.utils",
    "dagster._core.storage.noop_compute_log_manager",
    "fsspec.implementations.local",
    "graspologic_native",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "matplotlib.patheffects",
    "PIL.ImageOps",
    "safetensors.numpy",
    "scipy.fft",
    "scipy.optimize",
    "scipy.sparse.linalg",
    "tokenizers",
    "upath.implementations.local",
)
_READY = b"ready"
# Dagster's own commands are started as users start them.
_OWN_MODULES = ("cli.", "tests.")
# Variables that the commands read when they run. Python and the libraries read others once, when they are imported. Those of
# KMP are set by scikit-learn when a test imports it; no command does.
_READ_LATE = (
    "KMP_",
    "SEEDBANK_",
    "SLOW_SEED_",
    "DAGSTER_HOME",
    "OPENAI_API_KEY",
    "PYTEST_",
    "PYTHONPATH",
    "PYTHONFAULTHANDLER",
)
_LONGEST_MESSAGE = 1 << 17
# Before any test changes it.
_OWN_ENVIRONMENT = dict(os.environ)


class ForkedCommand:
    """A running command; its methods are those of subprocess.Popen."""

    def __init__(self, pid: int, ends: socket.socket) -> None:
        """ends: from where the exit status comes."""
        self.pid = pid
        self.returncode: int | None = None
        self._ends = ends

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal, or None while the command runs."""
        if self.returncode is None and select.select([self._ends], [], [], 0)[0]:
            self.returncode = int(self._ends.recv(_LONGEST_MESSAGE))
            self._ends.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            select.select([self._ends], [], [], timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the command has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the command at once."""
        self.send_signal(signal.SIGKILL)


def can_fork(program: tuple[str, ...], environment: Mapping[str, str]) -> bool:
    """Whether a program does the same in a fork: a module of the project whose imports depend on nothing in its environment."""
    if program[:1] != ("-m",) or not program[1].startswith(_OWN_MODULES) or not hasattr(os, "pidfd_open"):
        return False
    return _read_early(environment) == _read_early(_OWN_ENVIRONMENT)


def start(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], output: IO[str], errors: IO[str]
) -> ForkedCommand:
    """Start `python -m module arguments` in the project's folder and return its handle."""
    # As for a process that Python starts: the fast tests are refused it.
    sys.audit("subprocess.Popen", sys.executable, ["-m", module, *arguments], str(ROOT), dict(environment))
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request = json.dumps([module, list(arguments), dict(environment)]).encode()
    with its:
        socket.send_fds(_server(), [request], [output.fileno(), errors.fileno(), its.fileno()])
    answer = ours.recv(_LONGEST_MESSAGE)
    assert answer, "the process that forks commands has ended"
    return ForkedCommand(int(answer), ours)


@cache
def _server() -> socket.socket:
    """Start the server and return the socket of its requests; it ends when this process does."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = _read_early(_OWN_ENVIRONMENT)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forked_commands", str(its.fileno())],
            cwd=ROOT,
            # As commands have it, which set both before NumPy and LanceDB are imported.
            env={"OPENBLAS_NUM_THREADS": "1", "LANCEDB_LOG": "error", **environment, "PYTHONFAULTHANDLER": "1"},
            stdin=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
    assert ours.recv(_LONGEST_MESSAGE) == _READY, "what commands import cannot be imported"
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _read_early(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_READ_LATE)}


def _serve(requests: socket.socket) -> tuple[str, list[str]] | None:
    """Fork for each request. Returns the module and its arguments in each fork, None here, when no more requests come."""
    running: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is requests:
                    message, descriptors, _, _ = socket.recv_fds(requests, _LONGEST_MESSAGE, 3)
                    if not message:
                        return None
                    output, errors, ends = descriptors
                    with warnings.catch_warnings(
                        action="ignore"
                    ):  # LanceDB warns of a fork, after which it starts anew
                        pid = os.fork()
                    if pid == 0:
                        for pidfd, (_, other) in running.items():
                            os.close(pidfd)
                            other.close()
                        requests.close()
                        return _become(message, output, errors, ends)
                    os.close(output)
                    os.close(errors)
                    pidfd = os.pidfd_open(pid)
                    running[pidfd] = pid, socket.socket(fileno=ends)
                    selector.register(pidfd, selectors.EVENT_READ)
                else:
                    pid, end = running.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _, status = os.waitpid(pid, 0)
                    end.send(str(os.waitstatus_to_exitcode(status)).encode())
                    end.close()


def _become(message: bytes, output: int, errors: int, ends: int) -> tuple[str, list[str]]:
    """Make the process of a command out of a fork."""
    module, arguments, environment = json.loads(message)
    os.setsid()
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.write(ends, str(os.getpid()).encode())
    for descriptor in (output, errors, ends):
        os.close(descriptor)
    return module, arguments


def _import_all() -> None:
    for package in _PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if module.name not in _PROGRAMS:
                importlib.import_module(module.name)
    for module in (*_OTHERS, *_IMPORTED_LATE):
        importlib.import_module(module)


def main() -> None:
    """Import everything, then fork for each request; in a fork, run what was asked for."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    _import_all()
    from tests.support import migrations  # which imports Dagster; the tests' own processes start without it

    migrations.read_once()
    migrations.read_now()
    gc.freeze()
    requests.send(_READY)
    command = _serve(requests)
    if command is not None:
        module, sys.argv[1:] = command
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
