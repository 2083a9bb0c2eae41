"""A process that sends requests under shared limits and says when; and what a server would have seen of several.

`python -m tests.support.limited_process DIRECTORY NAME` writes `+ TIME` when it would send and `- TIME` when the answer would
be there, by the clock that all processes of a machine share. By hand, four of them for a full minute:
`python -m tests.support.limited_process DIRECTORY NAME --requests 60 --seconds 60 --processes 4`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from resources.errors import StoppedError
from resources.limits.limits import LimitRules, Limits

ROOT = Path(__file__).resolve().parents[2]


def start(directory: Path, name: str, *options: str, output: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "tests.support.limited_process", str(directory), name, *options]
    return subprocess.Popen(program, stdout=output, text=True, cwd=ROOT)


def events(directory: Path, name: str, processes: int, *options: str, seconds: float) -> list[list[tuple[str, float]]]:
    """What each of some processes did, which ran at once: `+` and when a request was sent, `-` and when it ended."""
    with ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(processes)]
        running = [
            stack.enter_context(start(directory, name, "--seconds", str(seconds), *options, output=output))
            for output in outputs
        ]
        for process in running:
            assert process.wait(seconds + 30) == 0
        found = []
        for output in outputs:
            output.seek(0)
            lines = [line.split() for line in output]
            found.append([(what, float(at)) for what, at in lines])
        return found


def sent(found: list[list[tuple[str, float]]]) -> list[float]:
    return sorted(at for one in found for what, at in one if what == "+")


def most_in_a_window(times: list[float], seconds: float) -> int:
    """The most that a server sees in any window of so many seconds, wherever it begins."""
    first = most = 0
    for last, at in enumerate(times):
        while at - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def used(times: list[float], limit: int, seconds: float) -> float:
    """The share of the limit that was used, over the whole windows' worth of requests that followed the first."""
    windows = (len(times) - 1) // limit
    assert windows >= 2, f"only {len(times)} requests were sent"
    return windows * seconds / (times[windows * limit] - times[0])


def most_at_once(found: list[list[tuple[str, float]]]) -> int:
    at_once = most = 0
    for _, what in sorted((at, what) for one in found for what, at in one):
        at_once += 1 if what == "+" else -1
        most = max(most, at_once)
    return most


def main() -> None:
    """Send for some seconds, with some workers; or let several processes do so, and say what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("name")
    parser.add_argument("--redis-url", default="")
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--in-flight", type=int, default=0)
    parser.add_argument("--window", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--each", type=int, default=0, help="tokens of a request")
    parser.add_argument("--takes", type=float, default=0.0, help="seconds of a request")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    if given.processes > 1:
        options = ["--requests", str(given.requests), "--window", str(given.window), "--redis-url", given.redis_url]
        found = events(given.directory, given.name, given.processes, *options, seconds=given.seconds)
        most, share = most_in_a_window(sent(found), given.window), used(sent(found), given.requests, given.window)
        print(
            f"{[len(sent([one])) for one in found]} requests of each; at most {most} in any {given.window:g} s, ",
            end="",
        )
        print(f"where {given.requests} are allowed; {share:.1%} used")
        return
    rules = LimitRules(given.requests, given.tokens, given.in_flight, given.window)
    limits = Limits(given.name, rules, given.directory, given.redis_url)
    end = time.monotonic() + given.seconds

    async def work() -> None:
        while True:
            try:
                async with limits.permit(given.each, lambda: "time is up" if time.monotonic() >= end else ""):
                    _say("+")
                    await asyncio.sleep(given.takes)
                    _say("-")
            except StoppedError:
                return

    async def work_all() -> None:
        await asyncio.gather(*(work() for _ in range(given.workers)))

    asyncio.run(work_all())
    limits.close()


def _say(what: str) -> None:
    # The time is taken first; one write, so that a kill leaves no half line.
    os.write(1, f"{what} {time.monotonic()!r}\n".encode())


if __name__ == "__main__":
    main()
