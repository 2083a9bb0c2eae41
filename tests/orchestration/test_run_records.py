"""Which runs a later process takes for dead, and when."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from io_managers.store.processes import process_here
from resources.home.home import Home
from resources.home.running import this_process
from seed_assets.orchestration import run_records
from seed_assets.orchestration.run_records import close_dead_runs, process_tags

pytestmark = pytest.mark.integration


def begun(instance: dg.DagsterInstance, process: str) -> str:
    """A run that is recorded as started, by this process or by one that is put in its place."""
    run_id = dg.DagsterRun(job_name="seed_documents").run_id
    tags = {name: tag.replace(this_process(), process) for name, tag in process_tags(run_id).items()}
    started = dg.DagsterRunStatus.STARTED
    instance.add_run(dg.DagsterRun(job_name="seed_documents", run_id=run_id, status=started, tags=tags))
    return run_id


def test_a_run_whose_process_works_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance, home.running():
        begun(instance, this_process())
        assert close_dead_runs(instance, home) == []


def test_a_run_whose_process_ended_is_closed_at_once(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = process_here(child.pid)
        here = this_process().split("/")
        name = "/".join([*here[:-3], str(process.pid), f"{process.started:.0f}", here[-1]])
        child.kill()
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = begun(instance, name)
        assert close_dead_runs(instance, Home(tmp_path)) == [run_id]


def test_a_run_whose_process_is_about_to_record_its_end_is_not_called_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick came between the end of the work in the home and the end of the run: a run that succeeded was a failure."""
    home = Home(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        with home.running():
            run_id = begun(instance, this_process())
        assert close_dead_runs(instance, home) == []
        assert close_dead_runs(instance, home) == []
        monkeypatch.setattr(run_records, "_LONGEST_END_SECONDS", 0.0)
        assert close_dead_runs(instance, home) == [run_id]
