"""What ticks ask for where runs are spread: over runs of one home, and over workers with homes of their own.

What belongs here: the requests, and what follows when a worker has or has not handed in its results. What does not: real workers
(test_machines).
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from event_log.home import open_instance
from event_log.run_beats import RunBeats
from io_managers.sharing.run_records import RunRecords
from resources.errors import ConfigurationError
from seed_assets.orchestration import spread_runs
from seed_assets.orchestration.automation import Tick
from seed_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG
from seed_assets.orchestration.run_records import CODE_TAG, SPREAD_TAG, TAKEN_TAG
from seed_assets.seeding.seeding import SeedOptions
from seed_assets.session.code_digest import code_digest
from seed_assets.session.run_handover import push_results, shared_remote, spread_stages, state_of
from seed_assets.session.session import Session
from tests.conftest import DOCUMENTS
from tests.support.pipelines import SINKS, World

pytestmark = pytest.mark.integration


@pytest.fixture
def instance(empty_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("SEEDBANK_HOME", str(empty_world.home))
    with open_instance() as made:
        yield made


@pytest.fixture
def elsewhere(empty_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers with homes of their own, over a folder as the remote."""
    (tmp_path / "remote").mkdir(mode=0o700)
    monkeypatch.setenv("SEEDBANK_STORE__REMOTE", str(tmp_path / "remote"))
    monkeypatch.setenv("SEEDBANK_STORE__UNSIGNED", "accept")
    monkeypatch.setenv("SEEDBANK_DEPLOYMENT__BROKER_URL", "amqp://127.0.0.1//")


def looked(session: Session, instance: dg.DagsterInstance) -> tuple[list[dg.RunRequest], str]:
    """What a tick asks for, files of this moment included, and why it asks for nothing."""
    tick = Tick(session, instance)
    waiting = {d: list(session.corpus.written_at(s) or ()) for d, s in session.corpus.scan().documents.items()}
    return tick.documents(waiting=waiting), tick.reason


def test_as_many_runs_as_workers_are_asked_for(
    empty_world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer, workers are idle; with ranges that overlap, documents are computed twice."""
    monkeypatch.setenv("SEEDBANK_DEPLOYMENT__WORKERS", "3")
    with empty_world.session() as session:
        requests, _ = looked(session, instance)
    order = list(instance.get_dynamic_partitions("documents"))
    ranges = [order[order.index(r.tags[RANGE_START_TAG]) : order.index(r.tags[RANGE_END_TAG]) + 1] for r in requests]
    assert sorted(document for documents in ranges for document in documents) == sorted(DOCUMENTS)
    assert [len(documents) for documents in ranges] == [2, 2, 2]
    assert all(SPREAD_TAG not in request.tags for request in requests)


@pytest.mark.usefixtures("elsewhere")
def test_values_are_asked_for_elsewhere_and_tables_here_once_they_are_there(
    empty_world: World, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """A worker cannot write the tables of the home; and rows of values that are not there would be blocked."""
    with empty_world.session() as session:
        (request,), _ = looked(session, instance)
        values = [stage.name for stage in spread_stages(session.pipeline)]
        assert [key.to_user_string() for key in request.asset_selection or []] == values
        assert request.tags[CODE_TAG] == code_digest(session.pipeline)
        given = RunRecords(shared_remote(session)).given(request.tags[SPREAD_TAG])
        assert given is not None
        assert given.refs == []

        run = begun(instance, request)
        assert looked(session, instance)[0] == [], "a run is under way"
        hand_in(empty_world, tmp_path, run, values)
        instance.report_run_failed(run)
        requests, _ = looked(session, instance)
        assert {key.to_user_string() for one in requests for key in one.asset_selection or []} >= set(SINKS)
        assert all(SPREAD_TAG not in one.tags for one in requests)
        stages = session.plan().stages
        # Dagster has no record of the run of this test, so the values are visited here as well, without being computed.
        assert [name for name in values if stages[name].todo] == []
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.tags[TAKEN_TAG] == "yes"
        assert RunRecords(shared_remote(session)).given(request.tags[SPREAD_TAG]) is None, "it is not needed any more"


@pytest.mark.usefixtures("elsewhere")
def test_results_that_are_on_their_way_are_waited_for_and_lost_ones_are_not(
    empty_world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster records the end of a run before its worker has pushed the last results: a tick could ask for all of it again."""
    with empty_world.session() as session:
        (request,), _ = looked(session, instance)
        run = begun(instance, request)
        assert RunBeats(instance).begin(run.run_id, 0, "worker-1")
        instance.report_run_failed(run)
        requests, reason = looked(session, instance)
        assert requests == []
        assert reason == f"The results of the run {run.run_id} are on their way. The next tick looks again."
        monkeypatch.setattr(spread_runs, "EXPIRY_SECONDS", 0.0)
        _, reason = looked(session, instance)
        assert "left this work undone" in reason, "it is asked for again, after a pause"


@pytest.mark.usefixtures("elsewhere")
def test_results_of_a_worker_that_is_not_trusted_stop_the_ticks(
    empty_world: World, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking again and again would pay again and again."""
    with empty_world.session() as session:
        values = [stage.name for stage in spread_stages(session.pipeline)]
        (request,), _ = looked(session, instance)
        run = begun(instance, request)
        monkeypatch.setenv("SEEDBANK_STORE__SIGNING_KEY", "secret:" + "07" * 32)
        hand_in(empty_world, tmp_path, run, values)
        instance.report_run_failed(run)
        with pytest.raises(ConfigurationError, match="which is not trusted"):
            looked(session, instance)


def begun(instance: dg.DagsterInstance, request: dg.RunRequest) -> dg.DagsterRun:
    """A run as a worker has begun it."""
    tags = dict(request.tags)
    return create_run_for_test(instance, job_name="seed_documents", tags=tags, status=dg.DagsterRunStatus.STARTED)


def hand_in(home: World, folder: Path, run: dg.DagsterRun, values: list[str]) -> None:
    """Do a run in a home of its own, and hand in what it published."""
    worker = World(folder / "elsewhere", plain=True)
    worker.corpus = home.corpus
    assert worker.seed(SeedOptions(stages=tuple(values))).report.exit_code == 0
    with worker.session() as session:
        remote = shared_remote(session)
        push_results(session, remote)
        RunRecords(remote).hand_in(run.tags[SPREAD_TAG], run.run_id, state_of(session, DOCUMENTS))
