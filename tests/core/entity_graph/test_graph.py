"""Graphs of entities: which nodes are shown, and where they are drawn."""

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity, Member
from seed_assets.core.entity_graph.drawing import picture
from seed_assets.core.entity_graph.graph import EntityGraph, GraphSource, graph_of_related
from seed_assets.core.entity_graph.layout import positions
from seed_assets.core.relationships.merging import RelatedEntity, Relationship, Relationships, RelationSource
from seed_assets.core.relationships.relations import TOGETHER

SVG = "{http://www.w3.org/2000/svg}"


def entity(name: str, *documents: str, kind: str = "person", mentions: int = 3) -> CanonicalEntity:
    members = tuple(Member(document, 0, name) for document in documents or ("a.txt",))
    return CanonicalEntity(f"entity/{name}", name, kind, (f"{name} Jr",), mentions, members)


def edge(one: str, other: str, kind: str = TOGETHER, strength: float = 0.5, document: str = "a.txt") -> Relationship:
    sources = (RelationSource(document, 0, 9, strength, "" if kind == TOGETHER else "evidence"),)
    number = f"relationship/{one}{other}{kind.replace(' ', '')}"
    return Relationship(number, f"entity/{one}", f"entity/{other}", kind, strength, 1, sources)


def source(entities: list[CanonicalEntity], *edges: Relationship) -> GraphSource:
    return GraphSource(CanonicalEntities(tuple(entities)), Relationships(edges))


def names(graph: EntityGraph) -> list[str]:
    return [node.name for node in graph.nodes]


def test_around_an_entity_are_its_neighbours_and_then_theirs() -> None:
    found = source(
        [entity(name) for name in "abcde"],
        edge("a", "b", strength=0.2),
        edge("a", "c", strength=0.9),
        edge("c", "d"),
        edge("d", "e"),
    )
    graph = found.around("entity/a")
    assert names(graph) == ["a", "c", "b", "d", "e"]
    assert len(graph.edges) == 4
    few = found.around("entity/a", 3)
    assert names(few) == ["a", "c", "d"]
    assert few.left_out[0] == 2
    assert names(found.around("entity/e", 0)) == ["e", "d", "c", "a", "b"]


def test_a_named_relationship_comes_before_a_stronger_one_without_a_name() -> None:
    found = source([entity(name) for name in "abc"], edge("a", "b"), edge("c", "a", "pays", 0.1))
    assert names(found.around("entity/a")) == ["a", "c", "b"]


def test_a_thousand_neighbours_do_not_hide_each_other() -> None:
    """A picture of everything says nothing: at most so many nodes are drawn, with at most so many lines."""
    many = [f"n{number}" for number in range(1_000)]
    edges = [edge("hub", one, strength=(number + 1) / 1_001) for number, one in enumerate(many)]
    edges += [edge(one, other) for one, other in pairwise(many)]
    found = source([entity("hub"), *(entity(one) for one in many)], *edges)
    graph = found.around("entity/hub")
    assert 1 < len(graph.nodes) <= 60
    assert names(graph)[:2] == ["hub", "n999"]
    assert graph.left_out[0] == 1_001 - len(graph.nodes)
    assert len(found.around("entity/hub", 0).nodes) == 1_001
    assert len(found.whole(200).nodes) <= 200
    assert len(found.whole(0).edges) == len(edges)


def test_the_graph_of_a_document_has_what_it_shows_and_nothing_else() -> None:
    entities = [entity("a", "a.txt", "b.txt"), entity("b", "a.txt"), entity("c", "b.txt"), entity("d", "a.txt")]
    found = source(entities, edge("a", "b"), edge("a", "c", document="b.txt"))
    graph = found.of_document("a.txt")
    assert set(names(graph)) == {"a", "b"}
    assert len(graph.edges) == 1
    assert graph.left_out == (1, 0)
    assert set(names(found.of_document("a.txt", 0))) == {"a", "b", "d"}
    assert names(found.of_document("none.txt")) == []


def test_relationships_of_entities_that_are_gone_are_left_out() -> None:
    found = source([entity("a")], edge("a", "gone"))
    assert (names(found.around("entity/a")), list(found.around("entity/a").edges)) == (["a"], [])
    assert found.name("entity/gone") == "entity/gone"


def test_a_graph_can_be_made_of_relationships_alone() -> None:
    ends = tuple(RelatedEntity(f"entity/{name}", name, "person", 2) for name in "ab")
    assert set(names(graph_of_related(Relationships((edge("a", "b"),), ends)))) == {"a", "b"}


