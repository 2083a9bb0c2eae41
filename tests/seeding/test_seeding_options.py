"""The options of `seedbank seed` and its output: selections, budgets, exit statuses, JSON.

What belongs here: one test an option, by count of the calls of each stage's own function, and the shapes that others
read. What does not: what a change of documents or stages recomputes (test_seeding_changes).
"""

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from resources.errors import ConfigurationError
from seed_assets.engine.runner import RunOptions
from seed_assets.seeding.seeding import SeedOptions
from tests.conftest import DOCUMENTS
from tests.support.pipelines import (
    ALONE,
    EVERY_STAGE,
    OF_CORPUS,
    PLACING,
    SINKS,
    SOURCES,
    TABLES,
    World,
    essay,
    refusal,
)

pytestmark = pytest.mark.slow

N = len(DOCUMENTS)
# As many as run at once, and some more.
MANY = 40


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def plant(corpus: Path, names: tuple[str, ...]) -> None:
    corpus.mkdir(exist_ok=True)
    for name in names:
        (corpus / name).write_text(essay(Path(name).stem))


def test_selected_stages_are_computed_with_all_that_they_need_and_nothing_else(empty_world: World) -> None:
    world = empty_world

    some = world.seed(SeedOptions(stages=("embeddings",)))

    assert some.report.exit_code == 0
    assert some.calls == dict.fromkeys(("extracted_text", "chunks", "embeddings"), N)
    assert list(some.report.stages) == ["extracted_text", "chunks", "embeddings"]
    assert world.states("reefs/fish.txt") == {
        **dict.fromkeys(ALONE, "missing"),
        **dict.fromkeys(("extracted_text", "chunks", "embeddings"), "current"),
    }
    assert world.seed(SeedOptions(stages=("embeddings",))).report.runs == []

    rest = world.seed()

    assert rest.calls == {**dict.fromkeys(("summaries", "concepts", "judgements", *SINKS), N), "search_index": 1}


def test_without_the_cache_everything_is_computed_exactly_once_and_replaces_what_was_there(empty_world: World) -> None:
    world = empty_world
    world.summarizer.numbered = True
    world.write("reefs/copy.txt", essay("corals"))
    world.seed()
    before = {row["document_id"]: row["summary"] for row in world.rows("documents")}

    again = world.seed(no_cache=True)

    assert again.report.exit_code == 0
    assert {name: again.calls[name] for name in SOURCES} == dict.fromkeys(SOURCES, N)
    assert len(again.embedded) == len(set(again.embedded))
    assert set(again.embedded) == {row["text"] for row in world.rows("chunks")}
    after = {row["document_id"]: row["summary"] for row in world.rows("documents")}
    assert after.keys() == before.keys()
    assert all(after[document] != before[document] for document in before)
    assert world.all_states() == {"current"}

    again = world.seed()

    assert (again.report.exit_code, again.calls, again.report.runs) == (0, {}, [])


def test_cache_only_computes_nothing_and_names_what_is_missing(world: World) -> None:
    world.write("reefs/new.txt", essay("anemones"))
    tables = {table: world.rows(table) for table in TABLES}

    refused = world.seed(cache_only=True)

    assert refused.report.exit_code == 1
    assert set(refused.calls) <= {"search_index"}
    assert refused.failed() == {("reefs/new.txt", "extracted_text")}
    assert "--cache-only" in refused.report.failures[0].remedy
    assert {table: world.rows(table) for table in TABLES} == tables

    world.seed(SeedOptions(stages=("document_clusters", "corpus_map")))
    published = world.seed(cache_only=True)

    # Rows are made of what is finished, and cost nothing.
    assert published.report.exit_code == 0
    assert published.calls == {**dict.fromkeys(SINKS, 1), "search_index": 1}

    rebuilt = world.seed(SeedOptions(rebuild_sink=True, run=RunOptions(cache_only=True)))
    assert rebuilt.report.exit_code == 0
    assert rebuilt.calls == {**dict.fromkeys(SINKS, N + 1), "search_index": 1}


