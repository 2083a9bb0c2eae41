"""Relationships and profiles in a seeded home: what is computed again, tables, checks, what is shown, and exports."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from cli.main import app
from resources.tables.lance import LanceTables
from seed_assets.checking.check_run import checks_of, run_check
from seed_assets.reports.knowledge_report import knowledge_report
from seed_assets.reports.report_page import report_page
from seed_assets.stages.profiles.lance_entity_profiles import ENTITY_PROFILES
from seed_assets.stages.relationships.lance_relationships import RELATIONSHIPS
from tests.support.pipelines import World, use_in_commands

ON = {"entities": {"enabled": True, "relationships": True, "profiles": True, "profile_mentions": 2}}
TEXTS = {
    "weber.txt": "The chemist Anna Weber works at the Institute of Salts in Graz. Anna Weber found a salt in 1999.",
    "salts.txt": "The Institute of Salts in Graz is old. Anna Weber led the Institute of Salts for many years.",
    "trains.txt": "The engineer Carl Ott of Acme Ltd. built a train. Later Carl Ott left Acme Ltd. for Vienna.",
    "empty.txt": "there is nothing in here.",
}
DOCUMENT_STAGES, CORPUS_STAGES = {"entity_relations", "entity_passages"}, {"relationships", "entity_profiles"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Four documents, seeded once for all tests, who get copies of them."""
    world = World(tmp_path_factory.mktemp("seeded"), plain=True)
    for name, text in TEXTS.items():
        world.write(name, text)
    world.settings = {"entities": {"enabled": True}}
    before = world.seed()
    assert not (DOCUMENT_STAGES | CORPUS_STAGES) & before.calls.keys()
    world.settings = ON
    done = world.seed()
    assert done.failed() == set()
    # A home that was seeded before does nothing but what is new.
    assert not {"entities", "canonical_entities", "lance_mentions", "summaries"} & done.calls.keys()
    assert {done.calls[name] for name in DOCUMENT_STAGES} == {4}
    return world


@pytest.fixture
def world(seeded: World, tmp_path: Path, own_environment: None) -> World:
    """A copy of the seeded home."""
    copy = seeded.copy_to(tmp_path / "copy")
    copy.settings = ON
    return copy


def rows_of(world: World, table: str) -> list[dict[str, Any]]:
    specs = {"relationships": RELATIONSHIPS, "entity_profiles": ENTITY_PROFILES}
    return LanceTables(world.home / "lancedb", specs).read(table).to_pylist()


def pairs(world: World) -> dict[frozenset[str], dict[str, Any]]:
    return {frozenset((row["source_name"], row["target_name"])): row for row in rows_of(world, "relationships")}


