"""Two hosts with homes of their own and one bucket, of which one is killed: nothing is lost, and nothing shared is paid again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from io_managers.sharing.attaching import RemoteRules, attach
from io_managers.sharing.remote import Remote
from io_managers.sharing.segments.signatures import SigningKey, public_text
from io_managers.store.store import Store
from tests.support.model_corpus import asking, plant
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.object_store import ObjectStore
from tests.support.seed_process import Seed, seed

pytestmark = [pytest.mark.integration, pytest.mark.long]

DOCUMENTS = 12
KEY = SigningKey.parse("secret:" + "07" * 32)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with ObjectStore() as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        yield f"{store.create('shared-results')}/team"


def test_a_host_that_is_killed_loses_for_the_others_only_what_it_had_not_pushed(bucket: str, tmp_path: Path) -> None:
    """Also a cold clone without a key of the model: it sends no request at all."""
    corpus = plant(tmp_path / "corpus", DOCUMENTS, short=True)
    with ModelServer(always(Latency(0.4))) as server:
        environment = {
            name: value
            for name, value in asking(server.url, LLM__IN_FLIGHT="2").items()
            if not name.startswith("SEEDBANK_EMBEDDINGS")
        } | {"SEEDBANK_STORE__REMOTE": bucket, "SEEDBANK_STORE__SIGNING_KEY": KEY.text}
        watching = Watcher(tmp_path / "watcher", bucket)
        with Seed(tmp_path / "one", "seed", "--corpus", str(corpus), "--json", environment=environment) as running:
            reached = running.wait_until(lambda: len(server.calls) > 2 and watching.requests() > 0)
            killed = running.kill()
        assert reached, killed.printed()
        pushed, before = watching.requests(), len(server.calls)

        two = seed(tmp_path / "two", corpus, environment=environment)
        assert two.status == 0, two.printed()
        asked = server.calls[before:]
        every = {call.digest for call in server.calls}
        assert len(asked) == len({call.digest for call in asked}) == len(every) - pushed
        assert two.report["shared"]["adopted"] >= pushed

        calls = len(server.calls)
        one = seed(tmp_path / "one", corpus, environment=environment)
        assert one.status == 0, one.printed()
        reader = {name: value for name, value in environment.items() if "KEY" not in name}
        reader["SEEDBANK_STORE__TRUSTED_KEYS"] = f'["{public_text(KEY.public)}"]'
        clone = seed(tmp_path / "clone", corpus, environment=reader)
        assert clone.status == 0, clone.printed()
        assert len(server.calls) == calls
        assert clone.report["shared"]["pushed"] == 0
    for home in ("one", "two", "clone"):
        store = Store(tmp_path / home / "store")
        watching.attach(store)
        assert store.verify() == []
        store.close()
    watching.close()


class Watcher:
    """A reader that looks into the bucket."""

    def __init__(self, home: Path, bucket: str) -> None:
        self._store = Store(home)
        self._bucket = bucket
        self._remote = self.attach(self._store)

    def attach(self, store: Store) -> Remote:
        """Let a store read through to the bucket, as its home does."""
        return attach(store, RemoteRules(self._bucket, "read", (public_text(KEY.public),)))

    def requests(self) -> int:
        """How many answers of the model were pushed."""
        self._remote.pull()
        index = self._remote.index
        return sum(row.stage == "model_request" for row in index.rows_in_use(index.sizes()))

    def close(self) -> None:
        self._store.close()
