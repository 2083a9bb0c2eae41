"""What costs nothing is done though the budget is spent; what is kept is kept; what nobody pays for is not priced."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources.errors import ConfigurationError, DocumentError, StoppedError
from seed_assets.engine.stage_errors import named_error
from seed_assets.graph.pipeline import Pipeline
from seed_assets.memo.budget import Budget
from tests.support.model_corpus import asking, plant
from tests.support.model_server import ModelServer
from tests.support.pipelines import World, essay
from tests.support.seed_process import COMMAND, PLAIN, Finished, seed, seedbank

DOCUMENTS = 12
# The same words in no other document than that of this number.
WORD = "zirconium"


@contextmanager
def priced(tmp_path: Path) -> Iterator[tuple[ModelServer, Path, dict[str, str]]]:
    """A server, a corpus, and settings by which texts cost and vectors are made here."""
    corpus = plant(tmp_path / "corpus", DOCUMENTS)
    prices = tmp_path / "prices.toml"
    prices.write_text('as_of = 2026-01-01\n[models]\n"writer-1" = { input = 100.0, output = 300.0 }\n')
    with ModelServer(dimensions=64) as server:
        yield (
            server,
            corpus,
            asking(
                server.url,
                EMBEDDINGS__PROVIDER="wordllama",
                PRICES=str(prices),
                LLM__MAX_OUTPUT_TOKENS="500",
                LLM__CONTEXT_TOKENS="4000",
                LLM__IN_FLIGHT="2",
                CLUSTERS__SMALLEST="3",
            ),
        )


def counts(done: Finished) -> dict[str, int]:
    """Stage -> documents that were computed."""
    return {name: stage["computed"] for name, stage in done.report["stages"].items()}


LIMITS: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "--max-cost": (("--max-cost", "4"), {}, "--max-cost"),
    "run": ((), {"SEEDBANK_BUDGET__RUN_USD": "4"}, "budget.run_usd"),
    "period": ((), {"SEEDBANK_BUDGET__PERIOD_USD": "4"}, "budget.period_usd"),
    "nothing": (("--max-cost", "0.001"), {}, "--max-cost"),
}


@pytest.mark.integration
@pytest.mark.parametrize("limit", LIMITS)
def test_after_a_budget_is_spent_all_that_is_free_is_done_in_the_same_seed(limit: str, tmp_path: Path) -> None:
    """Chunks, vectors and the tables of a thousand documents waited for the money for their summaries."""
    arguments, more, setting = LIMITS[limit]
    # One of them is seeded as users do; what is paid for in the others does not depend on Dagster.
    program = COMMAND if limit == "--max-cost" else PLAIN
    with priced(tmp_path) as (server, corpus, environment):
        last = sorted(corpus.iterdir())[-1]
        last.write_text(last.read_text()[:2_000] + f"\n\nThe {WORD} vessel is kept in the last room of all.\n")
        home = tmp_path / "home"
        done = seed(home, corpus, *arguments, environment=environment | more, program=program)
        assert done.status == 3, done.printed()
        assert sum(stage["usd"] for stage in done.report["stages"].values()) <= 4
        computed = counts(done)
        assert {computed[name] for name in ("extracted_text", "chunks", "embeddings", "lance_chunks")} == {DOCUMENTS}
        assert computed["summaries"] < DOCUMENTS
        assert computed["search_index"] == 1
        assert done.report["failures"] == []
        found = seedbank(home, "search", WORD, "--json", environment=environment)
        assert json.loads(found.output)[0]["document"] == last.name
        # Only what can help is said to.
        stopped = done.report["stopped"]
        assert setting in stopped["remedy"]
        others = {"--max-cost", "budget.run_usd", "budget.period_usd"} - {setting}
        assert not any(other in stopped["remedy"] for other in others)
        assert ("next request alone" in stopped["remedy"]) == (limit == "nothing")
        calls = len(server.calls)
        again = ("seed", "--corpus", str(corpus), *arguments)
        printed = seedbank(home, *again, environment=environment | more, program=program)
        assert printed.status == 3
        assert stopped["remedy"][:20] in printed.output or limit == "period"
        if limit in ("nothing", "period"):
            assert len(server.calls) - calls <= 2 * DOCUMENTS
        whole = seed(home, corpus, environment=environment, program=program)
        assert whole.status == 0, whole.printed()
        assert counts(whole)["chunks"] == counts(whole)["embeddings"] == 0


@pytest.mark.slow
def test_what_was_paid_for_goes_to_the_tables_though_the_rest_is_not(empty_world: World) -> None:
    """The summaries that there are were in no table before the last was paid for."""
    world = empty_world
    for number in range(34):
        world.write(f"more/{number}.txt", essay(f"subject{number}", paragraphs=1))
    world.summarizer.usd = 0.10
    stopped = world.seed(max_usd=0.35)
    assert stopped.report.exit_code == 3
    paid = stopped.calls["summaries"]
    assert 0 < paid < 40
    assert len(world.documents_in("documents")) == paid
    assert len(world.documents_in("chunks")) == len(world.documents_in("concepts")) == 40
    assert stopped.report.stages["judgements"].computed == paid
    assert stopped.report.remedy.startswith("Run again to go on")
    # The rest is what was missing, and no more.
    finished = world.seed()
    assert finished.report.exit_code == 0
    assert finished.calls["summaries"] == 40 - paid
    assert not {"extracted_text", "chunks", "embeddings", "concepts"} & finished.calls.keys()
    assert world.all_states() == {"current"}


@pytest.mark.parametrize(
    ("make", "usd", "says", "not_says"),
    [
        (lambda: Budget(1.0), 2.0, ["--max-cost", "$2.0000"], ["Run again", "period"]),
        (lambda: Budget(1.0, run_setting="budget.run_usd"), 2.0, ["budget.run_usd"], ["--max-cost"]),
        (lambda: Budget(period_usd=1.0), 2.0, ["budget.period_usd", "$2.0000"], ["run again", "--max-cost"]),
        (lambda: Budget(period_usd=1.0, spent_since=lambda _: 0.9), 0.5, ["budget.period_usd", "run again"], ["--max"]),
        (lambda: Budget(3.0, period_usd=1.0), 2.0, ["budget.period_usd"], ["--max-cost"]),
        (lambda: Budget(period_usd=1.0, spent_since=lambda _: 0.9), 0.5, ["last 1 day."], ["1 days"]),
    ],
    ids=["run", "setting", "period", "spent", "both", "day"],
)
def test_what_can_help_is_said_and_nothing_that_cannot(
    make: Callable[[], Budget], usd: float, says: list[str], not_says: list[str]
) -> None:
    budget = make()

    async def ask(amount: float) -> None:
        async with budget.reserve(amount):
            pass

    with pytest.raises(Exception, match="does not cover"):
        asyncio.run(ask(usd))
    assert all(word in budget.remedy() for word in says), budget.remedy()
    assert not any(word in budget.remedy() for word in not_says), budget.remedy()
    asyncio.run(ask(0.0))  # what costs nothing is never refused


def test_another_run_is_not_suggested_where_it_would_do_nothing() -> None:
    assert Budget(0.0).spent_reason()
    assert Budget(0.0).remedy().startswith("Raise --max-cost")
    assert Budget(1.0).remedy().startswith("Run again")

    def spent_with(period_usd: float) -> Budget:
        budget = Budget(1.0, period_usd=period_usd)
        budget.spend(0.9)

        async def ask() -> None:
            async with budget.reserve(0.3):
                pass

        with pytest.raises(StoppedError):
            asyncio.run(ask())
        return budget

    assert spent_with(2.0).remedy().startswith("Run again")
    assert "budget.period_usd" in spent_with(1.1).remedy()
    assert not spent_with(1.1).remedy().startswith("Run again")


@pytest.mark.integration
def test_verdicts_are_kept_when_all_that_is_kept_has_another_model(tmp_path: Path) -> None:
    """The model that would write a rejected summary once more is in the verdict's key, and was a reason to pay for all."""
    corpus, home = plant(tmp_path / "corpus", 5), tmp_path / "home"
    keep = {f"{name}__WHEN_MODEL_CHANGES": "keep" for name in ("SUMMARIES", "CONCEPTS", "JUDGE")}
    with ModelServer(dimensions=64) as server:
        first = asking(server.url, CLUSTERS__SMALLEST="3", **keep)
        other = asking(server.url, CLUSTERS__SMALLEST="3", LLM__MODEL="writer-2", **keep)
        assert seed(home, corpus, environment=first).status == 0
        calls = len(server.calls)
        plan = seedbank(home, "plan", "--json", environment=other).report
        assert {name: stage["compute"] for name, stage in plan["stages"].items() if stage["compute"]} == {}
        done = seed(home, corpus, environment=other)
        assert (done.status, done.report["runs"], len(server.calls)) == (0, [], calls)
        # An edited document is judged again since it was edited, and that is the reason shown.
        edited = sorted(corpus.iterdir())[0]
        edited.write_text(edited.read_text() + "\n\nOne more sentence stands here, about harbours and mills.\n")
        assert seed(home, corpus, "--stages", "summaries,concepts", environment=other).status == 0
        plan = seedbank(home, "plan", "--json", environment=other).report
        reasons = plan["stages"]["judgements"]["reasons"]
        assert sum(reasons.values()) == 1
        assert not any("judge" in reason or "reviser" in reason for reason in reasons), reasons
        # Without the rule the judge is named, and all are judged by the new one.
        again = asking(
            server.url, CLUSTERS__SMALLEST="3", LLM__MODEL="writer-2", **keep | {"JUDGE__WHEN_MODEL_CHANGES": ""}
        )
        plan = seedbank(home, "plan", "--json", environment=again).report
        assert any(reason.startswith("judge: ") for reason in plan["stages"]["judgements"]["reasons"])


