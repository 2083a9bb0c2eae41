"""Ingestions: requests to bring the knowledge base up to date, which Dagster's daemon carries out (`/ingest`).

The requests lie in the home. So an ingestion goes on when this service ends, and any service over the home shows it.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from resources.ingestions.ingestion_requests import MOST_OPEN, OPEN, SILENT_SECONDS, Ingestion, IngestionRequests
from service.bases import Base
from service.problems import ServiceError, responses
from service.replies import Ingestions, IngestionStatus, described, encode, reply_with
from service.routes.requests import Body

IngestionId = Annotated[str, Path(min_length=1, max_length=200)]
State = Literal["requested", "running", "cancelling", "succeeded", "failed", "cancelled"]
_POLL_SECONDS = 0.5


class StartBody(Body):
    """What to do. verify: read every file, even if its size and modification time are unchanged."""

    verify: Annotated[bool, Field(description="Read every file, instead of trusting sizes and times.")] = False


def ingestion_routes(base: Base) -> APIRouter:
    """The routes over one knowledge base."""
    routes = APIRouter(prefix="/ingest", tags=["ingestions"])
    requests = base.requests

    @routes.post(
        "/start",
        status_code=202,
        summary="Bring the knowledge base up to date with its documents",
        responses=described(IngestionStatus, "The ingestion that was requested", status=202) | responses(409),
    )
    async def start(body: StartBody | None = None) -> Response:
        base.check_ingestible()
        made = requests.request(verify=body is not None and body.verify)
        if made is None:
            raise ServiceError(
                409, f"{MOST_OPEN} ingestions are waiting already. Each does everything that is to be done."
            )
        return reply_with(status_of(base, made), 202)

    @routes.get(
        "/status/{ingestion_id}",
        summary="Show an ingestion",
        responses=described(IngestionStatus, "The ingestion") | responses(404),
    )
    async def status(ingestion_id: IngestionId) -> Response:
        return reply_with(status_of(base, _found(requests, ingestion_id)))

    @routes.get("/list", summary="List the ingestions", responses=described(Ingestions, "The ingestions") | responses())
    async def listed(
        state: State | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        return reply_with(Ingestions([status_of(base, one) for one in requests.newest(state, limit)]))

    @routes.get(
        "/events/{ingestion_id}",
        summary="Follow an ingestion: an event for each change, until it has ended",
        responses={200: {"description": "Events", "content": {"text/event-stream": {}}}} | responses(404),
    )
    async def events(ingestion_id: IngestionId) -> Response:
        _found(requests, ingestion_id)
        return EventSourceResponse(_changes(base, ingestion_id))

    @routes.post(
        "/cancel/{ingestion_id}",
        summary="Cancel an ingestion; what it has finished is kept",
        responses=described(IngestionStatus, "The ingestion") | responses(404),
    )
    async def cancel(ingestion_id: IngestionId) -> Response:
        _found(requests, ingestion_id)
        cancelled = requests.cancel(ingestion_id)
        assert cancelled is not None
        return reply_with(status_of(base, cancelled))

    return routes


def status_of(base: Base, ingestion: Ingestion) -> IngestionStatus:
    """An ingestion, and what to do if no daemon carries it out."""
    remedy = ""
    if ingestion.state in OPEN:
        silent = base.requests.silent_seconds()
        command = f"`seedbank dev --home {base.home.directory}`"
        if silent is None:
            remedy = (
                f"No daemon of Dagster has looked for requests yet. If none runs for this home, start it: {command}."
            )
        elif silent > SILENT_SECONDS:
            remedy = (
                f"No daemon of Dagster has looked for requests for {silent:.0f} seconds. Start it: {command}; or switch on the "
                "sensor `ingestions`."
            )
    return IngestionStatus(ingestion, ingestion.state not in OPEN, remedy)


def _found(requests: IngestionRequests, ingestion_id: str) -> Ingestion:
    found = requests.get(ingestion_id)
    if found is None:
        raise ServiceError(404, "There is no such ingestion. GET /ingest/list lists the newest.")
    return found


async def _changes(base: Base, ingestion_id: str) -> AsyncIterator[ServerSentEvent]:
    """An event for each change of an ingestion that a client would notice, until it has ended."""
    before = b""
    while (ingestion := base.requests.get(ingestion_id)) is not None:
        status = status_of(base, ingestion)
        # The daemon looks every few seconds, and the time of its last look is no news.
        shown = encode((ingestion.state, ingestion.note, ingestion.runs, bool(status.remedy)))
        if shown != before:
            before = shown
            yield ServerSentEvent(encode(status).decode(), event=ingestion.state)
        if status.ended:
            return
        await asyncio.sleep(_POLL_SECONDS)
