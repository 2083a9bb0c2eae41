"""Processes that are killed while they publish or fetch tables: readers have an old edition or a new one, each as a whole."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from io_managers.sharing.editions.mirror import Mirror
from tests.support.seed_process import ROOT
from tests.support.table_publisher import contents, publishing, pulling
from tests.support.table_readers import shared_folder

pytestmark = [pytest.mark.integration, pytest.mark.long]

ROUNDS = 6


def _start(what: str, folder: Path, place: Path, first: int = 0) -> subprocess.Popen[str]:
    command = (sys.executable, "-m", "tests.support.table_publisher", what, str(folder), str(place), str(first))
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _kill(process: subprocess.Popen[str], lines: int, chance: random.Random) -> list[str]:
    """Kill a process some time after it has printed so many lines; returns all that it has printed."""
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(lines)]
    threading.Event().wait(chance.random() / 20)
    process.send_signal(signal.SIGKILL)
    rest, errors = process.communicate()
    assert errors == ""
    return [line.strip() for line in (*printed, *rest.splitlines()) if line.strip()]


def _check_whole(mirror: Path, content: int) -> None:
    current = Mirror(mirror).current()
    assert current is not None
    assert current.edition.facts["content"] == content
    assert {path: (current.folder / path).read_bytes() for path in contents(content)} == contents(content)
    assert Mirror(mirror).faults() == {}


def test_a_publisher_that_is_killed_leaves_whole_editions_and_goes_on(tmp_path: Path) -> None:
    """`kill -9` between any two files. The home knows its own edition afterwards, whether or not it was written."""
    place, chance, done = shared_folder(tmp_path / "place"), random.Random(3), -1
    for round_ in range(ROUNDS):
        process = _start("publish", tmp_path / "home", place, first=100 * round_)
        printed = _kill(process, chance.randrange(1, 8), chance)
        begun = max(int(line) for line in printed if not line.startswith("done"))
        done = max([done, *(int(line.split()[1]) for line in printed if line.startswith("done"))])
        seen = pulling(tmp_path / "mirror", place)
        assert seen in {done, begun}
        if seen >= 0:
            _check_whole(tmp_path / "mirror", seen)
    publishing(tmp_path / "home", place, 10_000)
    assert pulling(tmp_path / "mirror", place) == 10_000
    _check_whole(tmp_path / "mirror", 10_000)


def test_a_reader_that_is_killed_has_a_whole_edition_and_goes_on(tmp_path: Path) -> None:
    """`kill -9` between any two files of a mirror, while editions come and earlier ones go."""
    place, chance = shared_folder(tmp_path / "place"), random.Random(4)
    publishing(tmp_path / "home", place, 0)
    publisher = _start("publish", tmp_path / "home", place, first=1)
    try:
        for _ in range(ROUNDS):
            reader = _start("pull", tmp_path / "mirror", place)
            printed = _kill(reader, chance.randrange(1, 5), chance)
            current = Mirror(tmp_path / "mirror").current()
            assert current is not None
            content = current.edition.facts["content"]
            assert content >= max(map(int, printed))
            _check_whole(tmp_path / "mirror", content)
    finally:
        publisher.send_signal(signal.SIGKILL)
        publisher.communicate()
    last = pulling(tmp_path / "mirror", place)
    _check_whole(tmp_path / "mirror", last)
