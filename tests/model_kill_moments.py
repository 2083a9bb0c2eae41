"""Kills a seed that asks a model server, at moments counted in requests, and counts what is asked a second time.

    python -m tests.model_kill_moments [--moments 20] [--seed N] [--documents 60]

What belongs here: the moments, and what must hold after each. What does not: processes (seed_process), the server.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.model_corpus import asking, plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import Call, ModelServer
from tests.support.seed_process import Seed, seed

IN_FLIGHT = 8
_LATENCY_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Killed:
    """One kill. at: requests that had come in; lost: those that were on their way, by the server's count at the kill;
    again: those asked a second time although they had been answered; wrong: what is not as it must be."""

    at: int
    lost: int
    again: int
    wrong: tuple[str, ...]


def moments(documents: int, seed_number: int, count: int) -> list[int]:
    """Numbers of requests after which to kill, spread over all that a seed sends (three a document, about)."""
    chance = random.Random(seed_number)
    last = 3 * documents - 2
    width = last / count
    return [max(1, int(width * place + chance.random() * width)) for place in range(count)]


def kill_and_go_on(at: int, corpus: Path, directory: Path) -> Killed:
    """Kill a cold seed when so many requests have come in; then seed again, twice."""
    home = directory / "home"
    with ModelServer(always(Latency(_LATENCY_SECONDS)), dimensions=64) as server:
        environment = asking(server.url, LLM__IN_FLIGHT=str(IN_FLIGHT), EMBEDDINGS__IN_FLIGHT=str(IN_FLIGHT))
        with Seed(home, "seed", "--corpus", str(corpus), "--json", environment=environment) as running:
            reached = running.wait_until(lambda: len(server.calls) >= at)
            ended = running.kill()
        if not reached or ended.status != -9:
            raise RuntimeError(f"The run ended before request {at}.\n{ended.printed()}")
        before = list(server.calls)
        after = seed(home, corpus, environment=environment)
        calls = len(server.calls)
        again = asked_again(before, server.calls[len(before) :])
        last = seed(home, corpus, environment=environment)
        wrong: list[str] = []
        if after.status or last.status:
            wrong.append(f"the runs after it failed:\n{after.printed()}\n{last.printed()}")
        if len(server.calls) != calls:
            wrong.append(f"the third run sent {len(server.calls) - calls} requests")
        lost = sum(not call.valid for call in before)
        if lost + len(again) > IN_FLIGHT:
            wrong.append(
                f"{len(again)} answered requests were sent again, beside {lost} that had no answer yet, "
                f"and at most {IN_FLIGHT} were in flight"
            )
        newest = [call.digest for call in sorted(before, key=lambda call: call.number)[-2 * IN_FLIGHT :]]
        if strange := [digest for digest in again if digest not in newest]:
            wrong.append(f"{len(strange)} requests that had long been answered were sent again")
        return Killed(at, lost, len(again), tuple(wrong))


def asked_again(before: Sequence[Call], after: Sequence[Call]) -> list[str]:
    """What had been answered, and was asked once more."""
    answered = {call.digest for call in before if call.valid}
    return [call.digest for call in after if call.digest in answered]


def main() -> None:
    """Print a line a moment; exit status 1 where anything is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--documents", type=int, default=60)
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus = plant(Path(folder) / "corpus", options.documents)
        for place, at in enumerate(moments(options.documents, options.seed, options.moments)):
            killed = kill_and_go_on(at, corpus, Path(folder) / str(place))
            bad += bool(killed.wrong)
            problems = f": {'; '.join(killed.wrong)}" if killed.wrong else ""
            print(
                f"killed at request {killed.at}: {killed.lost} unanswered, {killed.again} answered ones sent again{problems}",
                flush=True,
            )
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
