"""Checks out the project's code at a commit, and runs its commands in this environment.

What belongs here: the temporary worktree, and which code a process runs. What does not: what is measured (guard).
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dagster_scale_processes import Finished, run

ROOT = Path(__file__).resolve().parents[1]
_REQUIREMENTS = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Code:
    """The project's code in one folder. name: "now", or the commit."""

    name: str
    folder: Path

    def seedbank(self, *arguments: str | Path) -> Finished:
        """Run the `seedbank` command of this code."""
        entry = "cli.start" if (self.folder / "cli" / "start.py").is_file() else "cli.main"
        return self._run("-m", entry, *arguments)

    def python(self, module: str) -> Finished:
        """Run a module of this benchmark, in its present version, with this code."""
        file = ROOT / "benchmarks" / f"{module.rpartition('.')[2]}.py"
        return self._run(file)

    def requirements_differ(self, other: "Code") -> str:
        """Return a warning if the two versions require different packages; otherwise ""."""
        own, others = ((code.folder / _REQUIREMENTS) for code in (self, other))
        if own.is_file() and others.is_file() and own.read_bytes() == others.read_bytes():
            return ""
        return (
            f"{_REQUIREMENTS} of {self.name} differs from that of {other.name}: both run with the packages installed here, so "
            "what a release of a package has changed is in no ratio."
        )

    def _run(self, *arguments: str | Path) -> Finished:
        # The folder comes before the installed project, and settings in the user's environment do not apply.
        own = {name: "" for name in os.environ if name.upper().startswith("SEEDBANK_")}
        # Compiled modules are kept, since otherwise every process would compile all of its code.
        own |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": str(self.folder)}
        return run([sys.executable, *arguments], own, self.folder)


def here() -> Code:
    """Return the present code, with uncommitted changes."""
    return Code("now", ROOT)


@contextmanager
def checked_out(commit: str, repository: Path = ROOT) -> Iterator[Code]:
    """Give the code of a commit, in a worktree that is removed at the end. Exits if there is no such commit."""
    found = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    if found.returncode != 0:
        raise SystemExit(f"There is no commit {commit} in {repository}. Give one that `git log` shows.")
    full = found.stdout.strip()
    with tempfile.TemporaryDirectory(prefix="seedbank-guard-commit-") as directory:
        folder = Path(directory) / "code"
        added = _git(repository, "worktree", "add", "--detach", "--quiet", str(folder), full)
        if added.returncode != 0:
            raise SystemExit(f"{commit} could not be checked out into {folder}: {added.stderr.strip()}")
        try:
            yield Code(full[:12], folder)
        finally:
            removed = _git(repository, "worktree", "remove", "--force", str(folder))
            if removed.returncode != 0:
                print(f"The worktree {folder} stays: {removed.stderr.strip()}", file=sys.stderr)


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=False)
