"""The proof as a whole: a folder of its own, the server, the commands, and the result.

What belongs here: putting these together. What does not: what goes wrong (scenarios), and how the result is printed (cli).
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from resources.errors import ConfigurationError
from resources.wire.guarded_http import FORBIDDING
from seed_assets.proof.commands import Commands
from seed_assets.proof.counting_server import CountingServer
from seed_assets.proof.scenarios import Outcome, outcomes


@dataclass(frozen=True, slots=True)
class Proof:
    """The result. folder: where everything is, if it was kept. seconds: how long it took."""

    outcomes: tuple[Outcome, ...]
    seconds: float
    folder: Path | None

    @property
    def passed(self) -> bool:
        """Whether every scenario passed."""
        return all(outcome.passed for outcome in self.outcomes)


def prove(module: str, root: Path, keep: Path | None, seen: Callable[[Outcome], None]) -> Proof:
    """Carry out all scenarios.

    module: the program `seedbank`, as `python -m` finds it. root: the folder of the project. keep: a folder that does not exist
    yet or is empty, in which everything stays; None for a temporary one. seen: called after each scenario.

    Raises ProofError, and ConfigurationError if `keep` is not empty.
    """
    started = time.perf_counter()
    with ExitStack() as stack:
        folder = _kept(keep) if keep else Path(tempfile.mkdtemp(prefix="seedbank-prove-"))
        if keep is None:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        printed = folder / "printed"
        printed.mkdir()
        variables = {FORBIDDING: "loopback", "XDG_STATE_HOME": str(folder / "state"), "NO_PROXY": "127.0.0.1"}
        server = stack.enter_context(CountingServer())
        commands = stack.enter_context(Commands(module, printed, root, variables))
        found: list[Outcome] = []
        for outcome in outcomes(folder, server, commands):
            seen(outcome)
            found.append(outcome)
    return Proof(tuple(found), time.perf_counter() - started, folder if keep else None)


def _kept(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"The folder {folder} is not empty. Name one that is empty or does not exist yet.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
