"""Ingestions: started, followed and cancelled. Dagster's daemon carries them out, as for the API.

What belongs here: the routes, and how far the documents are. What does not: requests (resources.ingestions), and the list of
all documents (document_list).
"""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from seed_assets.session.session import Session
from service.bases import Base
from service.pages.document_list import ListedDocument, document_list
from service.pages.forms import form_of
from service.pages.rendering import is_part, page
from service.problems import ServiceError
from service.routes.ingestions import status_of

_MOST_LISTED = 50
_MOST_DOCUMENTS = 25
# Looking at the documents takes some time, which grows with their number: 0.3 s for 10,000.
_SECONDS, _SECONDS_PER_DOCUMENT = 2, 0.001


class Progress(NamedTuple):
    """How far the documents are.

    total: how many documents there are. waiting: the first of those with a result of their own that is not current; left: how
    many such documents there are. placing: how many others only wait until they are placed in the clusters. seconds: when to
    look again.
    """

    total: int
    waiting: list[ListedDocument]
    left: int
    placing: int
    seconds: int


def ingestion_pages(base: Base) -> list[Route]:
    """The routes over one knowledge base."""

    async def listed(request: Request) -> Response:
        found = [status_of(base, one) for one in base.requests.newest(None, _MOST_LISTED)]
        watched = base.requests.is_watched()
        return page(request, "ingestions", found=found, watched=watched, folder=str(base.settings.corpus))

    async def start(request: Request) -> Response:
        form = await form_of(request)
        base.check_ingestible()
        made = base.requests.request(verify=form.get("verify") == "yes")
        if made is None:
            raise ServiceError(409, "Many ingestions are waiting already. Each does everything that is to be done.")
        return _see(request, made.ingestion_id)

    async def shown(request: Request) -> Response:
        found = base.requests.get(request.path_params["ingestion"])
        if found is None:
            raise _unknown()
        progress = None
        if base.home.bound_corpus() is not None:
            progress = await base.in_thread(progress_of, await base.opened())
        template = "ingestion_state" if is_part(request) else "ingestion"
        return page(request, template, status=status_of(base, found), progress=progress)

    async def cancel(request: Request) -> Response:
        await form_of(request)
        found = base.requests.cancel(request.path_params["ingestion"])
        if found is None:
            raise _unknown()
        return _see(request, found.ingestion_id)

    one = "/page/ingestions/{ingestion}"
    return [
        Route("/page/ingestions", listed, methods=["GET"]),
        Route("/page/ingestions", start, methods=["POST"]),
        Route(one, shown, methods=["GET"]),
        Route(f"{one}/cancel", cancel, methods=["POST"]),
    ]


def progress_of(session: Session) -> Progress:
    """How far the documents are now. Raises ConfigurationError if the corpus cannot be read, and StoreError."""
    found = document_list(session, most=None)
    placing = {stage.name for stage in session.pipeline.placing_stages}
    left = [one for one in found.documents if one.state != "current"]
    # Each new document makes the places of all others stale, which says nothing about how far they are themselves.
    own = [
        one for one in left if any(state != "current" for stage, state in one.stages.items() if stage not in placing)
    ]
    seconds = _SECONDS + int(found.found * _SECONDS_PER_DOCUMENT)
    return Progress(found.found, own[:_MOST_DOCUMENTS], len(own), len(left) - len(own), seconds)


def _see(request: Request, ingestion_id: str) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/page/ingestions/{ingestion_id}", 303)


def _unknown() -> ServiceError:
    return ServiceError(404, "There is no such ingestion. The page of ingestions lists the newest.")
