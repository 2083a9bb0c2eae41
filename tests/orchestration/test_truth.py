"""What Dagster's partition page shows and what `seedbank status` says agree after any run, or after the next seed.

What belongs here: the two side by side, after runs that failed, were killed or came from elsewhere, and after partitions
were changed behind the seed's back. What does not: what a seed computes.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from event_log.home import open_instance
from resources.home.home import Home
from resources.tables.lance_errors import TableWriteError
from seed_assets.graph.pipeline import Pipeline
from seed_assets.orchestration.code_location import build_definitions
from seed_assets.orchestration.partitions import DOCUMENTS as PARTITIONS
from seed_assets.orchestration.partitions import PARTITION_TAG
from seed_assets.seeding.seeding import SeedOptions
from tests.conftest import DOCUMENTS
from tests.support.pipelines import EVERY_STAGE, SOURCES, BrokenTables, World, essay, refusal
from tests.support.seed_process import query

# What a person reads on the partition page, by what `seedbank status` says.
SHOWN = {
    "current": "materialized",
    "stale": "materialized",
    "failed": "failed",
    "blocked": "missing",
    "missing": "missing",
}
_WORDS = {
    None: "missing",
    AssetPartitionStatus.MATERIALIZED: "materialized",
    AssetPartitionStatus.FAILED: "failed",
    AssetPartitionStatus.IN_PROGRESS: "in progress",
}


def in_dagster(world: World, work: Callable[[dg.DagsterInstance], Any]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBANK_HOME", str(world.home))
        with open_instance() as instance:
            return work(instance)


def shown(world: World) -> dict[str, dict[str, str]]:
    """Document -> stage -> what the partition page shows."""

    def read(instance: dg.DagsterInstance) -> dict[str, dict[str, str]]:
        keys = instance.get_dynamic_partitions(PARTITIONS.name or "")
        found: dict[str, dict[str, str]] = {key: {} for key in sorted(keys)}
        for stage in EVERY_STAGE:
            statuses = instance.get_status_by_partition(dg.AssetKey(stage), keys, PARTITIONS) or {}
            for key in keys:
                found[key][stage] = _WORDS[statuses.get(key)]
        return found

    return in_dagster(world, read)


def expected(world: World) -> dict[str, dict[str, str]]:
    """The same as `seedbank status` has it, in the words of the partition page.

    What is blocked by a failure before it is shown as it was before that: made once, or not at all.
    """
    made = set(query(world.home / "store" / "store.db", "SELECT partition, stage FROM refs"))
    return {
        document: {
            stage: "materialized" if state == "blocked" and (document, stage) in made else SHOWN[state]
            for stage, state in states.items()
        }
        for document, states in world.plan().states().items()
    }


def delete_partitions(world: World, *documents: str) -> None:
    def delete(instance: dg.DagsterInstance) -> None:
        for document in documents:
            instance.delete_dynamic_partition(PARTITIONS.name or "", document)

    in_dagster(world, delete)


def test_failures_blocked_documents_and_broken_files_are_shown_as_they_are(empty_world: World) -> None:
    world = empty_world
    world.write("broken/empty.txt", b"")
    world.write("broken/huge.txt", b"x" * (65 << 20))
    world.summarizer.failing = {"flour": refusal(), "signals": refusal(transient=True)}

    world.seed()

    assert shown(world) == expected(world)
    states = world.plan().states()
    assert states["broken/huge.txt"] == dict.fromkeys(EVERY_STAGE, "blocked") | {"extracted_text": "failed"}
    assert states["bread/flour.md"]["summaries"] == "failed"
    assert states["bread/flour.md"]["lance_documents"] == "blocked"
    assert states["rails/points.md"] == dict.fromkeys(EVERY_STAGE, "current")

    again = world.seed()
    assert shown(world) == expected(world)
    world.summarizer.failing = {}
    world.seed(retry_failed=True)
    assert shown(world) == expected(world)
    assert len(again.report.runs) <= 2  # the transient one is tried again


def test_a_document_that_cannot_be_read_fails_in_one_asset_and_its_page_says_why(empty_world: World) -> None:
    """Twelve assets were red for ever, and on none of their pages stood a word of why."""
    world = empty_world
    world.write("broken/empty.txt", b"")
    world.write("broken/not.pdf", b"plain text")
    world.write("reefs/corals.txt", b"\0" * 64)

    seeded = world.seed()

    for document in ("broken/empty.txt", "broken/not.pdf", "reefs/corals.txt"):
        assert shown(world)[document] == dict.fromkeys(EVERY_STAGE, "missing") | {"extracted_text": "failed"}
        (failure,) = [found for found in seeded.report.failures if found.document == document]
        assert notes_on(world, "extracted_text", document) == [
            {"failed_because": failure.reason, "what_to_do": failure.remedy}
        ]
        assert notes_on(world, "chunks", document) == []
    assert shown(world) == expected(world)
    assert failed_runs(world) <= {("extracted_text",)}
    assert world.seed().report.runs == []


def test_the_page_of_a_document_has_the_warnings_of_its_reader(world: World) -> None:
    """A text with a part missing looks like any other."""
    world.write("bad.md", "---\ntitle: [\n---\n\n" + essay("harbours"))
    assert world.seed(SeedOptions(stages=("extracted_text",))).report.exit_code == 0

    def read(instance: dg.DagsterInstance) -> dict[Any, Any]:
        records = instance.fetch_materializations(dg.AssetKey("extracted_text"), limit=100).records
        return {record.partition_key: record.asset_materialization.metadata for record in records}  # type: ignore[union-attr]

    found = in_dagster(world, read)
    assert found["bad.md"]["warnings"].value.startswith("The front matter is not valid YAML")
    assert [document for document, metadata in found.items() if "warnings" in metadata] == ["bad.md"]


def test_the_log_of_a_run_says_a_remedy_once_with_all_that_it_is_for(empty_world: World) -> None:
    world = empty_world
    for number in range(3):
        world.write(f"broken/{number}.pdf", b"plain text")

    world.seed()

    def read(instance: dg.DagsterInstance) -> list[str]:
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        entries = [e for run in runs for e in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)]
        errors = [entry.get_dagster_event().step_failure_data.error for entry in entries]
        return [error.message for error in errors if error]

    (message,) = in_dagster(world, read)
    assert "3 failed, 6 done. broken/0.pdf, broken/1.pdf, broken/2.pdf: the file is not a PDF" in message
    assert message.count("put the PDF in its place") == 1


def test_a_table_that_cannot_be_written_is_named_on_the_pages_of_its_documents(empty_world: World) -> None:
    world = empty_world
    full = TableWriteError("chunks", "the disk is full.", "Free some space.")
    world.tables = BrokenTables(world.home / "lancedb", {"chunks": full})

    world.seed()

    for document in DOCUMENTS:
        assert notes_on(world, "lance_chunks", document) == [
            {"failed_because": "the disk is full.", "what_to_do": "Free some space."}
        ]


def test_a_table_that_cannot_be_written_any_more_is_named_on_the_pages_of_what_had_changed(world: World) -> None:
    """In a seeded home, where most rows are as they were."""
    world.write("reefs/corals.txt", essay("polyps"))
    full = TableWriteError("chunks", "the disk is full.", "Free some space.")
    world.tables = BrokenTables(world.home / "lancedb", {"chunks": full})

    seeded = world.seed()

    assert seeded.report.exit_code == 1
    assert notes_on(world, "lance_chunks", "reefs/corals.txt") == [
        {"failed_because": "the disk is full.", "what_to_do": "Free some space."}
    ]


def test_a_run_of_a_seed_says_what_it_is_and_who_started_it(world: World) -> None:
    """Dagster's page called it a run that somebody had launched by hand, of no job."""

    def read(instance: dg.DagsterInstance) -> list[tuple[str, str | None]]:
        return [(run.job_name, run.tags.get("user")) for run in instance.get_runs()]

    assert set(in_dagster(world, read)) == {
        (job, "seedbank seed") for job in ("seed_documents", "seed_clusters", "seed_corpus", "place_documents")
    }


