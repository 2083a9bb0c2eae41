"""Measures `seedbank cache stats` on a store with many finished actions. Run: python -m benchmarks.account [--actions 1000000]

What belongs here: making such a store, and the seconds and processor seconds of each part of the command. What does not: how fast
results are committed (store).

The store has two months of actions of eight stages; half of them are results that took a request of their own, and one request in
thirty gave no usable answer. Latencies are spread as those of a model are: log-normally, around a second.
"""

import argparse
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from io_managers.store.account import KEYS, Accounting
from io_managers.store.action_cache import action_row
from io_managers.store.store import Store
from resources.home.home import Home
from resources.settings.config import PROJECT_ROOT

_AT_ONCE = 20_000
_DAYS = 60
_FREE = ("extracted_text", "chunks", "text_embedding", "model_request")
_PAID = ("embeddings", "summaries", "concepts", "judgements")


def fill(store: Store, count: int) -> None:
    """Write so many actions with their values, and a request for each that is paid."""
    chance, now = random.Random(1), time.time()
    stages = (*_FREE, *_PAID)
    for start in range(0, count, _AT_ONCE):
        actions: list[Any] = []
        values: list[Any] = []
        requests: list[Any] = []
        for number in range(start, min(start + _AT_ONCE, count)):
            key = hashlib.sha256(str(number).encode()).hexdigest()
            digest, stage, model = f"sha256:{key}", stages[number % len(stages)], f"writer-{number % 3}"
            at = now - (count - number) / count * _DAYS * 86_400
            paid = {"requests": 1, "input_tokens": 500, "output_tokens": 80, "usd": 0.001, "model": model}
            provenance = {
                "seconds": 0.1,
                **(paid if stage in _PAID else {}),
                "preview": "a line of forty characters or so",
            }
            parts = json.dumps({"version": "1", "text": digest, "model": {"name": model}})
            actions.append(action_row(key, stage, digest, "builtins:str", parts, json.dumps(provenance), at))
            values.append((digest, 100, 0, b"x" * 100))
            if stage in _PAID:
                outcome = "timeout" if number % 30 == 0 else "answered"
                seconds = chance.lognormvariate(0, 0.5)
                requests.append((key, stage, model, outcome, "", seconds, 500, 80, 0.001, "", at))
        store.database.write(
            ("INSERT INTO objects VALUES (?, ?, ?, ?)", values),
            ("INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", actions),
            ("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", requests),
        ).result()


class _OfSingleRequests(Accounting):
    """The account as it would be without sums by day."""

    def _is_by_day(self) -> bool:
        return False


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """The fewest (seconds, processor seconds) of three times."""
    found: list[tuple[float, float]] = []
    for _ in range(3):
        began, cpu = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - began, time.process_time() - cpu))
    return min(seconds for seconds, _ in found), min(cpu for _, cpu in found)


def _command(home: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "cli.main", "cache", "stats", "--home", str(home), *arguments]
    subprocess.run(command, cwd=PROJECT_ROOT, check=True, stdout=subprocess.DEVNULL)


def _processor_seconds(work: Callable[[], None]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line for each measurement."""
    parser = argparse.ArgumentParser(description="The account of a large store.")
    parser.add_argument("--actions", type=int, default=1_000_000)
    count = parser.parse_args().actions
    with tempfile.TemporaryDirectory() as directory:
        corpus, home = Path(directory) / "corpus", Path(directory) / "home"
        corpus.mkdir()
        (corpus / "a.md").write_text("A text.\n")
        with closing(Store(home / "store")) as store:
            fill(store, count)
            by_stage, by_day = store.account, lambda: store.account.accounts(0.0, KEYS)
            for name, work in (
                ("by stage and model", by_stage.accounts),
                ("by day, stage and model", by_day),
                ("by stage and model, added up from the requests", _OfSingleRequests(store.database).accounts),
                ("contents of the store", store.contents),
            ):
                seconds, cpu = timed(work)
                print(f"{name}: {seconds:.2f} s, {cpu:.2f} s of processor time", flush=True)
        Home(home).bind(corpus)
        for arguments in ((), ("--by", "day", "--format", "csv")):
            began = time.perf_counter()
            cpu = min(_processor_seconds(lambda given=arguments: _command(home, *given)) for _ in range(3))
            seconds = (time.perf_counter() - began) / 3
            print(
                f"seedbank cache stats {' '.join(arguments)}: {seconds:.2f} s, {cpu:.2f} s of processor time",
                flush=True,
            )


if __name__ == "__main__":
    main()
