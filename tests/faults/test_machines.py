"""A home whose runs are done by workers with homes of their own: PostgreSQL, RabbitMQ and an object store, and what is killed.

These are the processes of deploy/, without containers. The tables and the requests must be those of one machine.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machines import Machines, machines
from tests.support.model_corpus import asking, plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.object_store import ObjectStore
from tests.support.seed_process import query, rows, seed

pytestmark = [pytest.mark.integration, pytest.mark.long]

DOCUMENTS = 24
# As many as a stage has at once.
IN_FLIGHT = 16
_RESUMED = "SELECT 1 FROM event_logs WHERE event LIKE '%%Resuming run%%'"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("machines") / "corpus", DOCUMENTS, short=True)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(always(Latency(0.05)), dimensions=64) as serving:
        yield serving


@pytest.fixture
def environment(server: ModelServer) -> Iterator[dict[str, str]]:
    with ObjectStore() as store:
        bucket = store.create("results")
        yield {**asking(server.url), **store.environment, "SEEDBANK_STORE__REMOTE": f"{bucket}/papers"}


@pytest.fixture
def two(tmp_path: Path, corpus: Path, environment: dict[str, str]) -> Iterator[Machines]:
    with machines(tmp_path, corpus, environment) as made:
        yield made


def sent_again(server: ModelServer) -> list[str]:
    return [digest for digest, times in Counter(call.digest for call in server.calls).items() if times > 1]


def check(two: Machines, server: ModelServer, corpus: Path, tmp_path: Path) -> None:
    """What the machines made is what one machine makes; it sends the same requests."""
    sent = {call.digest for call in server.calls}
    calls = len(server.calls)
    alone = seed(tmp_path / "alone", corpus, environment=asking(server.url))
    assert alone.status == 0, alone.printed()
    assert {call.digest for call in server.calls[calls:]} == sent
    assert rows(two.home) == rows(tmp_path / "alone")


def test_the_runs_of_a_killed_worker_go_on_elsewhere(
    two: Machines, server: ModelServer, corpus: Path, tmp_path: Path
) -> None:
    """The broker loses its connections in the same moment. No document is lost, and only what was in flight is asked again."""
    server.script = always(Latency(1.0))
    for name in ("one", "two"):
        two.begin_worker(name)
    two.begin_daemon()
    asked = two.ask()
    both = [tmp_path / name / "store" / "store.db" for name in ("one", "two")]
    two.until(lambda: all(path.exists() and published(path) for path in both), lambda: str(asked()))
    two.kill("one")
    two.broker.cut()
    killed = time.monotonic()
    two.until(lambda: bool(two.query(_RESUMED)), lambda: str(asked()))
    assert time.monotonic() - killed < 120
    done = two.finish(asked)
    assert done.state == "succeeded", f"{done}\n{two.log('daemon')}\n{two.log('two')}"
    assert len(sent_again(server)) <= IN_FLIGHT
    server.script = always(None)
    check(two, server, corpus, tmp_path)


def test_a_database_that_is_started_again_costs_no_result(
    two: Machines, server: ModelServer, corpus: Path, tmp_path: Path
) -> None:
    """A run may fail by it. Then it is asked for again, and everything that was finished is found."""
    server.script = always(Latency(0.3))
    for name in ("one", "two"):
        two.begin_worker(name)
    two.begin_daemon()
    asked = two.ask()
    two.until(lambda: len(server.calls) > DOCUMENTS + 4, lambda: str(asked()))
    two.restart_database()
    done = two.finish(asked)
    if done.state != "succeeded":
        done = two.finish(two.ask())
    assert done.state == "succeeded", f"{done}\n{two.log('daemon')}\n{two.log('two')}"
    assert sent_again(server) == []
    server.script = always(None)
    check(two, server, corpus, tmp_path)


def published(store: Path) -> int:
    """How many results a store has published; none as long as its database is being made."""
    return sum(count for (count,) in query(store, "SELECT count(*) FROM refs"))