def notes_on(world: World, stage: str, document: str) -> list[dict[str, Any]]:
    """What the page of a partition shows beside materialisations, newest first."""

    def read(instance: dg.DagsterInstance) -> list[dict[str, Any]]:
        which = dg.AssetRecordsFilter(dg.AssetKey(stage), asset_partitions=[document])
        found = [record.asset_observation for record in instance.fetch_observations(which, limit=10).records]
        return [{name: value.value for name, value in note.metadata.items()} for note in found if note]

    return in_dagster(world, read)


def failed_runs(world: World) -> set[tuple[str, ...]]:
    """The steps that failed, of each run that did."""

    def read(instance: dg.DagsterInstance) -> set[tuple[str, ...]]:
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        return {
            tuple(
                entry.step_key or ""
                for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
            )
            for run in runs
        }

    return in_dagster(world, read)


def test_a_copy_of_a_document_that_is_known_to_fail_is_shown_failed_too(empty_world: World) -> None:
    world = empty_world
    world.write("broken/empty.txt", b" ")
    world.seed()
    world.write("broken/copy.txt", b" ")

    world.seed()

    assert shown(world) == expected(world)
    assert shown(world)["broken/copy.txt"]["extracted_text"] == "failed"
    assert world.seed().report.runs == []


def test_a_document_that_a_run_passed_by_when_another_failed_is_not_left_failed(world: World) -> None:
    """c fails, a is new to the tables, b lies between them and has nothing to be done."""
    world.write("bread/flour.md", essay("rye"))
    world.write("rails/points.md", essay("levers"))
    world.summarizer.failing = {"levers": refusal()}

    world.seed()

    assert shown(world) == expected(world)
    assert shown(world)["bread/starter.txt"] == dict.fromkeys(EVERY_STAGE, "materialized")


