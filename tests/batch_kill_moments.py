"""Kills runs with batches at moments counted in the calls to the server, and counts what is paid twice.

    python -m tests.batch_kill_moments [--moments 100] [--seed N] [--texts 40]

What belongs here: the moments, and what must hold after each. What does not: the runs (batched_texts), the server.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.support.batch_server import BatchServer
from tests.support.seed_process import Seed

PROGRAM = ("-m", "tests.support.batched_texts")
# The calls of two runs: upload and create with the moments before and after what they do, get, and the files of results.
EVENTS = 6
# How long the server takes for each of them, so that a kill can fall between what it does and its answer.
_CALL_SECONDS = 0.02
# The most runs that it may take to come to the end after a kill.
_MOST_RUNS = 8


def kill_and_go_on(at: int, wait_seconds: float, folder: Path, texts: int) -> list[str]:
    """Kill a run some time after so many calls, and run until nothing waits; what is wrong then."""
    with BatchServer() as server:
        server.faults.seconds = _CALL_SECONDS
        words = (str(folder), server.url, str(texts))
        killed = False
        for _ in range(_MOST_RUNS):
            with Seed(folder / "home", *words, program=PROGRAM) as running:
                if not killed and running.wait_until(lambda: server.events >= at):
                    time.sleep(wait_seconds)
                    killed = running.kill().status == -9
                    continue
                ended = running.finish(120)
            if ended.status:
                return [f"a run failed:\n{ended.printed()}"]
            if ended.output.strip() == "0":
                break
            time.sleep(0.4)  # a batch that may have begun is given up after that
        else:
            return [f"texts still wait after {_MOST_RUNS} runs"]
        if not killed:
            return ["no run was killed"]
        twice = server.paid_twice()
        paid = len(server.paid)
    return [
        *([f"{len(twice)} requests were paid twice"] if twice else []),
        *([f"{paid} requests were paid for {texts} texts"] if paid != texts else []),
    ]


def moments(count: int, seed_number: int) -> list[tuple[int, float]]:
    """(calls, seconds after them), spread over all calls."""
    chance = random.Random(seed_number)
    return [(1 + place % EVENTS, chance.random() * 2 * _CALL_SECONDS) for place in range(count)]


def main() -> int:
    """Kill at all moments; 1 if anything was paid twice or lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.batch_kill_moments")
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", type=int, default=40)
    chosen = parser.parse_args()
    wrong = 0
    for at, seconds in moments(chosen.moments, chosen.seed):
        with tempfile.TemporaryDirectory() as folder:
            if found := kill_and_go_on(at, seconds, Path(folder), chosen.texts):
                wrong += 1
                print(f"killed {seconds * 1000:.0f} ms after call {at}: {'; '.join(found)}", flush=True)
    print(f"{chosen.moments} kills, {wrong} with a fault")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
