"""A text that is judged, sent back once, and judged again: which is kept, who is asked, and what a kill loses."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from io_managers.store.store import Store
from resources.endpoints.llm import InvalidOutputError
from resources.errors import DocumentError
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.judging.judging import SimilarityJudge, Thresholds, verdict_on
from seed_assets.core.judging.model_judging import ModelJudge
from seed_assets.core.judging.model_revising import ModelReviser
from seed_assets.core.judging.revision import NoReviser, Reviser, judged, problems_of
from seed_assets.core.judging.verdicts import Claim, Judgement, SourceText, Status, Verdict
from seed_assets.memo.reuse import Reuse
from tests.support.model_answers import Call, Mark, between, claims_in, judging
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

THRESHOLDS = Thresholds()
EMBEDDER = WordLlamaEmbedder()
GOOD = "Cod was fished for centuries. Quotas came late. Crosbie ended it. Thousands lost their work."
COD = SourceText("cod.txt", "The cod", f"{GOOD} All of that was in Newfoundland, an island in the Atlantic.")
WRONG = f"{GOOD} Whales ate the rest."
MARKS: Mapping[str, Mark] = {"Whales": "contradicted"}


class ScriptedJudge:
    """Knows how many claims of a text, and which concepts, are supported; counts what it is asked."""

    name = "scripted"

    def __init__(self, texts: Mapping[str, str], concept: Status = "supported") -> None:
        """texts: by text, a letter for each of its claims: s(upported), c(ontradicted), n(ot found); `!` raises."""
        self.texts = texts
        self.concept: Status = concept
        self.asked: list[str] = []

    @property
    def identity(self) -> dict[str, str]:
        return {"judge": self.name}

    async def judge(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse) -> Verdict:
        self.asked.append(text)
        letters = self.texts[text]
        if "!" in letters:
            raise DocumentError("the judge failed.", "Ask another.")
        statuses: dict[str, Status] = {"s": "supported", "c": "contradicted", "n": "not found"}
        claims = [Claim(f"claim {place} of {text}", statuses[letter]) for place, letter in enumerate(letters)]
        claims += [Claim(name, self.concept, "concept") for name in concepts]
        return verdict_on(claims, THRESHOLDS, self.name)


class ScriptedReviser:
    """Always writes the same text, and remembers what it was given."""

    def __init__(self, text: str | Exception | None) -> None:
        self.text = text
        self.received: list[tuple[str, list[str], list[SourceText]]] = []

    @property
    def identity(self) -> dict[str, str]:
        return {"reviser": "scripted"}

    async def revise(
        self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse
    ) -> str | None:
        self.received.append((text, list(problems), list(sources)))
        if isinstance(self.text, Exception):
            raise self.text
        return self.text


class Killed(BaseException):
    """As by a signal."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with contextlib.closing(Store(tmp_path_factory.mktemp("store"))) as opened:
        yield opened


@pytest.fixture
def walk(store: Store) -> Callable[..., Judgement]:
    def of(
        judge: Any, reviser: Reviser, summary: str = "old", concepts: Sequence[str] = (), title: str = ""
    ) -> Judgement:
        return asyncio.run(judged(summary, concepts, [COD], judge, reviser, Reuse(store), title=title))

    return of


def test_what_is_accepted_is_left_alone(walk: Callable[..., Judgement]) -> None:
    judge, reviser = ScriptedJudge({"old": "sssssssssn"}), ScriptedReviser("new")
    found = walk(judge, reviser, title="A title")
    assert (found.summary, found.needs_review, found.first, found.title) == ("old", False, None, "A title")
    assert found.verdict.score == 0.9
    assert judge.asked == ["old"]
    assert reviser.received == []


def test_a_summary_that_falls_short_is_revised_once_with_the_reasons(walk: Callable[..., Judgement]) -> None:
    judge, reviser = ScriptedJudge({"old": "sscn", "new": "sss"}), ScriptedReviser("new")
    found = walk(judge, reviser, concepts=("cod",), title="A title")
    assert (found.summary, found.needs_review, found.title) == ("new", False, "A title")
    assert found.verdict.score == 1.0
    assert found.first is not None
    assert found.first.score == 0.6
    assert judge.asked == ["old", "new"]
    ((text, problems, sources),) = reviser.received
    assert (text, sources) == ("old", [COD])
    assert len(problems) == 2
    assert "claim 2 of old" in problems[0]
    assert "claim 3 of old" in problems[1]


