"""Kills what runs over a home that was seeded before, and stops who holds a lease: nothing is lost, and no row doubled.

What belongs here: the commands after a first seed (an edited corpus, `--rebuild-sink`, `--recluster`, `check`, `history
trim`), runs that Dagster's daemon has started, and processes that are stopped for a while. What does not: kills of a first
seed (kill_moments, which is also the program).

A kill comes after a share of the time that the command takes undisturbed, since most of these commands leave nothing that
could be seen from outside; one that comes too late is tried again, earlier.
"""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from io_managers.store.store import Store
from resources.home.home import Home
from tests.orchestration.test_daemon import Dev
from tests.support.pipelines import EVERY_STAGE, essay
from tests.support.seed_process import (
    Seed,
    Undisturbed,
    actions,
    copy_of,
    dagster_runs,
    query,
    rows,
    seed,
    seedbank,
)

if TYPE_CHECKING:
    import pyarrow as pa

_ATTEMPTS = 5
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
# Longer than a lease holds whose owner is not seen to be alive.
STOPPED_SECONDS = 75.0
# The tables that a clustering from scratch may change.
_OF_CLUSTERS = {"clusters", "document_clusters"}
# As another host sees it: other process numbers, another name.
_ELSEWHERE = ("unshare", "--pid", "--fork", "--mount-proc", "--uts", "sh", "-c", 'hostname elsewhere; exec "$0" "$@"')


@dataclass(frozen=True, slots=True)
class Command:
    """What is killed. edited: over a corpus in which documents were changed, added and removed. first: run before it."""

    name: str
    arguments: tuple[str, ...]
    edited: bool = False
    first: tuple[str, ...] = ()


COMMANDS = (
    Command("a seed of an edited corpus", ("seed",), edited=True),
    Command("seed --rebuild-sink", ("seed", "--rebuild-sink")),
    Command("seed --recluster", ("seed", "--recluster")),
    Command("check", ("check", "--json")),
    Command("history trim", ("history", "trim", "--keep-days", "0"), first=("seed", "--no-cache")),
)


@dataclass(frozen=True, slots=True)
class Later:
    """A moment: a share of the command's time at which it is killed or stopped. kind: "killed", "daemon" or "stopped"."""

    command: Command
    kind: str
    share: float

    @property
    def name(self) -> str:
        """For people."""
        ways = {"killed": "killed", "daemon": "its run of the daemon killed", "stopped": "stopped, while another seeds"}
        return f"{self.command.name}: {ways[self.kind]} after {self.share:.0%} of its time"


def later_moments(seed_number: int, count: int) -> list[Later]:
    """So many moments, spread over all commands; one in ten a run of the daemon, one in ten a process that is stopped."""
    chance = random.Random(seed_number)
    kinds = ["daemon" if place % 10 == 4 else "stopped" if place % 10 == 9 else "killed" for place in range(count)]
    commands = cycle(COMMANDS)
    return [
        Later(next(commands) if kind == "killed" else COMMANDS[0], kind, 0.15 + 0.8 * chance.random()) for kind in kinds
    ]


@dataclass(frozen=True, slots=True)
class _World:
    """The home that there is before, and what an undisturbed command makes of it."""

    corpus: Path
    home: Path
    seconds: float
    rows: "Mapping[str, pa.Table]"


def disturb(moment: Later, reference: Undisturbed, corpus: Path, directory: Path) -> list[str]:
    """Disturb a command at a moment, then seed; gives what is not as it must be."""
    world = _world(moment.command, reference, corpus)
    if moment.kind == "daemon":
        return _killed_daemon(moment, world, directory)
    for attempt in range(_ATTEMPTS):
        home = directory / f"home-{attempt}"
        shutil.copytree(world.home, home)
        before = actions(home)
        with Seed(home, *_arguments(moment.command, world.corpus)) as running:
            wait = world.seconds * moment.share * 0.8**attempt
            time.sleep(wait)
            if running.process.poll() is not None:
                continue
            if moment.kind == "stopped":
                return [*_go_on_beside(running, home, world), *_wrong(moment.command, home, before, world)]
            running.kill()
        return list(_wrong(moment.command, home, before, world))
    raise RuntimeError(f"The command was over before it could be disturbed: {moment.name}.")


def _go_on_beside(running: Seed, home: Path, world: _World) -> list[str]:
    """The command is stopped; another seed takes over as from another host, and then both come to their end."""
    running.send(signal.SIGSTOP)
    stopped_at = time.monotonic()
    elsewhere = subprocess.run([*_ELSEWHERE, "true"], capture_output=True, check=False).returncode == 0
    arguments = ("seed", "--rebind", "--corpus", str(world.corpus), "--json")
    with Seed(home, *arguments, through=_ELSEWHERE if elsewhere else ()) as other:
        other.wait_for(STOPPED_SECONDS)
        running.send(signal.SIGCONT)
        found = [other.finish(), running.finish()]
    waited = time.monotonic() - stopped_at
    return [f"a seed failed after {waited:.0f} s: {one.printed()}" for one in found if one.status]


