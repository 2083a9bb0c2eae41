"""What Dagster shows of checks that ran outside of its runs: after `seedbank check`, after a seed, and by a schedule.

What belongs here: records of checks. What does not: what a check finds (test_checks).
"""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

from event_log.home import open_instance
from resources.settings.config import load_settings
from seed_assets.checking.check_run import CURRENT, checks_of, quick_findings, run_check
from seed_assets.orchestration.code_location import build_definitions
from seed_assets.orchestration.corpus_records import _Loading
from seed_assets.orchestration.job_names import CHECKS_JOB
from seed_assets.orchestration.ticks.tick import Tick
from seed_assets.session.session import Session
from seed_assets.wiring import build_pipeline
from tests.orchestration.test_truth import in_dagster
from tests.support.pipelines import World, essay
from tests.support.seed_process import ROOT, seedbank

pytestmark = pytest.mark.integration

Name = tuple[str, str]
QUICK = {
    ("clusters", "sizes"),
    ("clusters", "share_of_outliers"),
    ("clusters", "stable"),
    ("clusters", CURRENT),
    ("categories", CURRENT),
    ("corpus_map", CURRENT),
    ("search_index", CURRENT),
    ("search_index", "index_as_made"),
    ("search_index", "paid_once"),
}


def evaluated(world: World) -> dict[Name, dg.AssetCheckEvaluation]:
    """The checks that Dagster's page shows as passed or failed, and not as never evaluated for what is there now."""

    def read(instance: dg.DagsterInstance) -> dict[Name, dg.AssetCheckEvaluation]:
        with world.session() as session:
            checks = checks_of(session.pipeline)
        keys = [dg.AssetCheckKey(dg.AssetKey(check.stage), check.name) for check in checks]
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        return {
            (key.asset_key.to_user_string(), key.name): record.evaluation
            for key, record in latest.items()
            if record.evaluation is not None and _is_shown(record, instance)
        }

    return in_dagster(world, read)


def _is_shown(record: AssetCheckExecutionRecord, instance: dg.DagsterInstance) -> bool:
    return asyncio.run(record.targets_latest_materialization(_Loading(instance)))


def test_after_a_seed_the_quick_checks_are_shown_as_passed(world: World) -> None:
    """`Not evaluated` on every page, until somebody ran a job of which he did not know."""
    shown = evaluated(world)
    # What was paid twice is looked at in the run of the index.
    assert shown.keys() == {*QUICK, ("search_index", "paid_once")}
    assert all(evaluation.passed for evaluation in shown.values())
    assert shown["clusters", "sizes"].metadata["looked_at"].value == 2


def test_what_waits_for_documents_is_not_behind_them_yet(world: World) -> None:
    """A seed that left documents undone would warn of clusters that are made of all that is published."""
    world.write("reefs/new.txt", essay("crabs"))
    with world.session() as session:
        found = quick_findings(session.runner(), session.plan())
    assert {(check.stage, check.name) for check, finding in found if not finding.passed} == set()


def test_quick_checks_find_what_the_checks_themselves_find(world: World) -> None:
    """A plan that is asked instead must give the same answer."""
    with world.session() as session:
        session.store.refs.drop("categories", [""])
        session.store.refs.drop("search_index", [""])
        runner = session.runner()
        quick = {(c.stage, c.name): f for c, f in quick_findings(runner, session.plan())}
        for check in checks_of(session.pipeline):
            if check.name == CURRENT:
                assert quick[check.stage, CURRENT].passed == run_check(runner, check).passed, check.stage
    assert not quick["search_index", CURRENT].passed
    assert not quick["categories", CURRENT].passed


def test_the_command_lets_dagster_show_what_it_found(world: World) -> None:
    """The command found a fault, and Dagster's page said that nothing was evaluated."""
    with world.session() as session:
        session.tables.drop("concepts")

    done = seedbank(world.home, "check")

    assert done.status == 1, done.printed()
    shown = evaluated(world)
    with world.session() as session:
        assert shown.keys() == {(check.stage, check.name) for check in checks_of(session.pipeline)}
    rows = shown["lance_concepts", "rows_as_published"]
    assert not rows.passed
    assert rows.severity is dg.AssetCheckSeverity.ERROR
    assert rows.metadata["named"].value == {"lance_concepts": "the table is not there"}
    assert shown["lance_chunks", "rows_as_published"].passed


def test_a_home_without_records_of_dagster_is_checked_without_dagster(plain_world: World) -> None:
    """Importing Dagster takes a second, and would create records that nobody asked for."""
    shutil.rmtree(plain_world.home / "dagster")
    program = (
        "import sys; from typer.testing import CliRunner; from cli.main import app\n"
        f"done = CliRunner().invoke(app, ['check', '--home', {str(plain_world.home)!r}])\n"
        "print('dagster' in sys.modules, done.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split()[0] == "False", done.stdout + done.stderr
    assert not (plain_world.home / "dagster").exists()


def test_a_schedule_that_is_off_by_default_runs_all_checks_at_night(world: World, tmp_path: Path) -> None:
    with world.session() as session, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBANK_HOME", str(world.home))
        definitions = build_definitions(session.settings, session.runner())
        schedule = definitions.resolve_schedule_def("nightly_checks")
        assert schedule.job_name == CHECKS_JOB
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
        with open_instance() as instance:
            assert len(Tick(session, instance).checks()) == 1
            with session.home.running():
                pass
    empty = load_settings({"corpus": world.corpus, "home": tmp_path / "empty"})
    with open_instance() as instance:
        tick = Tick(Session(empty, build_pipeline(empty)), instance)
        assert tick.checks() == []
        assert tick.reason == "Nothing is seeded yet."
