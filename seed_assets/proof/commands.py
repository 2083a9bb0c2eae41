"""Commands of the project as processes: started, waited for, and ended with `kill -9`.

What belongs here: processes and what they print. What does not: forking (forking), and which commands are run (scenarios).
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

# Only so that a hang ends; a command of the proof takes seconds.
_PATIENCE_SECONDS = 600.0
_POLL_SECONDS = 0.01
# Variables of the user's own set-up, which would change what the commands do.
_FOREIGN = ("SEEDBANK_", "DAGSTER_", "OPENAI_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class ProofError(Exception):
    """The proof could not be carried out: a command hangs, or a process cannot be started."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended. status: its exit status, negative for a signal. output, errors: what it printed."""

    status: int
    output: str
    errors: str

    def printed(self) -> Any:
        """The JSON that it printed. Raises ProofError."""
        try:
            return json.loads(self.output)
        except ValueError as error:
            shown = "\n".join(self.errors.splitlines()[-20:])
            raise ProofError(f"A command ended with status {self.status} and printed no JSON. {shown}") from error


class _Process(Protocol):
    """A process that was started, by whomever."""

    number: int

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        ...


class Running:
    """A command that runs."""

    def __init__(self, process: _Process, output: Path, errors: Path) -> None:
        self.number = process.number
        self._process = process
        self._output, self._errors = output, errors

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> Finished:
        """End it as `kill -9` does."""
        os.kill(self.number, signal.SIGKILL)
        return self.wait()

    def wait(self) -> Finished:
        """Wait for its end. Raises ProofError if it hangs."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (status := self._process.poll()) is None:
            if time.monotonic() > deadline:
                self.end()
                raise ProofError(f"A command did not end within {_PATIENCE_SECONDS:.0f} seconds.")
            time.sleep(_POLL_SECONDS)
        return Finished(status, self._output.read_text("utf-8", "replace"), self._errors.read_text("utf-8", "replace"))

    def end(self) -> None:
        """Leave nothing of it and of its children running."""
        with suppress(ProcessLookupError):
            os.killpg(self.number, signal.SIGKILL)


class Commands:
    """Starts commands, one at a time, in an environment of the proof's own."""

    def __init__(self, module: str, folder: Path, root: Path, variables: Mapping[str, str]) -> None:
        """module: the program that is run as `python -m`. folder: for what it prints. root: where the project is.

        variables: of its environment, besides the user's, of which those for the project and for proxies are left out.
        """
        self._module = module
        self._folder = folder
        self._root = root
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN) and name.casefold() not in _PROXIES
        }
        self._environment = {**own, "PYTHONPATH": str(root), **variables}
        self._started: list[Running] = []
        self._forks: subprocess.Popen[bytes] | None = None

    def start(
        self, *arguments: str, config: Path, fresh: bool = False, prompts: Path | None = None, module: str = ""
    ) -> Running:
        """Start a command.

        config: its seedbank.toml. fresh: start a new interpreter, as a user does, and not a fork of one that has imported the
        project. prompts: the folder of the prompts, if they are not the project's. module: another program.
        """
        output, errors = (self._folder / f"{len(self._started):02}.{name}" for name in ("output", "errors"))
        environment = {**self._environment, "SEEDBANK_CONFIG": str(config)}
        run = module or self._module
        if fresh:
            process: _Process = _Fresh(run, arguments, environment, self._root, output, errors)
        else:
            wanted = {
                "module": run,
                "arguments": arguments,
                "environment": environment,
                "output": str(output),
                "errors": str(errors),
                "prompts": str(prompts or ""),
            }
            process = _Fork(self._forking(), wanted)
        running = Running(process, output, errors)
        self._started.append(running)
        return running

    def run(self, *arguments: str, **options: Any) -> Finished:
        """Run a command to its end; see `start`."""
        return self.start(*arguments, **options).wait()

    def _forking(self) -> subprocess.Popen[bytes]:
        if self._forks is None:
            self._forks = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.forking"],
                cwd=self._root,
                # On matrices as small as these, several threads of OpenBLAS only wait for each other.
                env={**self._environment, "OPENBLAS_NUM_THREADS": "1", "LANCEDB_LOG": "error"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        return self._forks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for running in self._started:
            if running.running():
                running.end()
        if self._forks is not None:
            if self._forks.stdin is not None:
                self._forks.stdin.close()
            self._forks.wait()
            if self._forks.stdout is not None:
                self._forks.stdout.close()


class _Fresh:
    """A process that was started as a new interpreter."""

    def __init__(
        self,
        module: str,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        root: Path,
        output: Path,
        errors: Path,
    ) -> None:
        with open(output, "wb") as out, open(errors, "wb") as err:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.number = self._popen.pid

    def poll(self) -> int | None:
        """See _Process."""
        return self._popen.poll()


class _Fork:
    """A process that `forking` has made; it says how the process ended before it makes the next one."""

    def __init__(self, forks: subprocess.Popen[bytes], wanted: Mapping[str, Any]) -> None:
        assert forks.stdin is not None
        self._forks = forks
        self._status: int | None = None
        self._left = b""
        forks.stdin.write(json.dumps(wanted).encode() + b"\n")
        number = None
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while number is None:
            if time.monotonic() > deadline:
                raise ProofError("The process that starts commands does not answer.")
            number = self._next_number(_POLL_SECONDS * 10)
        self.number = number

    def poll(self) -> int | None:
        """See _Process."""
        if self._status is None:
            self._status = self._next_number(0)
        return self._status

    def _next_number(self, seconds: float) -> int | None:
        """Read a line with a number, or wait so long for it."""
        assert self._forks.stdout is not None
        while b"\n" not in self._left:
            if not select.select([self._forks.stdout], [], [], seconds)[0]:
                return None
            found = os.read(self._forks.stdout.fileno(), 1)
            if not found:
                raise ProofError("The process that starts commands has ended.")
            self._left += found
        line, _, self._left = self._left.partition(b"\n")
        return int(line)