def test_a_table_that_cannot_be_written_is_the_same_failure_in_both(world: World) -> None:
    world.write("reefs/corals.txt", essay("polyps"))
    world.tables = BrokenTables(
        world.home / "lancedb", {"chunks": TableWriteError("chunks", "the disk is full.", "Free some space.")}
    )

    world.seed()

    assert world.plan().states()["reefs/corals.txt"]["lance_chunks"] == "failed"
    assert shown(world)["reefs/corals.txt"] == expected(world)["reefs/corals.txt"]
    assert [(d, s) for d, s, _ in world.plan().failures()] == [("", "lance_chunks")]

    world.tables = None
    assert world.seed().report.exit_code == 0
    assert shown(world) == expected(world)
    assert world.plan().failures() == []


def test_a_budget_leaves_what_was_not_begun_missing_in_both(empty_world: World) -> None:
    world = empty_world
    for number in range(40):
        world.write(f"more/{number}.txt", essay(f"subject{number}", paragraphs=1))
    world.summarizer.usd = 1.0

    assert world.seed(max_usd=3.0).report.exit_code == 3

    assert shown(world) == expected(world)
    assert {states["summaries"] for states in shown(world).values()} == {"materialized", "missing"}


def test_partitions_deleted_and_added_in_the_ui_are_taken_up(world: World) -> None:
    delete_partitions(world, "bread/flour.md", "reefs/fish.txt")
    in_dagster(world, lambda instance: instance.add_dynamic_partitions(PARTITIONS.name or "", ["no/such.txt"]))

    seeded = world.seed()

    assert shown(world) == expected(world)
    assert list(shown(world)) == sorted(DOCUMENTS)
    assert seeded.calls == {}
    assert world.seed().report.runs == []


def test_what_was_wiped_in_the_ui_is_shown_again(world: World) -> None:
    in_dagster(world, lambda instance: instance.wipe_assets([dg.AssetKey("summaries")]))
    assert {states["summaries"] for states in shown(world).values()} == {"missing"}

    seeded = world.seed()

    assert seeded.calls == {}
    assert shown(world) == expected(world)
    assert world.seed().report.runs == []


def test_deleted_records_of_dagster_are_made_again_without_computing(world: World) -> None:
    import shutil

    shutil.rmtree(world.home / "dagster")

    seeded = world.seed()

    assert seeded.calls == {}
    assert shown(world) == expected(world)
    assert set(shown(world)) == set(DOCUMENTS)


