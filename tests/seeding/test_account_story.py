"""The account of a home adds up: to what the server has counted, and to what everything would cost without the store.

What belongs here: one story of a kill, a resumption, an edit, another model, results that are kept, and answers that cannot be
used. What does not: what single figures mean (tests/memo, tests/io_managers/store/test_account).
"""

import json
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.support.model_answers import Call
from tests.support.model_corpus import asking, essay
from tests.support.model_faults import Fault, Held, WrongSchema
from tests.support.model_server import ModelServer
from tests.support.seed_process import PLAIN, Finished, Seed, seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

# Dollars per million tokens, so high that a cent is a few tokens.
PRICES = {"writer-1": (300.0, 900.0), "writer-2": (700.0, 500.0), "judge-1": (200.0, 400.0), "vectors-1": (100.0, 0.0)}
WRONG = "This sentence makes the model answer wrongly."
IN_FLIGHT = 4


@dataclass(eq=False)
class Till:
    """A model server that adds up what its answers cost."""

    usd: float = 0.0
    requests: int = 0
    wasted_usd: float = 0.0
    hold_after: int | None = None
    held: int = 0
    gate: threading.Event = field(default_factory=threading.Event)

    def script(self, call: Call, earlier: int) -> Fault:
        """What a call meets: it is held, answered wrongly, or answered."""
        if self.hold_after is not None and call.is_chat:
            if self.hold_after == 0:
                self.held += 1
                return Held(self.gate)
            self.hold_after -= 1
        about_wrong = "<document>" in str(call.body) and WRONG in str(call.body)
        return _PaidWrong(self) if call.is_chat and about_wrong else _Paid(self)

    def pay(self, payload: dict[str, Any], *, wasted: bool) -> None:
        """Count an answer with the figures that it says itself."""
        usage, (asked, answered) = payload["usage"], PRICES[payload["model"]]
        usd = (usage["prompt_tokens"] * asked + usage.get("completion_tokens", 0) * answered) / 1e6
        self.usd += usd
        self.requests += 1
        self.wasted_usd += usd if wasted else 0.0


@dataclass(frozen=True)
class _Paid(Fault):
    till: Till
    valid: ClassVar[bool] = True

    def alter(self, call: Call, payload: dict[str, Any]) -> None:
        self.till.pay(payload, wasted=False)


@dataclass(frozen=True)
class _PaidWrong(WrongSchema):
    till: Till

    def alter(self, call: Call, payload: dict[str, Any]) -> None:
        self.till.pay(payload, wasted=True)


def test_spent_and_saved_add_up_to_what_everything_would_cost_without_the_store(tmp_path: Path) -> None:
    """What no run visited was not counted as saved, and what was found inside of a result was forgotten afterwards."""
    prices = tmp_path / "prices.toml"
    rows = "\n".join(f'"{name}" = {{ input = {asked}, output = {said} }}' for name, (asked, said) in PRICES.items())
    prices.write_text(f"as_of = 2026-01-01\n[models]\n{rows}\n")
    corpus, home = tmp_path / "corpus", tmp_path / "home"
    corpus.mkdir()
    for number in range(9):
        (corpus / f"{number}.md").write_text(f"---\nshelf: {'ab'[number % 2]}\n---\n{essay(number, 4)}\n")
    till = Till()
    without_store = 0.0
    with ModelServer(till.script, dimensions=64) as server:
        common = {
            "PRICES": str(prices),
            "LLM__IN_FLIGHT": str(IN_FLIGHT),
            "JUDGE__MODEL": "judge-1",
            "CLUSTERS__TYPES": '["field:shelf"]',
        }

        def environment(**more: str) -> dict[str, str]:
            return asking(server.url, **common, **more)

        def step(*, status: int = 0, **more: str) -> Finished:
            """Seed, and seed the same documents from nothing: what the seed would have cost without the store."""
            nonlocal without_store
            done = seed(home, corpus, program=PLAIN, environment=environment(**more))
            assert done.status == status, done.printed()
            scratch = tmp_path / "scratch"
            before = till.usd
            fresh = seed(scratch, corpus, program=PLAIN, environment=environment(**more))
            assert fresh.status == status, fresh.printed()
            without_store += till.usd - before
            till.usd = before
            shutil.rmtree(scratch)
            return done

        # A kill in the middle of the summaries.
        till.hold_after = 5
        with Seed(home, "seed", "--corpus", str(corpus), "--json", program=PLAIN, environment=environment()) as running:
            assert running.wait_until(lambda: till.held >= IN_FLIGHT)
            running.kill()
        till.hold_after = None
        till.gate.set()
        without_store += till.usd
        paid_before_kill, requests_before_kill = till.usd, till.requests
        assert account(home)["spent"] == pytest.approx(paid_before_kill, abs=1e-6)

        # It is resumed: what was paid before the kill is saved, each result once.
        step()
        resumed = account(home)
        assert resumed["saved"] == pytest.approx(paid_before_kill, abs=1e-6)
        assert resumed["saved_requests"] == requests_before_kill
        # A seed with nothing to do saves nothing.
        assert seed(home, corpus, program=PLAIN, environment=environment()).report["runs"] == []
        assert account(home) == resumed

        # One document is edited.
        (corpus / "3.md").write_text((corpus / "3.md").read_text() + "\nOne more sentence was added here.\n")
        step()
        # Another model writes the summaries.
        step(SUMMARIES__MODEL="writer-2")
        found = account(home)
        assert found["spent"] == pytest.approx(till.usd, abs=1e-6)
        assert found["spent"] + found["saved"] == pytest.approx(without_store, abs=0.005)
        # The first one comes back, but the summaries of the second one are kept; a document is new.
        (corpus / "new.md").write_text(f"---\nshelf: a\n---\n{essay(50, 4)}\n")
        kept = seed(home, corpus, program=PLAIN, environment=environment(SUMMARIES__WHEN_MODEL_CHANGES="keep"))
        assert kept.status == 0, kept.printed()
        assert kept.report["stages"]["summaries"]["computed"] == 1
        spent_on_kept = account(home)["spent"]

        # What it answers about two documents cannot be used; all others are finished.
        for number in (60, 61):
            (corpus / f"wrong-{number}.md").write_text(f"---\nshelf: b\n---\n{WRONG} {essay(number, 4)}\n")
        wasted_before = till.wasted_usd
        failed = seed(home, corpus, program=PLAIN, environment=environment(SUMMARIES__WHEN_MODEL_CHANGES="keep"))
        assert failed.status == 1, failed.printed()
        wasted = till.wasted_usd - wasted_before
        assert wasted > 0

        found = account(home)
        assert found["spent"] == pytest.approx(till.usd, abs=1e-6)
        assert found["wasted"] == pytest.approx(wasted, abs=1e-6)
        assert found["spent"] > spent_on_kept
        for by in ("day", "stage", "model", "day,stage,model"):
            assert account(home, by) == pytest.approx(found, abs=1e-5), by


def account(home: Path, by: str = "stage,model") -> dict[str, float]:
    """The sums of what `cache stats` says."""
    done = seedbank(home, "cache", "stats", "--json", "--by", by, program=PLAIN)
    assert done.status == 0, done.printed()
    models = json.loads(done.output)["models"]
    return {
        "spent": sum(found["usd"] for found in models),
        "wasted": sum(found["wasted"]["usd"] for found in models),
        "requests": sum(found["requests"] for found in models),
        "saved": sum(found["saved"]["usd"] for found in models),
        "saved_requests": sum(found["saved"]["requests"] for found in models),
        "hits": sum(found["hits"] for found in models),
    }
