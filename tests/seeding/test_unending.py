"""What stays to be done although a run has done it is a failure that is reported, and no reason for run after run."""

import sqlite3
from contextlib import closing

import pytest

from tests.support.pipelines import World

pytestmark = pytest.mark.slow


def lose(world: World, stage: str) -> None:
    """Let whatever is published of a stage be gone at once, as on a disk that forgets it."""
    with closing(sqlite3.connect(world.home / "store" / "store.db")) as database:
        database.execute(
            f"CREATE TRIGGER lose AFTER INSERT ON refs WHEN NEW.stage = '{stage}' BEGIN"
            f" DELETE FROM refs WHERE stage = NEW.stage AND partition = NEW.partition; END"
        )
        database.execute("DELETE FROM refs WHERE stage = ?", (stage,))
        database.commit()


@pytest.mark.parametrize("stage", ["summaries", "lance_documents", "search_index"])
def test_what_a_run_does_in_vain_is_reported_after_one_run(stage: str, world: World) -> None:
    lose(world, stage)

    seeded = world.seed()

    assert seeded.report.exit_code == 1
    of_stage = [failure for failure in seeded.report.failures if failure.stage == stage]
    assert of_stage
    assert all("still to be done" in failure.reason for failure in of_stage)
    assert all("seedbank cache verify" in failure.remedy for failure in of_stage)
    # One run of the stage; the index of what a lost table's rows were published as is another's work.
    assert len(seeded.report.runs) == 1 + (stage == "lance_documents")


def test_when_it_stays_again_the_next_seed_ends_well(world: World) -> None:
    lose(world, "summaries")
    assert world.seed().report.exit_code == 1
    with closing(sqlite3.connect(world.home / "store" / "store.db")) as database:
        database.execute("DROP TRIGGER lose")
        database.commit()

    healed = world.seed()

    assert (healed.report.exit_code, healed.report.failures, healed.calls) == (0, [], {})
    assert world.seed().report.runs == []
