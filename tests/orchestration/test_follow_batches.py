"""What Dagster shows of documents that wait for a batch, and the sensor that goes on with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest

from event_log.home import open_instance
from resources.settings.config import load_settings
from seed_assets.orchestration.partitions import DOCUMENTS
from seed_assets.session.session import Session
from tests.orchestration.test_automation import Daemon
from tests.support.batch_server import BatchServer
from tests.support.model_corpus import asking, plant

pytestmark = [pytest.mark.integration, pytest.mark.long]


class Asked:
    """A home whose summaries a model writes; Daemon needs no more of a World."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._corpus = plant(folder / "corpus", 6, short=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        session = Session(load_settings({"corpus": self._corpus, "home": self.home}))
        try:
            yield session
        finally:
            session.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    with BatchServer() as server:
        server.faults.holds = True
        for name, value in asking(server.url, LLM__BATCH='{"summaries": "always"}').items():
            if "EMBEDDINGS" not in name:
                monkeypatch.setenv(name, value)
        yield server


def test_documents_that_wait_are_not_failed_and_go_on_when_their_batch_has_ended(
    server: BatchServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Guards against waiting documents that Dagster shows as failed, and against documents that nobody goes on with."""
    world = Asked(tmp_path)
    monkeypatch.setenv("SEEDBANK_HOME", str(world.home))
    with open_instance() as instance:
        daemon = Daemon(cast(Any, world), instance)
        assert "No document waits" in daemon.tick("follow_batches").reason
        with world.session() as session:
            known = sorted(session.corpus.scan().documents)
        instance.add_dynamic_partitions("documents", known)
        (request,) = _whole(known)
        assert daemon.run(request), "a run over documents that wait is no failure"
        shown = instance.get_status_by_partition(dg.AssetKey("summaries"), known, DOCUMENTS) or {}
        assert [state.value if state else None for state in shown.values()].count(None) == len(known) - 1
        notes = instance.fetch_observations(dg.AssetKey("summaries"), limit=10).records
        assert len(notes) == len(known) - 1

        waiting = daemon.tick("follow_batches")
        assert not waiting.requests
        assert "have not ended" in waiting.reason
        server.finish()
        for request in daemon.tick("follow_batches").requests:
            assert daemon.run(request)
        daemon.tick("follow_batches")
        with world.session() as session:
            assert set(session.plan().stages["summaries"].states.values()) == {"current"}
            assert not session.store.batches.documents()
    assert not server.paid_twice()


def _whole(known: list[str]) -> list[dg.RunRequest]:
    tags = {"dagster/asset_partition_range_start": known[0], "dagster/asset_partition_range_end": known[-1]}
    return [dg.RunRequest(job_name="seed_documents", tags=tags)]
