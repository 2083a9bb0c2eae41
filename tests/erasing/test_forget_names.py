"""What `seedbank forget` takes for a document, for a stage, and for neither."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from resources.home.home import Home
from tests.support.pipelines import World
from tests.support.seed_process import ROOT, Finished, seedbank

pytestmark = pytest.mark.integration


WORKING = """
import sys
from pathlib import Path
from resources.errors import ConfigurationError
from resources.home.home import Home
try:
    with getattr(Home(Path(sys.argv[1])), sys.argv[2])():
        print("began")
except ConfigurationError as error:
    print(error)
"""
KILLED = """
import os, sys
from pathlib import Path
from resources.home.home import Home
with Home(Path(sys.argv[1])).erasing():
    os._exit(9)
"""


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


def test_no_seed_begins_while_documents_are_erased(world: World) -> None:
    """What it computed of a document meanwhile would be left, and the erasure would not know of it."""
    world.write("new.txt", "A new document about harbours.")
    home = Home(world.home)
    with home.erasing():
        refused = seedbank(world.home, "seed", environment={"SEEDBANK_CORPUS": str(world.corpus)})
        assert (refused.status, "Documents are being erased from the home by process" in refused.errors) == (2, True)
        assert "seedbank forget" in refused.errors
        second = forget(world, "reefs/corals.txt", "--yes")
        assert (second.status, "Documents are being erased" in second.errors) == (2, True), second.printed()
        assert forget(world, "reefs/corals.txt", "--dry-run").status == 0
    assert "new.txt" not in world.documents_in("documents")
    assert not list((world.home / "erasing").glob("[!.]*"))
    world.seed()
    assert "new.txt" in world.documents_in("documents")


def test_a_run_that_begins_at_the_same_moment_is_held_back_too(tmp_path: Path) -> None:
    """A seed plans for a while before it leaves its mark; whichever comes second has to notice the first."""
    first, second = Home(tmp_path), Home(tmp_path)

    def other(what: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", WORKING, str(tmp_path), what], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    with first.erasing():
        assert "Documents are being erased" in other("running")
        assert "Documents are being erased" in other("erasing")
    with second.running():
        assert "The home is being seeded by" in other("erasing")
        assert other("running") == "began\n"
    assert other("erasing") == "began\n"
    # What was killed holds nobody back, and its mark goes with the next erasure.
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert len(list((tmp_path / "erasing").glob("[!.]*"))) == 1
    assert other("running") == "began\n"
    assert other("erasing") == "began\n"
    assert not list((tmp_path / "erasing").glob("[!.]*"))


@pytest.mark.parametrize("command", [("status",), ("forget", "reefs/corals.txt", "--yes")], ids=["status", "forget"])
def test_a_corpus_that_the_home_does_not_belong_to_is_refused_as_by_seed(
    world: World, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Somebody who means the other corpus would read the state of this one, or erase from it."""
    other = tmp_path / "other"
    other.mkdir()
    refused = seedbank(world.home, *command, environment={"SEEDBANK_CORPUS": str(other)})
    assert refused.status == 2, refused.printed()
    assert f"belongs to the corpus {world.corpus}, not to {other}" in refused.errors
    assert "reefs/corals.txt" in world.documents_in("documents")
    done = seedbank(world.home, "status", environment={"SEEDBANK_CORPUS": ""})
    assert done.status == 0, done.printed()
