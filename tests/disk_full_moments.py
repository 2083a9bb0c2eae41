"""Fills the disk under a seed that asks a model server, leaving so many bytes, and counts what is paid a second time.

    python -m tests.disk_full_moments [--documents 60]

What belongs here: small disks, and what must hold after each. What does not: processes (seed_process), the server.

The disk is a tmpfs, which only root can mount. Where mounting is refused this says so and ends with status 2.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.model_kill_moments import asked_again
from tests.support.model_corpus import asking, plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.seed_process import Seed, actions, seed

IN_FLIGHT = 8
# From a disk that takes nothing to one that takes some more results.
LEFT_BYTES = tuple(kilobytes << 10 for kilobytes in (0, 8, 16, 32, 64, 128, 256, 512, 1024, 1536, 2048, 3072))
_LATENCY_SECONDS = 0.2
_DISK_MB = 200
_FILL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Filled:
    """One full disk. left_bytes: that were free when it was filled; sent: requests that came in before the seed ended;
    lost: finished actions that were not there any more; again: answered requests that the next run sent once more;
    status: exit status of the seed; wrong: what is not as it must be."""

    left_bytes: int
    sent: int
    lost: int
    again: int
    status: int
    wrong: tuple[str, ...]


class MountingRefusedError(Exception):
    """No file system can be mounted by this user."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own in `folder`. Raises MountingRefusedError."""
    folder.mkdir(parents=True)
    if shutil.which("mount") is None:
        raise MountingRefusedError("There is no `mount` here.")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        raise MountingRefusedError(mounted.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, left_bytes: int) -> Path:
    """A file that leaves so much space, whatever others write meanwhile. Raises RuntimeError where it cannot be made."""
    filler = disk / "filler"
    deadline = time.monotonic() + _FILL_SECONDS
    with filler.open("wb", buffering=0) as file:
        while (more := shutil.disk_usage(disk).free - left_bytes) > 0:
            # At once: a run that goes on meanwhile would be done before the disk is full. Where it wrote in between,
            # there is no room for so much, and nothing was taken.
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), more)
            if time.monotonic() > deadline:
                raise RuntimeError(f"The disk could not be filled: {more} bytes too many are free.")
    return filler


def fill_and_go_on(left_bytes: int, at: int, corpus: Path, disk: Path, limits: str = "0") -> Filled:
    """Fill the disk of a cold seed when so many requests have come in; then free it and seed again, twice."""
    home = disk / "home"
    wrong: list[str] = []
    with ModelServer(always(Latency(_LATENCY_SECONDS)), dimensions=64) as server:
        environment = asking(server.url, LLM__IN_FLIGHT=str(IN_FLIGHT), EMBEDDINGS__IN_FLIGHT=str(IN_FLIGHT))
        environment["SEEDBANK_LLM__RPM"] = limits
        with Seed(home, "seed", "--corpus", str(corpus), "--json", environment=environment) as running:
            reached = running.wait_until(lambda: len(server.calls) >= at)
            filler = fill(disk, left_bytes)
            stopped = running.finish()
        if not reached:
            raise RuntimeError(f"The run ended before request {at}.\n{stopped.printed()}")
        filler.unlink()  # SQLite needs some space for those who only read, too
        before, kept = list(server.calls), actions(home)
        wrong += _wrong_ending(stopped.status, stopped.output, stopped.errors)
        after = seed(home, corpus, environment=environment)
        again = asked_again(before, server.calls[len(before) :])
        calls = len(server.calls)
        last = seed(home, corpus, environment=environment)
        if after.status or last.status:
            wrong.append(f"the runs after it failed:\n{after.printed()}\n{last.printed()}")
        if len(server.calls) != calls:
            wrong.append(f"the third run sent {len(server.calls) - calls} requests")
        lost = len(kept.keys() - actions(home).keys())
        if lost:
            wrong.append(f"{lost} finished actions were lost")
        if len(again) > 1:
            wrong.append(f"{len(again)} answered requests were sent again")
    return Filled(left_bytes, len(before), lost, len(again), stopped.status, tuple(wrong))


def _wrong_ending(status: int, output: str, errors: str) -> list[str]:
    """What is wrong with how a seed ended that met a full disk. One that could finish all the same ends well."""
    if "Traceback" in errors:
        return [f"a traceback was printed:\n{errors}"]
    try:
        report = json.loads(output)
    except ValueError:
        return [f"no JSON object was printed:\n{output}\n{errors}"]
    if status == report["exit_code"] == 0:
        return []
    if status != 1 or report["exit_code"] != 1:
        return [f"the exit status is {status}, and the report says {report['exit_code']}:\n{errors}"]
    if not report["failures"] or not all(failure["reason"] and failure["remedy"] for failure in report["failures"]):
        return [f"the failure is not named: {report['failures']}"]
    return []


def main() -> None:
    """Print a line a size; exit status 1 where anything is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--at", type=int, default=20, help="fill the disk when so many requests have come in")
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus = plant(Path(folder) / "corpus", options.documents)
        for left_bytes in LEFT_BYTES:
            try:
                with small_disk(Path(folder) / f"disk-{left_bytes}") as disk:
                    filled = fill_and_go_on(left_bytes, options.at, corpus, disk)
            except MountingRefusedError as error:
                print(f"Mounting is refused here: {error}")
                sys.exit(2)
            bad += bool(filled.wrong)
            problems = f": {'; '.join(filled.wrong)}" if filled.wrong else ""
            print(
                f"{left_bytes >> 10:5} KB left: {filled.sent} sent, {filled.lost} lost, {filled.again} paid twice, "
                f"exit status {filled.status}{problems}",
                flush=True,
            )
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
