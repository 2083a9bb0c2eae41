"""Exports of graphs: that other programs can read them, whatever names are in them."""

import json
import re
import xml.etree.ElementTree as ET

from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity, Member
from seed_assets.core.entity_graph.graph import GraphSource
from seed_assets.core.entity_graph.graphml import graphml_lines
from seed_assets.core.entity_graph.json_ld import json_ld_pieces
from seed_assets.core.relationships.merging import Relationship, Relationships, RelationSource
from seed_assets.core.relationships.relations import TOGETHER

NAMES = ("Anna Weber", "A & <B> \"C\" 'D' ]]>", "\u5f35\u4e09", "\u202eevil\x00\x1b\ud800\ufffe", "line\nend")
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


def graph() -> GraphSource:
    entities = [
        CanonicalEntity(f"entity/{at}", name, "person", (name[::-1],), 2, (Member(f"d {at}&.txt", 0, "x"),))
        for at, name in enumerate(NAMES)
    ]
    edges = [
        Relationship(
            f"relationship/{at}",
            f"entity/{at}",
            f"entity/{at + 1}",
            "knows <of>" if at % 2 else TOGETHER,
            0.25,
            1,
            (RelationSource(f"d {at}&.txt", 1, 9, 0.25, "it's <so>" if at % 2 else ""),),
        )
        for at in range(len(NAMES) - 1)
    ]
    return GraphSource(CanonicalEntities(tuple(entities)), Relationships(tuple(edges)))


def test_graphml_declares_what_it_uses_and_its_edges_end_at_nodes() -> None:
    """As its schema says: ids are name tokens, each once; every datum has a declared key of the right kind and type."""
    text = "\n".join(graphml_lines(graph().whole(0)))
    root = ET.fromstring(text.encode())
    assert root.tag == f"{GRAPHML}graphml"
    assert [child.tag for child in root] == [f"{GRAPHML}key"] * 9 + [f"{GRAPHML}graph"]
    keys = {key.get("id"): key for key in root.iter(f"{GRAPHML}key")}
    (drawn,) = root.iter(f"{GRAPHML}graph")
    assert drawn.get("edgedefault") == "directed"
    nodes = [node.get("id", "") for node in drawn.iter(f"{GRAPHML}node")]
    edges = list(drawn.iter(f"{GRAPHML}edge"))
    assert len(set(nodes)) == len(nodes) == len(NAMES)
    assert all(re.fullmatch(r"[\w.:-]+", one) for one in (*nodes, *(edge.get("id", "") for edge in edges)))
    assert all({edge.get("source"), edge.get("target")} <= set(nodes) for edge in edges)
    assert {edge.get("directed") for edge in edges} == {"true", "false"}
    for element in (*drawn.iter(f"{GRAPHML}node"), *edges):
        for datum in element:
            key = keys[datum.get("key")]
            assert key.get("for") == element.tag.removeprefix(GRAPHML)
            number = {"long": int, "double": float, "string": str}[key.get("attr.type", "")]
            number(datum.text or "")
    names = {datum.text for datum in drawn.iter(f"{GRAPHML}data") if datum.get("key") == "name"}
    assert {"Anna Weber", NAMES[1], NAMES[2], "line end"} <= names


def test_json_ld_has_an_object_for_each_node_and_statement_and_every_term_is_declared() -> None:
    found = json.loads("".join(json_ld_pieces(graph().whole(0))))
    context, objects = found["@context"], found["@graph"]
    assert len(objects) == 2 * len(NAMES) - 1
    ids = {one["@id"] for one in objects}
    assert len(ids) == len(objects)
    statements = [one for one in objects if one["@type"] == "Statement"]
    assert all({one["from"], one["to"]} <= ids for one in statements)
    own = {"@id", "@type", "name", "alternateName"}  # the last two are terms of schema.org, the vocabulary
    used = {key for one in objects for key in one} | {key for one in statements for key in one["sources"][0]}
    assert used <= own | context.keys()
    assert context["@vocab"] == "https://schema.org/"
    assert {one["@type"] for one in objects} == {"Person", "Statement"}
    assert statements[1]["sources"][0]["evidence"] == "it's <so>"
    assert "\u202e" not in json.dumps(found, ensure_ascii=False)
