"""What the daemon asks for by itself: ticks of the sensors and of the schedule, and the runs that follow from them.

What belongs here: ticks, evaluated as the daemon does, and what they lead to. What does not: the daemon itself
(test_dagster_surfaces), and what is to be done (the planner).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
import pytest

from event_log.home import open_instance
from resources.errors import ConfigurationError
from seed_assets.orchestration import step_results
from seed_assets.orchestration.asset_checks import CURRENT
from seed_assets.orchestration.code_location import build_definitions
from seed_assets.orchestration.partitions import DOCUMENTS as PARTITIONS
from seed_assets.orchestration.partitions import RANGE_END_TAG, RANGE_START_TAG
from seed_assets.orchestration.ticks import tick
from seed_assets.planning import plan as plans
from tests.conftest import DOCUMENTS
from tests.orchestration.test_truth import expected, run_from_elsewhere, shown
from tests.support.pipelines import EVERY_STAGE, SINKS, SOURCES, World, essay, refusal
from tests.support.staleness import not_fresh

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Tick:
    """What one tick of a sensor gave."""

    requests: list[dg.RunRequest]
    reason: str
    cursor: str | None


class Daemon:
    """Ticks and runs of one world in this process, with what the daemon keeps between them."""

    def __init__(self, world: World, instance: dg.DagsterInstance) -> None:
        self.world = world
        self.instance = instance
        self.cursors: dict[str, str | None] = {}

    @contextmanager
    def definitions(self) -> Iterator[dg.Definitions]:
        with self.world.session() as session:
            yield build_definitions(session.settings, session.runner())

    def tick(self, name: str = "watch_corpus") -> Tick:
        with self.definitions() as definitions:
            repository = definitions.get_repository_def()
            sensor = repository.get_sensor_def(name)
            context = dg.build_sensor_context(
                instance=self.instance, cursor=self.cursors.get(name), sensor_name=name, repository_def=repository
            )
            data = sensor.evaluate_tick(context)
        self.cursors[name] = data.cursor
        return Tick(list(data.run_requests or []), data.skip_message or "", data.cursor)

    def run(self, request: dg.RunRequest) -> bool:
        with self.definitions() as definitions:
            return (
                definitions.get_repository_def()
                .get_job(request.job_name or "seed_documents")
                .execute_in_process(
                    instance=self.instance,
                    asset_selection=list(request.asset_selection or []),
                    tags=dict(request.tags),
                    raise_on_error=False,
                    run_config=QUIET,
                )
                .success
            )

    def follow(self) -> list[str]:
        """Tick and run until nothing more follows from the documents; the jobs that were asked for."""
        jobs: list[str] = []
        while requests := self.tick("follow_documents").requests:
            for request in requests:
                assert self.run(request)
                jobs.append(request.job_name or "")
        return jobs

    def settle(self, most: int = 12) -> int:
        """Tick and run until nothing more is asked for; how many runs that took."""
        runs = 0
        for _ in range(most):
            asked = self.tick().requests
            for request in asked:
                self.run(request)
            followed = self.tick("follow_documents").requests
            for request in followed:
                self.run(request)
            runs += len(asked) + len(followed)
            if not asked and not followed:
                return runs
        raise AssertionError("it does not come to rest")


@pytest.fixture
def daemon(empty_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setenv("SEEDBANK_HOME", str(empty_world.home))
    _age(empty_world)
    with open_instance() as instance:
        yield Daemon(empty_world, instance)


def _age(world: World, seconds: float = 60) -> None:
    """All files were last changed so long ago."""
    then = time.time() - seconds
    for path in world.corpus.rglob("*.*"):
        os.utime(path, (then, then))


def test_a_corpus_is_seeded_by_ticks_alone(daemon: Daemon) -> None:
    (request,) = daemon.tick().requests

    assert (request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]) == (min(DOCUMENTS), max(DOCUMENTS))
    assert {key.to_user_string() for key in request.asset_selection or []} == {*SOURCES, *SINKS}
    assert daemon.run(request)
    # One step a tick, each made of the one before it.
    assert daemon.follow() == ["seed_clusters", "seed_corpus", "place_documents"]

    assert daemon.tick().reason.startswith("Nothing to do")
    assert daemon.tick("follow_documents").reason.startswith("Nothing to do")
    assert daemon.world.all_states() == {"current"}
    assert daemon.world.plan().maintenance == {}
    assert shown(daemon.world) == expected(daemon.world)
    # What the ticks left behind is what a seed would have: it finds nothing to do, without loading Dagster.
    assert daemon.world.seed().report.runs == []


def test_ticks_clear_what_is_called_stale_though_it_is_current(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of a release that gave a whole run one version: without a seed they would be called stale for good."""
    with monkeypatch.context() as before:
        before.setattr(step_results, "set_partition_versions", lambda *_: False)
        before.setattr(plans, "_SHOWN_SINCE", b"")
        daemon.settle()
        assert run_from_elsewhere(daemon.world, ["extracted_text"], "reefs/fish.txt")
        assert ("chunks", "reefs/fish.txt") in not_fresh(daemon.world)

    monkeypatch.setattr(tick, "_LONGEST_PAUSE_SECONDS", 0)  # the same documents were asked for just now
    daemon.settle()

    assert not_fresh(daemon.world) == {}
    assert daemon.tick("follow_documents").reason.startswith("Nothing to do")
    assert daemon.world.seed().report.runs == []