@pytest.mark.integration
def test_where_nothing_may_be_computed_nothing_is_said_of_its_price(tmp_path: Path) -> None:
    """`--cache-only` asks nobody, and said what asking would cost."""
    with priced(tmp_path) as (server, corpus, environment):
        home = tmp_path / "home"
        assert seed(home, corpus, environment=environment).status == 0
        calls = len(server.calls)
        (corpus / "added.txt").write_text("A note on lanterns and harbours that nobody has summarised. " * 9)
        arguments = ("--corpus", str(corpus), "--cache-only", "--rebuild-sink")
        printed = seedbank(home, "seed", *arguments, environment=environment)
        assert printed.status == 1, printed.printed()
        assert "rows of at most" in printed.errors
        assert "not in the store and are left out" in printed.errors
        assert not any(word in printed.output + printed.errors for word in ("requests", "tokens", "dollars", "$"))
        assert len(server.calls) == calls


MACHINE: dict[str, tuple[Exception, bool, str]] = {
    "package": (ModuleNotFoundError("No module named 'h2'"), True, "make setup"),
    "disk": (OSError(28, "No space left on device", "/data/x"), True, "space"),
    "files": (OSError(24, "Too many open files"), True, "ulimit -n"),
    "memory": (MemoryError(), False, "memory"),
    "file": (FileNotFoundError(2, "No such file or directory", "/nowhere/model.bin"), False, "/nowhere/model.bin"),
    "rights": (PermissionError(13, "Permission denied", "/data/x"), False, "/data/x"),
    "pipe": (BrokenPipeError(32, "Broken pipe"), False, "Broken pipe"),
}


