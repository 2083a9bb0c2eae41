"""Seeds whose requests go into batches: what waits, what goes on, and what the commands say of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seed_assets.seeding.seed_report import DONE, WAITING
from tests.support.batch_server import BatchServer
from tests.support.model_corpus import asking, plant
from tests.support.seed_process import PLAIN, Finished, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

PRICES = (
    'as_of = 2026-01-01\n[models]\n"writer-1" = { input = 2.0, output = 8.0, batch_input = 1.0, batch_output = 4.0 }\n'
)
DOCUMENTS = 6
# Summaries and concepts, judgements, cluster summaries, cluster judgements: more rounds than a seed of this corpus takes.
_MOST_ROUNDS = 8


class Batched:
    """A corpus, a home, and a server with batches that are held until a test lets them end."""

    def __init__(self, folder: Path, server: BatchServer) -> None:
        self.server = server
        self._home = folder / "home"
        self._corpus = plant(folder / "corpus", DOCUMENTS, short=True)
        prices = folder / "prices.toml"
        prices.write_text(PRICES)
        asked = asking(server.url, PRICES=str(prices), LLM__BATCH="always")
        self._environment = {name: value for name, value in asked.items() if "EMBEDDINGS" not in name}
        server.faults.holds = True

    def command(self, *words: str) -> Finished:
        """A command, without Dagster."""
        corpus = ("--corpus", str(self._corpus)) if words[0] in ("seed", "plan", "status") else ()
        return seedbank(self._home, *words, *corpus, program=PLAIN, environment=self._environment)

    def end_batches(self) -> None:
        """Let all batches end that were begun, and hold those that come."""
        self.server.finish()
        self.server.faults.holds = True


@pytest.fixture
def batched(tmp_path: Path) -> Iterator[Batched]:
    with BatchServer() as server:
        yield Batched(tmp_path, server)


def test_a_seed_ends_while_documents_wait_and_later_ones_go_on_until_all_is_done(batched: Batched) -> None:
    """Guards against a run that hangs for a day, against waiting documents that count as failed, and against paying twice."""
    plan = batched.command("plan", "--json").report
    assert plan["stages"]["summaries"]["batched"] == "always"
    assert plan["stages"]["summaries"]["in_batches"]["usd"] == pytest.approx(
        plan["stages"]["summaries"]["usd"] / 2, abs=1e-5
    )
    assert plan["stages"]["judgements"]["rounds"] > plan["stages"]["summaries"]["rounds"] > 0

    first = batched.command("seed", "--json")
    assert first.status == WAITING, first.printed()
    assert not first.report["failures"]
    assert first.report["stages"]["summaries"]["waiting"] > 0
    asked = len(batched.server.calls)

    again = batched.command("seed", "--json")
    assert (again.status, again.report["runs"]) == (WAITING, []), "nothing can be done, so nothing is begun"
    assert (len(batched.server.calls), len(batched.server.batches)) == (asked, 2)
    status = batched.command("status", "--json")
    assert status.status == 0
    assert status.report["counts"]["judgements"]["waiting"] == DOCUMENTS

    last = again
    for _ in range(_MOST_ROUNDS):
        batched.end_batches()
        last = batched.command("seed", "--json")
        if last.status != WAITING:
            break
    assert last.status == DONE, last.printed()
    assert not batched.server.paid_twice()
    assert batched.server.paid_in_batches > len([call for call in batched.server.calls if call.valid])
    assert not batched.command("batch", "list", "--json").report["batches"]


def test_the_rest_is_sent_alone_without_losing_what_a_batch_has_answered(batched: Batched) -> None:
    """Guards against paying the full price for requests that a cancelled batch has answered."""
    assert batched.command("seed", "--json").status == WAITING
    batched.server.faults.share = 0.5
    last = batched.command("seed", "--no-wait", "--json")
    assert last.status == DONE, last.printed()
    assert batched.server.paid_in_batches > 0
    assert not batched.server.paid_twice()


def test_batches_are_listed_shown_fetched_and_canceled(batched: Batched) -> None:
    """Guards against commands that fail when they are needed, or that forget requests."""
    assert batched.command("seed", "--json").status == WAITING
    listed = batched.command("batch", "list", "--json").report["batches"]
    assert {one["stage"] for one in listed} == {"summaries", "concepts"}
    first, second = (one["batch_id"] for one in listed)
    assert "in_progress" in batched.command("batch", "list").output
    assert batched.command("batch", "show", first[:6]).output.count(first) == 1
    assert batched.command("batch", "show", "zzz").status == 2
    assert "0 of 2 ended" in batched.command("batch", "fetch").output
    assert "1 of 1 ended" in batched.command("batch", "cancel", first).output
    batched.end_batches()
    assert "1 of 1 ended" in batched.command("batch", "fetch").output
    assert {one["state"] for one in batched.command("batch", "list", "--all", "--json").report["batches"]} == {"ended"}
    assert second in batched.command("batch", "list", "--all").output


def test_a_stage_that_does_not_exist_and_a_provider_without_batches_are_refused(batched: Batched) -> None:
    """Guards against a slip of the pen by which everything is paid at the full price."""
    wrong = seedbank(
        batched._home,
        *("plan", "--corpus", str(batched._corpus)),
        program=PLAIN,
        environment={**batched._environment, "SEEDBANK_LLM__BATCH": '{"sumaries": "always"}'},
    )
    assert wrong.status == 2
    assert "sumaries" in wrong.errors
