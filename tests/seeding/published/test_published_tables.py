"""Tables that a seed publishes, and homes that search them: they are those of the home, whatever happens to either.

What belongs here: tables. What does not: how files are sent, refused and kept (tests/io_managers/sharing/test_editions).
"""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from io_managers.sharing.editions.edition import edition_name
from io_managers.store.errors import LeaseBusyError
from resources.errors import ConfigurationError
from retrieval.filters import Filters
from seed_assets.checking.published_tables import table_findings
from seed_assets.doctor.published_probes import probes_of
from seed_assets.engine.runner import RunOptions
from seed_assets.erasing.erasing import erase
from seed_assets.seeding.seeding import SeedOptions
from seed_assets.session.published_tables import PublishedTables
from tests.support.pipelines import World
from tests.support.table_readers import NEW, OTHER, Reader, publishing

pytestmark = pytest.mark.slow


def tables_of(world: World) -> list[str]:
    with world.session() as session:
        return sorted(session.tables.present())


def test_readers_have_the_tables_of_the_home(home: World, reader: Reader) -> None:
    """Row by row, in all tables, and found by both indexes."""
    report = home.seed().report
    assert (report.exit_code, report.failures) == (0, [])
    assert report.published is not None
    assert report.published.new
    assert reader.pull().new
    for table in tables_of(home):
        assert reader.rows(table) == home.rows(table)
    with home.session() as session:
        wanted = session.searcher().search("coral reefs", 3)
    assert reader.search("coral reefs") == wanted
    assert wanted


def test_a_seed_with_nothing_to_do_sends_nothing(home: World, place: Path) -> None:
    home.seed()
    shutil.rmtree(place)
    report = home.seed().report
    assert (report.exit_code, report.published) == (0, None)


def test_after_a_change_only_new_files_are_sent_and_readers_switch(home: World, reader: Reader, place: Path) -> None:
    first = home.seed().report.published
    reader.pull()
    before = {path.name for path in place.rglob("*") if path.is_file()}
    home.write("lighthouses.md", NEW)
    second = home.seed().report.published
    assert first is not None
    assert second is not None
    assert second.number == first.number + 1
    sent = {path.name for path in place.rglob("*") if path.is_file()} - before
    assert second.sent_pieces == len(sent) - 1  # and the edition
    assert second.sent_bytes < second.bytes
    assert all(hit.document != "lighthouses.md" for hit in reader.search("who lights the lamp"))
    pulled = reader.pull()
    assert pulled.fetched_pieces <= second.sent_pieces
    assert reader.search("who lights the lamp")[0].document == "lighthouses.md"
    assert reader.rows("documents") == home.rows("documents")


def test_an_open_search_keeps_its_edition_until_the_next_one_is_asked_for(home: World, reader: Reader) -> None:
    """A service searches on while a newer edition is fetched and becomes current."""
    home.seed()
    reader.pull()
    with reader.session() as session:
        before, searcher = session.tables, session.searcher()
        home.write("lighthouses.md", NEW)
        home.seed()
        reader.pull()
        assert all(hit.document != "lighthouses.md" for hit in searcher.search("who lights the lamp"))
        assert session.tables is not before
        assert session.searcher().search("who lights the lamp")[0].document == "lighthouses.md"


def test_searches_find_one_edition_as_a_whole_while_others_become_current(home: World, reader: Reader) -> None:
    """The filter reads one table and the search another: both must be of one edition."""
    home.write("count.md", "# Count\n\nThe count of the lighthouses is number 0 here.\n")
    home.seed()
    reader.pull()
    ended, wrong, found = threading.Event(), list[str](), set[str]()

    with reader.session() as session:

        def search() -> None:
            while not ended.is_set():
                hits = session.searcher().search("count of the lighthouses", 1, Filters(documents=("count.md",)))
                titles = {row["title"] for row in session.tables.rows_where("documents", "true", ["title"], 100)}
                found.add(hits[0].text)
                if not titles:
                    wrong.append("no documents")

        thread = threading.Thread(target=search)
        thread.start()
        try:
            for number in range(1, 4):
                home.write("count.md", f"# Count\n\nThe count of the lighthouses is number {number} here.\n")
                home.seed()
                reader.pull()
        finally:
            ended.set()
            thread.join()
    assert wrong == []
    assert found
    assert all("The count of the lighthouses is number" in text for text in found)


