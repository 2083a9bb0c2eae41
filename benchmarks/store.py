"""Measures how fast the store commits and finds results, compared with alternatives. Run: python -m benchmarks.store

What belongs here: durable commits per second, look-ups, and the size from which a value should be a file. What does not: whole
runs.

All alternatives keep the same encoded results of 2 KB, and flush before they report a result as kept. Plain SQLite shows what is
possible at best: the same pages and flushes, with one table of keys and bytes and nothing else. Each figure is the best of the
rounds. Each round measures all alternatives in turn, so that a busy moment of the machine does not affect only one of them.
"""

import argparse
import itertools
import json
import os
import platform
import random
import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import diskcache

from io_managers.store import content_store
from io_managers.store.action_cache import Provenance
from io_managers.store.codecs.codecs import encode
from io_managers.store.fingerprint import Action, KeyTemplate, content_digest
from io_managers.store.sqlite.connection import connect
from io_managers.store.store import Store

GROUP = 64
GROUPS_IN_FLIGHT = 8
LOOKUPS = 10_000
SIZES = {"64 KB": 64 << 10, "200 KB": 200 << 10, "1 MB": 1 << 20, "4 MB": 4 << 20}


class StoreWork:
    """The actions and values, which are the same for all alternatives."""

    def __init__(self, count: int) -> None:
        rng = random.Random(1)
        words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(5000)]
        template = KeyTemplate("summaries", {"version": "1", "words": 200, "model": {"name": "textrank"}})
        self.provenance = Provenance(seconds=0.1, preview="A line of some sixty characters, as a person would see it.")
        self.values = [" ".join(rng.choices(words, k=330))[:2048] for _ in range(count)]
        self.actions: list[Action] = [
            template.action({"text": content_digest(value.encode())}) for value in self.values
        ]
        self.rows = [(action.key, encode(value).data) for action, value in zip(self.actions, self.values, strict=True)]


# A function that keeps all of the work in an empty directory, and returns the seconds.
Contestant = Callable[[StoreWork, Path], float]


def store_grouped(work: StoreWork, directory: Path) -> float:
    """Commit groups of 64, eight of them in flight, as the runner does."""
    with closing(Store(directory)) as store:
        flying: deque[Future[list[str]]] = deque()
        began = time.perf_counter()
        for actions, values in zip(batches(work.actions, GROUP), batches(work.values, GROUP), strict=True):
            results = [(action, value, work.provenance) for action, value in zip(actions, values, strict=True)]
            flying.append(store.commit(results))
            if len(flying) > GROUPS_IN_FLIGHT:
                flying.popleft().result()
        for future in flying:
            future.result()
        return time.perf_counter() - began


def store_single(work: StoreWork, directory: Path) -> float:
    """Commit one result after another; each waits for the disk before the next begins."""
    with closing(Store(directory)) as store:
        began = time.perf_counter()
        for action, value in zip(work.actions, work.values, strict=True):
            store.commit([(action, value, work.provenance)]).result()
        return time.perf_counter() - began


def sqlite_of(group: int) -> Contestant:
    """Use plain SQLite with so many rows per transaction."""

    def run(work: StoreWork, directory: Path) -> float:
        with closing(plain_sqlite(directory)) as connection:
            began = time.perf_counter()
            for rows in batches(work.rows, group):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT OR IGNORE INTO results VALUES (?, ?)", rows)
                connection.execute("COMMIT")
            return time.perf_counter() - began

    return run


def diskcache_of(group: int) -> Contestant:
    """Use diskcache with synchronous=FULL (with its default NORMAL, a loss of power loses commits)."""

    def run(work: StoreWork, directory: Path) -> float:
        with closing(open_diskcache(directory)) as cache:
            began = time.perf_counter()
            for rows in batches(work.rows, group):
                with cache.transact():
                    for key, data in rows:
                        cache.set(key, data)
            return time.perf_counter() - began

    return run