def ring(count: int) -> EntityGraph:
    every = [f"n{number}" for number in range(count)]
    edges = [edge(one, other) for one, other in zip(every, [*every[1:], every[0]], strict=True)]
    return source([entity(one) for one in every], *edges).whole(0)


@pytest.mark.parametrize("count", [1, 2, 3, 60, pytest.param(200, marks=pytest.mark.slow)])
def test_nodes_have_places_in_the_picture_apart_from_each_other_and_always_the_same(count: int) -> None:
    graph = ring(count)
    places = positions(graph)
    assert places == positions(graph)
    array = np.array([places[node.entity_id] for node in graph.nodes])
    assert np.isfinite(array).all()
    assert np.abs(array).max() <= 1
    distances = np.sqrt(((array[:, None] - array[None]) ** 2).sum(axis=2)) + np.eye(count)
    assert distances.min() > 0.01


def test_parts_that_are_not_connected_are_spread_over_the_picture() -> None:
    """Two dense groups would otherwise shrink to two points in opposite corners."""
    edges = [edge(f"{side}{n}", f"{side}{m}") for side in "xy" for n in range(8) for m in range(n)]
    places = positions(source([entity(f"{s}{n}") for s in "xy" for n in range(8)], *edges).whole(0))
    own = np.array([place for name, place in places.items() if "x" in name])
    assert np.ptp(own, axis=0).max() > 0.3


def test_an_entity_is_in_the_middle_of_its_own_graph() -> None:
    found = source([entity(name) for name in "abcde"], *(edge("a", other) for other in "bcde"))
    assert positions(found.around("entity/a"))["entity/a"] == (0.0, 0.0)


def test_a_picture_shows_every_name_safely_and_reaches_every_node_with_the_keyboard() -> None:
    hostile = '<script>"alert" & \x1b[31m\u202e</script>'
    kinds = [entity(hostile, kind="pers<on"), entity("b", kind="place"), entity("c", kind="a type of the user")]
    found = source(kinds, edge(hostile, "b", 'pays <b>"x"', 1.0), edge("b", "c"))
    drawn = picture(found.whole(), lambda name: f"/page/{name}?a&b" if name == "entity/b" else "")
    root = ET.fromstring(f'<x xmlns="http://www.w3.org/2000/svg">{drawn}</x>')
    links = list(root.iter(f"{SVG}a"))
    assert len(links) == 3
    assert all(link.get("href") or link.get("tabindex") == "0" for link in links)
    assert [link.get("href") for link in links if link.get("href")] == ["/page/entity/b?a&b"]
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert any(title.startswith('<script>"alert" & ') for title in titles)
    assert not any(sign in drawn for sign in ("\x1b", "\u202e", "<script", "style=", "javascript"))
    assert any("→" in title for title in titles)
    allowed = ("x", "svg", "defs", "marker", "path", "line", "title", "a", "circle", "text", "g")
    assert {element.tag for element in root.iter()} <= {SVG + tag for tag in allowed}


def test_a_named_relationship_ends_in_an_arrow_at_its_target_and_has_its_type_beside_it() -> None:
    graph = source([entity(name) for name in "abc"], edge("a", "b", "pays", 1.0), edge("b", "c")).whole(0)
    root = ET.fromstring(f'<x xmlns="http://www.w3.org/2000/svg">{picture(graph, lambda _: "")}</x>')
    named, together = sorted(root.iter(f"{SVG}line"), key=lambda line: line.get("class") or "")
    assert (named.get("marker-end"), together.get("marker-end")) == ("url(#arrow)", None)
    circles = [circle for link in root.iter(f"{SVG}a") for circle in link.iter(f"{SVG}circle")]
    gaps = [
        math.dist(
            *((float(one.get(x, 0)), float(one.get(y, 0))) for one, x, y in ((named, "x2", "y2"), (dot, "cx", "cy")))
        )
        - float(dot.get("r", 0))
        for dot in circles
    ]
    assert min(gaps) == pytest.approx(2, abs=0.2)
    assert [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "relation"] == ["pays"]
    many = [edge(f"n{at}", f"n{at + 1}", "pays") for at in range(30)]
    crowded = picture(source([entity(f"n{at}") for at in range(31)], *many).whole(0), lambda _: "")
    assert 'class="relation"' not in crowded


def test_an_empty_graph_is_a_picture_too() -> None:
    assert "Graph of 0 entities" in picture(source([]).whole(), lambda _: "")
