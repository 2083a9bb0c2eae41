"""Containers that were killed, as the sensors of the next one see them: nothing has to be deleted by hand.

What belongs here: ticks and seeds beside runs of processes in other places. What does not: how such processes are judged
(test_home, store/test_leases), and ticks in general (test_automation).
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from event_log.home import open_instance
from io_managers.store import processes
from resources.home import running
from resources.home.home import Home
from seed_assets.orchestration import run_records
from seed_assets.orchestration.job_names import DOCUMENTS_JOB
from tests.orchestration.test_automation import Daemon, _age
from tests.support.pipelines import World

ELSEWHERE = "0a1b2c3d4e5f/8d2e/pid:[4026532000]/7/4711/abcd"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock by which observers judge, to be put forward."""
    now = [1000.0]
    for module in (processes, running):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0], time=time.time))
    return now


@pytest.fixture
def daemon(empty_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """Ticks over a home in which nothing was seeded yet."""
    monkeypatch.setenv("SEEDBANK_HOME", str(empty_world.home))
    _age(empty_world)
    with open_instance() as instance:
        yield Daemon(empty_world, instance)


def started(instance: dg.DagsterInstance) -> str:
    """A run that Dagster takes to be under way."""
    run = instance.create_run_for_job(_job())
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.PIPELINE_START.value, job_name=run.job_name), run_id=run.run_id
    )
    return run.run_id


def _job() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None: ...

    @dg.job(name=DOCUMENTS_JOB)
    def job() -> None:
        nothing()

    return job


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def leave_mark(home: Path) -> Path:
    mark = home / "running" / ELSEWHERE.replace("/", "_")
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{ELSEWHERE}\nseedbank dev\n1700000000\n")
    return mark


def test_a_killed_container_does_not_keep_the_ticks_from_working(daemon: Daemon, clock: list[float]) -> None:
    """Each tick said "runs under way or queued: 1" for ever, then "a seed is under way in another process"."""
    mark = leave_mark(daemon.world.home)
    run_id = started(daemon.instance)
    daemon.instance.add_run_tags(run_id, {run_records._PROCESS_TAG: f"{run_id}/{ELSEWHERE}"})
    home = Home(daemon.world.home)
    home.dagster.mkdir(exist_ok=True)
    home.record_in_sync("what was true before")
    first = daemon.tick()
    assert "Runs under way or queued: 1" in first.reason
    assert "process 7 on 0a1b2c3d4e5f (seedbank dev)" in first.reason
    assert daemon.tick().requests == []
    clock[0] += processes.EXPIRY_SECONDS
    assert daemon.tick().requests != []
    assert status(daemon.instance, run_id) is dg.DagsterRunStatus.FAILURE
    assert not mark.exists()
    assert home.synced_digest() != "what was true before"


def test_a_container_that_still_works_is_left_alone(daemon: Daemon, clock: list[float]) -> None:
    mark = leave_mark(daemon.world.home)
    for number in range(1, 4):
        mark.write_text(f"{ELSEWHERE}\nseedbank seed\n{number}\n")
        running.os.utime(mark, (number, number))
        assert "A seed is under way in process 7 on 0a1b2c3d4e5f (seedbank seed)" in daemon.tick().reason
        clock[0] += processes.EXPIRY_SECONDS * 2


def test_a_run_whose_process_was_killed_before_it_left_word_is_closed(daemon: Daemon, clock: list[float]) -> None:
    run_id = started(daemon.instance)
    assert "Runs under way or queued: 1" in daemon.tick().reason
    clock[0] += run_records._LONGEST_START_SECONDS - 1
    assert "Runs under way or queued: 1" in daemon.tick().reason
    clock[0] += 1
    assert daemon.tick().requests != []
    assert status(daemon.instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_tick_names_who_holds_what_it_needs(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for ever: the ticks of a code location come one after the other."""
    from io_managers.store.leases import Leases
    from seed_assets.orchestration.ticks import tick as tick_module

    monkeypatch.setattr(tick_module, "_PATIENCE_SECONDS", 0.2)
    other = Leases(daemon.world.home / "store" / "leases.db")
    with other.hold("partitions"):
        tick = daemon.tick()
    assert tick.requests == []
    assert "The lease of partitions is held by process" in tick.reason
    assert json.loads(tick.cursor or "{}") == {}
    assert daemon.tick().requests != []
    other.close()
