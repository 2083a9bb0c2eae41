"""The clusters of a type with their map, and one cluster."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seed_assets.core.judging.verdicts import Judgement
from seed_assets.graph.stage import Units
from seed_assets.session.session import Session
from service.bases import Base
from service.pages.cluster_map import HEIGHT, WIDTH, ClusterMap, cluster_map, colour_of
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


def _of_type(session: Session, wanted: str) -> tuple[list[str], str, list[Cluster], ClusterMap | None]:
    """The cluster types, the one that is shown, its clusters, the largest first, and its map."""
    every = clusters_of(session, "").clusters
    types = list(dict.fromkeys((*session.pipeline.cluster_types, *sorted({one.cluster_type for one in every}))))
    if wanted and wanted not in types:
        raise ServiceError(404, f"There is no such cluster type. There are {', '.join(types)}.")
    chosen = wanted or (types[0] if types else "")
    found = [one for one in every if one.cluster_type == chosen]
    drawn = cluster_map(session, chosen, found) if chosen else None
    return types, chosen, sorted(found, key=lambda one: (-one.size, one.cluster_id)), drawn


def _one(session: Session, cluster_id: str) -> tuple[Cluster, Judgement | None]:
    found = next((one for one in clusters_of(session, "").clusters if one.cluster_id == cluster_id), None)
    if found is None:
        raise ServiceError(404, "There is no such cluster any more. Clusters come and go as documents change.")
    for stage in session.pipeline.of_units(Units.CLUSTERS):
        if stage.returns is Judgement:
            ref = session.store.refs.get(stage.name, [cluster_id]).get(cluster_id)
            if ref is not None:
                return found, session.store.load(ref.content_digest, Judgement)
    return found, None
