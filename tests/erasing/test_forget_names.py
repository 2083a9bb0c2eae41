"""What `seedbank forget` takes for a document, for a stage, and for neither."""

import json
from pathlib import Path

import pytest

from resources.home.home import Home
from tests.support.pipelines import World
from tests.support.seed_process import Finished, seedbank

pytestmark = pytest.mark.integration


def forget(world: World, *words: str) -> Finished:
    return seedbank(world.home, "forget", *words, environment={"SEEDBANK_CORPUS": str(world.corpus)})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reefs/coral.txt",), "Did you mean reefs/corals.txt"),
        (("summaries",), "summaries is in use"),
        (("summaries", "reefs/corals.txt"), "Forget them in two commands"),
        ((), "Say what to forget"),
        (("reefs/corals.txt",), "Confirm with --yes"),
        (("--list", "/nowhere/list.txt"), "/nowhere/list.txt cannot be read"),
    ],
    ids=["unknown", "in use", "both", "nothing", "unconfirmed", "no list"],
)
def test_what_cannot_be_done_is_said_and_nothing_is_erased(world: World, words: tuple[str, ...], said: str) -> None:
    refused = forget(world, *words)
    assert (refused.status, said in refused.errors) == (2, True), refused.printed()
    assert "reefs/corals.txt" in world.documents_in("documents")
    assert world.store().verify() == []


def test_a_list_is_worked_off_and_what_the_home_does_not_have_is_named(world: World, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("\ufeffreefs/corals.txt\n\nother/home.md\nrails/points.md\n", "utf-8")
    done = forget(world, "--list", str(listed), "--yes", "--json")
    assert done.status == 0, done.printed()
    assert json.loads(done.output)["documents"] == ["reefs/corals.txt", "rails/points.md"]
    assert "has nothing of other/home.md" in done.errors
    assert world.documents_in("documents") == {
        "bread/flour.md",
        "bread/starter.txt",
        "rails/signals.txt",
        "reefs/fish.txt",
    }
    again = forget(world, "--list", str(listed), "--yes")
    assert (again.status, "nothing of any document" in again.errors) == (2, True), again.printed()


def test_nothing_is_erased_while_another_process_seeds(world: World) -> None:
    """What it computes of the document meanwhile would be left."""
    with Home(world.home).running():
        refused = forget(world, "reefs/corals.txt", "--yes")
        assert (refused.status, "Nothing was erased" in refused.errors) == (2, True), refused.printed()
        assert "The home is being seeded by process" in refused.errors
        assert "continues" not in refused.errors
    assert "reefs/corals.txt" in world.documents_in("documents")


def test_a_document_can_be_erased_without_its_corpus(world: World) -> None:
    world.corpus.rename(world.corpus.with_name("away"))
    done = forget(world, "reefs/corals.txt", "--yes", "--json")
    assert done.status == 0, done.printed()
    assert done.report["in_corpus"] == []
    assert "reefs/corals.txt" not in world.documents_in("documents")
