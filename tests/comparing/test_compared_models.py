"""Models compared through a server: requests are actions, the judge is asked in both orders, and nothing is asked twice.

What belongs here: what is asked, how often, and what follows from answers. What does not: comparisons without a model
(test_comparing), and what is printed (tests/cli/test_compare).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from resources.settings.assignments import settings_with
from resources.settings.config import load_settings
from seed_assets.comparing.comparing import CompareOptions, compare
from seed_assets.comparing.comparison import Comparison
from seed_assets.seeding.seeding import SeedOptions, seed
from seed_assets.session.session import Session
from seed_assets.wiring import build_pipeline
from tests.support.model_answers import Call, between, fitting_answer
from tests.support.model_server import ModelServer
from tests.support.plain_runs import without_dagster

pytestmark = pytest.mark.integration

SUBJECTS = ("herons", "lanterns", "orchards", "quarries", "tramways", "windmills")
# By the name of a model, how it ends its summaries.
ENDINGS = {"writer-1": "It was dull.", "poet": "It was bright."}


def answering(prefer: Callable[[str, str], str]) -> Callable[[Call], str]:
    """Answers to all requests. prefer: the two texts -> which of them the judge calls better."""

    def answer(call: Call) -> str:
        first, second = between(call, "first"), between(call, "second")
        if first:
            return json.dumps({"reason": "It says more.", "better": prefer(first, second)})
        said = fitting_answer(call)
        if '"summary"' in said[:12]:
            text = " ".join(json.loads(said)["summary"].split()[:12])
            return json.dumps({"summary": f"{text}. {ENDINGS[call.body['model']]}"})
        return said

    return answer


def bright(first: str, second: str) -> str:
    """Prefers what the poet wrote."""
    return "tie" if ("bright" in first) == ("bright" in second) else "first" if "bright" in first else "second"


class Home:
    """A corpus and a home whose models are asked at a server."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.corpus, self.home = folder / "corpus", folder / "home"
        self.corpus.mkdir()
        for subject in SUBJECTS:
            text = f"The {subject} of the valley were counted in the spring of 1911, and again in the autumn of 1912."
            (self.corpus / f"{subject}.txt").write_text(f"{subject.title()}\n\n{text}\n")
        prices = folder / "prices.toml"
        named = "".join(f'"{name}" = {{ input = 100.0, output = 300.0 }}\n' for name in (*ENDINGS, "judge"))
        prices.write_text(f"as_of = 2026-01-01\n[models]\n{named}")
        llm = {"provider": "openai", "base_url": f"{server.url}/v1", "model": "writer-1", "api_key": "sk-x", "rpm": 0}
        self.settings: dict[str, Any] = {
            "corpus": self.corpus,
            "home": self.home,
            "prices": prices,
            "llm": llm,
            "clusters": {"smallest": 50},
            "judge": {"model": "judge"},
        }
        self.order: list[str] = []

    @contextmanager
    def session(self, *assignments: str) -> Iterator[Session]:
        with without_dagster(self.order):
            settings = settings_with(load_settings(self.settings), assignments)
            session = Session(settings, build_pipeline(settings))
            try:
                yield session
            finally:
                session.close()

    def seed(self, *assignments: str) -> int:
        with self.session(*assignments) as session:
            return seed(session, SeedOptions()).exit_code

    def compare(self, *assignments: str, **options: Any) -> Comparison:
        with self.session() as session, self.session(*assignments) as changed:
            return compare(session, changed, CompareOptions(**options))


@contextmanager
def home_at(folder: Path, prefer: Callable[[str, str], str]) -> Iterator[tuple[Home, ModelServer]]:
    with ModelServer(answer=answering(prefer)) as server:
        home = Home(folder, server)
        # Settings are read by their environment too, and the file of the project must not count.
        assert home.seed() == 0
        yield home, server


def subjects_of(calls: list[Call]) -> set[str]:
    """The documents that some requests are about."""
    return {subject for subject in SUBJECTS for call in calls if any(subject in text for text in call.texts())}


