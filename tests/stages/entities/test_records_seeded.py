"""Records in a seeded home: what a table becomes, what a new row computes, and that other homes have nothing to do."""

from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from tests.stages.entities.test_resolution_seeded import resolved, rows_of
from tests.support.pipelines import World

RECORDS = {"person": {"name": ["Given name", "Surname"], "stable": "Born", "unique": ["Number"]}}
ON = {"entities": {"enabled": True, "records": RECORDS}}
HEAD = "Given name,Surname,Born,Number,Street\n"
ANNA, HANNA = "Anna,Weber,1985-03-07,4711001,12 Elm Street\n", "Hanna,Weber,1985-03-07,4711002,12 Elm Street\n"
TYPED = "Ana,Weber,1985-03-07,4711001,12 Elm Stret\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path, own_environment: None) -> World:
    """Two tables of the members of one family, seeded."""
    world = World(tmp_path, plain=True)
    world.settings = ON
    world.write("first.csv", HEAD + ANNA + HANNA)
    world.write("second.csv", HEAD + TYPED + "Otto,Weber,1950-11-20,4711003,12 Elm Street\n")
    world.write(
        "letter.txt", "Nobody is named in this letter, which is about the weather and about nothing else at all."
    )
    assert world.seed().failed() == set()
    return world


def people(world: World) -> dict[str, list[str]]:
    """The documents of each member of the family."""
    return {row["name"]: row["documents"] for row in rows_of(world, "entities") if row["name"].endswith(" Weber")}


def test_rows_of_one_person_are_one_entity_and_twins_are_two(world: World) -> None:
    assert people(world) == {
        "Anna Weber": ["first.csv", "second.csv"],
        "Hanna Weber": ["first.csv"],
        "Otto Weber": ["second.csv"],
    }
    named = {row["name"] for row in rows_of(world, "mentions") if row["name"].endswith(" Weber")}
    assert named == {"Anna Weber", "Ana Weber", "Hanna Weber", "Otto Weber"}


def test_a_new_table_is_compared_with_what_is_there_and_ids_stay(world: World) -> None:
    before = {one.entity_id for one in resolved(world).entities}
    world.write(
        "third.csv", HEAD + "Hannah,Weber,1985-03-07,4711002,12 Elm Street\nEva,Kern,1990-01-01,4711009,1 Oak Road\n"
    )
    assert world.seed().failed() == set()
    assert before <= {one.entity_id for one in resolved(world).entities}
    assert people(world)["Hannah Weber"] == ["first.csv", "third.csv"]
    assert resolved(world).looked_at < 10


def test_without_the_setting_nothing_is_a_record_and_seeding_again_does_nothing(world: World) -> None:
    world.settings = {"entities": {"enabled": True}}
    assert world.seed().failed() == set()
    assert not any(name == "Anna Weber" for name in people(world))
    assert world.seed().computed == {}


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ({"person": {"name": []}}, "name"),
        ({"person": {"name": ["a"], "stable": ["A "]}}, "'a' is named twice"),
        ({"person": {"name": [" "]}}, "the name of a field is empty"),
        ({"robot": {"name": ["a"]}}, "'robot' is none of them"),
        ({"date": {"name": ["a"]}}, "'date' is none of them"),
        ({"person": {"name": ["a"], "secret": ["b"]}}, "secret"),
    ],
)
def test_a_kind_that_cannot_be_is_refused_by_name(records: object, said: str, own_environment: None) -> None:
    with pytest.raises((ConfigurationError, ValueError), match=said):
        load_settings({"entities": {"records": records}})
