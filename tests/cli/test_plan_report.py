"""What `plan` and `status` print for people, beside the figures: what to do next, and what the signs of the table mean.

What belongs here: sentences. What does not: the figures (tests/planning), and skipped files (test_warnings_and_skipped_files).
"""

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.support.pipelines import World, essay, use_in_commands

BOUND = "≤ means at most:"
NEXT = "The next seed computes what is stale or missing; `seedbank plan` says why, and what that costs.\n"


@pytest.fixture
def own_world(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Six documents, seeded; commands see the same pipeline as seeds."""
    use_in_commands(plain_world, monkeypatch)
    return plain_world


def shown(world: World, command: str, *arguments: str, status: int = 0) -> str:
    options = ("--corpus", str(world.corpus), "--home", str(world.home), *arguments)
    done = CliRunner().invoke(app, [command, *options], env={"COLUMNS": "200"})
    assert done.exit_code == status, done.output
    return done.output


def test_a_bound_is_explained_where_there_is_one(own_world: World) -> None:
    assert BOUND not in shown(own_world, "plan")
    own_world.write("reefs/new.txt", essay("crabs"))
    assert BOUND in shown(own_world, "plan")
    assert BOUND not in shown(own_world, "plan", "--stages", "extracted_text")


@pytest.mark.parametrize(("count", "words"), [(1, "1 document is left out"), (2, "2 documents are left out")])
def test_a_plan_says_what_to_do_about_documents_that_are_left_out(own_world: World, count: int, words: str) -> None:
    """A plan with nothing to do but a column `left out` did not say that documents had failed."""
    for number in range(count):
        own_world.write(f"bad/{number}.txt", b" " * (number + 1))
    assert "left out because" not in shown(own_world, "plan")
    assert own_world.seed().report.exit_code == 1
    printed = shown(own_world, "plan")
    assert "Nothing to do.\n" in printed
    assert f"{words} because of earlier failures: `seedbank status` says what to do" in printed


def test_a_plan_of_a_folder_without_documents_has_nothing_to_do(empty_plain_world: World) -> None:
    """A folder of files that are not read was said to need clusters and categories, and then a seed refused it."""
    for path in empty_plain_world.corpus.rglob("*.*"):
        path.rename(path.with_suffix(".doc"))
    lines = shown(empty_plain_world, "plan").splitlines()
    assert lines[:2] == ["The corpus holds no documents, so there is nothing to do.", "6 files skipped: 6 .doc."]
    assert lines[2].startswith("6 .doc files are not read. Save such files")


def test_status_says_what_ends_that_results_are_stale_or_missing(own_world: World) -> None:
    assert NEXT not in shown(own_world, "status")
    own_world.write("reefs/new.txt", essay("crabs"))
    printed = shown(own_world, "status")
    assert NEXT in printed
    assert "search_index has to run after them.\n" in printed