def test_only_what_changed_is_asked_for(daemon: Daemon) -> None:
    daemon.settle()
    daemon.world.write("reefs/corals.txt", essay("polyps"))
    daemon.world.write("reefs/new.txt", essay("anemones"))
    _age(daemon.world)

    ranges = {(r.tags[RANGE_START_TAG], r.tags[RANGE_END_TAG]) for r in daemon.tick().requests}

    assert ranges == {("reefs/corals.txt", "reefs/new.txt")}
    assert daemon.settle() <= 5, "documents, and once each: clusters, the corpus, two ranges of places"
    assert daemon.world.all_states() == {"current"}


def test_removed_documents_leave_the_tables(daemon: Daemon) -> None:
    daemon.settle()
    (daemon.world.corpus / "reefs/fish.txt").unlink()

    daemon.settle()

    assert daemon.world.documents_in("documents") == set(DOCUMENTS) - {"reefs/fish.txt"}
    assert "reefs/fish.txt" not in daemon.instance.get_dynamic_partitions(PARTITIONS.name or "")
    assert daemon.world.seed().report.runs == []


def test_a_tick_over_a_folder_that_vanished_says_so_and_changes_nothing(daemon: Daemon) -> None:
    daemon.settle()
    moved = daemon.world.corpus.rename(daemon.world.corpus.with_name("elsewhere"))

    with pytest.raises(ConfigurationError, match="There is no corpus folder"):
        daemon.tick()
    daemon.world.corpus.mkdir()
    with pytest.raises(ConfigurationError, match="6 of 6 documents are gone"):
        daemon.tick()
    daemon.world.corpus.rmdir()
    moved.rename(daemon.world.corpus)

    assert daemon.tick().reason.startswith("Nothing to do")
    assert daemon.world.all_states() == {"current"}


def test_a_file_that_is_still_written_is_left_until_it_rests(daemon: Daemon) -> None:
    daemon.settle()
    growing = daemon.world.write("reefs/growing.txt", "one line\n")

    waiting = daemon.tick()
    assert waiting.requests == []
    assert "reefs/growing.txt" in waiting.reason
    growing.write_text("one line\nand another\n")
    assert daemon.tick().requests == []  # it changed since
    (request,) = daemon.tick().requests  # it did not
    assert request.tags[RANGE_START_TAG] == "reefs/growing.txt"


