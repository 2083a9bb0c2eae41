"""The part of all entities and relationships that is looked at or exported. What belongs here: choosing it.

What does not: where its nodes are drawn (layout), drawing it (drawing), and its exports (graphml, json_ld).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity
from seed_assets.core.relationships.merging import Relationship, Relationships

MOST_DRAWN = 200
"""The most nodes of a graph that a person can look at."""
USUALLY_DRAWN = 60
"""So many nodes can be read without effort; chosen by judgement, as is the share of it that goes to direct neighbours."""
_NEAR_SHARE = 0.6
# So many relationships are drawn for each node at most: more of them hide each other. Chosen by judgement.
_LINES_PER_NODE = 3


@dataclass(frozen=True, slots=True)
class EntityGraph:
    """Entities and relationships between them.

    nodes: those in the middle first, then the nearest. middle: the ids of those that the graph is about; none if it is about all.
    left_out: how many entities, and how many relationships between its nodes, it does not show.
    """

    nodes: Sequence[CanonicalEntity]
    edges: Sequence[Relationship]
    middle: frozenset[str] = frozenset()
    left_out: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class GraphSource:
    """All entities and relationships, from which graphs are chosen."""

    entities: CanonicalEntities
    relationships: Relationships
    _by_id: Mapping[str, CanonicalEntity] = field(init=False)
    _of: dict[str, list[Relationship]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_id = {one.entity_id: one for one in self.entities.entities}
        self._of = {}
        for one in sorted(self.relationships.relationships, key=_rank):
            # Relationships of entities that are gone are left out until the next seed.
            if one.source in self._by_id and one.target in self._by_id:
                self._of.setdefault(one.source, []).append(one)
                self._of.setdefault(one.target, []).append(one)

    def of(self, entity_id: str) -> Sequence[Relationship]:
        """Return the relationships of an entity: those that a model named first, then the strongest."""
        return self._of.get(entity_id, [])

    def name(self, entity_id: str) -> str:
        """Return the name of an entity; its id if it is gone."""
        return self._by_id[entity_id].name if entity_id in self._by_id else entity_id

    def around(self, entity_id: str, most: int = USUALLY_DRAWN) -> EntityGraph:
        """Return an entity with its nearest neighbours, and some of theirs. most: the most nodes; 0 for all of them."""
        return self._grown([entity_id], most)

    def of_document(self, document_id: str, most: int = USUALLY_DRAWN) -> EntityGraph:
        """Return the entities of a document, those that are mentioned most first, with the relationships that it shows."""
        own = [one for one in self.entities.entities if any(m.document_id == document_id for m in one.members)]
        ranked = sorted(
            own, key=lambda one: (-len(self._shown_by(one.entity_id, document_id)), -one.mentions, one.entity_id)
        )
        related = [one for one in ranked if self._shown_by(one.entity_id, document_id)] or ranked
        nodes = related[:most] if most else ranked
        every = {one.relationship_id: one for node in nodes for one in self._shown_by(node.entity_id, document_id)}
        return self._between(nodes, every.values(), frozenset(), len(own), bounded=bool(most))

    def whole(self, most: int = MOST_DRAWN) -> EntityGraph:
        """Return the most connected entities with the relationships between them. most: the most nodes; 0 for everything."""
        every = self.entities.entities

        def weight(one: CanonicalEntity) -> float:
            return sum(edge.strength * edge.documents for edge in self.of(one.entity_id))

        weights = {one.entity_id: weight(one) for one in every}
        ranked = sorted(every, key=lambda one: (-weights[one.entity_id], one.entity_id))
        nodes = ranked[:most] if most else ranked
        found = {one.relationship_id: one for node in nodes for one in self.of(node.entity_id)}
        return self._between(nodes, found.values(), frozenset(), len(every), bounded=bool(most))

    def _shown_by(self, entity_id: str, document_id: str) -> list[Relationship]:
        # Of a relationship of many documents only some sources are kept, so it may be that this one is left out.
        return [
            one
            for one in self.of(entity_id)
            if one.documents > len(one.sources) or any(source.document_id == document_id for source in one.sources)
        ]

    def _grown(self, first: Sequence[str], most: int) -> EntityGraph:
        """The graph around some entities, ring by ring; the first ring takes a part of the room, if it has to be shared."""
        chosen = dict.fromkeys(first)
        reached = dict.fromkeys(first)
        ring = list(first)
        room = max(len(first) + 1, int(most * _NEAR_SHARE))
        while ring:
            found = sorted((one for node in ring for one in self.of(node)), key=_rank)
            following = [end for one in found for end in (one.source, one.target) if end not in reached]
            reached |= dict.fromkeys(following)
            ring = list(dict.fromkeys(following))
            if most:
                ring = ring[: max(0, min(most, room) - len(chosen))]
                room = most
            chosen |= dict.fromkeys(ring)
        nodes = [self._by_id[node] for node in chosen]
        edges = {one.relationship_id: one for node in chosen for one in self.of(node)}
        return self._between(nodes, edges.values(), frozenset(first), len(reached), bounded=bool(most))

    def _between(
        self,
        nodes: Sequence[CanonicalEntity],
        edges: Iterable[Relationship],
        middle: frozenset[str],
        total: int,
        *,
        bounded: bool,
    ) -> EntityGraph:
        known = {one.entity_id for one in nodes}
        inside = [one for one in edges if one.source in known and one.target in known]
        inside.sort(key=lambda one: (not middle.intersection((one.source, one.target)), _rank(one)))
        if not bounded:
            return EntityGraph(nodes, inside, middle)
        kept = inside[: len(nodes) * _LINES_PER_NODE]
        # A node without a line says nothing, unless there are no lines at all.
        ends = {end for one in kept for end in (one.source, one.target)} | middle
        drawn = [one for one in nodes if one.entity_id in ends] if kept else nodes
        return EntityGraph(drawn, kept, middle, (total - len(drawn), len(inside) - len(kept)))


def graph_of_related(found: Relationships) -> EntityGraph:
    """Return the graph of the most connected entities, without their aliases and members."""
    entities = [CanonicalEntity(one.entity_id, one.name, one.type, (), one.mentions, ()) for one in found.ends]
    return GraphSource(CanonicalEntities(tuple(entities)), found).whole(USUALLY_DRAWN)


def _rank(one: Relationship) -> tuple[bool, float, str]:
    return not one.is_named, -one.strength * one.documents, one.relationship_id
