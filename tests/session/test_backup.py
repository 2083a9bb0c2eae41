"""`seedbank backup`: a copy that is whole though others write, and what it refuses.

What belongs here: the copy, and a home made of it. What does not: copies that were made without it (store/test_log_loss).
"""

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from io_managers.store import content_store
from io_managers.store.errors import LeaseLostError
from io_managers.store.leases import Leases
from io_managers.store.sqlite import log_loss
from resources.errors import ConfigurationError
from resources.home.home import Home
from resources.tables.lance import LanceTables
from resources.tables.lance_schema import TABLES
from seed_assets.session import backup as backup_module
from seed_assets.session.backup import Backup, back_up
from tests.support.pipelines import OF_CORPUS, PLACING, SINKS, SOURCES, World, essay
from tests.support.seed_process import SLOW, Seed, committed, seed, seedbank
from tests.support.slow_seed import BEGUN, SECONDS

pytestmark = pytest.mark.integration

DOCUMENTS = 12


@pytest.fixture
def of_world(world: World) -> Callable[[Path], Backup]:
    """Backs up the seeded world into a folder."""

    def made(directory: Path) -> Backup:
        with world.session() as session:
            return back_up(session, directory)

    return made


def restored(world: World, directory: Path) -> World:
    """The same corpus over the home that a backup is."""
    copy = World(directory.parent)
    copy.home, copy.corpus = directory, world.corpus
    return copy


def test_a_backup_is_a_home_in_which_nothing_is_to_be_computed(
    world: World, of_world: Callable[[Path], Backup], tmp_path: Path
) -> None:
    expected = {table: world.rows(table) for table in TABLES if LanceTables(world.home / "lancedb").version(table)}
    made = of_world(tmp_path / "backups" / "monday")
    assert made.wrong == []
    assert made.tables == {table: len(rows) for table, rows in expected.items()}
    assert made.actions == sum(committed(world.home).values())
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700
    log_loss._said.clear()
    copy = restored(world, made.directory)
    again = copy.seed()
    assert again.report.exit_code == 0
    assert again.embedded == []
    assert not set(again.calls) & set(SOURCES)
    assert log_loss._said == set()
    assert {table: copy.rows(table) for table in expected} == expected
    with copy.session() as session:
        assert not session.plan().todo()
    assert copy.seed().report.runs == []
    names = {path.name for path in (made.directory / "store").iterdir()}
    assert not any(name.startswith("leases.db") and name != "leases.db" for name in names)


