"""The list of entities, one entity with its graph, and the graph of a document.

What belongs here: the routes. What does not: what is known of an entity, and its graph (seed_assets.reports.entities).
"""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seed_assets.reports.published_results import ALL_ENTITIES, RELATIONSHIPS, PublishedResults
from seed_assets.session.session import Session
from service.bases import Base
from service.pages.rendering import is_part, page, path_of
from service.problems import ServiceError

if TYPE_CHECKING:
    from seed_assets.reports.entities.entity_graphs import GraphFigure
    from seed_assets.reports.entities.entity_pages import EntityOverview, ListedEntity

# So many entities are on a page; chosen by judgement.
_MOST_LISTED, _LONGEST_NAME = 200, 200


def entity_pages(base: Base) -> list[Route]:
    """The routes over one knowledge base."""

    async def entities(request: Request) -> Response:
        name = request.query_params.get("name", "").strip()[:_LONGEST_NAME]
        kind = request.query_params.get("type", "")
        found, types = await base.in_thread(_listed, await base.opened(), name, kind)
        template = "entity_rows" if is_part(request) else "entities"
        shown = found[:_MOST_LISTED]
        return page(request, template, found=shown, count=len(found), name=name, kind=kind, types=types)

    async def entity(request: Request) -> Response:
        session, name = await base.opened(), request.path_params["entity"]
        found, figure = await base.in_thread(_one, session, name, request.scope.get("root_path", ""))
        return page(request, "entity", entity=found, figure=figure)

    async def graph(request: Request) -> Response:
        session, name = await base.opened(), request.path_params["document"]
        figure = await base.in_thread(_of_document, session, name, request.scope.get("root_path", ""))
        return page(request, "graph", document=name, figure=figure)

    return [
        Route("/page/entities", entities, methods=["GET"]),
        Route("/page/entities/{entity:path}", entity, methods=["GET"]),
        Route("/page/graph/{document:path}", graph, methods=["GET"]),
    ]


def _results(session: Session) -> PublishedResults:
    """The published results of a home with entities. Raises ServiceError."""
    if ALL_ENTITIES not in session.pipeline.stages:
        raise ServiceError(404, "Entities are not enabled here: the setting `entities.enabled` decides it.")
    return PublishedResults(session)


def _listed(session: Session, name: str, kind: str) -> "tuple[list[ListedEntity], list[str]]":
    """The entities with a name or an alias like this one, those of most documents first; and all types."""
    from seed_assets.reports.entities.entity_pages import list_entities

    results = _results(session)
    every = list_entities(results)
    results.check_opened()
    sought = name.casefold()
    found = [
        one
        for one in every
        if kind in ("", one.type) and any(sought in known.casefold() for known in (one.name, *one.aliases))
    ]
    return found, sorted({one.type for one in every})


def _one(session: Session, entity: str, root: str) -> "tuple[EntityOverview, GraphFigure | None]":
    from seed_assets.reports.entities.entity_pages import entity_overview

    results = _results(session)
    found = entity_overview(results, entity)
    results.check_opened()
    if found is None:
        raise ServiceError(404, "There is no such entity any more. Entities come and go as documents change.")
    if not results.refs(RELATIONSHIPS):
        return found, None
    return found, _figure(results, root, entity=entity)


def _of_document(session: Session, document: str, root: str) -> "GraphFigure":
    results = _results(session)
    if document not in results.refs("entities"):
        raise ServiceError(404, "No entities of such a document are published.")
    return _figure(results, root, document=document)


def _figure(results: PublishedResults, root: str, *, entity: str = "", document: str = "") -> "GraphFigure":
    """A graph whose nodes lead to the pages of entities."""
    from seed_assets.reports.entities.entity_graphs import chosen_graph, graph_figure, graph_source

    source = graph_source(results)
    graph = chosen_graph(source, entity, document)
    return graph_figure(graph, source, lambda name: f"{root}/page/entities/{path_of(name)}")