def _killed_daemon(moment: Later, world: _World, directory: Path) -> list[str]:
    """A backfill from the page over all documents that are there; its run is killed, with or without the daemon."""
    dev = Dev(directory)
    shutil.copytree(world.home, dev.home)
    shutil.copytree(world.corpus, dev.corpus)
    Home(dev.home).bind(dev.corpus, rebind=True)
    before = actions(dev.home)
    documents = [name for name in _published(dev.home) if (dev.corpus / name).exists()]
    try:
        dev.serve()
        since = time.time()
        dev.backfill(EVERY_STAGE, documents)
        dev.until(lambda: any(run["status"] == "STARTED" for run in dev.runs(since)), "the run")
        time.sleep(moment.share * world.seconds / 2)
        if moment.share > 0.5:
            for process in dev.processes()[1:]:
                if "spawn_main" in " ".join(process.cmdline()):
                    process.kill()
    finally:
        dev.end()
    # One that was handed over, and killed before it could leave word of itself, is closed by the daemon's monitoring or by
    # a tick, after minutes.
    return list(_wrong(moment.command, dev.home, before, replace(world, corpus=dev.corpus), may_stay={"STARTING"}))


def _published(home: Path) -> list[str]:
    found = query(home / "store" / "store.db", "SELECT partition FROM refs WHERE stage = 'extracted_text'")
    return sorted(name for (name,) in found)


def _wrong(
    command: Command,
    home: Path,
    before: Mapping[str, str],
    world: _World,
    may_stay: AbstractSet[str] = frozenset(),
) -> Iterator[str]:
    """What is not as it must be, after a seed and another one. may_stay: states in which runs may be left in Dagster."""
    if not before.items() <= actions(home).items():
        yield "actions that had been finished are gone"
    arguments = ("--recluster",) if "--recluster" in command.arguments else ()
    after = seed(home, world.corpus, "--rebind", *arguments)
    if after.status:
        yield f"the next seed failed: {after.printed()}"
        return
    again = seed(home, world.corpus)
    if again.status or again.report["runs"]:
        yield f"another seed found something to do: {again.printed()}"
    statuses = dagster_runs(home)
    if not (_ENDED | may_stay).issuperset(statuses.values()):
        yield f"Dagster's runs are {statuses}"
    for name, table in rows(home).items():
        if table.equals(world.rows[name]) or (arguments and name in _OF_CLUSTERS):
            continue
        yield f"the rows of {name} are not those of an undisturbed run"
    for look in (("cache", "verify"), ("check",)):
        seen = seedbank(home, *look)
        if seen.status:
            yield f"{' '.join(look)}: {seen.printed()}"
    with closing(Store(home / "store")) as store:
        if left := query(store.leases.database.path, "SELECT name FROM leases"):
            yield f"leases are left: {left}"


def _arguments(command: Command, corpus: Path) -> tuple[str, ...]:
    more = ("--corpus", str(corpus), "--rebind", "--json") if command.arguments[0] == "seed" else ()
    return (*command.arguments, *more)


@cache
def _world(command: Command, reference: Undisturbed, corpus: Path) -> _World:
    """Computed once a command: what it makes when it is not disturbed, and how long that takes."""
    directory = reference.home.parent / f"undisturbed-{COMMANDS.index(command)}"
    changed = edited(corpus, directory / "corpus") if command.edited else corpus
    prepared = copy_of(reference, directory / "prepared")
    if command.first:
        done = seedbank(prepared, *command.first)
        assert done.status == 0, done.printed()
    home = shutil.copytree(prepared, directory / "home")
    began = time.monotonic()
    done = seedbank(home, *_arguments(command, changed))
    seconds = time.monotonic() - began
    assert done.status == 0, done.printed()
    return _World(changed, prepared, seconds, rows(home))


def edited(corpus: Path, folder: Path) -> Path:
    """A copy of a corpus in which three documents were changed, one removed and two added."""
    shutil.copytree(corpus, folder)
    documents = sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".txt", ".rst"))
    for path in documents[:3]:
        path.write_bytes(path.read_bytes() + b"\n\nA paragraph that was added later, about something else.\n")
    documents[3].unlink()
    for number in range(2):
        (folder / f"added-{number}.md").write_text(essay(f"what was added {number}"))
    return folder