def test_a_table_that_another_process_wrote_while_it_was_copied_is_copied_again(
    world: World, of_world: Callable[[Path], Backup], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped for a minute in a copy, as a laptop that was closed, it has a half of each state of the table."""
    copytree, prove, lost = shutil.copytree, Leases.prove, ["table chunks", "table documents"]

    def torn(source: Path, target: Path, *more: Any, **named: Any) -> None:
        copytree(source, target, *more, **named)
        if f"table {Path(source).stem}" in lost:
            for file in (target / "data").iterdir():
                file.unlink()

    def losing(leases: Leases, name: str) -> None:
        prove(leases, name)
        if name in lost:
            lost.remove(name)
            raise LeaseLostError(f"The lease of {name} was lost.")

    monkeypatch.setattr(backup_module.shutil, "copytree", torn)
    monkeypatch.setattr(Leases, "prove", losing)
    made = of_world(tmp_path / "copy")
    assert made.wrong == []
    assert lost == []
    assert made.tables["chunks"] == len(world.rows("chunks"))


def test_rows_that_were_written_after_the_tables_were_copied_are_written_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store says that they are current, at a later moment than that of the tables; and a document that went meanwhile
    has left its rows in the copy."""
    copy_store = backup_module._copy_store

    def after_another_seed(store: Path, target: Path) -> None:
        (world.corpus / "reefs/fish.txt").unlink()
        world.write("rails/bridges.md", essay("bridges"))
        world.write("bread/flour.md", essay("flour, altered"))
        assert world.seed().report.exit_code == 0
        copy_store(store, target)

    monkeypatch.setattr(backup_module, "_copy_store", after_another_seed)
    with world.session() as session:
        made = back_up(session, tmp_path / "backup")
    monkeypatch.undo()
    copy = restored(world, made.directory)
    assert "reefs/fish.txt" in copy.documents_in("documents")
    seeded = copy.seed()
    assert seeded.report.exit_code == 0
    assert not set(seeded.calls) & set(SOURCES)
    for table in ("documents", "chunks", "concepts", "judgements"):
        assert copy.rows(table) == world.rows(table)


def test_a_backup_in_the_midst_of_a_seed_lacks_only_what_was_not_finished(tmp_path: Path) -> None:
    """Real processes: what the backup says it has is not paid again in the home that is made of it."""
    corpus, home, copy = tmp_path / "corpus", tmp_path / "home", tmp_path / "copy"
    corpus.mkdir()
    for number in range(DOCUMENTS):
        (corpus / f"{number:02}.txt").write_text(essay(f"subject {number}"))
    begun = tmp_path / "begun"
    environment = {SECONDS: "0.4", BEGUN: str(begun)}
    with Seed(home, "seed", "--corpus", str(corpus), "--json", program=SLOW, environment=environment) as running:
        assert running.wait_until(lambda: committed(home)["summaries"] >= 3)
        made = seedbank(home, "backup", str(copy), "--json")
        assert made.status == 0, made.printed()
        finished = running.finish()
    assert finished.status == 0, finished.printed()
    in_copy = committed(copy)
    assert made.report["actions"] == sum(in_copy.values())
    assert in_copy["summaries"] >= 3
    begun.unlink()
    again = seed(copy, corpus, program=SLOW, environment=environment)
    assert again.status == 0, again.printed()
    assert "missing" not in again.errors
    asked = begun.read_text().splitlines() if begun.exists() else []
    assert len(asked) == DOCUMENTS - in_copy["summaries"]
    for stage in SOURCES:
        assert again.computed.get(stage, 0) == DOCUMENTS - in_copy[stage]
    with closing(sqlite3.connect(copy / "dagster" / "history" / "runs.db")) as runs:
        assert "STARTED" not in {status for (status,) in runs.execute("SELECT status FROM runs")}
    assert {*SINKS, *PLACING, *OF_CORPUS} - set(again.report["stages"]) == set()


def test_values_that_are_files_come_along(
    world: World, of_world: Callable[[Path], Backup], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_store, "LARGE_BYTES", 100)
    world.write("rails/bridges.md", essay("bridges", 40))
    assert world.seed().report.exit_code == 0
    files = [path for path in (world.home / "store" / "objects").rglob("*") if path.is_file()]
    assert files
    made = of_world(tmp_path / "backup")
    assert made.wrong == []
    assert len([path for path in (made.directory / "store" / "objects").rglob("*") if path.is_file()]) == len(files)


def test_a_backup_says_what_is_damaged_in_the_home(
    world: World, of_world: Callable[[Path], Backup], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(world.home / "store" / "store.db")) as connection:
        connection.execute("UPDATE objects SET data = x'00' WHERE rowid = 1")
        connection.commit()
    made = of_world(tmp_path / "backup")
    assert len(made.wrong) == 1
    assert made.directory.is_dir()


@pytest.mark.parametrize("place", ["a file", "a full folder", "the home", "in the home", "the corpus", "in the corpus"])
def test_a_place_that_cannot_hold_a_backup_is_refused(
    world: World, of_world: Callable[[Path], Backup], tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(world.home)
    directory = {
        "a file": tmp_path / "file",
        "a full folder": tmp_path / "full",
        "the home": world.home,
        "in the home": tmp_path / "link" / "backup",
        "the corpus": world.corpus,
        "in the corpus": world.corpus / "new" / "backup",
    }[place]
    before = sorted(path for path in tmp_path.rglob("*") if "store" not in path.parts)
    with pytest.raises(ConfigurationError, match=r"[Gg]ive a"):
        of_world(directory)
    assert sorted(path for path in tmp_path.rglob("*") if "store" not in path.parts) == before


def test_a_backup_that_fails_leaves_nothing(
    world: World, of_world: Callable[[Path], Backup], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_module.shutil, "copytree", full)
    (tmp_path / "backups").mkdir()
    result = seedbank(world.home, "backup", str(world.corpus / "x"))
    assert result.status == 2
    assert "corpus" in result.errors
    with pytest.raises(Exception, match=r"could not be written.*No space left"):
        of_world(tmp_path / "backups" / "one")
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_command_says_what_it_made(world: World, tmp_path: Path) -> None:
    directory = tmp_path / "backup"
    directory.mkdir()  # an empty one is taken
    done = seedbank(world.home, "backup", str(directory), "--json")
    assert done.status == 0, done.printed()
    report = json.loads(done.output)
    assert report["wrong"] == []
    assert report["tables"]["documents"] == len(world.rows("documents"))
    assert Home(directory).bound_corpus() == world.corpus
    assert os.listdir(directory / "lancedb")
    refused = seedbank(world.home, "backup", str(directory))
    assert refused.status == 2
    assert "not an empty folder" in refused.errors
