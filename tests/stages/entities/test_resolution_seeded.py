"""Entities over documents in a seeded home: what is computed again, what people decide, and what goes with a document."""

from pathlib import Path
from typing import Any

import pytest

from cli.main import app
from resources.errors import ConfigurationError
from resources.tables.lance import LanceTables
from seed_assets.checking.check_run import checks_of, run_check
from seed_assets.core.entities.resolution.canonical import CanonicalEntities
from seed_assets.stages.entities.entity_tables import ENTITIES, MENTIONS
from tests.support.pipelines import World, use_in_commands

ON = {"entities": {"enabled": True}}
SALTS = "The chemist {} works on salts and crystals in the laboratory of salts. Crystals of salts are studied by {} at length."
TRAINS = (
    "The engineer {} builds trains and railway bridges for the railway. The railway bridges were drawn by {} with care."
)
IBM = (
    "The machine came from International Business Machines Corp. (IBM), as is well known here. Later IBM took it back."
)
TEXTS = {
    "salts-1.txt": SALTS.format("Li Wei", "Li Wei"),
    "salts-2.txt": SALTS.format("Li Wei", "Li Wei"),
    "trains-1.txt": TRAINS.format("Li Wei", "Li Wei"),
    "trains-2.txt": TRAINS.format("Li Wei", "Li Wei"),
    "ibm-1.txt": IBM,
    "ibm-2.txt": "The old computer of IBM stood in the cellar of the town for years, and then IBM forgot about it.",
    "trump-1.txt": "They saw Donald J. Trump at the market in the morning, and then they met him again in the evening.",
    "trump-2.txt": "They said that Donald Trump was at the market in the morning, and that he left in the evening.",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Eight documents, seeded with entities once for all tests, who get copies of them."""
    world = World(tmp_path_factory.mktemp("seeded"), plain=True)
    world.settings = ON
    for name, text in TEXTS.items():
        world.write(name, text)
    assert world.seed().failed() == set()
    return world


@pytest.fixture
def world(seeded: World, tmp_path: Path, own_environment: None) -> World:
    """A copy of the seeded home."""
    copy = seeded.copy_to(tmp_path / "copy")
    copy.settings = ON
    return copy


def rows_of(world: World, table: str) -> list[dict[str, Any]]:
    """All rows of one of the tables that the stages of entities declare."""
    return LanceTables(world.home / "lancedb", {"entities": ENTITIES, "mentions": MENTIONS}).read(table).to_pylist()


def resolved(world: World) -> CanonicalEntities:
    with world.session() as session:
        store = session.store
        ref = store.refs.get("canonical_entities")[""]
        return store.load(ref.content_digest, CanonicalEntities)


def documents(world: World, name: str) -> list[list[str]]:
    """The documents of each entity with this name or alias."""
    return sorted(row["documents"] for row in rows_of(world, "entities") if name in (row["name"], *row["aliases"]))


def run(world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    use_in_commands(world, monkeypatch)
    return app(["entities", *arguments], standalone_mode=False) or 0


def test_namesakes_of_different_fields_stay_apart_and_names_of_one_company_are_put_together(world: World) -> None:
    assert documents(world, "Li Wei") == [["salts-1.txt", "salts-2.txt"], ["trains-1.txt", "trains-2.txt"]]
    assert documents(world, "IBM") == [["ibm-1.txt", "ibm-2.txt"]]
    assert documents(world, "Donald Trump") == [["trump-1.txt", "trump-2.txt"]]
    rows = rows_of(world, "mentions")
    ids = {row["entity_id"] for row in rows_of(world, "entities")}
    assert {row["entity_id"] for row in rows} <= ids
    assert {row["document_id"] for row in rows} == set(TEXTS)
    with world.session() as session:
        runner = session.runner()
        for check in checks_of(session.pipeline):
            if check.stage in ("entities", "canonical_entities", "lance_entities", "lance_mentions"):
                finding = run_check(runner, check)
                assert finding.passed or check.name == "undecided", (check, finding.offenders)


def test_another_document_is_compared_and_nothing_else(world: World) -> None:
    """Ids stay, and rows of documents whose entities stay what they are, are not written again."""
    before = {row["entity_id"]: row["documents"] for row in rows_of(world, "entities")}
    world.write("salts-3.txt", SALTS.format("Li Wei", "Li Wei") + " They liked it.")
    seeded = world.seed()
    assert (seeded.calls["entities"], seeded.calls["lance_mentions"]) == (1, 1)
    assert documents(world, "Li Wei")[0] == ["salts-1.txt", "salts-2.txt", "salts-3.txt"]
    after = {row["entity_id"]: row["documents"] for row in rows_of(world, "entities")}
    assert before.keys() <= after.keys()
    assert resolved(world).looked_at <= 6
    assert world.seed().calls == {}


def test_a_removed_document_takes_only_what_it_alone_held_and_a_renamed_one_nothing(world: World) -> None:
    ids = {tuple(row["documents"]): row["entity_id"] for row in rows_of(world, "entities") if row["name"] == "Li Wei"}
    (world.corpus / "salts-2.txt").rename(world.corpus / "salts-9.txt")
    seeded = world.seed()
    assert "entities" not in seeded.calls
    assert resolved(world).looked_at == 0
    assert documents(world, "Li Wei") == [["salts-1.txt", "salts-9.txt"], ["trains-1.txt", "trains-2.txt"]]
    for gone in ("ibm-1.txt", "salts-9.txt"):
        (world.corpus / gone).unlink()
        world.seed()
    assert resolved(world).looked_at == 0
    assert documents(world, "International Business Machines Corp") == []
    assert documents(world, "IBM") == [["ibm-2.txt"]]
    now = {tuple(row["documents"]): row["entity_id"] for row in rows_of(world, "entities") if row["name"] == "Li Wei"}
    assert now["salts-1.txt",] == ids["salts-1.txt", "salts-2.txt"]


def test_people_decide_and_take_it_back(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [row["entity_id"] for row in rows_of(world, "entities") if row["name"] == "Li Wei"]
    assert run(world, monkeypatch, "merge", *ids) == 0
    seeded = world.seed()
    assert "entities" not in seeded.calls
    assert len(documents(world, "Li Wei")) == 1
    assert run(world, monkeypatch, "split", "IBM") == 0
    world.seed()
    assert sorted(documents(world, "IBM")) == [["ibm-1.txt"], ["ibm-2.txt"]]
    (world.home / "entity-decisions.csv").unlink()
    world.seed()
    assert documents(world, "IBM") == [["ibm-1.txt", "ibm-2.txt"]]
    assert len(documents(world, "Li Wei")) == 2
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["merge", "Li Wei", "IBM"], "Several entities are named Li Wei"),
        (["merge", "Nemo Atall", "IBM"], "no entity 'Nemo Atall'"),
        (["merge", "IBM", "International Business Machines"], "one entity already"),
        (["split", "IBM", "--document", "none.txt"], "does not mention"),
    ],
)
def test_decisions_about_nothing_are_refused(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    assert run(world, monkeypatch, *arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (world.home / "entity-decisions.csv").exists()


def test_a_broken_file_of_decisions_stops_nothing_silently(world: World) -> None:
    (world.home / "entity-decisions.csv").write_text(
        "decision,name,document,other,other_document\nmaybe,IBM,,Li Wei,\n"
    )
    with pytest.raises(ConfigurationError, match="'maybe' in line 2"):
        world.seed()


def test_entities_are_listed_and_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[Any]
) -> None:
    assert run(world, monkeypatch, "list", "--type", "organisation") == 0
    assert "International Business Machines Corp, IBM" in " ".join(capsys.readouterr().out.split())
    assert run(world, monkeypatch, "list", "--similar") == 0
    entity = next(row["entity_id"] for row in rows_of(world, "entities") if "IBM" in row["aliases"])
    with pytest.raises(SystemExit):
        app(["show", entity], standalone_mode=True)
    assert "Mentions" in capsys.readouterr().out
