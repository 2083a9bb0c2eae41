"""What a seed prints where nobody draws a table: lines of progress for pipes and CI, and nothing at all with `--quiet`.

What belongs here: what is printed, and where. What does not: what a line says (tests/engine/test_progress), how often there is
one (tests/engine/test_stage_watch), and the table on a terminal (test_live_table).
"""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.progress import LiveTable
from resources.endpoints.llm import Usage
from seed_assets.engine.progress import Progress
from seed_assets.planning.estimate import estimate
from tests.support.pipelines import World, use_in_commands

NOTHING = Usage()


def run(world: World, *arguments: str) -> Result:
    options = ("--corpus", str(world.corpus), "--home", str(world.home))
    return CliRunner().invoke(app, ["seed", *options, *arguments], env={"COLUMNS": "80"})


@pytest.fixture
def own_world(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Six documents, seeded; commands see the same pipeline as seeds."""
    use_in_commands(plain_world, monkeypatch)
    return plain_world


def test_a_quiet_seed_with_nothing_to_say_prints_nothing(own_world: World) -> None:
    """Each line that a nightly job prints is a mail."""
    done = run(own_world, "--quiet")
    assert (done.exit_code, done.output) == (0, "")
    assert "stage" in run(own_world).output


def test_a_quiet_seed_says_what_failed_and_what_to_do(own_world: World) -> None:
    own_world.write("bad/empty.pdf", b"plain text")
    assert own_world.seed().report.exit_code == 1
    done = run(own_world, "-q")
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0] == "1 failed:"
    assert lines[1].startswith("  bad/empty.pdf (extracted_text): the file is not a PDF")
    assert len(lines) == 3
    assert lines[2].startswith("    -> ")


def test_a_quiet_seed_with_json_prints_the_json_alone(own_world: World) -> None:
    done = run(own_world, "--quiet", "--json")
    assert json.loads(done.stdout)["exit_code"] == 0
    assert done.stderr == ""


def table(world: World, *, computed: int, lines_only: bool = False) -> LiveTable:
    """The table of a seed whose plan has so many summaries to compute."""
    with world.session() as session:
        shown = LiveTable(session, lines_only=lines_only)
        plan = session.plan()
        found = estimate(session.pipeline, session.store, plan, ["summaries", "cluster_summaries"], plan.documents)
        shown.planned(plan, {name: replace(one, compute=computed) for name, one in found.items()})
    return shown


def test_lines_of_a_seed_count_all_its_runs(plain_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A seed of 10,000 documents has ten runs, and each line said `of 1,000` and that a minute was left."""
    shown = table(plain_world, computed=3_000)
    for _ in range(2):
        shown.began("summaries", 1_000)
        shown.advanced("summaries", computed=500)
        shown.reached(Progress("summaries", 500, 1_000, "a.md", NOTHING, 50.0))
        shown.advanced("summaries", computed=500)
        shown.ended("summaries", 100.0)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("summaries")]
    assert lines == [
        "summaries 500/3,000  a.md  about 4 min left",
        "summaries 1,500/3,000  a.md  about 2 min left",
    ]


def test_clusters_that_may_not_come_about_are_not_waited_for(
    plain_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan counts as many clusters as there can be: of 10,000 documents 6,000, where 800 are found."""
    shown = table(plain_world, computed=6_000)
    shown.began("cluster_summaries", 800)
    shown.reached(Progress("cluster_summaries", 400, 800, "topic/7", NOTHING, 120.0))
    assert "cluster_summaries 400/800  topic/7  about 2 min left\n" in capsys.readouterr().err


def test_with_json_only_lines_of_progress_are_on_standard_error(
    plain_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output holds one JSON document, and a job of two hours is not silent."""
    shown = table(plain_world, computed=10, lines_only=True)
    shown.began("summaries", 10)
    shown.reached(Progress("summaries", 5, 10, "a.md", NOTHING, 600.0))
    printed = capsys.readouterr()
    assert printed.err == "summaries 5/10  a.md  about 10 min left\n"
    assert printed.out == ""
