"""The form for the token, and logging out. What the cookie is made of is in `login`."""

import asyncio
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.bases import Base
from service.pages.forms import form_of
from service.pages.login import is_token, log_in, log_out
from service.pages.rendering import page

LOGIN = "/page/login"
# A wrong token is answered after this time; guessing is hopeless in any case, as a token has 16 characters or more.
_WRONG_SECONDS = 0.5


def login_pages(_: Base) -> list[Route]:
    """The routes over one knowledge base."""
    return [
        Route(LOGIN, _form, methods=["GET"]),
        Route(LOGIN, _log_in, methods=["POST"]),
        Route("/page/logout", _log_out, methods=["POST"]),
    ]


def login_address(request: Request) -> str:
    """The address of the form, from which one comes back to the page that was asked for."""
    root = request.scope.get("root_path", "")
    asked_for = request.url.path if request.method == "GET" else f"{root}/"
    if request.method == "GET" and request.url.query:
        asked_for += f"?{request.url.query}"
    return f"{root}{LOGIN}?next={quote(asked_for, safe='')}"


async def _form(request: Request) -> Response:
    if not request.app.state.needs_token:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/", 303)
    return page(request, "login", following=_within(request, request.query_params.get("next", "")), wrong=False)


async def _log_in(request: Request) -> Response:
    form = await form_of(request)
    following = _within(request, form.get("next", ""))
    token = request.app.state.token
    if not token:
        return RedirectResponse(following, 303)
    if not is_token(form.get("token", "").strip(), token):
        await asyncio.sleep(_WRONG_SECONDS)
        return page(request, "login", 401, following=following, wrong=True)
    response = RedirectResponse(following, 303)
    by_https = urlsplit(request.headers.get("origin", "")).scheme == "https"
    log_in(response, token, _cookie_path(request), secure=by_https)
    return response


async def _log_out(request: Request) -> Response:
    await form_of(request)
    response = RedirectResponse(f"{request.scope.get('root_path', '')}{LOGIN}", 303)
    log_out(response, _cookie_path(request))
    return response


def _cookie_path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/"


def _within(request: Request, address: str) -> str:
    """The address, if it is a page of this knowledge base, and otherwise its first page: no link may lead elsewhere."""
    root = request.scope.get("root_path", "")
    below = address.removeprefix(root)
    # Browsers read a backslash as a slash, and two slashes as the beginning of another host.
    is_own = address.startswith(f"{root}/") and address.isascii() and address.isprintable() and "\\" not in address
    return address if is_own and (below == "/" or below.startswith("/page/")) else f"{root}/"
