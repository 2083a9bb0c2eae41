"""`seedbank cache pull --documents`: what is here afterwards of the documents in a list, and what is said of the rest."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from io_managers.sharing.segments.signatures import SigningKey
from tests.support.pipelines import World, use_in_commands

pytestmark = pytest.mark.slow

KEY = SigningKey.parse("secret:" + "07" * 32)
FISH, CORALS = "reefs/fish.txt", "reefs/corals.txt"
Run = Callable[..., Any]


@pytest.fixture
def remote(tmp_path: Path, plain_world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to which a seeded home was pushed."""
    folder = tmp_path / "remote"
    folder.mkdir()
    plain_world.settings["store"] = {"remote": str(folder), "signing_key": KEY.text}
    use_in_commands(plain_world, monkeypatch)
    pushed = CliRunner().invoke(app, ["cache", "push", "--home", str(plain_world.home)])
    assert pushed.exit_code == 0, pushed.output
    return folder


@pytest.fixture
def other(tmp_path: Path, remote: Path, plain_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Another home, in which nothing is seeded, over a copy of the corpus."""
    found = World(tmp_path / "other", plain=True)
    shutil.copytree(plain_world.corpus, found.corpus)
    found.settings = {"store": {"remote": str(remote), "signing_key": KEY.text}}
    use_in_commands(found, monkeypatch)
    return found


@pytest.fixture
def pull(other: World, tmp_path: Path) -> Run:
    """Pulls what a list of documents needs."""

    def command(*documents: str, as_json: bool = True) -> Any:
        listed = tmp_path / "documents.txt"
        listed.write_text("\ufeff" + "\n\n".join(documents) + "\n", "utf-8")
        arguments = ["cache", "pull", "--documents", str(listed), "--home", str(other.home)]
        return CliRunner().invoke(app, [*arguments, *(["--json"] if as_json else [])])

    return command


def test_what_a_list_needs_is_here_and_nothing_else(pull: Run, other: World, remote: Path) -> None:
    """A machine that is taken off the network seeds the listed documents without the remote, and computes the others."""
    done = pull(FISH, CORALS, FISH)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["documents"]
    assert (found["documents"], found["whole"], found["there"], found["missing"], found["unknown"]) == (2, 2, 0, {}, [])
    assert found["results"] >= found["values"] > 0
    assert found["bytes"] > 0
    again = json.loads(pull(FISH, CORALS).stdout)["documents"]
    assert (again["results"], again["values"], again["there"], again["whole"]) == (0, 0, found["results"], 2)

    shutil.rmtree(remote)
    other.settings["store"]["remote_access"] = "off"
    report = other.seed()
    of_documents = {"extracted_text", "chunks", "embeddings", "summaries", "concepts", "judgements"}
    assert {name: report.calls[name] for name in of_documents} == dict.fromkeys(of_documents, 4)


def test_what_is_nowhere_and_what_is_no_document_is_said(pull: Run, other: World) -> None:
    other.write("new.txt", "A document that nobody has seeded, about lighthouses and their lamps.")
    done = pull(FISH, "new.txt", "gone/away.md")
    assert done.exit_code == 1
    found = json.loads(done.stdout)["documents"]
    assert (found["documents"], found["whole"], found["unknown"]) == (2, 1, ["gone/away.md"])
    assert found["missing"]["summaries"] == found["missing"]["extracted_text"] == 1
    said = pull(FISH, "new.txt", "gone/away.md", as_json=False)
    assert "Of 2 documents, everything is here now of 1: 0 results and 0 values (0.0 MB) were brought" in said.output
    assert "so that a seed computes them: extracted_text 1" in said.output
    assert "Not in the corpus: gone/away.md." in said.output


def test_a_value_that_was_changed_in_the_remote_is_not_counted_as_here(pull: Run, remote: Path, other: World) -> None:
    for value in (path for path in (remote / "values").rglob("*") if path.is_file()):
        value.write_bytes(value.read_bytes()[:-1])
    done = pull(FISH)
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["documents"]["whole"], found["documents"]["values"]) == (0, 0)
    assert found["documents"]["lost"] > 0
    assert found["refused"]


def test_a_list_that_cannot_be_read_and_a_home_without_a_remote_are_refused(
    pull: Run, other: World, tmp_path: Path
) -> None:
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "binary.txt", tmp_path / "nowhere.txt"):
        refused = CliRunner().invoke(app, ["cache", "pull", "--documents", str(path), "--home", str(other.home)])
        assert refused.exit_code == 2
        assert "Nothing was fetched" in refused.output
    other.settings["store"] = {"remote": ""}
    refused = pull(FISH)
    assert refused.exit_code == 2
    assert "No remote is used" in refused.output