def test_what_is_better_but_still_falls_short_is_kept_and_flagged(walk: Callable[..., Judgement]) -> None:
    found = walk(ScriptedJudge({"old": "sn", "new": "sssn"}), ScriptedReviser("new"))
    assert (found.summary, found.needs_review, found.verdict.score) == ("new", True, 0.75)
    assert found.first is not None
    assert found.first.score == 0.5


@pytest.mark.parametrize("letters", ["sscc", "snnn", "nnnn"], ids=["as-good", "worse", "rejected"])
def test_what_became_no_better_is_not_taken(letters: str, walk: Callable[..., Judgement]) -> None:
    judge = ScriptedJudge({"old": "ssnn", "new": letters})
    found = walk(judge, ScriptedReviser("new"))
    assert (found.summary, found.needs_review) == ("old", True)
    assert found.verdict == found.first
    assert judge.asked == ["old", "new"]


def test_what_is_rejected_is_flagged_at_once(walk: Callable[..., Judgement]) -> None:
    """Another text by one who got most of it wrong is another request for nothing."""
    judge, reviser = ScriptedJudge({"old": "snn"}), ScriptedReviser("new")
    found = walk(judge, reviser)
    assert (found.summary, found.needs_review, found.first) == ("old", True, None)
    assert (judge.asked, reviser.received) == (["old"], [])


@pytest.mark.parametrize(
    "reviser", [NoReviser(), ScriptedReviser(None), ScriptedReviser(" old\n")], ids=("nobody", "silent", "the-same")
)
def test_a_summary_without_a_revision_is_flagged(reviser: Reviser, walk: Callable[..., Judgement]) -> None:
    judge = ScriptedJudge({"old": "sn"})
    found = walk(judge, reviser)
    assert (found.summary, found.needs_review, found.verdict.decision, found.first) == ("old", True, "revise", None)
    assert judge.asked == ["old"]


def test_a_text_is_not_sent_back_for_its_concepts(walk: Callable[..., Judgement]) -> None:
    reviser = ScriptedReviser("new")
    found = walk(ScriptedJudge({"old": "sss"}, concept="not found"), reviser, concepts=("a", "b"))
    assert (found.summary, found.needs_review, found.verdict.score) == ("old", True, 0.6)
    assert reviser.received == []


@pytest.mark.parametrize("said", ["", "***"])
def test_a_text_that_says_nothing_any_more_is_not_taken(said: str, walk: Callable[..., Judgement]) -> None:
    """Nothing of it is wrong; its score is the best there is."""
    found = walk(ScriptedJudge({"old": "sn", said: ""}), ScriptedReviser(said))
    assert (found.summary, found.needs_review, found.verdict.score) == ("old", True, 0.5)


def test_a_summary_that_says_nothing_is_accepted(walk: Callable[..., Judgement]) -> None:
    """A document without words has an empty summary."""
    found = walk(SimilarityJudge(EMBEDDER), NoReviser(), summary="")
    assert (found.summary, found.needs_review, found.verdict.claims) == ("", False, ())


def test_a_failure_of_judge_or_reviser_is_a_failure_of_the_document(walk: Callable[..., Judgement]) -> None:
    failed = DocumentError("the reviser failed.", "Ask another.")
    for judge, reviser in (
        (ScriptedJudge({"old": "!"}), ScriptedReviser("new")),
        (ScriptedJudge({"old": "sn"}), ScriptedReviser(failed)),
        (ScriptedJudge({"old": "sn", "new": "!"}), ScriptedReviser("new")),
    ):
        with pytest.raises(DocumentError, match="failed"):
            walk(judge, reviser)


