"""What Dagster shows while a stage runs, and after it was killed in the middle: never more than is published.

What belongs here: events of partitions before the end of their step. What does not: how often a stage is looked at
(tests/engine/test_stage_watch), and what a page shows after a seed (test_truth).
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from seed_assets.core.summaries.summarizing import Summary
from seed_assets.engine import stage_watch
from seed_assets.memo.reuse import Reuse
from seed_assets.orchestration import early_results
from tests.conftest import DOCUMENTS
from tests.orchestration.test_automation import Daemon, _age
from tests.orchestration.test_truth import expected, in_dagster, shown
from tests.support.model_corpus import asking, plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.pipelines import CountingSummarizer, World, refusal
from tests.support.seed_process import Seed, query, seed
from tests.support.staleness import not_fresh

pytestmark = pytest.mark.integration

LAST = "reefs/fish.txt"
PATIENCE_SECONDS = 60.0


def materialized(home: Path, stage: str = "summaries") -> Counter[str]:
    """Document -> how often Dagster has recorded it as materialized in this stage."""
    rows = query(
        home / "dagster" / "history" / "runs" / "index.db",
        "SELECT partition FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
        f""" AND asset_key = '["{stage}"]'""",
    )
    return Counter(row[0] for row in rows)


def logged(world: World) -> list[str]:
    """The messages of the logs of all runs."""

    def read(instance: dg.DagsterInstance) -> list[str]:
        return [entry.user_message for run in instance.get_runs() for entry in instance.all_logs(run.run_id)]

    return in_dagster(world, read)


def published(home: Path, stage: str = "summaries") -> dict[str, str]:
    """Document -> the digest of what is published of it in this stage."""
    store = home / "store" / "store.db"
    return dict(query(store, f"SELECT partition, content_digest FROM refs WHERE stage = '{stage}'"))


@dataclass
class Patient(CountingSummarizer):
    """One that summarises its last document only when something has happened, which `until` says."""

    until: Callable[[], bool] = lambda: True
    then: Callable[[], None] = lambda: None

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """See CountingSummarizer. Raises TimeoutError if it does not happen."""
        if Path(LAST).stem in text:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not self.until():
                    await asyncio.sleep(0.02)
            self.then()
        return await super().summarize(text, title, reuse)


def others_are_shown(home: Path) -> bool:
    return set(materialized(home)) == set(DOCUMENTS) - {LAST}


@pytest.fixture
def watched(empty_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home that is looked at all the time."""
    monkeypatch.setattr(stage_watch, "LOOK_SECONDS", 0.05)
    return empty_world


