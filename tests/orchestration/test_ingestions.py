"""Ingestions: requests in the home that ticks of the daemon turn into runs, and what is recorded of them.

What belongs here: ticks, evaluated as the daemon does, and the requests. What does not: the service that makes the requests
(tests/service), and which runs come next (test_automation).
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from event_log.home import open_instance
from io_managers.store.errors import StoreUnavailableError
from resources.ingestions.ingestion_requests import MOST_OPEN, Ingestion, IngestionRequests
from seed_assets.orchestration import ingestions
from seed_assets.orchestration.ingestions import INGESTION_TAG, INGESTIONS_SENSOR
from tests.orchestration.test_automation import Daemon, Tick, _age
from tests.support.pipelines import World, refusal


class Ingesting(Daemon):
    """Ticks of the ingestions of one world."""

    def __init__(self, world: World, instance: dg.DagsterInstance) -> None:
        super().__init__(world, instance)
        self.requests = IngestionRequests(world.home / "ingestions.db")

    def now(self, ingestion: Ingestion) -> Ingestion:
        found = self.requests.get(ingestion.ingestion_id)
        assert found is not None
        return found

    def look(self) -> Tick:
        return self.tick(INGESTIONS_SENSOR)

    def carry_out(self, most: int = 10) -> list[str]:
        """Tick and run until the tick asks for nothing; the jobs of the runs."""
        jobs: list[str] = []
        for _ in range(most):
            asked = self.look().requests
            if not asked:
                return jobs
            for request in asked:
                self.run(request)
                jobs.append(request.job_name or "")
        raise AssertionError("it does not come to rest")


@pytest.fixture
def daemon(empty_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingesting]:
    monkeypatch.setenv("SEEDBANK_HOME", str(empty_world.home))
    _age(empty_world)
    with open_instance() as instance:
        yield Ingesting(empty_world, instance)


def requested(requests: IngestionRequests) -> Ingestion:
    made = requests.request()
    assert made is not None
    return made


def test_a_requested_ingestion_brings_everything_up_to_date_in_runs_that_carry_its_id(daemon: Ingesting) -> None:
    assert daemon.look().reason == "No ingestion is requested."
    first, second = requested(daemon.requests), requested(daemon.requests)

    assert daemon.carry_out() == ["seed_documents", "seed_clusters", "seed_corpus", "place_documents"]

    done = daemon.now(first)
    assert done.state == "succeeded", done
    assert done.ended is not None
    assert not done.failures
    assert [(run.job, run.status) for run in done.runs] == [
        (job, "SUCCESS") for job in ("seed_documents", "seed_clusters", "seed_corpus", "place_documents")
    ]
    assert all(run.steps_done > 0 and run.steps_failed == 0 for run in done.runs)
    tagged = daemon.instance.get_runs(dg.RunsFilter(tags={INGESTION_TAG: first.ingestion_id}))
    assert {run.run_id for run in tagged} == {run.run_id for run in done.runs}
    assert daemon.world.all_states() == {"current"}
    # The second one waited for the first, and finds nothing left to do.
    assert daemon.now(second).note == f"It waits for the ingestion {first.ingestion_id}."
    daemon.look()
    assert (daemon.now(second).state, daemon.now(second).runs) == ("succeeded", ())


def test_other_sensors_leave_the_work_to_an_ingestion_that_is_watched(daemon: Ingesting) -> None:
    """Two sensors whose ticks come together would otherwise ask for the same runs."""
    made = requested(daemon.requests)
    # While no tick looks for ingestions, as with its sensor switched off, the other sensors work as ever.
    assert daemon.tick("watch_corpus").requests
    daemon.look()
    found = daemon.tick("watch_corpus")
    assert not found.requests
    assert f"The ingestion {made.ingestion_id} is under way" in found.reason


def test_a_document_that_fails_is_named_and_everything_else_is_done(daemon: Ingesting) -> None:
    daemon.world.summarizer.failing = {"flour": refusal()}
    made = requested(daemon.requests)
    daemon.carry_out()
    found = daemon.now(made)
    assert (found.state, found.failed) == ("failed", 1)
    assert (found.failures[0].document, found.failures[0].stage) == ("bread/flour.md", "summaries")
    assert found.note == "Failed: 1. Everything else is up to date."
    assert daemon.world.all_states() == {"current", "failed", "blocked"}


def test_work_that_runs_leave_undone_ends_the_ingestion_and_is_tried_by_the_next_one(daemon: Ingesting) -> None:
    """An ingestion that asked for the same runs for ever would never end; one that trusted earlier failures would do nothing."""
    daemon.world.summarizer.failing = {"flour": refusal(transient=True)}
    made = requested(daemon.requests)
    daemon.carry_out()
    found = daemon.now(made)
    assert found.state == "failed"
    assert "left work undone" in found.note
    daemon.world.summarizer.failing = {}
    again = requested(daemon.requests)
    assert "seed_documents" in daemon.carry_out()
    assert daemon.now(again).state == "succeeded"


def test_an_ingestion_that_no_run_was_started_for_is_cancelled_at_once(daemon: Ingesting) -> None:
    made = requested(daemon.requests)
    cancelled = daemon.requests.cancel(made.ingestion_id)
    assert cancelled is not None
    assert (cancelled.state, cancelled.ended is None) == ("cancelled", False)
    assert daemon.look().reason == "No ingestion is requested."
    # What has ended stays as it is.
    assert daemon.requests.cancel(made.ingestion_id) == cancelled


def test_a_cancellation_during_the_tick_that_asks_for_the_first_run_starts_no_run(
    daemon: Ingesting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick plans for seconds; a run that it asked for afterwards would be paid although the ingestion is cancelled."""
    made = requested(daemon.requests)
    everything = ingestions.Tick.everything

    def cancelled_meanwhile(tick: ingestions.Tick, *given: object, **named: object) -> object:
        found = everything(tick, *given, **named)  # type: ignore[arg-type]
        daemon.requests.cancel(made.ingestion_id)
        return found

    monkeypatch.setattr(ingestions.Tick, "everything", cancelled_meanwhile)
    assert not daemon.look().requests
    assert daemon.now(made).state == "cancelled"


def test_an_ingestion_of_a_folder_that_is_gone_ends_with_the_reason(daemon: Ingesting) -> None:
    made = requested(daemon.requests)
    daemon.world.corpus.rename(daemon.world.corpus.with_name("elsewhere"))
    daemon.look()
    found = daemon.now(made)
    assert found.state == "failed"
    assert str(daemon.world.corpus) in found.failures[0].reason


def test_requests_are_bounded_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    requests = IngestionRequests(tmp_path / "home" / "ingestions.db")
    assert requests.newest() == []
    assert requests.looked() is False
    assert not (tmp_path / "home").exists()
    for _ in range(MOST_OPEN):
        requested(requests)
    assert requests.request() is None
    newest = requests.newest(limit=2)
    assert len(newest) == 2
    assert newest[0].ingestion_id == requests.open()[-1].ingestion_id
    requests.path.write_bytes(b"not a database" * 1000)
    for suffix in ("-wal", "-shm"):
        requests.path.with_name(requests.path.name + suffix).unlink(missing_ok=True)
    with pytest.raises(StoreUnavailableError, match=r"ingestions\.db cannot be used"):
        requests.newest()
