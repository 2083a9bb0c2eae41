"""Entities in a seeded home: they are found when the setting says so, and nothing else is computed for them."""

from pathlib import Path

import pytest

from seed_assets.checking.check_run import checks_of, run_check
from tests.support.pipelines import World

ON = {"entities": {"enabled": True}}
TEXTS = {
    "salts.txt": "The chemist Anna Weber works at the Institute of Salts in Graz. Weber found a salt in 1999.",
    "trains.txt": "The engineer Carl Ott of Acme Ltd. built a train. The train went from Graz to Vienna.",
    "empty.txt": "there is nothing in here.",
}


@pytest.fixture
def small_world(tmp_path: Path, own_environment: None) -> World:
    """Three documents."""
    world = World(tmp_path, plain=True)
    for name, text in TEXTS.items():
        world.write(name, text)
    return world


@pytest.mark.slow
def test_entities_are_found_once_they_are_enabled_and_cost_nothing_else(small_world: World) -> None:
    """A home that was seeded before must not pay for other stages."""
    before = small_world.seed()
    assert "entities" not in before.calls
    small_world.settings = ON
    assert small_world.seed().calls["entities"] == 3
    assert small_world.seed().calls == {}
    small_world.write("salts.txt", TEXTS["salts.txt"] + " Weber left Graz.")
    assert small_world.seed().calls["entities"] == 1
    (small_world.corpus / "trains.txt").rename(small_world.corpus / "railways.txt")
    assert "entities" not in small_world.seed().calls


@pytest.mark.slow
def test_the_check_names_a_document_whose_mentions_do_not_stand_in_its_text(small_world: World) -> None:
    small_world.settings = ON
    small_world.seed()
    with small_world.session() as session:
        check = next(one for one in checks_of(session.pipeline) if one.name == "mentions_stand")
        assert run_check(session.runner(), check).passed
