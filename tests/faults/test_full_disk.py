"""A disk that is full stops the spending: nothing more is sent, what was answered is kept, and the report is printed."""

import asyncio
import json
import random
from pathlib import Path

import pytest

from io_managers.store.errors import StoreUnavailableError
from io_managers.store.sqlite import database as database_module
from io_managers.store.sqlite.connection import connect
from resources.errors import StoppedError
from seed_assets.orchestration.dagster_runs import DagsterRuns
from tests.disk_full_moments import MountingRefusedError, fill_and_go_on, small_disk
from tests.support.model_corpus import plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld
from tests.support.pipelines import World
from tests.support.seed_process import seed

IN_FLIGHT = 4


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk does not take is put aside where this test looks after it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.integration
@pytest.mark.long
@pytest.mark.parametrize("left_kb", [0, 128, 1024])
def test_a_disk_that_fills_under_paid_work_loses_nothing_and_next_to_nothing_is_paid_twice(
    left_kb: int, tmp_path: Path
) -> None:
    corpus = plant(tmp_path / "corpus", 12)
    try:
        with small_disk(tmp_path / "disk") as disk:
            filled = fill_and_go_on(left_kb << 10, 6, corpus, disk)
    except MountingRefusedError as error:
        pytest.skip(str(error))
    assert not filled.wrong, "\n".join(filled.wrong)


@pytest.mark.slow
def test_after_the_first_commit_that_fails_nothing_is_sent_and_what_was_in_flight_is_not_paid_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite is made to believe that no page is left, so that this needs no small disk."""

    def limited(*arguments):
        connection = connect(*arguments)
        connection.execute("PRAGMA max_page_count = 45")
        return connection

    texts = [random.Random(number).randbytes(1500).hex() for number in range(60)]

    async def all_of(world: ModelWorld) -> list[object]:
        reuse = world.reuse()
        return await asyncio.gather(*(world.asked(text, reuse) for text in texts), return_exceptions=True)

    with ModelServer(always(Latency(0.02))) as server:
        with monkeypatch.context() as patch:
            patch.setattr(database_module, "connect", limited)
            with ModelWorld(tmp_path, server.url, in_flight=IN_FLIGHT) as world:
                outcomes = world.run(all_of(world))
                committed = len(world.actions())
                kept = world.store.reserve.kept
        sent = len(server.calls)
        assert 0 < committed < sent < len(texts)
        # One failed, and those that were on their way meanwhile.
        assert sent <= committed + IN_FLIGHT
        assert committed + kept == sent
        assert {type(found) for found in outcomes} == {str, StoreUnavailableError, StoppedError}
        with ModelWorld(tmp_path, server.url, in_flight=IN_FLIGHT) as world:
            assert world.run(all_of(world)) == [found for found in world.run(all_of(world)) if isinstance(found, str)]
        assert len(server.calls) == len(texts)
        assert set(server.valid_answers.values()) == {1}


@pytest.mark.integration
def test_a_seed_whose_store_cannot_be_used_prints_its_object_with_reason_and_remedy(tmp_path: Path) -> None:
    store = tmp_path / "home" / "store" / "store.db"
    store.parent.mkdir(parents=True)
    store.write_bytes(random.Random(1).randbytes(50_000))
    corpus = plant(tmp_path / "corpus", 2)

    refused = seed(tmp_path / "home", corpus)

    assert refused.status == 1, refused.printed()
    report = json.loads(refused.output)
    assert report["exit_code"] == 1
    [failure] = report["failures"]
    assert str(store) in failure["reason"]
    assert "seedbank cache repair" in failure["remedy"]
    assert "seedbank cache repair" in refused.errors


def test_a_seed_that_ends_in_dagsters_own_records_reports_what_was_done_before(
    empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = DagsterRuns.run

    def fails_at_last(self: DagsterRuns, *arguments):
        run(self, *arguments)
        raise StoreUnavailableError("Dagster's records cannot be used: the disk is full.", "Free some space.")

    monkeypatch.setattr(DagsterRuns, "run", fails_at_last)

    seeded = empty_world.seed()

    assert seeded.report.exit_code == 1
    [failure] = seeded.report.failures
    assert (failure.document, failure.stage) == ("", "")
    assert "Dagster's records" in failure.reason
    assert failure.remedy == "Free some space."
    assert seeded.report.stages["summaries"].computed
