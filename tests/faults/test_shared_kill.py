"""Hosts that are killed while they push and pull: what they have pushed is whole, and their stores are."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from io_managers.sharing.buckets.folder_bucket import FolderBucket
from tests.support.seed_process import ROOT
from tests.support.sharing import Host, action_of

pytestmark = [pytest.mark.integration, pytest.mark.long]

ROUNDS = 3
HOSTS = 2


def test_hosts_that_are_killed_lose_nothing_that_was_pushed_or_committed(tmp_path: Path) -> None:
    """`kill -9` at any moment of a push, a pull or a compaction, with two hosts at once on one remote."""
    remote = tmp_path / "remote"
    remote.mkdir()
    chance = random.Random(5)
    committed: list[set[int]] = [set() for _ in range(HOSTS)]
    pushed: set[int] = set()
    for round_ in range(ROUNDS):
        hosts = [_start(tmp_path / f"host-{n}", remote, first=1000 * (round_ + 1) + 300 * n) for n in range(HOSTS)]
        for number, host in enumerate(hosts):
            assert host.stdout is not None
            lines = [host.stdout.readline() for _ in range(chance.randrange(10, 40))]
            threading.Event().wait(chance.random() / 10)
            host.send_signal(signal.SIGKILL)
            lines += host.communicate()[0].splitlines()
            for line in (line.strip() for line in lines):
                if line.startswith("pushed "):
                    pushed |= {n for n in committed[number] if n <= int(line.removeprefix("pushed "))}
                elif line:
                    committed[number].add(int(line))
    assert pushed
    reader = Host(tmp_path / "reader", lambda: FolderBucket(remote))
    assert reader.remote.pull().refused == {}
    assert {n for n in pushed if reader.value(action_of(n)) != f"value {n}"} == set()
    for number in range(HOSTS):
        host = Host(tmp_path / f"host-{number}", lambda: FolderBucket(remote))
        assert {n for n in committed[number] if host.value(action_of(n)) != f"value {n}"} == set()
        assert host.store.verify() == []
        host.push()
        host.close()
    reader.remote.pull()
    every = set[int]().union(*committed)
    assert {n for n in every if reader.value(action_of(n)) != f"value {n}"} == set()
    assert reader.store.verify() == []
    reader.close()


def _start(home: Path, remote: Path, first: int) -> subprocess.Popen[str]:
    command = (sys.executable, "-m", "tests.support.sharing_host", str(home), str(remote), str(first))
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