@pytest.mark.parametrize("case", MACHINE)
@pytest.mark.slow
def test_what_the_machine_refuses_is_not_blamed_on_the_stage(case: str, empty_world: World) -> None:
    """Raising a stage's version does not help against a full disk."""
    error, whole, word = MACHINE[case]
    world = empty_world

    async def broken(*_: Any, **__: Any) -> Any:
        raise error

    def change(pipeline: Pipeline) -> Pipeline:
        return pipeline.with_stage(replace(pipeline.stages["chunks"], function=broken))

    world.change = change
    report = world.seed().report
    failures = [failure for failure in report.failures if failure.stage == "chunks"]
    assert report.exit_code == 1
    assert {failure.document == "" for failure in failures} == {whole}
    assert len(failures) == (1 if whole else 6)
    assert all(word in f"{failure.reason} {failure.remedy}" for failure in failures)
    assert not any("version" in failure.remedy or "code" in failure.reason for failure in failures)
    # What does not need it is done, and after that all is.
    assert report.stages["summaries"].computed == 6
    world.change = lambda pipeline: pipeline
    assert world.seed().report.exit_code == 0


def test_a_fault_of_the_code_is_still_called_one() -> None:
    found = named_error(KeyError("x"), "chunks")
    assert isinstance(found, DocumentError)
    assert "raise its version" in found.remedy
    same = ConfigurationError("said")
    assert named_error(same, "chunks") is same
