"""`seedbank plan`: counts, reasons and cost, before anything is run, and the same sentence before a seed.

What belongs here: what people and programs are shown. What does not: states and reasons themselves (test_planner).
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from resources.endpoints.llm import Usage
from seed_assets.engine.comparison import NEW
from seed_assets.planning.estimate import StageEstimate, estimate, total
from seed_assets.planning.plan import UPSTREAM, Plan
from seed_assets.seeding.seed_observer import SilentSeed
from seed_assets.seeding.seeding import SeedOptions, seed
from tests.conftest import DOCUMENTS
from tests.support.pipelines import ALONE, EVERY_STAGE, OF_CORPUS, PLACING, CountingSummarizer, World, essay, refusal

N = len(DOCUMENTS)


@dataclass
class PricedSummarizer(CountingSummarizer):
    """One that says beforehand what it will charge: a request, and a token for four characters."""

    def estimate(self, characters: int) -> Usage:
        return Usage(requests=1, input_tokens=characters // 4, output_tokens=50, usd=characters / 4 * 1e-6)


def estimates(world: World, **plan_options: Any) -> dict[str, StageEstimate]:
    with world.session() as session:
        plan = session.plan(**plan_options)
        return estimate(session.pipeline, session.store, plan, list(plan.stages), plan.documents)


def cli(world: World, *arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(
        app, ["plan", "--json", "--corpus", str(world.corpus), "--home", str(world.home), *arguments]
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_everything_has_to_be_computed_for_a_corpus_that_was_never_seeded(empty_world: World) -> None:
    shown = cli(empty_world)

    compute = {name: stage["compute"] for name, stage in shown["stages"].items()}
    assert {name: compute[name] for name in EVERY_STAGE} == dict.fromkeys(EVERY_STAGE, N)
    assert {name: compute[name] for name in OF_CORPUS} == {
        "clusters": 2,
        "cluster_summaries": 2 * (N // 3),
        "cluster_judgements": 2 * (N // 3),
        "lance_clusters": 2 * (N // 3),
        "corpus_map": 2,
        "categories": 1,
        "lance_categories": 1,
    }
    assert shown["stages"]["extracted_text"]["reasons"] == {NEW: N}
    assert not shown["stages"]["extracted_text"]["upper_bound"]
    assert shown["stages"]["chunks"]["upper_bound"]
    assert (shown["requests"], shown["tokens"], shown["usd"]) == (0, 0, 0)
    assert shown["corpus_stages"] == {"search_index": UPSTREAM}
    assert shown["gone"] == []


def test_documents_and_stages_can_be_named(empty_world: World) -> None:
    shown = cli(empty_world, "--documents", "reefs/*", "--stages", "chunks")
    assert {name: stage["compute"] for name, stage in shown["stages"].items()} == {"extracted_text": 2, "chunks": 2}


@pytest.mark.parametrize("arguments", [("--documents", "no/*"), ("--stages", "nothing")])
def test_a_selection_of_nothing_is_a_usage_error(empty_world: World, arguments: tuple[str, str]) -> None:
    done = CliRunner().invoke(
        app, ["plan", "--corpus", str(empty_world.corpus), "--home", str(empty_world.home), *arguments]
    )
    assert done.exit_code == 2


@pytest.mark.slow
def test_a_plan_counts_what_the_next_seed_computes(empty_world: World) -> None:
    world = empty_world
    world.write("broken/empty.txt", b" ")
    world.summarizer.failing = {"flour": refusal()}
    world.seed()
    world.write("reefs/corals.txt", essay("polyps"))

    planned = estimates(world)
    seeded = world.seed()

    assert seeded.report.exit_code == 1, seeded.report  # and was not interrupted together with the tests
    assert seeded.failed() == {("bread/flour.md", "summaries"), ("broken/empty.txt", "extracted_text")}, seeded.report
    computed = {name: count for name, count in seeded.computed.items() if name != "search_index"}
    assert {name: planned[name].compute for name in ALONE if planned[name].compute} == computed
    # What is made of all documents may turn out as it was.
    for name in (*OF_CORPUS, *PLACING):
        assert planned[name].compute >= seeded.report.stages[name].computed
    assert planned["summaries"].reused == N - 2  # the changed one and the failed one are not
    assert planned["summaries"].left_out == 2
    assert planned["extracted_text"].left_out == 1
    assert all(stage.compute == stage.publish == 0 for stage in estimates(world).values())


@pytest.mark.slow
def test_requests_tokens_and_dollars_are_shown_before_and_savings_by_reuse_after(empty_world: World) -> None:
    world = empty_world
    world.summarizer = PricedSummarizer(usd=0.01)
    sizes = sum(path.stat().st_size // 4 for path in world.corpus.rglob("*.*"))

    before = total(stage.cost for stage in estimates(world).values())
    assert (before.requests, before.tokens) == (N, sizes + 50 * N)
    assert before.usd == pytest.approx(sizes * 1e-6, rel=0.01)

    world.seed()

    after = estimates(world)
    assert total(stage.cost for stage in after.values()) == Usage()
    assert after["summaries"].saved.requests == N
    assert after["summaries"].saved.usd == pytest.approx(0.01 * N)


def test_the_cost_is_that_of_the_text_once_it_was_read(empty_world: World) -> None:
    """A page is ten times its text, and a packed file a tenth of it: neither says what a model will be asked."""
    world = empty_world
    world.summarizer = PricedSummarizer()
    world.write("reefs/page.html", f"<!-- {'x' * 40_000} --><p>{essay('crabs')}</p>")
    before = estimates(world)["summaries"].cost.input_tokens
    world.seed(SeedOptions(stages=("extracted_text",)))
    after = estimates(world)["summaries"].cost.input_tokens
    assert before - after == pytest.approx(10_000, rel=0.05)

    world.raise_version("extracted_text")  # the texts may get longer, so the larger of text and file counts
    assert estimates(world)["summaries"].cost.input_tokens >= before


@pytest.mark.slow
def test_a_seed_tells_the_plan_before_its_first_run(empty_world: World) -> None:
    shown: list[str] = []

    class Listener(SilentSeed):
        def planned(self, plan: Plan, estimates: Any) -> None:
            shown.append(f"plan of {estimates['summaries'].compute}")

        def began(self, stage: str, documents: int) -> None:
            shown.append(stage)

    with empty_world.session() as session:
        seed(session, SeedOptions(), Listener())
    assert shown[:2] == [f"plan of {N}", "extracted_text"]

    shown.clear()
    with empty_world.session() as session:
        seed(session, SeedOptions(), Listener())
    assert shown == []  # nothing to do
