"""`seedbank cache gc` and `cache clear`: what they ask, print and remove in a seeded home, and what the next seed does then."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.retention import clear, gc
from io_managers.store.retention.collection import collect
from io_managers.store.retention.rules import Rules
from seed_assets.seeding.seeding import SeedOptions, seed
from tests.support.pipelines import World

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def cache(world: World, *arguments: str) -> Result:
    environment = {"SEEDBANK_HOME": str(world.home), "SEEDBANK_CORPUS": str(world.corpus)}
    return CliRunner().invoke(app, ["cache", *arguments], env=environment)


def age(world: World) -> None:
    """Make everything in the store look old."""
    with closing(sqlite3.connect(world.home / "store" / "store.db")) as raw:
        raw.execute("UPDATE actions SET created_at = 1000000, used_on = NULL")
        raw.commit()


def results(world: World) -> dict[str, int]:
    with world.session() as session:
        return session.store.contents().results


def edit(world: World) -> None:
    """Edit a document and seed, so that its earlier results are not in use any more."""
    path = next(world.corpus.rglob("*.md"))
    path.write_text(path.read_text() + "\nOne more sentence about bread.\n")
    with world.session() as session:
        seed(session, SeedOptions())


def test_a_collection_shows_first_and_removes_only_what_is_not_in_use(plain_world: World) -> None:
    edit(plain_world)
    age(plain_world)
    before = results(plain_world)
    shown = cache(plain_world, "gc")
    assert shown.exit_code == 0, shown.output
    assert "Would be removed" in shown.output
    assert "Say --yes" in shown.output
    assert results(plain_world) == before
    planned = json.loads(cache(plain_world, "gc", "--dry-run", "--json").stdout)
    done = json.loads(cache(plain_world, "gc", "--yes", "--json").stdout)
    assert (planned["dry_run"], done["dry_run"]) == (True, False)
    assert planned["removed"] == done["removed"] != []
    after = results(plain_world)
    assert sum(before.values()) - sum(after.values()) == done["total"]["results"]
    assert after["text_embedding"] == before["text_embedding"], "no newer result replaces the vector of a text"
    assert "Nothing to remove" in cache(plain_world, "gc").output
    with plain_world.session() as session:
        assert session.store.verify() == []
        assert not seed(session, SeedOptions()).runs, "everything published is still there"


def test_a_home_over_its_limit_gets_smaller_and_has_nothing_to_do(plain_world: World) -> None:
    age(plain_world)
    with plain_world.session() as session:
        collect(session.store, Rules(limit_bytes=1), dry_run=False)
    found = results(plain_world)
    assert "text_embedding" not in found
    assert found["topic_basis"] == 1
    with plain_world.session() as session:
        assert not seed(session, SeedOptions()).runs


def test_a_collection_asks_on_a_terminal(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(plain_world)
    age(plain_world)
    before = results(plain_world)
    monkeypatch.setattr(gc, "can_ask", lambda: True)
    monkeypatch.setattr(gc, "ask", lambda question: False)
    cache(plain_world, "gc")
    assert results(plain_world) == before
    monkeypatch.setattr(gc, "ask", lambda question: True)
    cache(plain_world, "gc")
    assert sum(results(plain_world).values()) < sum(before.values())


@pytest.mark.parametrize("ttl", ["summaries", "summaries=", "=3x", "summaries=-1", "summaries=nan"])
def test_a_time_to_live_that_is_none_is_refused(plain_world: World, ttl: str) -> None:
    done = cache(plain_world, "gc", "--ttl", ttl)
    assert done.exit_code == 2
    assert "STAGE=DAYS" in done.output


def test_a_name_that_no_stage_has_is_said(plain_world: World) -> None:
    assert "Did you mean summaries" in cache(plain_world, "gc", "--ttl", "summarys=3").output


def test_what_was_cleared_is_computed_again_by_the_next_seed(plain_world: World) -> None:
    documents = results(plain_world)["summaries"]
    refused = cache(plain_world, "clear", "--stage", "summaries")
    assert refused.exit_code == 2
    assert "--yes" in refused.output
    assert results(plain_world)["summaries"] == documents
    done = cache(plain_world, "clear", "--stage", "summaries", "--yes")
    assert done.exit_code == 0, done.output
    assert f"{documents} results, of which {documents} are published" in done.output
    assert "no money" in done.output
    with plain_world.session() as session:
        report = seed(session, SeedOptions())
        assert report.stages["summaries"].computed == documents
        assert report.stages["concepts"].computed == 0
        assert not seed(session, SeedOptions()).runs


def test_a_document_can_be_cleared(plain_world: World) -> None:
    shown = json.loads(cache(plain_world, "clear", "--document", "bread/flour.md", "--dry-run", "--json").stdout)
    assert {one["stage"] for one in shown["removed"]} >= {"summaries", "concepts", "extracted_text"}
    assert all(one["results"] == 1 for one in shown["removed"])
    done = cache(plain_world, "clear", "--document", "bread/flour.md", "--with-parts", "--yes", "--json")
    assert "text_embedding" in {one["stage"] for one in json.loads(done.stdout)["removed"]}
    with plain_world.session() as session:
        report = seed(session, SeedOptions())
        assert report.stages["summaries"].computed == 1


def test_clearing_asks_on_a_terminal(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = results(plain_world)
    monkeypatch.setattr(clear, "can_ask", lambda: True)
    monkeypatch.setattr(clear, "ask", lambda question: False)
    assert cache(plain_world, "clear", "--stage", "summaries").exit_code == 0
    assert results(plain_world) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Say what to remove"),
        (("--stage", "summarys"), "Did you mean summaries"),
        (("--document", "bread/flour.txt"), "Did you mean bread/flour.md"),
        (("--model", "gpt"), "nothing of a model 'gpt'"),
    ],
)
def test_what_cannot_be_cleared_is_said(plain_world: World, arguments: tuple[str, ...], words: str) -> None:
    done = cache(plain_world, "clear", *arguments, "--yes")
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())


def test_a_store_in_another_folder_is_used_and_never_replaced_by_an_empty_one(
    empty_plain_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "large disk" / "store"
    monkeypatch.setenv("SEEDBANK_STORE__DIRECTORY", str(elsewhere))
    with empty_plain_world.session() as session:
        assert seed(session, SeedOptions()).exit_code == 0
    assert (elsewhere / "store.db").exists()
    moved = tmp_path / "moved"
    elsewhere.rename(moved)
    gone = cache(empty_plain_world, "stats")
    assert gone.exit_code == 2
    assert "is missing" in gone.output
    assert not elsewhere.exists()
    monkeypatch.setenv("SEEDBANK_STORE__DIRECTORY", str(moved))
    with empty_plain_world.session() as session:
        assert not seed(session, SeedOptions()).runs
    other = CliRunner().invoke(
        app, ["seed", "--home", str(tmp_path / "other"), "--corpus", str(empty_plain_world.corpus)]
    )
    assert other.exit_code == 2
    assert "each home needs a store of its own" in " ".join(other.output.split())


def test_a_store_that_is_switched_off_is_not_asked_and_keeps_what_was_computed(
    plain_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home whose stored results are not to be used must not lose what it pays for meanwhile."""
    with monkeypatch.context() as off:
        off.setenv("SEEDBANK_STORE__ENABLED", "false")
        with plain_world.session() as session:
            report = seed(session, SeedOptions())
            assert report.exit_code == 0, report.failures
            assert report.stages["summaries"].computed == report.stages["summaries"].documents
    with plain_world.session() as session:
        assert not seed(session, SeedOptions()).runs, "what was computed meanwhile is published and in the store"
