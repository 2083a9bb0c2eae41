"""The clusters of a type with their map, and one cluster."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resources.tables.lance_errors import TableMissingError
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.reports.published_results import PublishedResults
from seed_assets.reports.report_map import HEIGHT, WIDTH, ReportMap, colour_of, report_map
from seed_assets.session.session import Session
from service.bases import Base
from service.pages.document_view import shown_claims
from service.pages.rendering import page
from service.problems import ServiceError
from service.replies import Cluster
from service.routes.documents import clusters_of


def cluster_pages(base: Base) -> list[Route]:
    """The routes over one knowledge base."""

    async def clusters(request: Request) -> Response:
        session = await base.opened()
        types, chosen, found, drawn = await base.in_thread(_of_type, session, request.query_params.get("type", ""))
        return page(
            request,
            "clusters",
            types=types,
            chosen=chosen,
            clusters=found,
            map=drawn,
            size=(WIDTH, HEIGHT),
            colour_of=colour_of,
        )

    async def cluster(request: Request) -> Response:
        session = await base.opened()
        found, judgement = await base.in_thread(_one, session, request.path_params["cluster"])
        claims = shown_claims(judgement) if judgement else []
        return page(request, "cluster", cluster=found, judgement=judgement, claims=claims, colour_of=colour_of)

    return [
        Route("/page/clusters", clusters, methods=["GET"]),
        Route("/page/clusters/{cluster:path}", cluster, methods=["GET"]),
    ]


def _of_type(session: Session, wanted: str) -> tuple[list[str], str, list[Cluster], ReportMap | None]:
    """The cluster types, the one that is shown, its clusters, the largest first, and its map."""
    every = clusters_of(session, "").clusters
    results = PublishedResults(session)
    types = results.cluster_types
    if wanted and wanted not in types:
        raise ServiceError(404, f"There is no such cluster type. There are {', '.join(types)}.")
    chosen = wanted or next(iter(types), "")
    found = [one for one in every if one.cluster_type == chosen]
    drawn = _map(session, results, chosen, found) if chosen else None
    return types, chosen, sorted(found, key=lambda one: (-one.size, one.cluster_id)), drawn


def _map(session: Session, results: PublishedResults, cluster_type: str, found: list[Cluster]) -> ReportMap | None:
    """The map of a cluster type; None if there is none yet."""
    clustering, pictures = results.clustering(cluster_type), results.pictures(cluster_type)
    if clustering is None or pictures is None:
        return None
    titles = {one.cluster_id: one.title for one in found}
    return report_map(pictures.places, clustering, _names(session), titles)


def _names(session: Session) -> dict[str, str]:
    """Document -> its title."""
    try:
        rows = session.tables.read("documents", ["document_id", "title"])
    except TableMissingError:
        return {}
    return dict(zip(rows["document_id"].to_pylist(), rows["title"].to_pylist(), strict=True))


def _one(session: Session, cluster_id: str) -> tuple[Cluster, Judgement | None]:
    found = next((one for one in clusters_of(session, "").clusters if one.cluster_id == cluster_id), None)
    if found is None:
        raise ServiceError(404, "There is no such cluster any more. Clusters come and go as documents change.")
    return found, PublishedResults(session).cluster_judgement(cluster_id)
