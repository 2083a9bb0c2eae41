"""Tables whose files or rows were damaged: a check names it, the next seed puts it right, and nothing is computed.

What belongs here: flipped bits, files that are gone, older copies, rows that others changed. What does not: what a check
says of each way to break a table (test_checks) and reading and writing tables (test_lance).
"""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import lancedb
import pytest

from io_managers.store.errors import LeaseLostError
from io_managers.store.leases import Leases
from io_managers.store.sqlite.connection import connect
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableMissingError, TableSchemaError
from resources.tables.lance_schema import TABLES
from seed_assets.checking.check_run import checks_of, run_check
from seed_assets.engine.damage import DAMAGED, UNREADABLE
from seed_assets.engine.maintenance import run_maintenance
from seed_assets.graph.pipeline import Pipeline
from seed_assets.seeding.seed_report import SeedReport
from seed_assets.seeding.seeding import SeedOptions, seed
from seed_assets.session.session import Session
from seed_assets.stages.corpus.search_index import Indexing, search_index
from tests.checking import test_checks
from tests.checking.test_checks import DOCUMENT, LONG, seeded, world
from tests.support.pipelines import SINKS, World, essay, unprivileged
from tests.support.plain_runs import without_dagster
from tests.support.seed_process import seedbank

__all__ = ["seeded", "world"]

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_environment")]

ROW_CHECKS = ("rows_as_published", "index_as_made")
SECOND = "bread-2.txt"


@contextmanager
def opened(world: World) -> Iterator[Session]:
    """A session that seeds in this process: nothing here depends on what Dagster shows."""
    with without_dagster(sorted(path.name for path in world.corpus.iterdir())), test_checks.opened(world) as session:
        yield session


def offenders(world: World) -> dict[str, dict[str, str]]:
    """Stage -> what the checks of tables and indexes name, of those that fail."""
    with opened(world) as session:
        runner = session.runner()
        found = {c.stage: run_check(runner, c) for c in checks_of(session.pipeline) if c.name in ROW_CHECKS}
    return {stage: finding.offenders for stage, finding in found.items() if finding.offenders}


def seeded_again(world: World) -> SeedReport:
    with opened(world) as session:
        return seed(session, SeedOptions())


def written(report: SeedReport) -> dict[str, int]:
    """Stage -> of how many units something was computed or written, of those with any."""
    return {name: stage.computed for name, stage in report.stages.items() if stage.computed}


def rows(world: World) -> dict[str, Any]:
    """Table -> all its rows."""
    return {name: world.rows(name) for name in TABLES}


def put_right(world: World, expected: dict[str, Any]) -> dict[str, int]:
    """Seed; all is as it should be, and nothing but rows and the index was made. What was written, by stage."""
    report = seeded_again(world)
    assert report.exit_code == 0, report.failures
    assert all(name.startswith("lance_") or name == "search_index" for name in written(report))
    assert offenders(world) == {}
    assert rows(world) == expected
    with opened(world) as session:
        assert len(session.searcher().search("the signal tells the driver", 3)) == 3
    assert seeded_again(world).runs == []
    return written(report)


