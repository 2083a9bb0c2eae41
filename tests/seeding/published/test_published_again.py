"""Published tables after something has happened to their place, and erasures beside them: nothing is lost or left unsaid.

What belongs here: emptied and former places, copies of killed processes, erasures at the same time. What does not: what a seed
publishes, and what readers find (test_published_tables).
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from resources.errors import ConfigurationError
from resources.home.home import Home
from seed_assets.checking.published_tables import table_findings
from seed_assets.doctor.home_probes import probes_of
from seed_assets.erasing.erasing import Erased, erase
from seed_assets.session.published_tables import PublishedTables
from tests.support.pipelines import World
from tests.support.table_readers import NEW, Reader, shared_folder

pytestmark = pytest.mark.slow


def publish(world: World, **options: Any) -> int:
    """Publish as `seedbank tables publish` does; the number of the edition."""
    with world.session() as session:
        return PublishedTables(session).publish(**options).number


def forget(world: World, *, dry_run: bool = False) -> Erased:
    """Erase lighthouses.md."""
    (world.corpus / "lighthouses.md").unlink(missing_ok=True)
    with world.session() as session:
        return erase(session, ["lighthouses.md"], dry_run=dry_run)


def test_after_the_place_was_emptied_the_check_says_what_helps(home: World, reader: Reader, place: Path) -> None:
    """The seed has nothing to do, and readers use no lower number than the one that they have."""
    home.write("lighthouses.md", NEW)
    home.seed()
    home.write("lighthouses.md", NEW + "It is red.\n")
    home.seed()
    reader.pull()
    for folder in place.iterdir():
        shutil.rmtree(folder)
    assert home.seed().report.published is None
    with home.session() as session:
        ((_, finding),) = table_findings(session)
    assert "run `seedbank tables publish`" in json.dumps(finding.offenders)
    assert publish(home) == 3
    assert reader.pull().new
    assert reader.rows("documents") == home.rows("documents")


def test_a_record_of_before_is_read(home: World) -> None:
    """Homes that have published before numbers and former addresses were recorded go on."""
    home.seed()
    path = home.home / "tables.published"
    record = json.loads(path.read_bytes())
    assert (record.pop("last"), record.pop("former")) == (1, [])
    path.write_text(json.dumps(record))
    assert home.seed().report.published is None
    home.write("lighthouses.md", NEW)
    published = home.seed().report.published
    assert published is not None
    assert published.number == 2


@pytest.mark.integration
def test_copies_of_killed_processes_and_an_unused_mirror_are_erased(home: World) -> None:
    home.write("lighthouses.md", NEW)
    home.seed()
    left = home.home / ".publishing-killed" / "tables" / "rows.lance"
    unused = home.home / "mirror" / "1-abc" / "rows.lance"
    for file in (left, unused):
        file.parent.mkdir(parents=True)
        file.write_text("the keeper")
    assert forget(home, dry_run=True).erased["files"] >= 2
    assert left.exists()
    forget(home)
    assert not (home.home / ".publishing-killed").exists()
    assert not (home.home / "mirror").exists()


@pytest.mark.integration
@pytest.mark.parametrize("now", ["", "another"])
def test_a_former_place_is_named_until_nothing_is_there(now: str, home: World, place: Path, tmp_path: Path) -> None:
    home.write("lighthouses.md", NEW)
    home.seed()
    home.settings["tables"] = {"publish_to": str(shared_folder(tmp_path / now))} if now else {}
    home.seed()
    named = [sentence for sentence in forget(home).left if str(place) in sentence]
    assert len(named) == 1
    assert "delete `editions` and `pieces` there" in named[0]
    for folder in place.iterdir():
        shutil.rmtree(folder)
    assert not any(str(place) in sentence for sentence in forget(home).left)


def test_what_was_erased_while_it_was_published_is_withdrawn_later(
    home: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped for long may go on beside an erasure."""
    home.seed()
    home.write("lighthouses.md", NEW)
    home.settings["store"]["remote_access"] = "off"
    home.seed()
    home.settings["store"]["remote_access"] = "auto"
    with home.session() as session, home.session() as erasing:
        tables = PublishedTables(session)
        files_of = tables._files_of

        def beside_an_erasure(folder: Path) -> Any:
            found = files_of(folder)
            PublishedTables(erasing).note_erased()
            return found

        monkeypatch.setattr(tables, "_files_of", beside_an_erasure)
        assert tables.publish().number == 2
        assert PublishedTables(session).is_due()
        later = PublishedTables(session).publish()
        assert (later.number, later.removed) == (3, 2)
        assert not PublishedTables(session).is_due()


def test_nothing_is_published_while_documents_are_erased_and_the_other_way_round(
    home: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.seed()
    with monkeypatch.context() as patch:
        patch.setattr(Home, "erasing_elsewhere", lambda _: "process 7.")
        with pytest.raises(ConfigurationError, match="Documents are being erased"):
            publish(home)
    running = list[bool]()
    with home.session() as session:
        tables = PublishedTables(session)
        files_of = tables._files_of

        def files(folder: Path) -> Any:
            running.append(any((home.home / "running").iterdir()))
            return files_of(folder)

        monkeypatch.setattr(tables, "_files_of", files)
        tables.publish()
    assert running == [True]


def test_the_marks_of_a_killed_run_are_not_lost(home: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Dagster shows of it has to be corrected by the next seed, whatever was published meanwhile."""
    home.seed()
    with home.session() as session:
        session.home.dagster.mkdir(exist_ok=True)
        before = session.home.synced_digest()
        monkeypatch.setattr(Home, "abandoned", lambda _: True)
        PublishedTables(session).publish()
        assert session.home.synced_digest() != before


def test_runs_of_dagster_are_refused_in_a_home_that_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seed_assets.orchestration.code_location import RunnerResource

    monkeypatch.setenv("SEEDBANK_TABLES__READ_FROM", str(tmp_path / "published"))
    runner = RunnerResource(corpus=str(tmp_path), home=str(tmp_path / "home"))
    with pytest.raises(ConfigurationError, match="only reads tables"), runner.yield_for_execution(None):  # type: ignore[arg-type]
        pass
    assert not (tmp_path / "home").exists()


def test_documents_are_not_missed_in_a_home_that_reads(reader: Reader) -> None:
    shutil.rmtree(reader.world.corpus, ignore_errors=True)
    with reader.session() as session:
        corpus = next(probe for probe in probes_of(session) if probe.name == "corpus")
        assert corpus.look().state == "off"
