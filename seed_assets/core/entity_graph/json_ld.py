"""A graph as JSON-LD, which programs for linked data read. What belongs here: the format. What does not: choosing it (graph).

Source of the format: https://www.w3.org/TR/json-ld11/. Names and types are those of https://schema.org/ where it has them. Each
relationship is a statement with a subject, a predicate and an object (https://www.w3.org/TR/rdf-schema/), so that it can have
sources.
"""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from io_managers.plain_text import plain_values
from seed_assets.core.entities.name_types import EVENT, NORM, ORGANISATION, PERSON, PLACE, PRODUCT, WORK
from seed_assets.core.entities.resolution.canonical import CanonicalEntity
from seed_assets.core.entity_graph.graph import EntityGraph
from seed_assets.core.relationships.merging import Relationship

_BASE = "urn:seedbank:"
_CONTEXT = {
    "@vocab": "https://schema.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "seedbank": _BASE,
    "Statement": "rdf:Statement",
    "from": {"@id": "rdf:subject", "@type": "@id"},
    "relation": "rdf:predicate",
    "to": {"@id": "rdf:object", "@type": "@id"},
    "strength": "seedbank:strength",
    "documents": "seedbank:documents",
    "mentions": "seedbank:mentions",
    "kind": "seedbank:type",
    "sources": "seedbank:source",
    "document": "seedbank:document",
    "start": "seedbank:start",
    "end": "seedbank:end",
    "evidence": "seedbank:evidence",
}
_TYPES = {
    PERSON: "Person",
    ORGANISATION: "Organization",
    PLACE: "Place",
    EVENT: "Event",
    WORK: "CreativeWork",
    NORM: "Legislation",
    PRODUCT: "Product",
}


def json_ld_pieces(graph: EntityGraph) -> Iterator[str]:
    """Yield the pieces of a JSON-LD document, which is one object on lines of its own for each node and relationship."""
    yield f'{{"@context": {json.dumps(_CONTEXT)},\n"@graph": [\n'
    objects = [*(_node(node) for node in graph.nodes), *(_statement(edge) for edge in graph.edges)]
    for number, one in enumerate(objects):
        yield json.dumps(plain_values(one), ensure_ascii=False) + (",\n" if number < len(objects) - 1 else "\n")
    yield "]}"


def _iri(name: str) -> str:
    return _BASE + quote(name, safe="/")


def _node(node: CanonicalEntity) -> Mapping[str, object]:
    found: dict[str, object] = {
        "@id": _iri(node.entity_id),
        "@type": _TYPES.get(node.type, "Thing"),
        "kind": node.type,
        "name": node.name,
        "mentions": node.mentions,
        "documents": len({member.document_id for member in node.members}),
    }
    return {**found, "alternateName": list(node.aliases)} if node.aliases else found


def _statement(edge: Relationship) -> Mapping[str, object]:
    return {
        "@id": _iri(edge.relationship_id),
        "@type": "Statement",
        "from": _iri(edge.source),
        "relation": edge.type,
        "to": _iri(edge.target),
        "strength": edge.strength,
        "documents": edge.documents,
        "sources": [
            {
                "document": source.document_id,
                "start": source.start,
                "end": source.end,
                **({"evidence": source.evidence} if source.evidence else {}),
            }
            for source in edge.sources
        ],
    }
