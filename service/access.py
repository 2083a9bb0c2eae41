"""Who may use a knowledge base over HTTP, and with how much at once: token, name of the host, origin, size of the body.

It is a layer around the app of one knowledge base, so no route can be without it. The layer also sets the headers that keep
browsers from running or keeping what the service sends.

While the service listens on this machine only, it needs no token. But every web page that is open on this machine can send
requests to it: under the service's own address, which the browser marks with the page's `Origin`, or under a name of the page
that leads to this machine (DNS rebinding), which shows in `Host`. Both are refused.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import ServiceError

OPEN_PATHS = frozenset({"/health"})
"""What is answered without a token. It says nothing about the documents."""
LARGEST_BODY_BYTES = 1 << 20
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOO_LARGE = f"A body may have {LARGEST_BODY_BYTES:,} bytes at most."
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of a request.

    token: what it must carry; "" for nothing. hosts: the names under which the service may be addressed; None for any, as where
    other machines reach it.
    """

    token: str
    hosts: frozenset[str] | None


def rules(token: str, host: str, more_hosts: Iterable[str], *, loopback: bool) -> Rules:
    """The rules of a knowledge base. host: the address that the service listens on. loopback: whether only this machine can
    reach it."""
    own = {"localhost", "127.0.0.1", "::1", host.lower()}
    return Rules(token, frozenset({*own, *(name.lower() for name in more_hosts)}) if loopback else None)


class Access:
    """The app, for those who may use it."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY_BYTES:  # its length was not declared
                raise HTTPException(413, _TOO_LARGE)
            return message

        problem = self._refusal(scope)
        if problem is not None:
            await problem.response()(scope, receive, send_guarded)
        else:
            await self._app(scope, receive_bounded, send_guarded)

    def _refusal(self, scope: Scope) -> ServiceError | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._rules.hosts is not None and _name(host) not in self._rules.hosts:
            return ServiceError(
                421,
                "The header Host names neither this machine nor a name in service.hosts. Address the service as localhost, or "
                "add the name of the proxy in front of it to service.hosts.",
            )
        origin = headers.get("origin")
        if origin is not None and scope["method"] not in _SAFE and not self._is_own(origin, host):
            return ServiceError(403, "A page of another origin may not send this request.")
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if self._rules.token and path not in OPEN_PATHS and not self._has_token(headers.get("authorization", "")):
            return ServiceError(
                401,
                "Send the token of this knowledge base, as in `Authorization: Bearer TOKEN`.",
                {"WWW-Authenticate": "Bearer"},
            )
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > LARGEST_BODY_BYTES:
            # The rest of the body is not read, so the connection cannot be used for another request.
            return ServiceError(413, _TOO_LARGE, {"Connection": "close"})
        return None

    def _has_token(self, authorization: str) -> bool:
        kind, _, token = authorization.partition(" ")
        # Both are compared as bytes in a time that does not depend on where they differ.
        same = hmac.compare_digest(token.strip().encode("utf-8", "replace"), self._rules.token.encode())
        return kind.lower() == "bearer" and same

    def _is_own(self, origin: str, host: str) -> bool:
        found = urlsplit(origin)
        if found.netloc.lower() == host.lower() and found.scheme in ("http", "https"):
            return True
        # Behind a proxy the service may be addressed under another name than the page.
        return self._rules.hosts is not None and found.scheme == "https" and _name(found.netloc) in self._rules.hosts


def _name(host: str) -> str:
    """The name or address of a host, without a port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()
