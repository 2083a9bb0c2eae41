"""A process that has imported the project and forks for each command, so that a command need not import it: 4 s of a core each.

    python -m seed_assets.proof.forking

It reads one JSON object per line: `module`, `arguments`, `environment`, `output`, `errors` (paths) and `prompts` ("" or a
folder). For each it prints the number of the new process, waits for its end, and prints the exit status, negative for a signal.

What belongs here: importing, forking, and making the process of a command out of a fork. What does not: which commands are
run, and waiting for them (commands).
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import sys
import warnings
from pathlib import Path
from typing import Any

import event_log
import io_managers
import resources
import retrieval
import seed_assets

_PACKAGES = (event_log, io_managers, resources, retrieval, seed_assets)
# They run something when they are imported, are what is run here, or need an extra that may not be installed.
_LEFT_OUT = tuple(
    f"{package.__name__}.{module}"
    for package, module in ((seed_assets, "definitions"), (seed_assets, "proof"), (event_log, "postgres"))
)
# What the project imports when it first needs it, in each seed.
_IMPORTED_LATE = (
    "fsspec.implementations.local",
    "lancedb",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "matplotlib.patheffects",
    "openai",
    "rich.live",
    "safetensors.numpy",
    "scipy.fft",
    "scipy.optimize",
    "tokenizers",
    "typer",
)


def main() -> None:
    """Import the project, then fork for each request; in a fork, run what was asked for."""
    for package in _PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(_LEFT_OUT):
                importlib.import_module(module.name)
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        wanted: dict[str, Any] = json.loads(line)
        # LanceDB warns of a fork, although it begins with new threads in the child.
        with warnings.catch_warnings(action="ignore"):
            number = os.fork()
        if number == 0:
            _become(wanted)
            return
        _print(number)
        _, status = os.waitpid(number, 0)
        _print(os.waitstatus_to_exitcode(status))


def _print(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def _become(wanted: dict[str, Any]) -> None:
    """Make the process of a command out of a fork, and run it."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, number in ((wanted["output"], 1), (wanted["errors"], 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the one of the parent has read ahead
    os.environ.clear()
    os.environ.update(wanted["environment"])
    if wanted["prompts"]:
        from seed_assets.core.prompting import prompts

        prompts.FOLDER = Path(wanted["prompts"])
        prompts.load_prompt.cache_clear()
    sys.argv = [wanted["module"], *wanted["arguments"]]
    runpy.run_module(wanted["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