def test_documents_are_shown_while_another_one_is_still_waited_for_and_none_twice(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of 212 documents takes a minute, and until then Dagster shows none of them, and its log says nothing."""
    monkeypatch.setattr(stage_watch, "LINE_SECONDS", 0.05)
    watched.summarizer = Patient(until=lambda: others_are_shown(watched.home))

    assert watched.seed().report.exit_code == 0

    assert materialized(watched.home) == Counter(DOCUMENTS)
    assert any(line.startswith("summaries 5/6  ") for line in logged(watched)), logged(watched)
    assert shown(watched) == expected(watched)
    assert not_fresh(watched) == {}
    assert watched.seed().report.runs == []


def test_documents_shown_before_another_one_failed_are_shown_once(watched: World) -> None:
    watched.summarizer = Patient(until=lambda: others_are_shown(watched.home), failing={"fish": refusal()})

    assert watched.seed().report.exit_code == 1

    # The second pass visits them once more, for the stages after this one.
    assert set(materialized(watched.home).values()) <= {1, 2}
    assert LAST not in materialized(watched.home)
    assert shown(watched) == expected(watched)


def test_what_cannot_be_recorded_in_mid_run_is_recorded_at_the_end(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of Dagster's database must not cancel requests that are on their way and paid for."""
    looked: list[int] = []

    def refuse(*_: object) -> None:
        looked.append(1)
        raise OSError("the database is locked")

    monkeypatch.setattr(early_results, "emit_materializations", refuse)
    watched.summarizer = Patient(until=lambda: bool(looked))

    assert watched.seed().report.exit_code == 0

    assert materialized(watched.home) == Counter(DOCUMENTS)
    assert shown(watched) == expected(watched)


def test_a_release_that_would_record_them_twice_shows_them_at_the_end(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_results, "can_record_early", lambda _: False)

    assert watched.seed().report.exit_code == 0

    assert materialized(watched.home) == Counter(DOCUMENTS)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(world: World, prepare: Callable[[], None]) -> None:
    """Seed in a process of its own that is killed in the middle of the stage."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            world.seed()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("by_ticks", [False, True], ids=["a seed", "ticks"])
def test_what_was_finished_before_a_kill_is_shown_after_the_next(
    by_ticks: bool, watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> None:
        watched.summarizer = Patient(until=lambda: others_are_shown(watched.home), then=die)

    killed(watched, prepare)
    others = set(DOCUMENTS) - {LAST}
    assert set(materialized(watched.home)) == others == set(published(watched.home))
    before = published(watched.home)
    watched.summarizer = CountingSummarizer()

    if by_ticks:
        monkeypatch.setenv("SEEDBANK_HOME", str(watched.home))
        _age(watched)
        from event_log.home import open_instance

        with open_instance() as instance:
            daemon = Daemon(watched, instance)
            (request,) = daemon.tick().requests
            closed = {document: stages["summaries"] for document, stages in shown(watched).items()}
            assert closed == dict.fromkeys(others, "materialized") | {LAST: "failed"}
            assert daemon.run(request)
            daemon.follow()
    else:
        assert watched.seed().report.exit_code == 0

    assert len(watched.summarizer.texts) == 1, "only the one that was not finished is computed"
    assert before.items() <= published(watched.home).items()
    assert shown(watched) == expected(watched)
    assert not_fresh(watched) == {}


def test_what_was_published_but_not_shown_when_the_process_was_killed_is_shown_by_the_next_seed(watched: World) -> None:
    """The order is: published, then shown. A kill in between must not leave a partition that is never shown."""

    record = early_results.emit_materializations

    def die_in_summaries(context: Any, records: Any) -> None:
        if context.asset_key.to_user_string() == "summaries":
            die()
        record(context, records)  # On a slow machine earlier stages are looked at as well.

    def prepare() -> None:
        early_results.emit_materializations = die_in_summaries
        watched.summarizer = Patient(until=lambda: False)

    killed(watched, prepare)
    assert materialized(watched.home) == {}
    before = published(watched.home)
    assert 0 < len(before) < len(DOCUMENTS)
    watched.summarizer = CountingSummarizer()

    assert watched.seed().report.exit_code == 0

    assert len(watched.summarizer.texts) <= len(DOCUMENTS) - len(before)
    assert shown(watched) == expected(watched)


@pytest.mark.long
def test_a_seed_that_asks_a_slow_server_can_be_watched_and_killed(tmp_path: Path) -> None:
    """As users meet it: the command, a server that takes its time, `kill -9`, and the command once more."""
    home, corpus = tmp_path / "home", plant(tmp_path / "corpus", 24, short=True)
    with ModelServer(always(Latency(0.5)), dimensions=64) as server:
        environment = asking(server.url, LLM__IN_FLIGHT="2")
        with Seed(home, "seed", "--corpus", str(corpus), "--json", environment=environment) as running:
            assert running.wait_until(lambda: bool(materialized(home)))
            seen = materialized(home)
            assert seen.keys() <= published(home).keys()
            assert len(seen) < 24
            ended = running.kill()
        assert ended.status == -9
        before, asked = published(home), len(server.calls)

        after = seed(home, corpus, environment=asking(server.url))

    assert after.status == 0, after.printed()
    assert after.computed["summaries"] <= 24 - len(before)
    assert len(server.calls) > asked
    assert before.items() <= published(home).items()
    assert materialized(home).keys() == published(home).keys()