def flip(path: Path, offset: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << bit
    path.write_bytes(content)


def folder(world: World, table: str) -> Path:
    return world.home / "lancedb" / f"{table}.lance"


def newest(paths: Path, pattern: str) -> Path:
    """The newest manifest is the first by name."""
    return min(paths.glob(pattern))


def test_exactly_a_deleted_and_an_altered_row_are_named_and_written(world: World) -> None:
    expected = rows(world)
    table = lancedb.connect(world.home / "lancedb").open_table("documents")
    table.delete(f"document_id = '{DOCUMENT}'")
    table.update(where=f"document_id = '{SECOND}'", values={"score": 0.123})
    assert offenders(world) == {
        "lance_documents": {
            DOCUMENT: "its rows are missing",
            SECOND: f"column score of the row {SECOND} is not what it was written from",
        }
    }
    plan = world_plan(world)
    assert plan["lance_documents"][DOCUMENT] == plan["lance_documents"][SECOND] == "its rows in the table are damaged"
    assert put_right(world, expected)["lance_documents"] == 2


def world_plan(world: World) -> dict[str, dict[str, str]]:
    """Stage -> unit -> why a seed would visit it."""
    with opened(world) as session:
        return {name: dict(stage.todo) for name, stage in session.plan().stages.items()}


def test_the_note_of_a_check_leaves_the_tables_as_they_are(world: World) -> None:
    table = lancedb.connect(world.home / "lancedb").open_table("documents")
    table.update(where=f"document_id = '{SECOND}'", values={"title": "another"})
    before = {path: path.read_bytes() for path in (world.home / "lancedb").rglob("*") if path.is_file()}
    assert offenders(world)
    assert {path: path.read_bytes() for path in (world.home / "lancedb").rglob("*") if path.is_file()} == before
    with opened(world) as session:
        states = {unit: ref.state for unit, ref in session.store.refs.get("lance_documents").items()}
    assert [unit for unit, state in states.items() if state == DAMAGED] == [SECOND]


def test_duplicate_rows_and_rows_without_a_document_are_repaired(world: World) -> None:
    expected = rows(world)
    table = lancedb.connect(world.home / "lancedb").open_table("chunks")
    table.add(table.search().where(f"document_id = '{LONG}'").limit(1).to_arrow())
    concepts = lancedb.connect(world.home / "lancedb").open_table("concepts")
    (row,) = concepts.search().limit(1).to_list()
    concepts.add([row | {"concept_id": "gone.txt#0", "document_id": "gone.txt"}])
    found = offenders(world)
    assert found["lance_chunks"].keys() == {LONG}
    assert "is there twice" in found["lance_chunks"][LONG]
    assert found["lance_concepts"] == {"gone.txt": "its rows are there, and it is not published"}
    assert put_right(world, expected)["lance_chunks"] == 1


def test_a_flipped_bit_of_a_data_file_is_named_or_changes_no_row(world: World) -> None:
    """Offsets are drawn from all of each file: values, offsets of values, and what says where they are."""
    expected = rows(world)
    for table in TABLES:
        (path,) = (folder(world, table) / "data").glob("*.lance")
        sound = path.read_bytes()
        chance = random.Random(table)
        named = False
        while not named:
            path.write_bytes(sound)
            flip(path, chance.randrange(len(sound)), chance.randrange(8))
            same = False
            with suppress(Exception):
                same = world.rows(table) == expected[table]
            named = f"lance_{table}" in offenders(world)
            assert named != same
    assert put_right(world, expected).keys() == {*(f"lance_{table}" for table in TABLES), "search_index"}


def test_a_flipped_bit_of_one_number_of_one_vector_is_named_by_its_document(world: World) -> None:
    expected = rows(world)
    vectors = LanceTables(world.home / "lancedb").read("chunks", ["chunk_id", "vector"]).to_pylist()
    wanted = next(row["vector"] for row in vectors if row["chunk_id"] == f"{DOCUMENT}#0")
    (path,) = (folder(world, "chunks") / "data").glob("*.lance")
    import numpy as np

    place = path.read_bytes().index(np.array(wanted, np.float32).tobytes())
    flip(path, place, 0)
    assert offenders(world) == {
        "lance_chunks": {DOCUMENT: f"column vector of the row {DOCUMENT}#0 is not what it was written from"}
    }
    assert put_right(world, expected) == {"lance_chunks": 1, "search_index": 1}


GONE: dict[str, Callable[[Path], Path]] = {
    "the data": lambda table: newest(table / "data", "*.lance"),
    "the newest manifest": lambda table: newest(table / "_versions", "*.manifest"),
    "the mark": lambda table: table / "seedbank.json",
}


@pytest.mark.parametrize("which", GONE)
def test_a_file_that_is_gone_is_named_and_its_table_is_written_again(world: World, which: str) -> None:
    expected = rows(world)
    for table in ("chunks", "clusters", "categories"):
        GONE[which](folder(world, table)).unlink()
    assert offenders(world).keys() == {"lance_chunks", "lance_clusters", "lance_categories"}
    put_right(world, expected)


def test_a_manifest_of_garbage_is_named_and_its_table_is_written_again(world: World) -> None:
    expected = rows(world)
    newest(folder(world, "documents") / "_versions", "*.manifest").write_bytes(b"\0" * 500)
    found = offenders(world)
    assert "it cannot be read from" in found["lance_documents"]["lance_documents"]
    assert put_right(world, expected)["lance_documents"] == 12


def test_a_table_that_cannot_be_read_is_rebuilt_by_the_seed_that_writes_to_it(world: World) -> None:
    """No check came before it: the new document's rows are merged into what is there."""
    next((folder(world, "documents") / "data").glob("*.lance")).unlink()
    world.write("volcano-4.txt", "Pumice is lava full of gas. The rock floats on water.\n")
    report = seeded_again(world)
    assert report.exit_code == 0, report.failures
    assert {row["document_id"] for row in world.rows("documents")} >= {DOCUMENT, "volcano-4.txt"}
    assert offenders(world) == {}


def test_documents_are_removed_from_a_table_that_cannot_be_read(world: World) -> None:
    next((folder(world, "documents") / "data").glob("*.lance")).unlink()
    (world.corpus / DOCUMENT).unlink()
    report = seeded_again(world)
    assert report.exit_code == 0, report.failures
    assert report.removed == 1
    assert DOCUMENT not in {row["document_id"] for row in world.rows("documents")}
    assert offenders(world) == {}


def test_a_table_that_this_user_may_not_read_is_named_and_not_rebuilt(world: World) -> None:
    """Guards against a rebuild where nothing is damaged."""
    path = next((folder(world, "documents") / "data").glob("*.lance"))
    for each in (world.home / "lancedb").rglob("*"):
        each.chmod(0o755)
    path.chmod(0)
    with opened(world) as session:
        (check,) = (c for c in checks_of(session.pipeline) if (c.stage, c.name) == ("lance_documents", ROW_CHECKS[0]))
        reachable = world.home
        while reachable != reachable.parent:
            reachable.chmod(reachable.stat().st_mode | 0o055)
            reachable = reachable.parent
        runner = session.runner()
        session.store.refs.get("lance_documents")
        with unprivileged():
            finding = run_check(runner, check)
        states = {ref.state for ref in session.store.refs.get("lance_documents").values()}
    assert "Make it readable for this user" in finding.offenders["lance_documents"]
    assert UNREADABLE not in states


def test_an_older_copy_of_a_table_with_its_mark_is_named_and_put_right(world: World) -> None:
    """With rows of what was removed since, and without those of what was changed."""
    copies = world.home.parent / "copies"
    for table in ("documents", "chunks"):
        shutil.copytree(folder(world, table), copies / table)
    (world.corpus / DOCUMENT).unlink()
    world.write(SECOND, "Oats give a soft bread, which the baker eats with butter and salt.\n")
    assert seeded_again(world).exit_code == 0
    expected = rows(world)
    for table in ("documents", "chunks"):
        shutil.rmtree(folder(world, table))
        shutil.copytree(copies / table, folder(world, table))
    found = offenders(world)
    for stage in ("lance_documents", "lance_chunks"):
        assert found[stage].keys() == {DOCUMENT, SECOND}
        assert found[stage][DOCUMENT] == "its rows are there, and it is not published"
    put_right(world, expected)


def test_versions_that_an_older_copy_grows_into_are_not_taken_for_those_that_were_written(tmp_path: Path) -> None:
    """A copy of version 2 grows, by seeds of other documents, to versions to which rows were written that it lacks."""
    world = World(tmp_path, plain=True)
    for name in ("a", "b", "c"):
        world.write(f"{name}.md", essay(name, 1))
    world.seed()
    table = folder(world, "concepts")
    shutil.copytree(table, tmp_path / "copy")
    world.write("a.md", essay("granite", 1))
    world.seed()
    expected = rows(world)["concepts"]
    shutil.rmtree(table)
    shutil.copytree(tmp_path / "copy", table)
    for words in ("one", "two", "three", "four"):
        world.write("b.md", essay(words, 1))
        world.seed(SeedOptions(documents="b.md"))
    world.write("b.md", essay("b", 1))
    world.seed()
    assert rows(world)["concepts"] == expected


def test_a_look_that_lost_its_lease_is_taken_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it saw may be half of what another process was writing: nothing is noted of it."""
    expected = rows(world)
    lancedb.connect(world.home / "lancedb").open_table("chunks").delete(f"document_id = '{DOCUMENT}'")
    prove, looks = Leases.prove, 0

    def losing(leases: Leases, name: str) -> None:
        nonlocal looks
        prove(leases, name)
        looks += name == "table chunks"
        if looks == 1:
            with closing(connect(world.home / "store" / "store.db")) as store:
                assert not store.execute("SELECT 1 FROM refs WHERE state = ?", (DAMAGED,)).fetchall()
            raise LeaseLostError(f"The lease of {name} was lost.")

    with monkeypatch.context() as patch:
        patch.setattr(Leases, "prove", losing)
        assert offenders(world).keys() == {"lance_chunks"}
    assert looks == 2
    assert put_right(world, expected)["lance_chunks"] == 1


def test_a_damaged_index_is_made_from_the_rows(world: World) -> None:
    expected = rows(world)
    for path in folder(world, "chunks").rglob("part_0_invert.lance"):
        flip(path, path.stat().st_size // 3, 5)
    found = offenders(world)
    assert found.keys() == {"search_index"}
    assert all("it was changed since it was made" in problem for problem in found["search_index"].values())
    assert put_right(world, expected) == {"search_index": 1}


def test_an_index_of_an_earlier_version_is_made_again_once_it_was_looked_at(world: World) -> None:
    """An earlier version did not record the state of its files."""
    expected = rows(world)
    (folder(world, "chunks") / "seedbank.indexes.json").unlink()
    assert offenders(world) == {}
    assert put_right(world, expected) == {"search_index": 1}


def test_whatever_visits_an_index_of_an_earlier_version_makes_it_again(world: World) -> None:
    """As the one visit of a home from before does, so that nothing is left to the seed after it."""
    (folder(world, "chunks") / "seedbank.indexes.json").unlink()
    with opened(world) as session:
        stage = session.pipeline.stages["search_index"]
        visits = [run_maintenance(session.runner(), stage).results[""] for _ in range(2)]
    assert [visit.reason for visit in visits] == ["an earlier version made the index", ""]
    assert offenders(world) == {}
    assert written(seeded_again(world)) == {}


def test_a_table_that_is_removed_while_a_seed_runs_is_named_and_written_by_the_next(tmp_path: Path) -> None:
    """Guards against a KeyError where the index is made."""
    world = World(tmp_path, plain=True)
    for name in ("a", "b", "c"):
        world.write(f"{name}.md", essay(name, 1))
    normal = world.change

    def removing(pipeline: Pipeline) -> Pipeline:
        from dataclasses import replace

        stage = pipeline.stages["categories"]

        async def remove(*arguments: Any, **used: Any) -> Any:
            shutil.rmtree(folder(world, "chunks"))
            return await stage.function(*arguments, **used)

        return pipeline.with_stage(replace(stage, function=remove))

    world.change = removing
    done = world.seed().report
    assert done.exit_code == 1
    (failure,) = done.failures
    assert failure.stage == "search_index"
    assert "was removed from" in failure.reason
    assert "Run `seedbank seed` again" in failure.remedy
    world.change = normal
    again = world.seed()
    assert again.report.exit_code == 0
    assert not set(again.calls) - set(SINKS) - {"search_index"}
    assert world.documents_in("chunks") == {"a.md", "b.md", "c.md"}


def test_the_index_of_a_table_that_is_gone_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(TableMissingError, match="Run `seedbank seed` again"):
        search_index.function(LanceTables(tmp_path), indexing=Indexing())


def test_a_seed_calls_a_foreign_table_by_its_columns(world: World) -> None:
    """Guards against words of LanceDB about a query that the user never made."""
    lancedb.connect(world.home / "lancedb").create_table("concepts", [{"name": "x", "weight": 1.0}], mode="overwrite")
    assert offenders(world)["lance_concepts"]["lance_concepts"].startswith(
        "Table concepts: column concept_id (string not null) is missing from the table on disk; "
        "columns that differ too: document_id, rank, name, kind, score, count, start, end, content_digest, weight."
    )
    (failure,) = (f for f in seeded_again(world).failures if f.stage == "lance_concepts")
    assert failure.reason.startswith("column concept_id (string not null) is missing from the table on disk")
    assert "--rebuild-sink" in failure.remedy
    assert lancedb.connect(world.home / "lancedb").open_table("concepts").to_arrow().num_rows == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda tables: tables.read("concepts"),
        lambda tables: tables.owners("concepts"),
        lambda tables: tables.written("concepts", ["a"]),
        lambda tables: tables.delete_rows("concepts", ["a"]),
        lambda tables: tables.claim("concepts"),
    ],
)
def test_every_use_of_a_foreign_table_names_its_columns(tmp_path: Path, use: Callable[[LanceTables], object]) -> None:
    lancedb.connect(tmp_path).create_table("concepts", [{"name": "x"}])
    with pytest.raises(TableSchemaError, match=r"Table concepts: column concept_id .* did not make this table"):
        use(LanceTables(tmp_path))


def test_lances_warnings_about_its_files_are_not_shown_to_people(world: World) -> None:
    """The transaction in a manifest is damaged: nobody needs it, and LanceDB says so on standard error."""
    flip(newest(folder(world, "categories") / "_versions", "*.manifest"), 8, 7)
    done = seedbank(world.home, "check")
    assert done.status == 0, done.printed()
    assert "WARN" not in done.errors
