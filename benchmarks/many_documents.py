"""Measures commands that find nothing to do in homes of very many documents: seconds, processor time and peak memory.

    python -m benchmarks.many_documents [--documents N ...] [--keep DIR] [--rounds N] [--json]

The documents are real files. The results are not computed, which would take hours: the home is seeded from 20 documents, and then
gets the records that a seed of all of them would leave, with the keys that follow from the files. A plan opens no value of a
document, so it does the same work as after such a seed. The clusterings and the categories, which a plan does open, are made up
(200 clusters of each type). With --keep DIR the homes are kept, and used again by the next call; 1,000,000 documents take 15 GB.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.dagster_scale_processes import run

_SEEDED = 20
_PER_FOLDER = 1_000
# Commands that look at everything or nothing. `standing` is a seed that finds the answer of the seed before it.
_COMMANDS = ("standing", "seed", "plan", "verify", "status")


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of several processes. cpu_seconds: user and system; peak_mb: the largest resident set of any of them."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


class Made:
    """A folder of documents, and a home in which all of them are current."""

    def __init__(self, directory: Path, documents: int, command: Path) -> None:
        """command: the program that is measured."""
        self.corpus, self.home = directory / f"many-corpus-{documents}", directory / f"many-home-{documents}"
        self._command = command
        done = self.home / "made"
        if not done.exists():
            self._write(range(_SEEDED))
            self.seedbank("seed")
            self._write(range(_SEEDED, documents))
            time.sleep(2.5)  # A file that was written this recently is read again.
            run([sys.executable, "-m", "benchmarks.many_records", self.corpus, self.home])
            done.touch()

    def _write(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            file = self.corpus / f"{number // _PER_FOLDER:04}" / f"{number:07}.md"
            if number < _SEEDED or number % _PER_FOLDER == 0:
                file.parent.mkdir(parents=True, exist_ok=True)
            with open(file, "wb") as text:
                text.write(b"# Document %d\n\nThis is document %d of many. It says nothing else.\n" % (number, number))

    def seedbank(self, *arguments: str) -> Measured:
        """Run a command. Exits with what it printed if it fails."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [self._command, *arguments, "--home", self.home, "--corpus", self.corpus]
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - began
            output.seek(0)
            said = output.read().decode(errors="replace")
        if process.returncode or (
            arguments[0] == "seed" and (self.home / "made").exists() and "no run was" not in said
        ):
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{said[-2000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Measured(seconds, cpu, usage.ru_maxrss / 1024)

    def measure(self, what: str, rounds: int) -> Measured:
        """Run one of the commands so many times."""
        found: list[Measured] = []
        if what == "standing":
            time.sleep(2.5)  # A file of the home that changed this recently makes a seed look again.
            self.seedbank("seed")
        for _ in range(rounds):
            if what != "standing":
                (self.home / "nothing-to-do").unlink(missing_ok=True)
            arguments = {"standing": ("seed",), "verify": ("seed", "--verify")}.get(what, (what,))
            found.append(self.seedbank(*arguments))
        return Measured(
            statistics.median(one.seconds for one in found),
            statistics.median(one.cpu_seconds for one in found),
            max(one.peak_mb for one in found),
        )


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000], help="how many (default 10000); several")
    parser.add_argument("--keep", type=Path, help="keep what is generated here, and use what is here")
    here = Path(sys.executable).with_name("seedbank")
    parser.add_argument("--seedbank", type=Path, default=here, help="the program, such as that of another version")
    parser.add_argument("--rounds", type=int, default=3, help="how often each command is run (default 3)")
    parser.add_argument(
        "--commands", nargs="+", choices=_COMMANDS, default=_COMMANDS, help="which commands (default all)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    figures: dict[int, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory(prefix="seedbank-benchmark-") as temporary:
        for documents in sorted(options.documents):
            made = Made(options.keep or Path(temporary), documents, options.seedbank)
            figures[documents] = {what: made.measure(what, options.rounds) for what in options.commands}
    if options.json:
        print(json.dumps({n: {what: asdict(m) for what, m in found.items()} for n, found in figures.items()}))
        return
    print(f"{'documents':>10} {'command':10}{'seconds':>9}{'processor':>11}{'peak MB':>9}{'KB each':>9}")
    for documents, found in figures.items():
        for what, m in found.items():
            each = m.peak_mb * 1024 / documents
            print(f"{documents:>10,} {what:10}{m.seconds:9.2f}{m.cpu_seconds:11.2f}{m.peak_mb:9.0f}{each:9.2f}")


if __name__ == "__main__":
    main()
