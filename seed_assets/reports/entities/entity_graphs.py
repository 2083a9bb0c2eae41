"""The graph around an entity, of a document, or of everything, in its forms.

What belongs here: what is read for it, and which form is written how. What does not: choosing nodes, drawing, and the formats of
files (core.entity_graph).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from resources.errors import ConfigurationError
from resources.wording import counted
from seed_assets.core.entity_graph.graph import MOST_DRAWN, USUALLY_DRAWN, EntityGraph, GraphSource
from seed_assets.reports.html_form import html_pieces
from seed_assets.reports.published_results import PublishedResults

GraphForm = Literal["html", "graphml", "json-ld"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture for a template, which puts it on a page as it is."""

    svg: str

    def __html__(self) -> str:
        """The element, in which every text is escaped already."""
        return self.svg


@dataclass(frozen=True, slots=True)
class GraphFigure:
    """A graph on a page. drawn: the picture. name: entity id -> its name. note: what it does not show, as a sentence; or ""."""

    graph: EntityGraph
    drawn: Drawn
    name: Callable[[str], str]
    note: str


def report_graph(results: PublishedResults) -> GraphFigure | None:
    """Return the graph of everything for the report; None if there are no relationships, or if they cannot be opened."""
    entities, relationships = results.all_entities(), results.relationships()
    if entities is None or relationships is None or not relationships.relationships:
        return None
    source = GraphSource(entities, relationships)
    return graph_figure(source.whole(USUALLY_DRAWN), source)


def graph_source(results: PublishedResults) -> GraphSource:
    """Return all entities and relationships. Raises ConfigurationError if there are none, StoreError if they cannot be opened."""
    entities, relationships = results.all_entities(), results.relationships()
    results.check_opened()
    if entities is None or relationships is None:
        raise ConfigurationError(
            "There are no relationships. Set `entities.enabled = true` and `entities.relationships = true`, and run "
            "`seedbank seed`."
        )
    return GraphSource(entities, relationships)


def chosen_graph(source: GraphSource, entity: str = "", document: str = "", most: int = USUALLY_DRAWN) -> EntityGraph:
    """Return the graph around an entity (by its id), of a document, or of everything without either.

    most: the most nodes; 0 for all.
    """
    if entity:
        return source.around(entity, most)
    return source.of_document(document, most) if document else source.whole(most)


def written(form: GraphForm, graph: EntityGraph, source: GraphSource, title: str) -> Iterable[str]:
    """Return a graph in a form, in pieces. Raises ConfigurationError for a picture of more nodes than can be looked at.

    title: the title of the page.
    """
    if form == "graphml":
        from seed_assets.core.entity_graph.graphml import graphml_lines

        return (f"{line}\n" for line in graphml_lines(graph))
    if form == "json-ld":
        from seed_assets.core.entity_graph.json_ld import json_ld_pieces

        return json_ld_pieces(graph)
    if len(graph.nodes) > MOST_DRAWN:
        raise ConfigurationError(
            f"A picture shows at most {MOST_DRAWN} entities, and this one would have {len(graph.nodes):,}. Choose fewer with "
            "--most, or write all of them with --format graphml."
        )
    return html_pieces("graph.html", title, figure=graph_figure(graph, source))


def graph_figure(graph: EntityGraph, source: GraphSource, address: Callable[[str], str] = lambda _: "") -> GraphFigure:
    """Return a graph as it is shown on a page. address: where its nodes lead, by the id of an entity; "" for none."""
    from seed_assets.core.entity_graph.drawing import picture

    return GraphFigure(graph, Drawn(picture(graph, address)), source.name, _left_out(graph))


def _left_out(graph: EntityGraph) -> str:
    entities, edges = graph.left_out
    found = [
        *([counted(entities, "more entity", "more entities")] if entities else []),
        *([f"{counted(edges, 'weaker relationship')} between these"] if edges else []),
    ]
    return f"Not shown: {' and '.join(found)}." if found else ""
