"""The plan: what state each document is in at each stage, why a run would visit it, and how much that would compute.

What belongs here: states and reasons, without a run. What does not: what seeding does about them.
"""

import shutil

import pytest

from resources.corpus.corpus import Scan, SourceFile
from resources.tables.lance_schema import TABLES as TABLE_SPECS
from seed_assets.engine.comparison import NEW
from seed_assets.planning.plan import UNPUBLISHED, UPSTREAM, Plan
from tests.conftest import DOCUMENTS
from tests.support.pipelines import ALONE, EVERY_STAGE, PLACING, SINKS, SOURCES, World, essay, refusal

N = len(DOCUMENTS)


def test_everything_is_missing_for_a_corpus_that_was_never_seeded_and_counted_at_most_once(empty_world: World) -> None:
    plan = empty_world.plan()

    assert plan.documents == sorted(DOCUMENTS)
    assert plan.states() == {document: dict.fromkeys(EVERY_STAGE, "missing") for document in DOCUMENTS}
    assert plan.todo() == {document: list(EVERY_STAGE) for document in sorted(DOCUMENTS)}
    assert plan.stages["extracted_text"].reasons() == {NEW: N}
    for name in EVERY_STAGE[1:]:
        assert plan.stages[name].reasons() == {UPSTREAM: N}
    assert {len(plan.stages[name].computing) for name in EVERY_STAGE} == {N}
    # At most as many clusters of each type as may be.
    assert plan.stages["clusters"].reasons() == {UPSTREAM: 2}
    assert plan.stages["cluster_summaries"].unnamed == 2 * (N // 3)
    assert not plan.placed
    assert plan.maintenance == {"search_index": UPSTREAM}
    assert not plan.gone


def test_nothing_has_to_be_done_for_a_seeded_corpus(world: World) -> None:
    plan = world.plan()

    assert plan.todo() == {}
    assert plan.maintenance == {}
    assert world.all_states() == {"current"}
    assert {len(plan.stages[name].finished) for name in (*SOURCES, "document_clusters")} == {N}
    assert not any(stage.todo or stage.unnamed for stage in plan.stages.values())
    assert plan.placed


def test_a_result_that_is_computed_again_by_request_is_not_called_lost(world: World) -> None:
    with world.session() as session:
        plan = session.plan(recomputed={"summaries": set[str]()})

    assert plan.stages["summaries"].reasons() == {"computed again": N}


@pytest.mark.slow
def test_every_state_is_distinguished(empty_world: World) -> None:
    world = empty_world
    world.write("broken/empty.txt", b"")
    world.summarizer.failing = {"flour": refusal()}
    world.seed()
    world.write("reefs/corals.txt", essay("polyps"))
    world.write("reefs/new.txt", essay("anemones"))
    (world.corpus / "reefs/fish.txt").unlink()

    plan = world.plan()
    states = plan.states()
    # Where anybody stands is not known before it is known who is there.
    assert {states[document].pop(name) for document in DOCUMENTS[:-1] for name in PLACING} == {"stale"}
    for name in PLACING:
        states["reefs/new.txt"].pop(name)
        states["broken/empty.txt"].pop(name)

    assert states["bread/starter.txt"] == dict.fromkeys(ALONE, "current")
    assert states["reefs/corals.txt"] == dict.fromkeys(ALONE, "stale")
    assert states["reefs/new.txt"] == dict.fromkeys(ALONE, "missing")
    assert states["broken/empty.txt"] == dict.fromkeys(ALONE, "blocked") | {"extracted_text": "failed"}
    assert states["bread/flour.md"] == dict.fromkeys(ALONE, "current") | {
        "summaries": "failed",
        "judgements": "blocked",
        "lance_documents": "blocked",
        "lance_judgements": "blocked",
    }
    assert "reefs/fish.txt" not in states
    assert plan.gone == {"reefs/fish.txt"}
    # What failed for good is named, and no run visits it.
    todo = {document: [name for name in names if name in ALONE] for document, names in plan.todo().items()}
    assert {document: names for document, names in todo.items() if names} == {
        document: list(ALONE) for document in ("reefs/corals.txt", "reefs/new.txt")
    }
    assert [(document, stage) for document, stage, _ in plan.failures()] == [
        ("broken/empty.txt", "extracted_text"),
        ("bread/flour.md", "summaries"),
    ]
    with world.session() as session:
        retried = session.plan(retry_failed=True)
    assert retried.todo()["bread/flour.md"][:2] == ["summaries", "judgements"]
    assert retried.todo()["broken/empty.txt"] == list(EVERY_STAGE)


def test_a_known_text_under_a_new_name_is_computed_no_more(world: World) -> None:
    (world.corpus / "reefs/fish.txt").rename(world.corpus / "reefs/fishes.txt")

    plan = world.plan()

    assert (plan.gone, plan.renamed) == ({"reefs/fish.txt"}, {"reefs/fish.txt"})
    for name in SOURCES:
        assert plan.stages[name].todo == {"reefs/fishes.txt": UNPUBLISHED}
        assert not plan.stages[name].computing
    for name in SINKS:
        assert plan.stages[name].todo == {"reefs/fishes.txt": NEW}
        assert plan.stages[name].computing == {"reefs/fishes.txt"}


def test_a_lost_table_makes_its_rows_stale_and_no_stage(world: World) -> None:
    shutil.rmtree(world.home / "lancedb" / "documents.lance")

    plan = world.plan()

    assert set(plan.stages["lance_documents"].states.values()) == {"stale"}
    assert {
        state for name, stage in plan.stages.items() if name != "lance_documents" for state in stage.states.values()
    } == {"current"}


@pytest.mark.parametrize("table", TABLE_SPECS)
def test_rows_written_into_another_table_than_the_one_there_are_not_current(world: World, table: str) -> None:
    """A table that was restored, emptied or put there by somebody else."""
    mark = world.home / "lancedb" / f"{table}.lance" / "seedbank.json"
    mark.unlink()

    plan = world.plan()

    assert set(plan.stages[f"lance_{table}"].states.values()) == {"stale"}


def test_the_order_of_the_corpus_s_files_decides_nothing(world: World) -> None:
    with world.session() as session:
        scan = session.corpus.scan()
        turned: dict[str, SourceFile] = dict(reversed(scan.documents.items()))
        session.__dict__["corpus"] = _Fixed(Scan(turned))
        plan: Plan = session.plan()

    assert plan.documents == sorted(DOCUMENTS)
    assert plan.todo() == {}


class _Fixed:
    def __init__(self, scan: Scan) -> None:
        self._scan = scan

    def scan(self, *, verify: bool = False) -> Scan:
        """Always the same look at the corpus."""
        return self._scan
