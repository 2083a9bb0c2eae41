"""Only what changed is computed, by count of the calls of each stage's own function, and `status` says so.

What belongs here: documents that are edited, renamed, removed, equal; stages whose version or parameters change. What
does not: failures (test_seeding_failures) and the options of the command (test_seeding_options).
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from event_log.home import open_instance
from resources.corpus.corpus import Corpus
from resources.errors import ConfigurationError
from resources.tables import lance_schema
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.graph.pipeline import Pipeline
from seed_assets.orchestration.partitions import DOCUMENTS as PARTITIONS
from seed_assets.seeding.seeding import SeedOptions
from tests.conftest import DOCUMENTS
from tests.support.pipelines import ALONE, EVERY_STAGE, SINKS, SOURCES, TABLES, UnprivilegedCorpus, World, essay

pytestmark = pytest.mark.slow

N = len(DOCUMENTS)


def partitions(world: World, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.setenv("SEEDBANK_HOME", str(world.home))
    with open_instance() as instance:
        return set(instance.get_dynamic_partitions(PARTITIONS.name or ""))


@pytest.mark.integration
def test_the_first_seed_computes_everything_once_and_the_second_nothing_without_a_run(empty_world: World) -> None:
    world = empty_world
    assert world.all_states() == {"missing"}

    first = world.seed()

    assert first.report.exit_code == 0
    assert first.calls == {**dict.fromkeys(ALONE, N), "search_index": 1}
    assert first.computed == first.calls
    assert sorted(first.embedded) == sorted({row["text"] for row in world.rows("chunks")})
    assert world.all_states() == {"current"}
    for table in TABLES:
        assert world.documents_in(table) == set(DOCUMENTS)

    again = world.seed()

    assert (again.report.exit_code, again.calls, again.report.runs) == (0, {}, [])
    assert {again.report.stages[name].reused for name in EVERY_STAGE} == {N}
    assert all(stage.reused == stage.documents for stage in again.report.stages.values())


def test_an_edited_document_is_computed_alone_and_only_its_changed_chunk_is_embedded(world: World) -> None:
    world.write("reefs/corals.txt", essay("corals").replace("corals the note 1.3", "corals the remark 1.3"))
    assert set(world.states("reefs/corals.txt").values()) == {"stale"}
    assert set(world.states("reefs/fish.txt").values()) == {"current"}
    assert world.plan().stages["extracted_text"].reasons() == {"source: content: changed": 1}
    others = [row for row in world.rows("chunks") if row["document_id"] != "reefs/corals.txt"]

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    # What its concepts are, how often and where first is as before: their rows need not be written.
    assert seeded.calls == dict.fromkeys((*SOURCES, "lance_documents", "lance_chunks", "search_index"), 1)
    assert seeded.computed == seeded.calls
    assert len(seeded.embedded) == 1
    assert "remark 1.3" in seeded.embedded[0]
    assert world.all_states() == {"current"}
    rows = world.rows("chunks")
    assert [row for row in rows if row["document_id"] != "reefs/corals.txt"] == others
    assert "remark 1.3" in "".join(row["text"] for row in rows)


def test_a_document_that_becomes_shorter_keeps_no_row_of_what_it_said_before(world: World) -> None:
    before = world.rows("chunks")
    world.write("reefs/corals.txt", essay("corals", paragraphs=1))

    seeded = world.seed()

    left = [row for row in before if row["document_id"] != "reefs/corals.txt" or row["index"] == 0]
    assert [(row["chunk_id"], row["text"]) for row in world.rows("chunks")] == [
        (row["chunk_id"], row["text"]) for row in left
    ]
    assert seeded.embedded == []


def test_an_edit_that_leaves_the_text_equal_stops_at_the_text(world: World) -> None:
    world.write("reefs/corals.txt", essay("corals").replace("\n\n", "   \n\n") + "  \n \n")
    tables = {table: world.rows(table) for table in TABLES}
    assert set(world.states("reefs/corals.txt").values()) == {"stale"}

    seeded = world.seed()

    assert seeded.calls == {"extracted_text": 1}
    assert seeded.computed == {"extracted_text": 1}
    assert seeded.embedded == []
    assert world.all_states() == {"current"}
    assert {table: world.rows(table) for table in TABLES} == tables


@pytest.mark.integration
def test_a_renamed_document_costs_its_rows_and_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = {row["document_id"]: row["summary"] for row in world.rows("documents")}["reefs/corals.txt"]
    (world.corpus / "reefs/corals.txt").rename(world.corpus / "polyps.txt")
    assert set(world.states("polyps.txt").values()) == {"missing"}

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    assert (seeded.report.added, seeded.report.removed) == (1, 1)
    assert seeded.calls == {**dict.fromkeys(SINKS, 1), "search_index": 1}
    assert seeded.computed == seeded.calls
    expected = {*DOCUMENTS, "polyps.txt"} - {"reefs/corals.txt"}
    for table in TABLES:
        assert world.documents_in(table) == expected
    assert {row["document_id"]: row["summary"] for row in world.rows("documents")}["polyps.txt"] == summary
    assert partitions(world, monkeypatch) == expected
    assert world.all_states() == {"current"}
    assert world.seed().report.runs == []


@pytest.mark.integration
def test_a_removed_document_leaves_the_tables_and_the_partitions_and_comes_back_for_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.corpus / "reefs/corals.txt").unlink()
    assert world.plan().gone == {"reefs/corals.txt"}

    removed = world.seed()

    assert (removed.report.exit_code, removed.report.removed) == (0, 1)
    assert removed.calls == {"search_index": 1}
    expected = set(DOCUMENTS) - {"reefs/corals.txt"}
    for table in TABLES:
        assert world.documents_in(table) == expected
    assert partitions(world, monkeypatch) == expected
    assert "reefs/corals.txt" not in world.plan().states()

    world.write("reefs/corals.txt", essay("corals"))
    back = world.seed()

    assert back.calls == {**dict.fromkeys(SINKS, 1), "search_index": 1}
    assert world.documents_in("documents") == set(DOCUMENTS)


def test_a_raised_version_recomputes_that_stage_for_every_document_and_stops_where_nothing_changed(
    world: World,
) -> None:
    world.raise_version("summaries", "lance_concepts")
    plan = world.plan()
    assert set(plan.stages["summaries"].states.values()) == {"stale"}
    assert set(plan.stages["chunks"].states.values()) == {"current"}
    assert plan.stages["summaries"].reasons() == {"version: 1 -> 1+": N}
    concepts = world.rows("concepts")

    seeded = world.seed()

    # The summaries turn out equal, so the rows made of them stay; those of concepts are written once more.
    assert seeded.calls == {"summaries": N, "lance_concepts": N, "search_index": 1}
    assert seeded.computed == seeded.calls
    assert world.all_states() == {"current"}
    without = [{name: value for name, value in row.items() if name != "content_digest"} for row in concepts]
    assert [
        {name: value for name, value in row.items() if name != "content_digest"} for row in world.rows("concepts")
    ] == without
    assert world.seed().report.runs == []


def test_changed_parameters_recompute_what_depends_on_them_and_say_which_changed(world: World) -> None:
    world.settings = {"chunks": {"characters": 400}}
    world.summarizer = replace(world.summarizer, words=9, texts=[])
    plan = world.plan()
    assert plan.stages["chunks"].reasons() == {"chunker: characters: 1000 -> 400": N}
    assert plan.stages["summaries"].reasons() == {"summarizer: words: 12 -> 9": N}
    states = world.states("reefs/fish.txt")
    assert {name for name, state in states.items() if state == "stale"} == {
        *("chunks", "embeddings", "summaries", "judgements"),
        *("lance_documents", "lance_chunks", "lance_judgements"),
    }
    assert {name for name, state in states.items() if state == "current"} == {
        *("extracted_text", "concepts", "lance_concepts")
    }

    seeded = world.seed()

    changed = ("chunks", "embeddings", "summaries", "judgements", "lance_documents", "lance_chunks", "lance_judgements")
    assert seeded.calls == {**dict.fromkeys(changed, N), "search_index": 1}
    assert seeded.computed == seeded.calls
    assert world.all_states() == {"current"}
    assert all(len(row["text"]) <= 400 for row in world.rows("chunks"))

    world.settings = {}
    world.summarizer = replace(world.summarizer, words=12, texts=[])
    back = world.seed()

    # What was computed under the old parameters is still there.
    assert back.calls == {"lance_documents": N, "lance_chunks": N, "lance_judgements": N, "search_index": 1}
    assert back.embedded == []


@pytest.mark.integration
def test_unpublished_results_of_a_killed_run_are_published_without_computing(world: World) -> None:
    store = world.store()
    store.refs.drop_partitions(["reefs/corals.txt"])
    store.close()
    plan = world.plan()
    assert set(plan.states()["reefs/corals.txt"].values()) == {"missing"}
    assert plan.stages["summaries"].reasons() == {"finished, not yet published": 1}

    seeded = world.seed()

    # Even its rows are there already.
    assert set(seeded.calls) <= {"search_index"}
    assert world.all_states() == {"current"}


def test_equal_documents_cost_one_computation_and_keep_rows_each(empty_world: World) -> None:
    world = empty_world
    world.write("reefs/copy of corals.txt", essay("corals"))

    seeded = world.seed()

    assert seeded.calls == {**dict.fromkeys(SOURCES, N), **dict.fromkeys(SINKS, N + 1), "search_index": 1}
    assert len(world.summarizer.texts) == N
    assert seeded.report.stages["summaries"].documents == N + 1
    assert (seeded.report.stages["summaries"].computed, seeded.report.stages["summaries"].reused) == (N, 1)
    twins = {"reefs/corals.txt", "reefs/copy of corals.txt"}
    for table in TABLES:
        own = [[row for row in world.rows(table) if row["document_id"] == twin] for twin in sorted(twins)]
        assert len(own[0]) == len(own[1]) > 0
    assert world.all_states() == {"current"}

    (world.corpus / "reefs/corals.txt").unlink()
    removed = world.seed()

    assert removed.calls == {"search_index": 1}
    for table in TABLES:
        assert world.documents_in(table) & twins == {"reefs/copy of corals.txt"}
    assert world.all_states() == {"current"}


@pytest.mark.integration
def test_the_disappearance_of_many_documents_at_once_is_refused_until_it_is_allowed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in DOCUMENTS[:2]:
        (world.corpus / name).unlink()
    tables = {table: world.rows(table) for table in TABLES}

    with pytest.raises(ConfigurationError, match=r"2 of 6 documents are gone .*--allow-removals.*Nothing was changed"):
        world.seed()

    assert {table: world.rows(table) for table in TABLES} == tables
    assert partitions(world, monkeypatch) == set(DOCUMENTS)
    assert world.plan().gone == set(DOCUMENTS[:2])

    allowed = world.seed(SeedOptions(allow_removals=True))

    assert (allowed.report.exit_code, allowed.report.removed) == (0, 2)
    for table in TABLES:
        assert world.documents_in(table) == set(DOCUMENTS[2:])
    assert partitions(world, monkeypatch) == set(DOCUMENTS[2:])


def test_a_moved_folder_is_no_disappearance(world: World) -> None:
    for folder in ("bread", "rails"):
        (world.corpus / folder).rename(world.corpus / f"old {folder}")

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    assert (seeded.report.added, seeded.report.removed) == (4, 4)
    assert seeded.calls == {**dict.fromkeys(SINKS, 4), "search_index": 1}
    assert world.documents_in("documents") == {
        name if name.startswith("reefs") else f"old {name}" for name in DOCUMENTS
    }


def test_a_home_belongs_to_one_corpus_until_the_folder_is_declared_as_moved(world: World, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    world.corpus.rename(moved)
    world.corpus = moved
    tables = {table: world.rows(table) for table in TABLES}

    with pytest.raises(ConfigurationError, match=r"belongs to the corpus .*--rebind"):
        world.seed()
    assert {table: world.rows(table) for table in TABLES} == tables

    rebound = world.seed(SeedOptions(rebind=True))

    assert (rebound.report.exit_code, rebound.calls, rebound.report.runs) == (0, {}, [])
    assert world.seed().report.exit_code == 0


def test_a_partial_selection_computes_what_it_names_and_removes_nothing(world: World) -> None:
    (world.corpus / "bread/flour.md").unlink()
    world.write("reefs/new.txt", essay("anemones"))
    world.write("rails/new.txt", essay("sleepers"))

    partial = world.seed(SeedOptions(documents="reefs/*"))

    assert (partial.report.exit_code, partial.report.removed) == (0, 0)
    assert partial.calls == dict.fromkeys((*ALONE, "search_index"), 1)
    assert partial.report.stages["summaries"].documents == 3
    for table in TABLES:
        assert world.documents_in(table) == {*DOCUMENTS, "reefs/new.txt"}
    assert set(world.states("rails/new.txt").values()) == {"missing"}

    whole = world.seed()

    assert whole.report.removed == 1
    assert whole.calls == dict.fromkeys((*ALONE, "search_index"), 1)
    assert world.documents_in("documents") == {*DOCUMENTS, "reefs/new.txt", "rails/new.txt"} - {"bread/flour.md"}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged user may use, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_documents_of_a_folder_that_cannot_be_listed_are_reported_and_not_removed(
    world: World, open_folder: Path
) -> None:
    world = world.copy_to(open_folder)
    locked = world.corpus / "reefs"
    locked.chmod(0)
    try:
        world.home.chmod(0o777)
        world.corpus_reader = UnprivilegedCorpus(world.corpus, world.home / "corpus.index", 1 << 20)
        seeded = world.seed()
    finally:
        locked.chmod(0o755)

    assert (seeded.report.exit_code, seeded.report.removed, seeded.calls) == (1, 0, {})
    (failure,) = seeded.report.failures
    assert failure.document == "reefs/"
    assert "Permission denied" in failure.reason
    assert "chmod" in failure.remedy
    for table in TABLES:
        assert world.documents_in(table) == set(DOCUMENTS)

    world.corpus_reader = Corpus(world.corpus, world.home / "corpus.index", 1 << 20)
    repaired = world.seed()
    assert (repaired.report.exit_code, repaired.calls, repaired.report.runs) == (0, {}, [])


def test_a_table_of_an_earlier_version_is_rebuilt_from_the_store(
    empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new column in a new version is no fault of a user, who had to give an option to rebuild the tables before."""
    world, spec = empty_world, lance_schema.TABLES["concepts"]
    fewer = replace(spec, columns=tuple(column for column in spec.columns if column.name != "kind"))

    def earlier(pipeline: Pipeline) -> Pipeline:
        stage = pipeline.stages["lance_concepts"]

        def without_kind(document_id: str, content_digest: str, concepts: Concepts) -> list[dict[str, Any]]:
            rows = stage.function(document_id, content_digest, concepts)
            return [{name: value for name, value in row.items() if name != "kind"} for row in rows]

        return pipeline.with_stage(replace(stage, function=without_kind, version="0"))

    with monkeypatch.context() as patch:
        patch.setitem(cast("dict[str, lance_schema.TableSpec]", lance_schema.TABLES), "concepts", fewer)
        world.change = earlier
        assert world.seed().report.exit_code == 0
        assert "kind" not in world.rows("concepts")[0]
    world.change = lambda pipeline: pipeline

    now = world.seed()

    assert (now.report.exit_code, now.calls) == (0, {"lance_concepts": N, "search_index": 1})
    assert world.documents_in("concepts") == set(DOCUMENTS)
    assert "kind" in world.rows("concepts")[0]
    assert world.all_states() == {"current"}
