"""Why the results of a run were computed, as the pages of partitions say it.

What belongs here: many results at once, before their refs are published. What does not: Dagster (tests/orchestration).
"""

from seed_assets.engine.stage_work import run_stage
from seed_assets.explaining.causes import with_causes
from tests.conftest import DOCUMENTS
from tests.support.pipelines import World, essay

CORALS = "reefs/corals.txt"


def test_each_computed_result_has_all_differences_of_its_key(plain_world: World) -> None:
    """The first difference alone hides that a version has changed as well."""
    plain_world.summarizer.words = 5
    plain_world.raise_version("summaries")
    plain_world.write("reefs/new.txt", essay("anemones"))
    with plain_world.session() as session:
        runner, stage = session.runner(), session.pipeline.stages["summaries"]
        units = [CORALS, "reefs/fish.txt"]
        outcome = run_stage(runner, stage, units)
        found = with_causes(runner.pipeline, runner.store, stage, outcome.results)
        said = "Version 1 → 1+: What changed with it is not recorded; summaries.words: 12 → 5"
        assert {unit: result.reason for unit, result in found.items()} == dict.fromkeys(units, said)
        assert {unit: result.action_key for unit, result in found.items()} == {
            unit: result.action_key for unit, result in outcome.results.items()
        }
        # What was found in the store was not computed, whatever else has changed.
        again = run_stage(runner, stage, units)
        reused = with_causes(runner.pipeline, runner.store, stage, again.results)
        assert all(result.reused and result.reason == "" for result in reused.values())


def test_a_new_document_keeps_the_reason_that_the_plan_has(plain_world: World) -> None:
    plain_world.write("reefs/new.txt", essay("anemones"))
    with plain_world.session() as session:
        runner, stage = session.runner(), session.pipeline.stages["extracted_text"]
        outcome = run_stage(runner, stage, ["reefs/new.txt", *DOCUMENTS])
        found = with_causes(runner.pipeline, runner.store, stage, outcome.results)
        assert found["reefs/new.txt"].reason == "new document"
        assert not any(found[document].reason for document in DOCUMENTS)


def test_a_page_shows_a_bounded_reason(plain_world: World) -> None:
    """A prompt or a parameter may be long, and each event of Dagster's log holds the reason."""
    plain_world.settings["chunks"] = {"characters": 300, "overlap": 20}
    plain_world.raise_version("chunks")
    with plain_world.session() as session:
        runner, stage = session.runner(), session.pipeline.stages["chunks"]
        outcome = run_stage(runner, stage, [CORALS])
        reason = with_causes(runner.pipeline, runner.store, stage, outcome.results)[CORALS].reason
        assert reason.endswith("chunks.characters: 1000 → 300; chunks.overlap: 0 → 20")
        assert len(reason) <= 400
