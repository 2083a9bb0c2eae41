"""The process of a run on another machine: which runs it refuses, and that it says why where people look."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from event_log.run_beats import RunBeats
from resources.settings.config import load_settings
from seed_assets.orchestration.run_records import CODE_TAG, SPREAD_TAG
from seed_assets.session.code_digest import code_digest
from seed_assets.spreading.remote_run import do_run
from seed_assets.wiring import build_pipeline
from tests.support.pipelines import World

pytestmark = pytest.mark.integration


@pytest.fixture
def instance(empty_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Of a worker with a home of its own, over a folder as the remote."""
    (tmp_path / "remote").mkdir(mode=0o700)
    monkeypatch.setenv("SEEDBANK_HOME", str(tmp_path / "worker"))
    monkeypatch.setenv("SEEDBANK_CORPUS", str(empty_world.corpus))
    monkeypatch.setenv("SEEDBANK_STORE__REMOTE", str(tmp_path / "remote"))
    monkeypatch.setenv("SEEDBANK_STORE__UNSIGNED", "accept")
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def asked_for(instance: dg.DagsterInstance, digest: str) -> dg.DagsterRun:
    """A run that a home with this digest has asked for."""
    tags = {SPREAD_TAG: "one", CODE_TAG: digest}
    return create_run_for_test(instance, job_name="seed_documents", tags=tags, status=dg.DagsterRunStatus.STARTING)


def failure(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """With which message a run has failed; "" if it has not."""
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    if found.status is not dg.DagsterRunStatus.FAILURE:
        return ""
    (event,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    return event.dagster_event.message or "" if event.dagster_event else ""


def test_a_worker_with_other_code_or_settings_refuses_a_run(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its results would have other keys: paid for, and found by nobody."""
    here = code_digest(build_pipeline(load_settings()))
    run = asked_for(instance, here)
    monkeypatch.setenv("SEEDBANK_SUMMARIES__WORDS", "77")
    do_run(instance, run.run_id, 0)
    said = failure(instance, run)
    assert "its code or its settings (models, prompts, parameters) are other ones" in said
    assert here in said


def test_a_run_of_which_the_home_has_told_nothing_is_refused(instance: dg.DagsterInstance) -> None:
    """Without the refs of the home, results that it keeps would be computed once more."""
    run = asked_for(instance, code_digest(build_pipeline(load_settings())))
    do_run(instance, run.run_id, 0)
    assert "is not in the remote any more" in failure(instance, run)


def test_a_message_that_comes_twice_begins_nothing(instance: dg.DagsterInstance) -> None:
    """A broker that was started again delivers what it had delivered; the run is under way elsewhere."""
    run = asked_for(instance, "other")
    assert RunBeats(instance).begin(run.run_id, 0, "worker-1")
    do_run(instance, run.run_id, 0)
    assert failure(instance, run) == ""
    instance.report_run_canceled(run)
    do_run(instance, run.run_id, 1)
    assert (last := RunBeats(instance).of(run.run_id)) is not None
    assert last.attempt == 0