def run(world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    use_in_commands(world, monkeypatch)
    return app(list(arguments), standalone_mode=False) or 0


def test_relationships_have_the_sources_of_all_documents_and_profiles_their_passages(world: World) -> None:
    found = pairs(world)
    both = found[frozenset(("Anna Weber", "Institute of Salts"))]
    assert (both["type"], both["n_documents"], both["documents"]) == (
        "mentioned together",
        2,
        ["salts.txt", "weber.txt"],
    )
    for document, start, end in zip(both["documents"], both["starts"], both["ends"], strict=True):
        assert "Anna Weber" in TEXTS[document][start:end]
        assert "Institute of Salts" in TEXTS[document][start:end]
    assert frozenset(("Anna Weber", "Carl Ott")) not in found
    profiles = {row["entity_id"]: row for row in rows_of(world, "entity_profiles")}
    weber = profiles[both["source_id"] if both["source_name"] == "Anna Weber" else both["target_id"]]
    assert "Anna Weber found a salt in 1999." in weber["description"]
    assert (weber["writer"], weber["verdict"], weber["needs_review"]) == ("extractive", "copied", False)
    assert set(weber["documents"]) == {"salts.txt", "weber.txt"}


def test_a_document_that_is_added_renamed_or_removed_touches_its_own_results_only(world: World) -> None:
    world.write("more.txt", "Carl Ott came to Graz. There Carl Ott saw the Institute of Salts.")
    added = world.seed()
    assert {added.calls[name] for name in DOCUMENT_STAGES} == {1}
    assert frozenset(("Carl Ott", "Institute of Salts")) in pairs(world)
    (world.corpus / "more.txt").rename(world.corpus / "renamed.txt")
    renamed = world.seed()
    assert not DOCUMENT_STAGES & renamed.calls.keys()
    assert "renamed.txt" in pairs(world)[frozenset(("Carl Ott", "Institute of Salts"))]["documents"]
    (world.corpus / "renamed.txt").unlink()
    removed = world.seed()
    assert not DOCUMENT_STAGES & removed.calls.keys()
    assert frozenset(("Carl Ott", "Institute of Salts")) not in pairs(world)
    assert world.seed().calls == {}


def test_all_checks_pass_and_say_what_is_wrong_otherwise(world: World) -> None:
    with world.session() as session:
        runner = session.runner()
        checks = [one for one in checks_of(session.pipeline) if "entit" in one.stage or "relation" in one.stage]
        assert {one.name for one in checks} >= {"evidence_stands", "ends_exist", "passages_stand", "of_entities"}
        for check in checks:
            finding = run_check(runner, check)
            assert finding.passed or check.name == "undecided", (check, finding.offenders)


def test_an_entity_is_shown_with_its_profile_and_relationships(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = pairs(world)[frozenset(("Anna Weber", "Institute of Salts"))]
    use_in_commands(world, monkeypatch)
    with pytest.raises(SystemExit):
        app(["show", row["source_id"], "--json"], standalone_mode=True)
    shown = json.loads(capsys.readouterr().out)["value"]
    assert shown["profile"]
    assert shown["verdict"] == "copied"
    first = shown["relationships"][0]
    assert (first["type"], first["direction"], first["documents"]) == ("mentioned together", "", 2)
    assert first["other"] == row["target_id"]
    assert row["target_name"] in first["passage"]
    with pytest.raises(SystemExit):
        app(["show", row["source_id"]], standalone_mode=True)
    assert "Relationships" in capsys.readouterr().out


def test_a_graph_is_written_around_an_entity_of_a_document_and_of_everything(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    around = tmp_path / "around.html"
    assert run(world, monkeypatch, "entities", "graph", "Anna Weber", "--output", str(around)) == 0
    page = around.read_text()
    assert "<svg" in page
    assert "Institute of Salts" in page
    assert "Carl Ott" not in page
    assert "<script" not in page
    assert run(world, monkeypatch, "entities", "graph", "trains.txt", "--format", "graphml") == 0
    root = ET.fromstring(capsys.readouterr().out)
    names = {datum.text for datum in root.iter() if datum.get("key") == "name"}
    assert {"Carl Ott", "Acme Ltd"} <= names
    assert "Anna Weber" not in names
    assert run(world, monkeypatch, "entities", "graph", "--format", "json-ld") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"Carl Ott", "Anna Weber"} <= {one.get("name") for one in found["@graph"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Nemo Atall"], "no entity 'Nemo Atall'"),
        (["--output", "."], "is a folder"),
        (["--output", "{corpus}/graph.html"], "is in the corpus"),
        (["--output", "nowhere/below/graph.html"], "nowhere/below is no folder"),
    ],
)
def test_graphs_of_nothing_and_bad_places_are_refused(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    given = [one.format(corpus=world.corpus) for one in arguments]
    assert run(world, monkeypatch, "entities", "graph", *given) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_frozen_names_are_known_in_later_documents(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A name without its capitals is found once it is known, and nothing changes before the settings name the list."""
    known = tmp_path / "known.csv"
    assert run(world, monkeypatch, "entities", "freeze", str(known)) == 0
    assert "2 known names" in capsys.readouterr().out
    assert world.seed().calls == {}
    world.settings = {"entities": {**ON["entities"], "known": str(known)}}
    world.write("later.txt", "nobody wrote that anna weber went to the institute of salts again.")
    world.seed()
    later = [row for row in rows_of(world, "relationships") if "later.txt" in row["documents"]]
    names = {name.casefold() for row in later for name in (row["source_name"], row["target_name"])}
    assert names == {"anna weber", "institute of salts"}


def test_without_relationships_the_command_says_how_to_get_them(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.settings = {"entities": {"enabled": True}}
    assert run(world, monkeypatch, "entities", "graph") == 2
    assert "entities.relationships = true" in " ".join(capsys.readouterr().err.split())


def test_the_report_has_the_graph_and_only_where_there_is_one(world: World) -> None:
    with world.session() as session:
        page = report_page(knowledge_report(session))
    assert 'class="graph"' in page
    assert "Institute of Salts" in page
    world.settings = {}
    with world.session() as session:
        assert 'class="graph"' not in report_page(knowledge_report(session))


def test_the_page_of_the_stage_has_a_picture_and_a_table_of_names(world: World) -> None:
    with world.session() as session:
        stage = session.pipeline.stages["relationships"]
        ref = session.store.refs.get("relationships")[""]
        shown = stage.show(session.store.load(ref.content_digest, stage.returns))
    assert shown["graph"].startswith(b"\x89PNG")
    assert len(shown["graph"]) < 100_000
    assert {"Anna Weber", "Institute of Salts"} <= {
        name for row in shown["relationships"].rows for name in (row[0], row[2])
    }
