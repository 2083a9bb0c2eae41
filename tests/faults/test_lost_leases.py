"""Seeds whose leases are lost, or held by others: the same rows come out, and a wait can be ended.

What belongs here: every place of a seed that takes a lease. What does not: one table (test_table_leases), leases as such
(store/test_leases).
"""

import signal
from collections import Counter
from pathlib import Path

import pytest

from io_managers.store.errors import LeaseLostError
from io_managers.store.leases import Leases
from resources.tables.lance import LanceTables
from resources.tables.lance_schema import TABLES
from tests.support.pipelines import SOURCES, World, essay
from tests.support.seed_process import Seed, committed, dagster_runs, seed

pytestmark = pytest.mark.integration


def rows_of(world: World) -> dict[str, list[dict[str, object]]]:
    tables = LanceTables(world.home / "lancedb")
    return {table: world.rows(table) for table in TABLES if tables.version(table)}


def test_a_seed_that_loses_leases_again_and_again_comes_to_the_same_rows(
    empty_world: World, seeded_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leases are lost on tables, in maintenance, on partitions and in removals; each attempt begins from the current state."""
    (tmp_path / "whole").mkdir()
    world = seeded_world.copy_to(tmp_path / "whole")
    prove = Leases.prove
    proofs: Counter[str] = Counter()
    lost: set[str] = set()

    def unreliable(leases: Leases, name: str) -> None:
        prove(leases, name)
        proofs[name] += 1
        # The first, the third, the sixth ...: at one moment of a write or another, and more and more seldom.
        if proofs[name] in {n * (n + 1) // 2 for n in range(1, 40)}:
            lost.add(name)
            raise LeaseLostError(f"The lease of {name} was lost.")

    for changed in (empty_world, world):
        changed.write("rails/bridges.md", essay("bridges"))
        changed.write("bread/flour.md", essay("flour, altered"))
        (changed.corpus / "reefs/fish.txt").unlink(missing_ok=True)
    assert empty_world.seed().report.exit_code == 0
    monkeypatch.setattr(Leases, "prove", unreliable)
    disturbed = world.seed()
    assert disturbed.report.exit_code == 0, disturbed.report.failures
    assert lost >= {"partitions", "table chunks", "table documents", "table clusters", "table categories"}
    monkeypatch.undo()
    alone = ("documents", "chunks", "concepts", "judgements")
    assert {table: rows_of(empty_world)[table] for table in alone} == {table: rows_of(world)[table] for table in alone}
    for seeded in (empty_world, world):
        for table, rows in rows_of(seeded).items():
            keys = [row[TABLES[table].key] for row in rows]
            assert len(keys) == len(set(keys))
        again = seeded.seed()
        assert again.report.runs == []
        assert not set(again.calls) & set(SOURCES)


def test_the_first_ctrl_c_ends_the_wait_for_another_process(tmp_path: Path) -> None:
    """The other one may be stopped, and what is finished is to be recorded all the same."""
    corpus, home = tmp_path / "corpus", tmp_path / "home"
    corpus.mkdir()
    for number in range(3):
        (corpus / f"{number}.txt").write_text(essay(f"subject {number}"))
    other = Leases(home / "store" / "leases.db")
    with (
        other.hold("table documents"),
        other.hold("table chunks"),
        Seed(home, "seed", "--corpus", str(corpus), "--json") as running,
    ):
        assert running.wait_until(lambda: committed(home)["judgements"] == 3)
        running.send(signal.SIGINT)
        finished = running.finish()
    other.close()
    assert finished.status == 130, finished.printed()
    assert set(dagster_runs(home).values()) <= {"CANCELED", "SUCCESS"}
    again = seed(home, corpus)
    assert again.status == 0, again.printed()
    assert not again.computed.keys() & set(SOURCES)
