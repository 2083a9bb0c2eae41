"""`seedbank explain`: one line for each stage, one stage in full, and JSON.

What belongs here: what is printed, and exit statuses. What does not: what is found out (tests/explaining).
"""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.support.pipelines import EVERY_STAGE, World, essay, refusal, use_in_commands
from tests.support.seed_process import ROOT
from tests.test_imports import HEAVY

CORALS = "reefs/corals.txt"


def explain(world: World, patch: pytest.MonkeyPatch, *arguments: str, status: int = 0) -> str:
    use_in_commands(world, patch)
    done = CliRunner().invoke(app, ["explain", *arguments, "--home", str(world.home)])
    assert done.exit_code == status, done.output
    return done.output


def test_each_stage_has_one_line_that_fits_the_terminal(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = explain(plain_world, monkeypatch, CORALS).splitlines()
    assert {line.split()[1] for line in quiet[2:]} == {"nothing"}
    assert len(quiet) == 2 + len(EVERY_STAGE)
    plain_world.write(CORALS, essay("polyps"))
    plain_world.raise_version("concepts")
    lines = explain(plain_world, monkeypatch, CORALS).splitlines()
    assert lines[0] == f"document: {CORALS}"
    assert lines[1].split() == ["stage", "a", "seed", "why"]
    table = lines[2 : 2 + len(EVERY_STAGE)]
    assert [line.split()[0] for line in table] == list(EVERY_STAGE)
    assert max(map(len, table)) <= 80
    assert table[0].split()[1:] == ["compute", "The", "file", "changed"]
    assert table[1].split()[1] == "perhaps"
    assert lines[-2].startswith("From `extracted_text` follow 9 stages after it")
    assert lines[-1] == "Name a stage as well to read everything about it."


def test_one_stage_is_explained_in_full(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = plain_world
    current = explain(world, monkeypatch, CORALS, "summaries").splitlines()
    assert current[:4] == [f"document: {CORALS}", "stage: summaries", "state: current", ""]
    assert current[4].startswith("A seed does nothing: the result is the one that it would compute. It was made on 20")
    rows = explain(world, monkeypatch, CORALS, "lance_documents").splitlines()
    assert rows[4].endswith("that it would compute. How it was made is not recorded.")
    world.summarizer.words = 5
    stale = explain(world, monkeypatch, CORALS, "summaries").splitlines()
    assert stale[4:6] == ["A seed computes it again:", "- summaries.words: 12 → 5"]
    assert stale[6].startswith("The published result was made on 20")
    waiting = explain(world, monkeypatch, CORALS, "judgements").splitlines()
    assert waiting[4] == "A seed first computes `summaries`. This is computed again only if its result differs."
    world.settings["summaries"] = {"when_model_changes": "keep"}
    kept = explain(world, monkeypatch, CORALS, "summaries").splitlines()
    assert kept[4:7] == [
        "A seed keeps the published result, although its key differs:",
        "- summaries.words: 12 → 5",
        "The setting summaries.when_model_changes says so.",
    ]


@pytest.mark.slow
def test_a_failure_is_shown_with_its_remedy_and_when_it_is_tried_again(
    plain_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text of a model in a failure must not write to the terminal."""
    plain_world.summarizer.failing = {"polyps": refusal("the model \x1b[31mrefused.")}
    plain_world.write(CORALS, essay("polyps"))
    plain_world.seed()
    lines = explain(plain_world, monkeypatch, CORALS, "summaries").splitlines()
    assert lines[4].startswith("It failed (since 20")
    assert lines[4].endswith(" UTC): the model refused.")
    assert lines[5] == "  -> Ask another one."
    assert "--retry-failed" in lines[6]
    assert "- The result of `extracted_text` changed: 3 of 3 paragraphs" in lines
    blocked = explain(plain_world, monkeypatch, CORALS, "judgements").splitlines()
    assert blocked[4].startswith("The stage summaries, which comes before it, failed (since 20")


def test_json_has_everything(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_world.raise_version("chunks")
    found = json.loads(explain(plain_world, monkeypatch, CORALS, "--json"))
    assert (found["unit"], found["units"]) == (CORALS, "documents")
    by_stage = {one["stage"]: one for one in found["stages"]}
    assert list(by_stage) == list(EVERY_STAGE)
    chunks = by_stage["chunks"]
    assert (chunks["state"], chunks["outcome"], chunks["reason"]) == ("stale", "computed", "version: 2 -> 2+")
    assert [(change["part"], change["before"], change["now"]) for change in chunks["changes"]] == [
        ("version", "2", "2+")
    ]
    assert by_stage["embeddings"]["waits_for"] == ["chunks"]
    assert by_stage["summaries"]["made"]["seconds"] > 0
    assert found["follows"][0].startswith("From `chunks` follow")


def test_other_units_and_unknown_ones(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert explain(plain_world, monkeypatch, "topic").startswith("cluster type: topic\n")
    assert explain(plain_world, monkeypatch, "topic/1", "lance_clusters").startswith(
        "cluster: topic/1\nstage: lance_clusters\n"
    )
    assert explain(plain_world, monkeypatch, "corpus").startswith("corpus\n")
    assert "Did you mean reefs/corals.txt" in explain(plain_world, monkeypatch, "corals.txt", status=2)


@pytest.mark.integration
def test_an_explanation_imports_neither_dagster_nor_lancedb(plain_world: World) -> None:
    """It would take two seconds longer."""
    program = (
        "import sys\nfrom cli.main import app\n"
        f"app(['explain', {CORALS!r}, '--home', {str(plain_world.home)!r}], standalone_mode=False)\n"
        "print(','.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert not {*done.stdout.splitlines()[-1].split(",")} & {*HEAVY, "dagster"}
