"""Measures how long `seedbank seed` takes as its users run it, as whole processes.

    python -m benchmarks.seed [--corpora DIR] [--json]

It runs on the PEPs of the test corpora (212 of them, then all 633). It measures the first seed, one with nothing changed, one
after an edit of one document, and one that rebuilds the tables from the store. Peak memory is the largest resident set of any
process of the command.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.corpora import find_corpora

_AGAIN = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One finished command. seconds: wall-clock time of the whole process. peak_mb: largest resident set."""

    seconds: float
    peak_mb: float
    runs: int
    computed: int


def seedbank(home: Path, corpus: Path, *arguments: str) -> Measured:
    """Run the command as a process of its own."""
    command = [
        sys.executable,
        "-m",
        "cli.main",
        "seed",
        "--home",
        str(home),
        "--corpus",
        str(corpus),
        "--json",
        *arguments,
    ]
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        report = json.load(output)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {report['failures'][:3]}")
    computed = sum(stage["computed"] for stage in report["stages"].values())
    return Measured(seconds, usage.ru_maxrss / 1024, len(report["runs"]), computed)


def measure(peps: Path, subset: str) -> dict[str, Measured]:
    """Run all commands on one subset, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="seedbank-benchmark-") as directory:
        corpus, home = Path(directory) / "corpus", Path(directory) / "home"
        corpus.mkdir()
        for line in (peps / subset).read_text().split():
            shutil.copy(peps / "docs" / Path(line).name, corpus)
        found = {"cold": seedbank(home, corpus)}
        time.sleep(
            2.5
        )  # A file that was written this recently is read again, since its time stamp may not show a change.
        seedbank(home, corpus)
        again = [seedbank(home, corpus) for _ in range(_AGAIN)]
        found["again"] = Measured(
            statistics.median(m.seconds for m in again), max(m.peak_mb for m in again), again[0].runs, again[0].computed
        )
        edited = sorted(corpus.iterdir())[0]
        edited.write_text(edited.read_text() + "\nOne more paragraph, about something else.\n")
        found["one document edited"] = seedbank(home, corpus)
        found["tables rebuilt"] = seedbank(home, corpus, "--rebuild-sink")
        return found


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpora", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    peps = find_corpora(arguments.corpora) / "peps"
    results = {name: measure(peps, f"subset_{name}.txt") for name in ("212", "all")}
    if arguments.json:
        print(json.dumps({name: {what: asdict(m) for what, m in found.items()} for name, found in results.items()}))
        return
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'PEPs':6}{'command':22}{'seconds':>9}{'peak MB':>9}{'runs':>6}{'computed':>10}")
    for name, found in results.items():
        for what, m in found.items():
            print(f"{name:6}{what:22}{m.seconds:9.2f}{m.peak_mb:9.0f}{m.runs:6}{m.computed:10}")
    flat = results["all"]["cold"].peak_mb / results["212"]["cold"].peak_mb
    print(f"peak memory of all against 212: {flat:.2f} times")


if __name__ == "__main__":
    main()