def test_a_place_that_is_gone_fails_the_seed_and_the_next_one_publishes(home: World, place: Path) -> None:
    """What was seeded is kept, and readers are not forgotten."""
    home.seed()
    moved = place.with_name("moved")
    place.rename(moved)
    home.write("lighthouses.md", NEW)
    report = home.seed().report
    assert report.exit_code == 1
    (failure,) = report.failures
    assert failure.stage == "publishing of tables"
    assert "does not exist" in failure.reason
    assert "tables.publish_to" in failure.remedy
    assert "lighthouses.md" in home.documents_in("documents")
    moved.rename(place)
    again = home.seed().report
    assert (again.exit_code, again.runs) == (0, [])
    assert again.published is not None
    assert again.published.number == 2


def test_a_second_home_at_the_place_is_named_and_publishes_nothing(
    home: World, tmp_path: Path, place: Path, reader: Reader
) -> None:
    home.seed()
    other = World(tmp_path / "other", plain=True)
    other.write("other.md", NEW)
    publishing(other, str(place))
    report = other.seed().report
    assert report.exit_code == 1
    assert "was not published by this home" in report.failures[0].reason
    assert "--take-over" in report.failures[0].remedy
    reader.pull()
    assert reader.rows("documents") == home.rows("documents")


def test_without_a_key_that_is_trusted_readers_use_nothing(home: World, reader: Reader) -> None:
    publishing(home, home.settings["tables"]["publish_to"], OTHER)
    home.seed()
    with pytest.raises(ConfigurationError, match=r"Nothing that is published .*public:[0-9a-f]+, which is not trusted"):
        reader.pull()