def test_what_a_killed_run_published_but_did_not_report_is_reported_by_the_next_seed(empty_world: World) -> None:
    world = empty_world
    child = os.fork()
    if child == 0:  # killed between publishing the refs of `chunks` and the events of it
        try:
            world.change = lambda pipeline: pipeline
            import io_managers.content_hash as module

            publish = module.publish

            def publish_and_die(store: Any, results: Any, run_id: str) -> None:
                publish(store, results, run_id)
                if results.stage == "chunks":
                    os.kill(os.getpid(), signal.SIGKILL)

            module.publish = publish_and_die
            world.seed()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert {states["chunks"] for states in world.plan().states().values()} == {"current"}

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    assert "chunks" not in seeded.calls
    assert shown(world) == expected(world)
    assert world.all_states() == {"current"}


def run_from_elsewhere(world: World, stages: list[str], partition: str) -> bool:
    """A run of some assets that is not a seed's, in this process; whether it succeeded. partition: "" for none."""
    with pytest.MonkeyPatch.context() as patch, world.session() as session:
        patch.setenv("SEEDBANK_HOME", str(world.home))
        definitions = build_definitions(session.settings, session.runner())
        session.home.record_out_of_sync()  # as the runner's resource does in a process of its own
        with open_instance() as instance:
            return (
                definitions.resolve_implicit_global_asset_job_def()
                .execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey(stage) for stage in stages],
                    tags={PARTITION_TAG: partition} if partition else {},
                    raise_on_error=False,
                    run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                )
                .success
            )


def test_a_run_from_elsewhere_that_failed_over_finished_documents_is_put_right(world: World) -> None:
    world.tables = BrokenTables(
        world.home / "lancedb", {"concepts": TableWriteError("concepts", "the disk is full.", "Free some space.")}
    )
    before = world.change

    def newer(pipeline: Pipeline) -> Pipeline:
        pipeline = before(pipeline)
        return pipeline.with_stage(replace(pipeline.stages["lance_concepts"], version="next"))

    world.change = newer
    assert not run_from_elsewhere(world, ["lance_concepts"], "bread/flour.md")
    world.tables, world.change = None, before
    assert shown(world)["bread/flour.md"]["lance_concepts"] == "failed"
    assert world.plan().states()["bread/flour.md"]["lance_concepts"] == "current"

    seeded = world.seed()

    assert seeded.calls == {}
    assert shown(world) == expected(world)


@pytest.mark.parametrize("document", ["bread/flour.md", "rails/points.md", "reefs/fish.txt"])
def test_a_partition_deleted_while_a_run_uses_it_costs_nothing(empty_world: World, document: str) -> None:
    world = empty_world
    deleted: list[str] = []

    def change(pipeline: Pipeline) -> Pipeline:
        stage = pipeline.stages["summaries"]
        summarize = stage.function

        async def delete_and_summarize(*arguments: Any, **used: Any) -> Any:
            if not deleted:
                deleted.append(document)
                delete_partitions(world, document)
            return await summarize(*arguments, **used)

        return pipeline.with_stage(replace(stage, function=delete_and_summarize))

    world.change = change

    seeded = world.seed()

    assert seeded.report.exit_code == 0, seeded.report.failures
    assert {seeded.calls[stage] for stage in SOURCES} == {len(DOCUMENTS)}
    assert world.all_states() == {"current"}
    world.seed()
    assert shown(world) == expected(world)


def test_every_change_of_partitions_marks_the_records_as_out_of_sync(world: World) -> None:
    home = Home(world.home)
    assert home.synced_digest() == world.plan().digest()

    delete_partitions(world, "bread/flour.md")

    assert home.synced_digest() != world.plan().digest()


def test_a_partial_seed_says_nothing_of_the_rest(world: World) -> None:
    delete_partitions(world, "bread/flour.md")
    world.seed(SeedOptions(documents="reefs/*"))
    assert Home(world.home).synced_digest() != world.plan().digest()