@pytest.mark.integration
def test_a_budget_stops_the_seed_with_status_3_and_keeps_what_was_paid_for(empty_world: World) -> None:
    world = empty_world
    for number in range(MANY - N):
        world.write(f"more/{number}.txt", essay(f"subject{number}", paragraphs=1))
    world.summarizer.usd = 0.10

    stopped = world.seed(max_usd=0.35)

    assert stopped.report.exit_code == 3
    paid = stopped.calls["summaries"]
    # Those that were in flight when the last cent was spent are finished, and no other is begun.
    assert math.ceil(0.35 / 0.10) <= paid <= math.ceil(0.35 / 0.10) + 16
    summaries = stopped.report.stages["summaries"]
    assert summaries.computed == summaries.requests == paid
    assert summaries.usd == pytest.approx(0.10 * paid)
    assert summaries.tokens == 110 * paid
    assert list(world.plan().stages["summaries"].states.values()).count("current") == paid
    assert stopped.report.failures == []

    world.summarizer.usd = 0.10
    finished = world.seed()

    assert finished.report.exit_code == 0
    assert finished.calls["summaries"] == MANY - paid
    assert finished.report.stages["summaries"].usd == pytest.approx(0.10 * (MANY - paid))
    assert finished.calls.get("extracted_text", 0) == 0
    assert len(world.documents_in("documents")) == MANY
    assert world.all_states() == {"current"}


def test_a_paid_request_that_fails_counts_against_the_budget(empty_world: World) -> None:
    world = empty_world
    for number in range(MANY - N):
        world.write(f"more/{number}.txt", essay(f"subject{number}", paragraphs=1))
    world.summarizer.usd = 0.10
    world.summarizer.failing = {"note": refusal()}

    stopped = world.seed(max_usd=0.35)

    assert stopped.report.exit_code == 3
    assert stopped.calls["summaries"] < MANY
    assert stopped.report.stages["summaries"].usd == pytest.approx(0.10 * stopped.calls["summaries"])


@pytest.mark.integration
def test_one_run_holds_no_more_documents_than_it_may(empty_world: World) -> None:
    world = empty_world
    world.settings = {"documents_per_run": 4}

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    assert len(seeded.report.runs) == 6, "two of documents, one of clusters, one for the corpus, two of their places"
    assert seeded.calls == {**dict.fromkeys(ALONE, N), "search_index": 1}
    assert world.all_states() == {"current"}


def test_rebuilding_the_sink_drops_nothing_where_the_seed_is_refused(world: World) -> None:
    """A corpus that is not mounted must not cost the tables: the refusal says that nothing was changed."""
    tables = {table: world.rows(table) for table in TABLES}
    for path in sorted(path for path in world.corpus.rglob("*") if path.is_file()):
        path.unlink()
    with pytest.raises(ConfigurationError, match="Nothing was changed"):
        world.seed(SeedOptions(rebuild_sink=True))
    assert {table: world.rows(table) for table in TABLES} == tables


