"""What is seeded without Dagster, for tests that need no more, is what a seed with Dagster leaves."""

from contextlib import closing
from pathlib import Path

import pytest

from resources.tables.lance_schema import TABLES
from tests.support.pipelines import World, essay
from tests.support.seed_process import COMMAND, PLAIN, actions, rows, seed

pytestmark = pytest.mark.integration


def published(world: World) -> dict[str, dict[str, tuple[str, str]]]:
    """Stage -> unit -> key and digest of what is published."""
    with world.session() as session, closing(world.store()) as store:
        return {
            name: {unit: (ref.action_key, ref.content_digest) for unit, ref in store.refs.get(name).items()}
            for name in session.pipeline.stages
        }


def test_a_home_that_was_seeded_without_dagster_is_the_same(world: World, plain_world: World) -> None:
    """A stand-in that went its own way would let tests of the plan pass over homes that nobody has."""
    assert published(plain_world) == published(world)
    assert {table: plain_world.rows(table) for table in TABLES} == {table: world.rows(table) for table in TABLES}
    assert world.plan().todo() == plain_world.plan().todo() == {}


def test_changes_are_seeded_without_dagster_as_with_it(world: World, plain_world: World) -> None:
    for each in (world, plain_world):
        each.write("reefs/corals.txt", essay("polyps"))
        each.write("reefs/new.txt", essay("anemones"))
        each.write("broken/empty.txt", b"")
        (each.corpus / "reefs/fish.txt").unlink()
    with_dagster, without = world.seed(), plain_world.seed()

    assert with_dagster.report.exit_code == without.report.exit_code == 1
    assert with_dagster.failed() == without.failed() == {("broken/empty.txt", "extracted_text")}
    assert with_dagster.calls == without.calls
    assert published(plain_world) == published(world)
    assert {table: plain_world.rows(table) for table in TABLES} == {table: world.rows(table) for table in TABLES}


def test_commands_without_dagster_leave_what_commands_leave(tmp_path: Path) -> None:
    """Each is a process of its own, and goes on with what the one before it has left."""
    programs = {COMMAND: tmp_path / "home", PLAIN: tmp_path / "plain"}
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in ("rye", "points", "corals"):
        (corpus / f"{name}.txt").write_text(essay(name))
    first = {program: seed(home, corpus, program=program) for program, home in programs.items()}
    (corpus / "rye.txt").write_text(essay("barley"))
    (corpus / "empty.txt").write_bytes(b"")
    (corpus / "points.txt").unlink()
    second = {program: seed(home, corpus, program=program) for program, home in programs.items()}

    for done, status in ((first, 0), (second, 1)):
        assert [done[program].status for program in programs] == [status, status]
        assert done[PLAIN].computed == done[COMMAND].computed
        assert done[PLAIN].report["failures"] == done[COMMAND].report["failures"]
    assert second[PLAIN].computed["extracted_text"] == 1
    assert actions(programs[PLAIN]) == actions(programs[COMMAND])
    by_hand, plain = rows(programs[COMMAND]), rows(programs[PLAIN])
    assert all(plain[name].equals(table) for name, table in by_hand.items())
