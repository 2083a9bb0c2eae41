"""`seedbank forget` with a document whose requests wait in a batch of the provider."""

from pathlib import Path

import pytest

from seed_assets.seeding.seed_report import DONE, WAITING
from tests.support.batch_server import BatchServer
from tests.support.canaries import canaries
from tests.support.model_corpus import asking, plant
from tests.support.seed_process import seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

CANARY = "zqvx"
NAME = f"{CANARY}file.md"
_MOST_ROUNDS = 8


def test_what_a_batch_answers_after_the_erasure_is_not_kept(tmp_path: Path) -> None:
    """The answers of the others, which come in the same batch, are paid for and have to be used."""
    corpus, home = plant(tmp_path / "corpus", 4, short=True), tmp_path / "home"
    (corpus / NAME).write_text(
        f"# The {CANARY}title\n\nThe {CANARY}text says that bees dance to tell others of flowers.\n"
    )
    with BatchServer() as server:
        server.faults.holds = True
        asked = asking(server.url, LLM__BATCH="always", CORPUS=str(corpus))
        environment = {name: value for name, value in asked.items() if "EMBEDDINGS" not in name}
        first = seedbank(home, "seed", "--json", environment=environment)
        assert (last := first).status == WAITING, first.printed()
        (corpus / NAME).unlink()
        done = seedbank(home, "forget", NAME, "--yes", "--json", environment=environment)
        assert done.status == 1, done.printed()
        assert "in batches of the provider" in " ".join(done.report["left"])
        assert canaries(home, CANARY) == set()
        for _ in range(_MOST_ROUNDS):
            server.finish()
            server.faults.holds = True
            last = seedbank(home, "seed", "--json", environment=environment)
            if last.status != WAITING:
                break
        assert last.status == DONE, last.printed()
        assert not server.paid_twice()
        assert canaries(home, CANARY) == set()
        assert seedbank(home, "cache", "verify", environment=environment).status == 0
