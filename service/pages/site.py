"""Puts the pages of a knowledge base beside its API: which addresses are pages, and who may see them.

The pages are an app of their own, so that the API's description and the form of its errors stay as they are. They are at `/`
and below `/page/`.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from io_managers.store.errors import StoreError
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.tables.lance_errors import TableError
from service.access import Access, Rules
from service.bases import Base
from service.pages.asking_pages import asking_pages
from service.pages.cluster_pages import cluster_pages
from service.pages.conversation_pages import conversation_pages
from service.pages.document_pages import document_pages
from service.pages.entity_pages import entity_pages
from service.pages.ingestion_pages import ingestion_pages
from service.pages.login import has_access
from service.pages.login_pages import LOGIN, login_address, login_pages
from service.pages.money_pages import money_pages
from service.pages.rendering import error_page, is_part
from service.pages.static_files import STATIC, static_files
from service.problems import ServiceError, problem_of

_PAGES = (
    *(asking_pages, conversation_pages, document_pages, cluster_pages, entity_pages),
    *(money_pages, ingestion_pages, login_pages),
)


def with_pages(api: ASGIApp, base: Base, rules: Rules) -> ASGIApp:
    """The API of a knowledge base with its pages beside it. The API has its own access rules already."""
    # The token is checked by the pages themselves, since a browser that lacks it is sent to the form for it.
    pages = Access(_pages(base, rules.token), Rules("", rules.hosts))

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        await (pages if scope["type"] == "http" and _is_page(scope) else api)(scope, receive, send)

    return site


def _is_page(scope: Scope) -> bool:
    path = _path(scope)
    return path == "/" or path == "/page" or path.startswith("/page/")


def _path(scope: Scope) -> str:
    return scope["path"].removeprefix(scope.get("root_path", "")) or "/"


def _pages(base: Base, token: str) -> Starlette:
    routes = [route for pages in _PAGES for route in pages(base)]
    expected = (ServiceError, ConfigurationError, StoreError, TableError, DocumentError, StoppedError)
    app = Starlette(
        routes=[*routes, static_files()],
        middleware=[Middleware(_NeedsLogin, token=token)],
        exception_handlers={**dict.fromkeys(expected, _problem), HTTPException: _http_error, Exception: _problem},
    )
    app.router.redirect_slashes = False
    app.state.base, app.state.token, app.state.needs_token = base, token, bool(token)
    return app


class _NeedsLogin:
    """Sends browsers without the token to the form for it."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _path(scope)
        is_open = path == LOGIN or path.startswith(f"{STATIC}/")
        request = Request(scope, receive)
        if scope["type"] != "http" or is_open or has_access(request, self._token):
            await self._app(scope, receive, send)
            return
        where = login_address(request)
        # A part of a page cannot show the form, so the whole page goes there.
        response = Response(status_code=401, headers={"HX-Redirect": where}) if is_part(request) else _see(where)
        await response(scope, receive, send)


def _see(where: str) -> Response:
    return RedirectResponse(where, 303)


async def _problem(request: Request, error: Exception) -> Response:
    return error_page(request, problem_of(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {404: "There is no such page.", 405: "This page is not reached in this way."}
    detail = details.get(error.status_code, str(error.detail))
    return error_page(request, ServiceError(error.status_code, detail, error.headers))
