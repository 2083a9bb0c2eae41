"""Puts the service together: an app for each knowledge base, with its own access rules, and all of them under one roof.

What belongs here: which routes there are, the layers around them, and the description in OpenAPI. What does not: what a route
does (routes), and the server that it runs in (serving).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from service.access import Access, Rules
from service.bases import Base
from service.metrics import MEDIA_TYPE, Figures, Measured
from service.pages.site import with_pages
from service.problems import ServiceError, install, responses
from service.remote_tools import RemoteTools
from service.replies import Health, described, reply_with, schemas
from service.routes.asking import asking_routes
from service.routes.caches import cache_routes
from service.routes.chat import chat_routes
from service.routes.documents import document_routes
from service.routes.ingestions import ingestion_routes
from service.routes.sessions import session_routes

logger = logging.getLogger(__name__)
_DESCRIPTION = (
    "Answers from a folder of documents, every sentence with its citations. Errors are problem documents (RFC 9457)."
)
_ROUTES = (asking_routes, document_routes, session_routes, cache_routes, ingestion_routes, chat_routes)
RulesOf = Callable[[Base], Rules]


def build_service(bases: Sequence[Base], rules_of: RulesOf) -> ASGIApp:
    """The service over these knowledge bases. One without a name is at the root; otherwise each is below its name."""
    if len(bases) == 1 and not bases[0].name:
        (base,) = bases
        tools = RemoteTools(base)
        return _base_app(base, rules_of(base), tools, _lifespan([base], [tools]))
    tools = [RemoteTools(base) for base in bases]
    apps = [Mount(f"/{one.name}", _base_app(one, rules_of(one), tool)) for one, tool in zip(bases, tools, strict=True)]
    roof = Starlette(routes=[Route("/health", _health), *apps], lifespan=_lifespan(bases, tools))
    roof.add_exception_handler(HTTPException, _no_base)
    return roof


async def _health(_: Request) -> Response:
    return reply_with(Health("ok"))


async def _no_base(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = (
        "The path begins with the name of a knowledge base, as in /NAME/ask."
        if error.status_code == 404
        else error.detail
    )
    return ServiceError(error.status_code, detail, error.headers).response()


def _lifespan(bases: Sequence[Base], tools: Sequence[RemoteTools]) -> Any:
    """What is done before the first request and after the last one."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        # The first question needs LanceDB, which takes seconds to import; requests are answered meanwhile.
        warming = asyncio.create_task(to_thread.run_sync(bases[0].warm_up, abandon_on_cancel=True))
        try:
            yield
        finally:
            warming.cancel()
            with suppress(asyncio.CancelledError):
                await warming
            for one in tools:
                await one.aclose()
            for base in bases:
                await base.aclose()

    return lifespan


def _base_app(base: Base, rules: Rules, tools: RemoteTools, lifespan: Any = None) -> ASGIApp:
    """The app of one knowledge base within its layers."""
    app = FastAPI(
        title=f"Seedbank: {base.name}" if base.name else "Seedbank",
        version=version("seedbank"),
        description=_DESCRIPTION,
        # Both pages load programs from another server; the description itself is at /openapi.json.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    install(app)
    figures = Figures(base)
    for routes in _ROUTES:
        app.include_router(routes(base))

    @app.get(
        "/health", tags=["service"], summary="Say that the service answers", responses=described(Health, "It answers")
    )
    async def health() -> Response:
        return reply_with(Health("ok"))

    @app.get(
        "/metrics",
        tags=["service"],
        summary="Show the figures for Prometheus",
        responses={200: {"description": "The figures", "content": {"text/plain": {"schema": {"type": "string"}}}}}
        | responses(),
    )
    async def metrics() -> Response:
        if base.is_seeded:
            await base.opened()
        return Response(await base.in_thread(figures.text), media_type=MEDIA_TYPE)

    app.router.routes.append(Route("/mcp", tools, include_in_schema=False))
    app.openapi = lambda: _described(app, needs_token=bool(rules.token))
    return _Layers(app, base, rules, figures)


class _Layers:
    """The app of a knowledge base, with who may use it, and measured."""

    def __init__(self, app: FastAPI, base: Base, rules: Rules, figures: Figures) -> None:
        self.app = app
        self.base = base
        self._whole = Measured(with_pages(Access(app, rules), base, rules), figures)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        await self._whole(scope, receive, send)


def _described(app: FastAPI, *, needs_token: bool) -> dict[str, Any]:
    """The description in OpenAPI, with the types that are sent."""
    if not app.openapi_schema:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        components = made.setdefault("components", {})
        components["schemas"] = components.get("schemas", {}) | schemas()
        if needs_token:
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            made["security"] = [{"token": []}]
        app.openapi_schema = made
    return app.openapi_schema
