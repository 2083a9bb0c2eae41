"""A home whose runs are done by workers with homes of their own: PostgreSQL, RabbitMQ and an object store, and what is killed.

These are the processes of deploy/, without containers. The tables and the requests must be those of one machine.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machines import Machines, machines
from tests.support.model_corpus import asking, plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.object_store import ObjectStore
from tests.support.seed_process import rows, seed

pytestmark = [pytest.mark.integration, pytest.mark.long]

DOCUMENTS = 24
# As many as a stage has at once.
IN_FLIGHT = 16


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
        yield {**asking(server.url), **store.environment, "SEEDBANK_STORE__REMOTE": f"{bucket}/papers", "CI": ""}


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


def test_workers_do_the_documents_and_the_home_does_the_rest(
    two: Machines, server: ModelServer, corpus: Path, tmp_path: Path
) -> None:
    """Each document is computed once, in one of the homes, and gathered before clusters are found."""
    for name in ("one", "two"):
        two.begin_worker(name)
    two.begin_daemon()
    done = two.finish(two.ask())
    assert done.state == "succeeded", f"{done}\n{two.log('daemon')}\n{two.log('one')}"
    assert sent_again(server) == []
    homes = [len(rows_of_store(tmp_path / name)) for name in ("one", "two")]
    assert min(homes) > 0, "each worker had a range"
    check(two, server, corpus, tmp_path)


def rows_of_store(home: Path) -> list[object]:
    from tests.support.seed_process import query

    return query(home / "store" / "store.db", "SELECT partition FROM refs WHERE stage = 'summaries'")
