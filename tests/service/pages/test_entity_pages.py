"""The pages of entities and their graphs: what they show, where they lead, and that they are there only if entities are."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.html_content import shown
from tests.support.pipelines import World
from tests.support.served import Served, served

pytestmark = pytest.mark.slow

TEXTS = {
    "weber.txt": "The chemist Anna Weber works at the Institute of Salts in Graz. Anna Weber found a salt in 1999.",
    "odd/a b?#&é<i>.md": "The engineer Carl Ott of Acme Ltd. built a train. Later Carl Ott left Acme Ltd. for Vienna.",
}
ON = {"enabled": True, "relationships": True, "profiles": True, "profile_mentions": 2}


def turn_on(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"SEEDBANK_ENTITIES__{name.upper()}", str(value))


@pytest.fixture
def graphs(tmp_path: Path, own_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A service over a home with relationships and profiles."""
    turn_on(monkeypatch, **ON)
    world = World(tmp_path, plain=True)
    world.settings = {"entities": ON}
    for name, text in TEXTS.items():
        world.write(name, text)
    assert world.seed().failed() == set()
    with served(world.home, world.corpus) as found:
        yield found


def test_entities_are_listed_and_found_by_name_and_type(graphs: Served) -> None:
    page = shown(graphs.client.get("/page/entities"))
    assert "Entities" in page.words("//nav//a")
    assert {"Anna Weber", "Institute of Salts", "Carl Ott"} <= {*page.words("//ul[@class='rows']//a")}
    some = shown(graphs.client.get("/page/entities", params={"name": "weBER"}))
    assert some.words("//ul[@class='rows']//a") == ["Anna Weber"]
    places = shown(graphs.client.get("/page/entities", params={"type": "place"}))
    assert {"Graz", "Vienna"} <= {*places.words("//ul[@class='rows']//a")}
    part = graphs.client.get("/page/entities", params={"name": "nobody"}, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "No entity fits" in part.text


def test_an_entity_has_its_profile_its_graph_and_links_to_others_and_to_their_places(graphs: Served) -> None:
    (address,) = shown(graphs.client.get("/page/entities", params={"name": "Anna"})).links("//ul[@class='rows']")
    page = shown(graphs.client.get(address))
    assert "Anna Weber found a salt in 1999." in page.text
    assert page.words("//h2") == ["Around it", "Relationships", "Mentions"]
    nodes = page.links("//*[local-name()='svg']")
    assert address in nodes
    assert all(shown(graphs.client.get(node)).status == 200 for node in nodes)
    for link in page.links("//section[@aria-labelledby='relationships']"):
        assert shown(graphs.client.get(link)).status == 200
    places = page.links("//section[@aria-labelledby='mentions']")
    assert shown(graphs.client.get(places[0])).words("//mark") == ["Anna Weber"]


def test_the_graph_of_a_document_of_any_name_is_linked_from_its_page(graphs: Served) -> None:
    (document,) = shown(graphs.client.get("/page/documents", params={"name": "odd"})).links(
        "//ul[contains(@class, 'documents')]"
    )
    links = shown(graphs.client.get(document)).links()
    address = next(link for link in links if urlsplit(link).path.startswith("/page/graph/"))
    page = shown(graphs.client.get(address))
    assert page.status == 200
    titles = page.words("//*[local-name()='svg']//*[local-name()='title']")
    assert any(title.startswith("Carl Ott (person)") for title in titles)
    assert not any("Anna Weber" in title for title in titles)


@pytest.mark.parametrize("path", ["/page/entities/entity/none", "/page/graph/none.txt", "/page/entities/"])
def test_what_does_not_exist_is_not_found(graphs: Served, path: str) -> None:
    assert graphs.client.get(path).status_code == 404


def test_without_entities_there_are_no_such_pages(plain_world: World) -> None:
    with served(plain_world.home, plain_world.corpus) as service:
        page = shown(service.client.get("/page/documents"))
        assert "Entities" not in page.words("//nav//a")
        for path in ("/page/entities", "/page/entities/entity/3f", "/page/graph/reefs/fish.txt"):
            found = shown(service.client.get(path))
            assert found.status == 404
            assert "entities.enabled" in found.text