def test_a_file_being_rewritten_holds_none_of_the_others_back(daemon: Daemon) -> None:
    daemon.settle()
    daemon.world.write("rails/points.md", essay("levers"))
    daemon.world.write("bread/flour.md", essay("rye"))
    daemon.world.write("reefs/fish.txt", essay("eels"))
    _age(daemon.world)
    (daemon.world.corpus / "rails/points.md").touch()

    requests = daemon.tick().requests
    for request in requests:
        daemon.run(request)

    assert daemon.world.states("rails/points.md")["summaries"] == "stale"
    assert daemon.world.states("bread/flour.md")["summaries"] == "current"
    assert daemon.world.states("reefs/fish.txt")["summaries"] == "current"


def test_a_clock_that_was_put_back_delays_a_file_by_one_tick(daemon: Daemon) -> None:
    _age(daemon.world, seconds=-86_400)  # as files look that were written before it

    assert daemon.tick().requests == []
    assert len(daemon.tick().requests) == 1


def test_a_failed_document_holds_none_back_and_is_not_asked_for_again(daemon: Daemon) -> None:
    daemon.world.write("broken/empty.txt", b" ")
    daemon.world.summarizer.failing = {"flour": refusal()}
    _age(daemon.world)

    daemon.settle()

    states = daemon.world.plan().states()
    assert states["bread/starter.txt"] == dict.fromkeys(EVERY_STAGE, "current")
    assert shown(daemon.world) == expected(daemon.world)
    assert daemon.tick().requests == []


def test_work_that_a_run_left_undone_is_asked_for_again_but_not_at_once(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.world.summarizer.failing = {"flour": refusal(transient=True)}
    for _ in range(3):
        for request in daemon.tick().requests:
            daemon.run(request)
    pausing = daemon.tick()
    assert pausing.requests == []
    assert "left this work undone" in pausing.reason

    real = time.time
    monkeypatch.setattr("seed_assets.orchestration.ticks.tick.time.time", lambda: real() + 4_000)
    again = daemon.tick().requests
    assert len(again) == 1
    assert len({request.run_key for request in again}) == 1
    monkeypatch.setattr("seed_assets.orchestration.ticks.tick.time.time", lambda: real() - 86_400)
    daemon.tick()  # the files, too, seem to have been changed just now
    assert len(daemon.tick().requests) == 1


def test_nothing_is_asked_for_while_a_run_or_a_seed_is_under_way(daemon: Daemon) -> None:
    daemon.settle()
    daemon.world.write("reefs/corals.txt", essay("polyps"))
    _age(daemon.world)
    run = daemon.instance.create_run_for_job(_trivial, status=dg.DagsterRunStatus.STARTED)
    assert run.run_id in daemon.tick().reason
    assert run.run_id in daemon.tick("follow_documents").reason
    daemon.instance.report_run_failed(run)

    assert len(daemon.tick().requests) == 1


@dg.op
def _nothing() -> None:
    pass


@dg.job
def _trivial() -> None:
    _nothing()


def test_the_nightly_schedule_reads_every_file(daemon: Daemon) -> None:
    daemon.settle()
    path = daemon.world.corpus / "reefs/fish.txt"
    before = path.stat()
    text = path.read_text()
    path.write_text(text.replace("noon", "dusk"))  # of the same length
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    with daemon.definitions() as definitions:
        schedule = definitions.get_repository_def().get_schedule_def("nightly")
        data = schedule.evaluate_tick(dg.build_schedule_context(instance=daemon.instance))

    (request,) = data.run_requests or []
    assert request.tags[RANGE_START_TAG] == request.tags[RANGE_END_TAG] == "reefs/fish.txt"


def test_the_check_says_when_the_search_index_is_behind(daemon: Daemon) -> None:
    def latest() -> bool:
        key = dg.AssetCheckKey(dg.AssetKey("search_index"), CURRENT)
        record = daemon.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        assert record.event is not None
        return bool(record.event.asset_check_evaluation.passed)  # type: ignore[union-attr]

    (request,) = daemon.tick().requests
    daemon.run(request)
    assert not latest()
    daemon.follow()
    assert latest()
    daemon.world.write("reefs/corals.txt", essay("polyps"))
    _age(daemon.world)
    for request in daemon.tick().requests:
        daemon.run(request)
    assert not latest()
    daemon.world.seed()
    assert latest()