@given(old=st.text("scn", max_size=12), new=st.text("scn", max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_is_found_the_verdict_is_of_the_text_that_is_kept(store: Store, old: str, new: str) -> None:
    judge = ScriptedJudge({"old": old, "new": new})
    found = asyncio.run(judged("old", (), [COD], judge, ScriptedReviser("new"), Reuse(store)))
    assert all(found.summary in claim.text for claim in found.verdict.claims)
    assert len(found.verdict.claims) == len(judge.texts[found.summary])
    assert found.needs_review == (found.verdict.decision != "accept")
    assert found.first is None or (found.verdict.score or 0) >= (found.first.score or 0)
    assert len(judge.asked) <= 2


def test_problems_say_what_is_wrong_and_what_the_sources_say() -> None:
    claims = (
        Claim("All is well.", "supported", "claim", "All is well."),
        Claim("Quotas came in 1993.", "contradicted", "claim", "Quotas came in 1992.", "cod.txt", 0, 20),
        Claim("Whales ate it.", "not found"),
        Claim("Seals ate it.", "not found", "claim", "Seals swam by.", "cod.txt", 0, 14),
        Claim("whales", "not found", "concept"),
    )
    assert problems_of(Verdict("revise", 0.5, claims, "similarity")) == [
        "“Quotas came in 1993.” is contradicted by the sources: they say “Quotas came in 1992.”",
        "“Whales ate it.” is not found in the sources",
        "“Seals ate it.” is not found in the sources; what comes nearest is “Seals swam by.”",
    ]


def walked(world: ModelWorld, reviser: Reviser | None = None) -> Coroutine[Any, Any, Judgement]:
    """WRONG by a new run, with models as judge and as reviser."""
    judge = ModelJudge(world.model(), THRESHOLDS, EMBEDDER)
    return judged(WRONG, (), [COD], judge, reviser or ModelReviser(world.model(), 40, EMBEDDER), world.reuse())


def test_models_judge_revise_and_judge_again_in_three_requests(tmp_path: Path) -> None:
    with ModelServer(answer=judging(MARKS)) as server, ModelWorld(tmp_path, server.url) as world:
        found = world.run(walked(world))
        assert world.run(walked(world)) == found
        first, revised, second = server.calls
    assert (found.summary, found.needs_review, found.verdict.decision) == (GOOD, False, "accept")
    assert found.first is not None
    assert [claim.text for claim in found.first.claims if claim.status == "contradicted"] == ["Whales ate the rest."]
    assert (len(claims_in(first)), len(claims_in(second))) == (5, 4)
    assert "Whales ate the rest." in between(revised, "problems")
    assert "Cod was fished" not in between(revised, "problems").partition("they say")[0]
    assert msgspec.json.decode(msgspec.json.encode(found), type=Judgement) == found


@pytest.mark.parametrize("survived", [1, 2])
def test_what_was_answered_before_a_kill_is_not_asked_again(survived: int, tmp_path: Path) -> None:
    """Between the judge and the reviser, and between the reviser and the second judge."""
    with ModelServer(answer=judging(MARKS)) as server, ModelWorld(tmp_path, server.url) as world:

        class KilledReviser(ModelReviser):
            async def revise(
                self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse
            ) -> str | None:
                if survived == 2:
                    await super().revise(text, problems, sources, reuse)
                raise Killed

        with pytest.raises(Killed):
            world.run(walked(world, KilledReviser(world.model(), 40, EMBEDDER)))
        assert len(server.calls) == survived
        assert world.run(walked(world)).summary == GOOD
        assert len(server.calls) == 3


def test_a_judge_whose_quotations_are_nowhere_fails_one_document_alone(tmp_path: Path) -> None:
    with (
        ModelServer(answer=judging({"Whales": "misquoted"})) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        with pytest.raises(InvalidOutputError) as caught:
            world.run(walked(world))
        judge = ModelJudge(world.model(), THRESHOLDS, EMBEDDER)
        other = world.run(judged(GOOD, (), [COD], judge, NoReviser(), world.reuse()))
    assert "is in none of the passages" in caught.value.reason
    assert other.verdict.decision == "accept"


def test_an_unchanged_revision_leaves_the_summary_to_a_person(tmp_path: Path) -> None:
    """The model repeats what is wrong in other words."""

    def said(call: Call) -> str:
        return judging(MARKS)(call) if claims_in(call) else f'{{"text": "{GOOD} Whales, they say, ate what remained."}}'

    with ModelServer(answer=said) as server, ModelWorld(tmp_path, server.url) as world:
        found = world.run(walked(world))
        assert len(server.calls) == 3
    assert (found.summary, found.needs_review) == (WRONG, True)


def test_offline_a_document_and_its_invented_end(store: Store) -> None:
    judge = SimilarityJudge(EMBEDDER, THRESHOLDS)
    bad = f"{GOOD} Quarterly profits of the airline rose to 93 million dollars. Penguins live in Antarctica."
    for text, review in ((GOOD, False), (bad, True)):
        found = asyncio.run(judged(text, (), [COD], judge, NoReviser(), Reuse(store)))
        assert (found.summary, found.needs_review, found.first) == (text, review, None)
