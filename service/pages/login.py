"""Logging in to the pages: the cookie that a browser sends in place of the token.

The cookie holds the time at which it ends and a code made from the token, but not the token itself. So a new token ends all
logins, and a restart of the service ends none. A browser sends it only with requests that begin on the pages themselves
(SameSite=Strict), and no script can read it (HttpOnly). It opens the pages and nothing else: programs send the token.
"""

import hashlib
import hmac
import time

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "seedbank"
_VALID_SECONDS = 30 * 86_400


def has_access(request: Request, token: str) -> bool:
    """Whether a request comes with the token, or from a browser that has logged in. token: "" if nothing is needed."""
    if not token:
        return True
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and is_token(given.strip(), token):
        return True
    until, _, code = request.cookies.get(COOKIE, "").partition(".")
    if not (until.isascii() and until.isdecimal() and len(until) < 16 and int(until) > time.time()):
        return False
    return is_token(code, _code(token, until))


def is_token(given: str, token: str) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def log_in(response: Response, token: str, path: str, *, secure: bool) -> None:
    """Set the cookie. path: that of the knowledge base. secure: whether the page was reached by HTTPS."""
    until = str(int(time.time()) + _VALID_SECONDS)
    response.set_cookie(
        COOKIE,
        f"{until}.{_code(token, until)}",
        max_age=_VALID_SECONDS,
        path=path,
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def log_out(response: Response, path: str) -> None:
    """Remove the cookie from the browser."""
    response.delete_cookie(COOKIE, path=path, httponly=True, samesite="strict")


def _code(token: str, until: str) -> str:
    return hmac.new(token.encode(), f"pages until {until}".encode(), hashlib.sha256).hexdigest()