def test_rebuilding_the_sink_computes_no_stage_and_gives_the_same_rows(world: World) -> None:
    before = {table: world.rows(table) for table in TABLES}

    rebuilt = world.seed(SeedOptions(rebuild_sink=True))

    assert rebuilt.report.exit_code == 0
    assert rebuilt.calls == {**dict.fromkeys(SINKS, N), "search_index": 1}
    assert rebuilt.embedded == []
    assert {table: world.rows(table) for table in TABLES} == before
    assert world.all_states() == {"current"}
    assert world.seed().report.runs == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("seed", "--stages", "summarise"), r"no stage summarise\. The stages are extracted_text, "),
        (("seed", "--documents", "nowhere/*"), "No document matches 'nowhere/*'"),
        (("seed", "--corpus", "{tmp}/missing"), "There is no corpus folder"),
        (("seed", "--corpus", "{tmp}/empty"), "holds no documents"),
        (("seed", "--max-cost", "-1"), "max-cost"),
        (("seed", "--no-such-option"), "No such option"),
        (("status", "--home", "{tmp}/nothing"), "Nothing is seeded"),
        (("search", "reefs", "--home", "{tmp}/nothing"), "Nothing is seeded"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_and_configuration_end_with_status_2_and_say_what_is_right(
    tmp_path: Path, own_environment: None, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    plant(tmp_path / "corpus", ("a.txt",))
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("SEEDBANK_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.setenv("SEEDBANK_HOME", str(tmp_path / "home"))

    result = invoke(*(argument.format(tmp=tmp_path) for argument in arguments))

    assert result.exit_code == 2
    assert said.replace("\\", "") in result.stderr
    assert not (tmp_path / "home" / "dagster").exists(), "something was run"


def test_a_setting_that_is_no_number_is_named_with_what_is_wrong(
    tmp_path: Path, own_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBANK_CHUNKS__CHARACTERS", "many")

    result = invoke("seed", "--corpus", str(tmp_path), "--home", str(tmp_path / "home"))

    assert result.exit_code == 2
    assert "chunks.characters" in result.stderr


@pytest.mark.integration
def test_json_has_the_shapes_that_scripts_rely_on(
    tmp_path: Path, own_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pipeline through the command, with a parameter changed by the environment."""
    corpus, home = tmp_path / "corpus", tmp_path / "home"
    names = ("anemones.txt", "lighthouses.md")
    plant(corpus, names)
    where = ("--corpus", str(corpus), "--home", str(home), "--json")

    result = invoke("seed", *where)

    assert result.exit_code == 0
    seeded = json.loads(result.stdout)
    assert list(seeded) == [
        *("stages", "failures", "runs", "seconds", "exit_code", "stopped", "without_text", "skipped"),
        *("documents_with_warnings", "shared", "published", "own_stages"),
    ]
    assert list(seeded["stages"]) == [*ALONE, *OF_CORPUS, *PLACING, "search_index"]
    for stage in seeded["stages"].values():
        assert list(stage) == [
            *(
                "documents",
                "reused",
                "computed",
                "failed",
                "blocked",
                "seconds",
                "requests",
                "tokens",
                "usd",
            ),
            *("unpriced_requests", "waiting"),
        ]
        assert (stage["reused"], stage["computed"], stage["failed"]) == (0, stage["documents"], 0)
    assert (seeded["failures"], seeded["exit_code"]) == ([], 0)
    assert all(isinstance(run, str) for run in seeded["runs"])

    result = invoke("status", *where)
    assert result.exit_code == 0
    status = json.loads(result.stdout)
    assert status["documents"] == {name: dict.fromkeys(EVERY_STAGE, "current") for name in names}
    current = {"current": 2, "stale": 0, "failed": 0, "blocked": 0, "waiting": 0, "missing": 0}
    assert {name: status["counts"][name] for name in EVERY_STAGE} == dict.fromkeys(EVERY_STAGE, current)
    assert {sum(counts.values()) - counts["current"] for counts in status["counts"].values()} == {0}

    result = invoke("search", "where are lighthouses", "--home", str(home), "--json")
    assert result.exit_code == 0
    hits = json.loads(result.stdout)
    assert hits[0]["document"] == "lighthouses.md"
    text = essay("lighthouses")
    for hit in hits:
        assert list(hit) == [
            *("document", "title", "chunk", "score", "score_parts", "text", "header", "start", "end"),
            *("pages", "highlights", "alike"),
        ]
    first = hits[0]
    assert text[first["start"] : first["end"]] == first["text"]

    monkeypatch.setenv("SEEDBANK_CHUNKS__CHARACTERS", "300")
    status = json.loads(invoke("status", *where).stdout)
    states = status["documents"]["anemones.txt"]
    assert {name for name in ALONE if states[name] != "current"} == {"chunks", "embeddings", "lance_chunks"}
    seeded = json.loads(invoke("seed", *where).stdout)
    computed = {name: stage["computed"] for name, stage in seeded["stages"].items()}
    assert {name: computed[name] for name in (*ALONE, "search_index") if computed[name]} == {
        "chunks": 2,
        "embeddings": 2,
        "lance_chunks": 2,
        "search_index": 1,
    }
    status = json.loads(invoke("status", *where).stdout)
    assert {state for states in status["documents"].values() for state in states.values()} == {"current"}


@pytest.mark.integration
def test_the_output_says_what_was_made_and_what_to_do_next(tmp_path: Path, own_environment: None) -> None:
    corpus, home = tmp_path / "corpus", tmp_path / "home"
    plant(corpus, ("anemones.txt",))
    (corpus / "empty.txt").write_bytes(b"")
    where = ("--corpus", str(corpus), "--home", str(home))

    result = invoke("seed", *where)

    assert result.exit_code == 1
    assert "1 failed:" in result.stdout
    assert "empty.txt (extracted_text): the file is empty" in result.stdout
    assert "2 documents, 1 added; 19 results computed, 0 reused" in result.stdout
    assert "seedbank search" in result.stdout

    again = invoke("seed", *where)
    assert again.exit_code == 1
    assert "2 documents; 0 results computed, 19 reused" in again.stdout
    assert "nothing to do, no run was started" in " ".join(again.stdout.split())
    assert "empty.txt (extracted_text)" in again.stdout

    status = invoke("status", *where)
    assert status.exit_code == 1
    assert "empty.txt (extracted_text): the file is empty" in status.stdout