def test_ci_publishes_nothing_unless_it_is_asked_to(home: World, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed of a pull request must not replace what colleagues search."""
    monkeypatch.setenv("CI", "true")
    assert home.seed().report.published is None
    assert not list(place.iterdir())
    home.settings["store"]["remote_access"] = "write"
    assert home.seed().report.published is not None


def test_a_seed_that_is_not_complete_publishes_nothing(home: World, place: Path) -> None:
    """Tables whose search index is not up to date are worse than those of before."""
    report = home.seed(SeedOptions(stages=("lance_documents",))).report
    assert (report.exit_code, report.published) == (0, None)
    assert not list(place.iterdir())
    assert home.seed().report.published is not None


def test_a_home_that_reads_is_not_seeded(reader: Reader, home: World, tmp_path: Path) -> None:
    home.seed()
    reader.pull()
    (tmp_path / "reader" / "corpus").mkdir()
    for work in (
        lambda session: session.plan(),
        lambda session: session.runner(RunOptions()),
    ):
        with reader.session() as session, pytest.raises(ConfigurationError, match="only reads tables"):
            work(session)


def test_vectors_of_another_embedder_are_named(home: World, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scores would mean nothing."""
    home.seed()
    reader.pull()
    monkeypatch.setattr(
        "tests.support.table_readers.SearchingEmbedder.identity", property(lambda _: {"provider": "other"})
    )
    with pytest.raises(ConfigurationError, match=r"vectors of another embedder.*Set \[embeddings\]"):
        reader.search("coral reefs")


def test_tables_with_other_columns_do_not_become_current(
    home: World, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another release may have other tables; what is there goes on being searched."""
    home.seed()
    reader.pull()
    home.write("lighthouses.md", NEW)
    home.seed()
    from resources.tables import lance_schema

    spec = lance_schema.TABLES["chunks"]
    changed = {**lance_schema.TABLES, "chunks": type(spec)(**{**_fields(spec), "columns": spec.columns[1:]})}
    with reader.session() as session:
        assert session.mirrored is not None
        session.mirrored._specs = changed
        pulled = session.mirrored.pull()
    assert "Its table chunks cannot be used here" in pulled.refused[edition_name(2)]
    assert "same release" in pulled.refused[edition_name(2)]
    assert reader.search("coral reefs")


def _fields(spec: object) -> dict[str, object]:
    return {name: getattr(spec, name) for name in spec.__slots__}  # type: ignore[attr-defined]


def test_what_cannot_be_looked_at_is_said_and_the_mirror_stays_in_use(
    home: World, reader: Reader, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home.seed()
    reader.pull()
    place.rename(place.with_name("moved"))
    with reader.session() as session:
        assert session.mirrored is not None
        session.mirrored.mirror.directory.joinpath("looked").unlink()
        session.mirrored.refresh()
        session.mirrored.refresh()
    assert sum("stays in use" in record.message for record in caplog.records) == 1
    assert reader.search("coral reefs")


def test_a_reader_without_a_mirror_says_what_is_missing(reader: Reader, place: Path) -> None:
    with reader.session() as session:
        assert session.mirrored is not None
        with pytest.raises(ConfigurationError, match=r"Nothing is published at .* yet.*tables\.publish_to"):
            session.mirrored.refresh()
        with pytest.raises(ConfigurationError, match="tables pull"):
            session.searcher()


@pytest.mark.integration
def test_erased_documents_go_from_where_they_are_published(home: World, reader: Reader, place: Path) -> None:
    home.write("lighthouses.md", NEW)
    home.seed()
    reader.pull()
    (home.corpus / "lighthouses.md").unlink()
    with home.session() as session:
        dry = erase(session, ["lighthouses.md"], dry_run=True)
        assert dry.erased["editions of published tables"] == 1
        done = erase(session, ["lighthouses.md"], dry_run=False)
    assert done.erased["editions of published tables"] == 1
    assert any("until they fetch edition 2" in sentence for sentence in done.left)
    everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert b"keeper" not in everything
    reader.pull()
    assert all("keeper" not in hit.text for hit in reader.search("who lights the lamp"))


@pytest.mark.integration
def test_what_could_not_be_erased_there_is_erased_by_the_next_seed(home: World, place: Path) -> None:
    home.write("lighthouses.md", NEW)
    home.seed()
    moved = place.with_name("moved")
    place.rename(moved)
    (home.corpus / "lighthouses.md").unlink()
    with home.session() as session:
        done = erase(session, ["lighthouses.md"], dry_run=False)
    assert any("still have rows of it" in sentence for sentence in done.left)
    moved.rename(place)
    assert home.seed().report.exit_code == 0
    assert len(list((place / "editions").iterdir())) == 1
    everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert b"keeper" not in everything


def test_two_processes_of_a_home_publish_one_after_the_other(home: World) -> None:
    home.seed()
    with home.session() as one, home.session() as two:
        with one.store.leases.hold("publishing of tables"):
            from io_managers.store.holders import Waiting

            with pytest.raises(LeaseBusyError), two.store.leases.hold("publishing of tables", Waiting(lambda: "stop")):
                pass
        assert PublishedTables(two).publish().number == 1


def test_checks_and_probes_know_what_is_published(home: World, reader: Reader, place: Path) -> None:
    home.seed()
    reader.pull()
    with home.session() as session:
        ((check, finding),) = table_findings(session)
        assert (check.name, finding.passed) == ("published_as_they_are", True)
        assert {probe.name: probe.look().state for probe in probes_of(session)} == {
            "published tables": "fine",
            "mirrored tables": "off",
        }
    with reader.session() as session:
        ((check, finding),) = table_findings(session)
        assert (check.name, finding.passed) == ("mirror_as_fetched", True)
        assert {probe.name: probe.look().state for probe in probes_of(session)} == {
            "published tables": "off",
            "mirrored tables": "fine",
        }


def change_unpublished(world: World) -> None:
    world.write("lighthouses.md", NEW)
    world.settings["store"]["remote_access"] = "off"
    world.seed()
    world.settings["store"]["remote_access"] = "auto"


DAMAGES: dict[str, tuple[Callable[[World, Path], object], str]] = {
    "a piece is gone": (lambda _, place: next((place / "pieces").rglob("*/*")).unlink(), "tables publish --verify"),
    "the edition is gone": (lambda _, place: shutil.rmtree(place / "editions"), "run `seedbank tables publish`"),
    "another home": (lambda world, _: (world.home / "tables.published").unlink(), "--take-over"),
    "a change": (lambda world, _: change_unpublished(world), "run `seedbank seed`"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_checks_name_what_is_wrong_with_what_is_published(damage: str, home: World, place: Path) -> None:
    home.seed()
    change, words = DAMAGES[damage]
    change(home, place)
    with home.session() as session:
        ((_, finding),) = table_findings(session)
    assert not finding.passed
    assert words in json.dumps(finding.offenders)


def test_a_damaged_file_of_a_mirror_is_named(home: World, reader: Reader) -> None:
    home.seed()
    folder = reader.pull().current.folder
    damaged = next((folder / "chunks.lance" / "data").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\0")
    with reader.session() as session:
        ((_, finding),) = table_findings(session)
    assert list(finding.offenders) == [damaged.relative_to(folder).as_posix()]
    assert reader.pull(again=True).new
    with reader.session() as session:
        ((_, finding),) = table_findings(session)
    assert finding.passed
