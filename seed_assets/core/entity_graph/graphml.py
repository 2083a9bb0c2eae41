"""A graph as GraphML, which graph programs read. What belongs here: the format. What does not: choosing the graph (graph).

Source of the format: http://graphml.graphdrawing.org/specification.html. Relationships that no model named have no direction.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from io_managers.plain_text import plain
from seed_assets.core.entity_graph.graph import EntityGraph

_NODE_KEYS = {"name": "string", "type": "string", "aliases": "string", "mentions": "long", "documents": "long"}
_EDGE_KEYS = {"relation": "string", "strength": "double", "shown_by": "long", "sources": "string"}


def graphml_lines(graph: EntityGraph) -> Iterator[str]:
    """Yield the lines of a GraphML file in UTF-8. Lists are texts whose entries are separated by "; "."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">'
    )
    for kind, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
        for name, of in keys.items():
            yield f'<key id="{name}" for="{kind}" attr.name="{name}" attr.type="{of}"/>'
    yield '<graph id="entities" edgedefault="directed">'
    for node in graph.nodes:
        documents = {member.document_id for member in node.members}
        values = (node.name, node.type, "; ".join(node.aliases), node.mentions, len(documents))
        yield f"<node id={_quoted(node.entity_id)}>{_data(_NODE_KEYS, values)}</node>"
    for edge in graph.edges:
        sources = "; ".join(f"{one.document_id}#{one.start}-{one.end}" for one in edge.sources)
        directed = "true" if edge.is_named else "false"
        yield (
            f"<edge id={_quoted(edge.relationship_id)} source={_quoted(edge.source)} target={_quoted(edge.target)} "
            f'directed="{directed}">{_data(_EDGE_KEYS, (edge.type, edge.strength, edge.documents, sources))}</edge>'
        )
    yield "</graph>"
    yield "</graphml>"


def _data(keys: dict[str, str], values: tuple[object, ...]) -> str:
    return "".join(
        f'<data key="{name}">{escape(plain(str(value)))}</data>' for name, value in zip(keys, values, strict=True)
    )


def _quoted(identifier: str) -> str:
    # The schema has no slash in the ids of nodes and edges.
    return quoteattr(plain(identifier).replace("/", ":"))
