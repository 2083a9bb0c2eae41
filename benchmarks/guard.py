"""Finds out whether anything that users notice has become slower or larger since another commit.

    python -m benchmarks.guard --against COMMIT [--prepared DIR] [--json]

Both versions of the code do the same in turns, each time in a process of its own. A figure is the ratio of such a pair, since
other work of the machine slows both. The commit is checked out into a temporary worktree and runs in this environment. With
--prepared the home of 10,000 documents is kept in DIR and used again; without it, it is built in the run (10 to 20 minutes). The
exit status is 1 if a figure is slower or larger by a tenth, beyond its spread (see guard_verdict).
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.corpora import corpora_directory
from benchmarks.dagster_scale import write_documents
from benchmarks.dagster_scale_processes import Finished
from benchmarks.guard_commit import Code, checked_out, here
from benchmarks.guard_verdict import HEADER, Figure

PREPARED_DOCUMENTS = 10_000
PEPS = 212
# A file is read again if it changed less than two seconds before it was looked at.
REST_SECONDS = 2.5
# A seed with nothing to do plans again if its code changed less than a minute ago.
CODE_REST_SECONDS = 62


class _UnableError(Exception):
    """The other commit cannot do what is measured here."""


class Sides:
    """The two versions of the code, and the pairs that were measured so far."""

    def __init__(self, now: Code, before: Code) -> None:
        self.now = now
        self.before = before
        self.figures: dict[str, Figure] = {}

    def compare(self, name: str, pairs: int, measured: Callable[[Code], Finished]) -> None:
        """Measure so many pairs of one figure, and as many again if it failed. The peak memory is a figure, too.

        The two versions take turns in going first.
        """
        taken: list[tuple[Finished, Finished]] = []
        try:
            figures = self._figures(name, taken, pairs, measured)
            if any(figure.failed for figure in figures):
                figures = self._figures(name, taken, pairs, measured)
        except _UnableError as error:
            print(
                f"{name}: {self.before.name} cannot do this, so there is nothing to compare with. {error}",
                file=sys.stderr,
            )
            return
        for figure in figures:
            self.figures[figure.name] = figure
            print(figure, file=sys.stderr, flush=True)

    def _figures(
        self, name: str, taken: list[tuple[Finished, Finished]], pairs: int, measured: Callable[[Code], Finished]
    ) -> list[Figure]:
        """Measure so many further pairs, and return the figures of all pairs so far. Raises _UnableError."""
        for number in range(pairs):
            found: dict[str, Finished] = {}
            for code in (self.now, self.before) if number % 2 == 0 else (self.before, self.now):
                try:
                    found[code.name] = measured(code)
                except SystemExit as error:
                    if code is self.now:
                        raise
                    raise _UnableError(str(error)) from error
            taken.append((found[self.now.name], found[self.before.name]))
        return [
            Figure(name, "s", tuple((now.seconds, before.seconds) for now, before in taken)),
            Figure(f"{name}: peak memory", "MB", tuple((now.peak_mb, before.peak_mb) for now, before in taken)),
        ]


def measure(sides: Sides, prepared: Path, folder: Path, peps: Path | None) -> None:
    """Measure every figure, the short ones first."""
    corpus = prepared / f"corpus-{PREPARED_DOCUMENTS}"
    homes = {code.name: _own_home(code, prepared, corpus, folder) for code in (sides.now, sides.before)}
    words = next(corpus.rglob("*.md")).read_text().split()[1:4]

    def seed(code: Code) -> Finished:
        return code.seedbank("seed", "--home", homes[code.name], "--corpus", corpus, "--json")

    sides.compare("10,000 documents, nothing to do", 9, seed)
    empty = iter(range(1000))
    sides.compare(
        "10,000 documents, plan of an empty home",
        5,
        lambda code: code.seedbank("plan", "--home", folder / f"empty-{next(empty)}", "--corpus", corpus, "--json"),
    )
    sides.compare(
        "10,000 documents, plan with nothing to do",
        5,
        lambda code: code.seedbank("plan", "--home", homes[code.name], "--corpus", corpus, "--json"),
    )
    sides.compare(
        "10,000 documents, one search",
        5,
        lambda code: code.seedbank("search", " ".join(words), "--home", homes[code.name], "--json"),
    )
    sides.compare("200 requests to a model of 50 ms", 5, lambda code: code.python("benchmarks.guard_requests"))
    _measure_peps(sides, folder, peps)


def _own_home(code: Code, prepared: Path, corpus: Path, folder: Path) -> Path:
    """Copy the prepared home for one version of the code, which first does all the work that it finds in it, and says so."""
    home = Path(shutil.copytree(prepared / f"home-{PREPARED_DOCUMENTS}", folder / f"home-{code.name}"))
    for _ in range(3):  # The first seed may find work, and the one after it compares Dagster's records once more.
        done = code.seedbank("seed", "--home", home, "--corpus", corpus, "--json")
        report = json.loads(done.output)
        if report["runs"]:
            computed = sum(stage["computed"] for stage in report["stages"].values())
            _say(f"{code.name} found work in the prepared home and did it: {computed:,} results, {done.seconds:.0f} s.")
        time.sleep(REST_SECONDS)
    return home


def _measure_peps(sides: Sides, folder: Path, peps: Path | None) -> None:
    """Measure seeds of real documents: the first, one with nothing to do, one after an edit.

    Each version of the code has a corpus and a home of its own.
    """
    documents = "212 PEPs" if peps is not None else f"{PEPS} generated documents"
    places: dict[str, tuple[Path, Path]] = {}
    rounds = 2

    def cold(code: Code) -> Finished:
        place = Path(tempfile.mkdtemp(dir=folder))
        places[code.name] = place / "corpus", place / "home"
        _fill(places[code.name][0], peps)
        return usual(code)

    def usual(code: Code) -> Finished:
        corpus, home = places[code.name]
        return code.seedbank("seed", "--home", home, "--corpus", corpus, "--json")

    def edited(code: Code) -> Finished:
        file = min(path for path in places[code.name][0].rglob("*") if path.is_file())
        file.write_text(f"{file.read_text()}\nOne more paragraph, about something else: {time.time_ns()}.\n")
        return usual(code)

    sides.compare(f"{documents}, cold", rounds, cold)
    for code in (sides.now, sides.before):
        for _ in range(3):
            time.sleep(REST_SECONDS)
            usual(code)
    sides.compare(f"{documents}, again", 9, usual)
    sides.compare(f"{documents}, one edited", 3, edited)


def _fill(corpus: Path, peps: Path | None) -> None:
    if peps is None:
        write_documents(corpus, PEPS)
        return
    corpus.mkdir(parents=True)
    for line in (peps / f"subset_{PEPS}.txt").read_text().split():
        shutil.copy(peps / "docs" / Path(line).name, corpus)


def prepare(place: Path, code: Code) -> None:
    """Make the 10,000 generated documents and their home in a folder, unless they exist."""
    corpus, home = place / f"corpus-{PREPARED_DOCUMENTS}", place / f"home-{PREPARED_DOCUMENTS}"
    if (home / "home.json").exists() and corpus.is_dir():
        return
    _say(f"Seeding {PREPARED_DOCUMENTS:,} documents in {place}; this takes 10 to 20 minutes.")
    place.mkdir(parents=True, exist_ok=True)
    write_documents(corpus, PREPARED_DOCUMENTS)
    # The folder has another name until it is complete, so that an interrupted one is not taken for it.
    unfinished = place / "home-unfinished"
    code.seedbank("seed", "--home", unfinished, "--corpus", corpus, "--json")
    unfinished.rename(home)


def find_peps(given: Path | None) -> Path | None:
    """Return the folder of the PEPs. If there is none, print a sentence and return None."""
    peps = (given or corpora_directory()) / "peps"
    if (peps / f"subset_{PEPS}.txt").is_file():
        return peps
    _say(f"There are no test corpora in {peps.parent}: {PEPS} documents are generated in their place.")
    return None


@contextmanager
def _prepared(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="seedbank-guard-prepared-") as directory:
        yield Path(directory)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def report(sides: Sides) -> dict[str, Any]:
    """Print everything that was found."""
    return {
        "against": sides.before.name,
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "figures": [asdict(figure) | figure.summary() for figure in sides.figures.values()],
        "failed": [figure.name for figure in sides.figures.values() if figure.failed],
    }


def main() -> None:
    """Measure, print, and exit with 1 if a figure failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", required=True, metavar="COMMIT", help="the commit to compare with")
    parser.add_argument("--prepared", type=Path, metavar="DIR", help="keep the home of 10,000 documents here")
    parser.add_argument("--corpora", type=Path, metavar="DIR", help="the folder of the test corpora")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args()
    with (
        checked_out(options.against) as before,
        _prepared(options.prepared) as prepared,
        tempfile.TemporaryDirectory(prefix="seedbank-guard-") as folder,
    ):
        now, began = here(), time.monotonic()
        if difference := before.requirements_differ(now):
            _say(difference)
        sides = Sides(now, before)
        peps = find_peps(options.corpora)
        prepare(prepared, now)
        time.sleep(max(0.0, began + CODE_REST_SECONDS - time.monotonic()))
        measure(sides, prepared, Path(folder), peps)
    found = report(sides)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(HEADER, *sides.figures.values(), sep="\n")
    if found["failed"]:
        _say(f"Slower or larger than at {before.name} by a tenth or more: {'; '.join(found['failed'])}.")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