def files_of(group: int) -> Contestant:
    """Write one file per result: temporary name, fsync, rename. The directory is flushed after each group."""

    def run(work: StoreWork, directory: Path) -> float:
        began = time.perf_counter()
        for rows in batches(work.rows, group):
            for key, data in rows:
                with open(directory / f".{key}", "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(directory / f".{key}", directory / key)
            descriptor = os.open(directory, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        return time.perf_counter() - began

    return run


GROUPED: dict[str, Contestant] = {
    "seedbank": store_grouped,
    "plain SQLite": sqlite_of(GROUP),
    "plain SQLite, 512 a transaction": sqlite_of(GROUP * GROUPS_IN_FLIGHT),
    "diskcache": diskcache_of(GROUP),
    "one file a result": files_of(GROUP),
}
SINGLE: dict[str, Contestant] = {
    "seedbank": store_single,
    "plain SQLite": sqlite_of(1),
    "diskcache": diskcache_of(1),
    "one file a result": files_of(1),
}


def commits_a_second(contestants: dict[str, Any], work: StoreWork, rounds: int, place: Path) -> dict[str, float]:
    """Return the durable results per second of each alternative."""
    best = dict.fromkeys(contestants, 0.0)
    for _ in range(rounds):
        for name, run in contestants.items():
            with tempfile.TemporaryDirectory(dir=place) as directory:
                best[name] = max(best[name], len(work.rows) / run(work, Path(directory)))
    return best


def lookups_ms(work: StoreWork, rounds: int, place: Path) -> dict[str, float]:
    """Return the milliseconds to find 10,000 keys in a store with as many results as `work` has."""
    keys = [action.key for action in work.actions[:LOOKUPS]]
    random.Random(2).shuffle(keys)
    with tempfile.TemporaryDirectory(dir=place) as directory:
        root = Path(directory)
        for name in ("store", "sqlite", "cache", "files"):
            (root / name).mkdir()
        store_grouped(work, root / "store")
        sqlite_of(4096)(work, root / "sqlite")
        diskcache_of(4096)(work, root / "cache")
        for key, data in work.rows:
            (root / "files" / key).write_bytes(data)
        with (
            closing(Store(root / "store")) as store,
            closing(plain_sqlite(root / "sqlite")) as connection,
            closing(open_diskcache(root / "cache")) as cache,
        ):
            query = "SELECT key FROM results WHERE key IN (SELECT value FROM json_each(?))"
            contestants: dict[str, Callable[[], int]] = {
                "seedbank, digests": lambda: len(store.actions.existing(keys)),
                "seedbank, with provenance": lambda: len(store.actions.lookup(keys)),
                "plain SQLite": lambda: len(connection.execute(query, (json.dumps(keys),)).fetchall()),
                "diskcache": lambda: sum(key in cache for key in keys),
                "one file a result": lambda: sum((root / "files" / key).exists() for key in keys),
            }
            best = dict.fromkeys(contestants, float("inf"))
            for _ in range(rounds + 2):
                for name, look in contestants.items():
                    began = time.perf_counter()
                    assert look() == len(keys)
                    best[name] = min(best[name], (time.perf_counter() - began) * 1000)
    return best


def large_values_ms(rounds: int, place: Path) -> dict[str, dict[str, float]]:
    """Return the milliseconds until one incompressible value is durable, and to read it, as a row and as a file."""
    found: dict[str, dict[str, float]] = {}
    measured = content_store.LARGE_BYTES
    for label, size_bytes in SIZES.items():
        # This is more than the write-ahead log holds, so the figure includes copying it into the file.
        count = (48 << 20) // size_bytes
        times: dict[str, list[float]] = {}
        for _, kind in itertools.product(range(rounds), ("row", "file")):
            content_store.LARGE_BYTES = size_bytes if kind == "row" else 0
            with tempfile.TemporaryDirectory(dir=place) as directory, closing(Store(Path(directory))) as store:
                values = [os.urandom(size_bytes) for _ in range(count)]
                digests = []
                began = time.perf_counter()
                for value in values:
                    digest, writes = store.content.prepare(value, compressible=False)
                    store.database.write(*writes).result()
                    digests.append(digest)
                times.setdefault(f"{kind}, write", []).append((time.perf_counter() - began) * 1000 / count)
                began = time.perf_counter()
                for digest in digests:
                    store.content.get(digest)
                times.setdefault(f"{kind}, read", []).append((time.perf_counter() - began) * 1000 / count)
        found[label] = {name: min(each) for name, each in times.items()}
    content_store.LARGE_BYTES = measured
    return found


def batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def plain_sqlite(directory: Path) -> sqlite3.Connection:
    connection = connect(directory / "plain.db")
    connection.execute("CREATE TABLE IF NOT EXISTS results (key TEXT NOT NULL UNIQUE, data BLOB)")
    return connection


def open_diskcache(directory: Path) -> diskcache.Cache:
    return diskcache.Cache(str(directory), sqlite_synchronous=2, eviction_policy="none", cull_limit=0)


def filesystem(place: Path) -> str:
    """Return the type of a file system, if the system says it: if it is in memory, a flush costs nothing."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    holding = (line.split()[1:3] for line in mounts.read_text().splitlines())
    return max((len(at), kind) for at, kind in holding if place.resolve().is_relative_to(at))[1]


def report(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the printed figures."""
    machine = figures["machine"]
    yield f"{machine['cpus']} CPUs, {machine['system']}, Python {machine['python']}, {machine['filesystem']}"
    for title, unit, name in (
        ("Durable commits a second of 2 KB results, in groups of 64", "/s", "commits_grouped"),
        ("The same, one by one", "/s", "commits_single"),
        (f"Finding {LOOKUPS:,} keys", " ms", "lookups_ms"),
    ):
        yield f"\n{title}"
        ours = next(iter(figures[name].values()))
        for contestant, figure in figures[name].items():
            ratio = ours / figure if unit == "/s" else figure / ours
            yield f"  {contestant:34} {figure:10,.0f}{unit:4} seedbank is {ratio:.2f} times as fast"
    yield "\nOne value that does not compress, as a row and as a file: ms to be durable, ms to be read and verified"
    for size, times in figures["large_values_ms"].items():
        yield f"  {size:8}" + "".join(f"  {name} {milliseconds:6.2f}" for name, milliseconds in times.items())


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--results", type=int, default=20_000, help="how many results are kept (default 20,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the best counts (default 3)")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    options = parser.parse_args()
    work, few = StoreWork(max(options.results, LOOKUPS)), StoreWork(2000)
    figures = {
        "machine": {
            "cpus": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "filesystem": filesystem(options.directory),
        },
        "commits_grouped": commits_a_second(GROUPED, work, options.rounds, options.directory),
        "commits_single": commits_a_second(SINGLE, few, options.rounds, options.directory),
        "lookups_ms": lookups_ms(work, options.rounds, options.directory),
        "large_values_ms": large_values_ms(options.rounds, options.directory),
    }
    print(json.dumps(figures, indent=2) if options.json else "\n".join(report(figures)))


if __name__ == "__main__":
    main()