@pytest.mark.usefixtures("own_environment")
def test_adopting_a_model_after_a_comparison_asks_nothing_about_the_sample(tmp_path: Path) -> None:
    """The whole point: what was tried is paid for."""
    with home_at(tmp_path, bright) as (home, server):
        before = len(server.calls)
        found = home.compare("llm.model=poet", sample=2)
        tried = {one.document.removesuffix(".txt") for one in found.documents}
        asked = server.calls[before:]
        assert subjects_of(asked) == tried
        assert found.paid.requests == len(asked)
        assert found.paid.usd > found.paid_to_judge.usd > 0
        # Each document: a summary, concepts and a verdict by the changed settings, and two preferences.
        assert [call.body["model"] for call in asked].count("poet") == 4
        assert found.judge == "judge"
        assert found.paid_to_judge.requests == 4
        again = len(server.calls)
        assert home.compare("llm.model=poet", sample=2).paid.requests == 0
        assert len(server.calls) == again
        assert home.seed("llm.model=poet") == 0
        adopting = server.calls[again:]
        assert subjects_of(adopting) == set(SUBJECTS) - tried
        assert home.seed("llm.model=poet") == 0
        assert len(server.calls) == again + len(adopting)


@pytest.mark.usefixtures("own_environment")
def test_the_judge_is_asked_in_both_orders_and_counted(tmp_path: Path) -> None:
    with home_at(tmp_path, bright) as (home, server):
        before = len(server.calls)
        found = home.compare("summaries.model=poet", sample=3, stages=("summaries", "judgements"))
        pairs = [
            (between(call, "first"), between(call, "second"))
            for call in server.calls[before:]
            if between(call, "first")
        ]
        assert len(pairs) == 6
        assert all((second, first) in pairs for first, second in pairs)
        assert dict(found.preferred()) == {"now": 3, "swayed": 0}
        assert {one.preference.reasons for one in found.documents if one.preference} == {
            ("It says more.", "It says more.")
        }
        assert found.projection is not None
        assert found.projection.documents == 3
        assert 0 < found.projection.expected.usd < found.projection.at_most.usd
        quiet = len(server.calls)
        assert home.compare("summaries.model=poet", sample=3, preferences=False).judge == ""
        assert len(server.calls) == quiet


@pytest.mark.usefixtures("own_environment")
def test_a_judge_that_goes_by_the_order_prefers_neither(tmp_path: Path) -> None:
    """Models often prefer the text that they read first."""
    with home_at(tmp_path, lambda first, second: "first") as (home, _):
        found = home.compare("llm.model=poet", sample=2)
        assert dict(found.preferred()) == {"tie": 2, "swayed": 2}
        equal = home.compare("judge.accept=0.5", sample=2)
        # The texts are the same, so there is nothing to prefer.
        assert equal.paid_to_judge.requests == 0
        assert [one.preference for one in equal.documents] == [None, None]


@pytest.mark.usefixtures("own_environment")
def test_a_wrong_answer_about_one_document_fails_for_this_document(tmp_path: Path) -> None:
    def broken(call: Call) -> str:
        if call.body["model"] == "poet" and any("herons" in text for text in call.texts()):
            return "I would rather not."
        return answering(bright)(call)

    with ModelServer(answer=broken) as server:
        home = Home(tmp_path, server)
        assert home.seed() == 0
        found = home.compare("llm.model=poet", sample=6)
        failed = {one.document for one in found.documents if one.stages[0].failure}
        assert failed == {"herons.txt"}
        assert found.failed
        assert len(found.both("summaries")) == 5
        with home.session() as session:
            assert {state for states in session.plan().states().values() for state in states.values()} == {"current"}


@pytest.mark.usefixtures("own_environment")
def test_no_request_is_sent_that_the_budget_does_not_cover(tmp_path: Path) -> None:
    with home_at(tmp_path, bright) as (home, server):
        before = len(server.calls)
        found = home.compare("llm.model=poet", sample=2, max_usd=0.001)
        assert len(server.calls) == before
        assert "does not cover the next request" in found.stopped
        assert {stage.untried for one in found.documents for stage in one.stages} == {True}
