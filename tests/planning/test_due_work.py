"""What the sensors find to do: the plan without what waits, what has failed for good, and what comes too early."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from seed_assets.planning.due_work import DueWork
from seed_assets.planning.plan import Plan
from tests.support.pipelines import ALONE, PLACING, World, essay, refusal


@contextmanager
def due(world: World, *waiting: str) -> Iterator[tuple[DueWork, Plan]]:
    """The work that is due as documents are, and the plan."""
    with world.session() as session:
        yield DueWork(session.pipeline, session.store, ALONE, waiting), session.plan()


def documents(world: World, *waiting: str, stages: tuple[str, ...] = ALONE) -> dict[str, list[str]]:
    """Document -> the stages that are due."""
    with due(world, *waiting) as (work, plan):
        return {document: list(names) for document, names in work.documents(plan, stages).items()}


def test_a_file_that_may_still_be_written_is_due_in_no_stage(world: World) -> None:
    world.write("reefs/new.txt", essay("anemones"))
    world.write("reefs/newer.txt", essay("sponges"))

    assert documents(world) == {"reefs/new.txt": list(ALONE), "reefs/newer.txt": list(ALONE)}
    assert documents(world, "reefs/new.txt") == {"reefs/newer.txt": list(ALONE)}
    with due(world, "reefs/new.txt") as (work, plan):
        assert work.blocked(plan) == {"reefs/new.txt": frozenset(ALONE)}


@pytest.mark.slow
def test_a_document_that_failed_for_good_is_due_in_no_stage_that_needs_the_failed_one(world: World) -> None:
    world.summarizer.failing = {"anemones": refusal()}
    world.write("reefs/new.txt", essay("anemones"))
    world.seed()
    world.write("reefs/newer.txt", essay("sponges"))

    assert documents(world) == {"reefs/newer.txt": list(ALONE)}
    with due(world) as (work, plan):
        assert "summaries" in work.blocked(plan)["reefs/new.txt"]


@pytest.mark.slow
def test_assignments_are_due_when_all_documents_are_seeded(world: World) -> None:
    """Before, nobody knows whether clusters will change; a run would place documents twice."""
    world.write("reefs/new.txt", essay("anemones"))
    assert documents(world, stages=PLACING) == {}
    world.seed()
    with due(world) as (_, plan):
        assert plan.placed


def test_an_index_that_is_not_recorded_is_due_if_there_is_anything_to_hold(world: World, empty_world: World) -> None:
    with closing(world.store()) as store:
        store.refs.drop_stage("search_index")
    with due(world) as (work, plan):
        assert work.corpus(plan) == ["search_index"]
    with due(empty_world) as (work, plan):
        assert work.corpus(plan) == []
