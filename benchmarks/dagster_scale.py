"""Measures what a document costs when it is one of ten thousand: Dagster's records, planning, a change, the page of partitions.

    python -m benchmarks.dagster_scale [--documents N ...] [--json]

The project is compared with itself on Dagster's own storages, with CocoIndex, and with the least work that any planner has to do.
All documents are generated, in temporary directories. Each measurement is a process of its own, and the median counts if it is
repeated. With --keep DIR the generated folders and their seeded homes are kept, and used again by the next call.
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.dagster_scale_cocoindex import cocoindex, updates
from benchmarks.dagster_scale_page import measure_page
from benchmarks.dagster_scale_processes import Finished, run, run_own
from benchmarks.dagster_scale_report import HEADER, rows

# The most documents that are run on Dagster's own storages, which take about 0.15 s for each. They are one Dagster run, and ten
# times as many documents would be ten such runs.
_STOCK_DOCUMENTS = 1_000
_ROUNDS = 5
_SEEDBANK = Path(sys.executable).with_name("seedbank")
_SYLLABLES = ["ba", "ko", "ri", "ten", "mu", "sol", "ver", "pin", "gar", "lo", "fe", "dun", "wis", "tra", "nel"]
# No document has these words, so search finds them only after the change.
_NEW_WORDS = ("zeugmatographia", "zeugmatoscopia", "zeugmatometria")


@dataclass(frozen=True, slots=True)
class Made:
    """A generated folder of documents, and a home that was seeded from it."""

    corpus: Path
    home: Path
    documents: int

    def seedbank(self, command: str, home: Path | None = None) -> Finished:
        """Run a command as its users run it."""
        return run([_SEEDBANK, command, "--home", home or self.home, "--corpus", self.corpus])

    @contextmanager
    def copied(self) -> Iterator[Path]:
        """Return a home that may be written to."""
        with tempfile.TemporaryDirectory(dir=self.home.parent) as directory:
            yield Path(shutil.copytree(self.home, Path(directory) / "home"))


def make(directory: Path, documents: int) -> tuple[Made, dict[str, Any]]:
    """Generate documents of two paragraphs and seed their home. Returns what the seeding took, unless the home existed."""
    made = Made(directory / f"corpus-{documents}", directory / f"home-{documents}", documents)
    there = made.home.exists()
    if not there:
        write_documents(made.corpus, documents)
    _note(documents, "seeding")
    seeded = made.seedbank("seed")
    time.sleep(2.5)  # A file that was written this recently is read again, since its time stamp may not show a change.
    return made, {"missing": "the home was there"} if there else summed_up([seeded])


def write_documents(corpus: Path, documents: int) -> None:
    """Generate the documents, the same ones each time."""
    draw = random.Random(7)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))) for _ in range(4000)]
    for number in range(documents):
        file = corpus / f"{number // 1000:02}" / f"{number:05}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        said = [" ".join(draw.choices(words, k=draw.randint(8, 20))).capitalize() + "." for _ in range(8)]
        title = " ".join(draw.choices(words, k=3)).title()
        file.write_text(f"# {title} {number}\n\n{' '.join(said[:4])}\n\n{' '.join(said[4:])}\n")


def measure(made: Made, options: argparse.Namespace, cocoindex_command: Path | str) -> dict[str, Any]:
    """Measure everything for one number of documents; {"missing": reason} stands for what cannot be measured here."""
    documents, few = made.documents, made.documents <= _STOCK_DOCUMENTS
    part = documents if few or options.stock_whole else _STOCK_DOCUMENTS
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "nothing_to_do": lambda: do_nothing(made),
        "floor": lambda: floor(made),
        "cocoindex": lambda: summed_up(updates(cocoindex_command, made.corpus, documents, _ROUNDS)),
        "plan": lambda: plan_everything(made),
        "one_changed": lambda: change_one(made),
        "page": lambda: open_page(made, options),
        "rematerialize": lambda: rematerialize(made, documents, 3 if few else 1, "the project's"),
        "rematerialize_stock": lambda: rematerialize(made, part, 1, "stock SQLite"),
    }
    if few:
        measures["postgres"] = lambda: rematerialize_in_postgres(made, options.postgres, "batched PostgreSQL")
        measures["postgres_stock"] = lambda: rematerialize_in_postgres(made, options.postgres, "stock PostgreSQL")
    found: dict[str, Any] = {}
    for name, measured in measures.items():
        _note(documents, name)
        try:
            found[name] = measured()
        except (SystemExit, OSError, ImportError) as error:
            _note(documents, str(error))
            found[name] = {"missing": (str(error).strip() or repr(error)).splitlines()[-1]}
    return found


def _note(documents: int, what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {documents:,} documents: {what}", file=sys.stderr, flush=True)


def rematerialize(made: Made, documents: int, rounds: int, storage: str, url: str = "") -> dict[str, Any]:
    """Run so many documents in Dagster runs that find every result. Returns the seconds of the runs and of the processes."""
    with made.copied() as home:
        arguments = (str(home), str(made.corpus), documents, storage, url)
        runs = [run_own("rematerialize", *arguments) for _ in range(rounds)]
    seconds = [told["seconds"] for _, told in runs]
    return {
        "seconds": statistics.median(seconds),
        "best_seconds": min(seconds),
        "times": rounds,
        "process_seconds": statistics.median(finished.seconds for finished, _ in runs),
        "peak_mb": max(finished.peak_mb for finished, _ in runs),
        **{name: runs[0][1][name] for name in ("documents", "stages", "event_log")},
    }


def rematerialize_in_postgres(made: Made, server: str, storage: str) -> dict[str, Any]:
    """Do the same with PostgreSQL, in a database of its own on that server, which is dropped afterwards."""
    import psycopg2

    name = f"seedbank_benchmark_{uuid4().hex[:8]}"
    try:
        connection = psycopg2.connect(server)
    except psycopg2.OperationalError as error:
        raise ConnectionError(str(error).splitlines()[0]) from error
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
            return rematerialize(made, made.documents, 1, storage, url)
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def do_nothing(made: Made) -> dict[str, Any]:
    """Measure seeds that have nothing to do."""
    made.seedbank("seed")
    seeds = [made.seedbank("seed") for _ in range(_ROUNDS)]
    for seed in seeds:
        if "no run was started" not in seed.output:
            raise SystemExit(f"The seed should have had nothing to do, but it printed: {seed.output}")
    return summed_up(seeds)


def floor(made: Made) -> dict[str, Any]:
    """Measure the work that no seed can avoid."""
    stages = list(json.loads(run([_SEEDBANK, "status", "--home", made.home, "--json"]).output)["counts"])
    return summed_up([run_own("floor", str(made.home), str(made.corpus), stages)[0] for _ in range(_ROUNDS)])


def open_page(made: Made, options: argparse.Namespace) -> dict[str, float]:
    """Measure the page of partitions; see measure_page."""
    with made.copied() as home:
        return measure_page(home, made.documents, "00/00000.md", options.chromium, options.picture)


def plan_everything(made: Made) -> dict[str, Any]:
    """Measure plans of homes in which nothing was computed yet."""
    plans = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(dir=made.home.parent) as directory:
            plans.append(made.seedbank("plan", Path(directory) / "home"))
    return summed_up(plans)


def change_one(made: Made) -> dict[str, Any]:
    """Measure seeds after a change of one document each, and check that search finds the change."""
    document = f"{(made.documents // 2) // 1000:02}/{made.documents // 2:05}.md"
    file = made.corpus / document
    before = file.read_text()
    seeds = []
    with made.copied() as home:
        try:
            for word in _NEW_WORDS:
                file.write_text(f"{before}\nOne more paragraph, on {word}.\n")
                seeds.append(made.seedbank("seed", home))
                hits = json.loads(run([_SEEDBANK, "search", word, "--home", home, "--json", "-n", "1"]).output)
                if hits[0]["document"] != document or word not in hits[0]["text"]:
                    raise SystemExit(f"{word} was added to {document}, and search found {hits[0]}.")
        finally:
            file.write_text(before)
    return summed_up(seeds)


def summed_up(finished: Sequence[Finished]) -> dict[str, Any]:
    """Return the median and the shortest time of processes that did the same, and their largest peak memory."""
    return {
        "seconds": statistics.median(each.seconds for each in finished),
        "best_seconds": min(each.seconds for each in finished),
        "times": len(finished),
        "peak_mb": max(each.peak_mb for each in finished),
    }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[1_000], help="how many (default 1000); several")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--stock-whole", action="store_true", help="all documents on stock SQLite, however many")
    parser.add_argument("--postgres", default="postgresql://127.0.0.1:5432/test", help="a server and a database of it")
    parser.add_argument("--cocoindex-python", type=Path, help="a Python that has it (default: one is made)")
    parser.add_argument("--chromium", default="chromium", help="the browser (default chromium)")
    parser.add_argument("--picture", type=Path, help="where to put a picture of the last page that was opened")
    parser.add_argument("--keep", type=Path, help="keep what is generated here, and use what is here")
    options = parser.parse_args()
    machine = {
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],  # the load by other processes, before the measurement begins
    }
    figures: dict[int, dict[str, Any]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="seedbank-benchmark-") as temporary,
        cocoindex(options.cocoindex_python) as it,
    ):
        for documents in sorted(options.documents):
            made, cold = make(options.keep or Path(temporary), documents)
            figures[documents] = {"cold": cold} | measure(made, options, it)
    if options.json:
        report = [asdict(row) for row in rows(figures)]
        print(json.dumps({"machine": machine, "figures": figures, "report": report}, indent=2))
    else:
        print(", ".join(f"{name} {value}" for name, value in machine.items()), HEADER, *rows(figures), sep="\n")


if __name__ == "__main__":
    main()
