"""The files that every page loads: the style sheet, htmx with its extension for events, and the few lines of our own script.

htmx is kept here as it was published, with its licence, so that no page needs a network; docs/dependencies.md has the release.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC = "/page/static"
_FILES = Path(__file__).with_name("static")
VENDORED = {
    "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "hx-sse.min.js": "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
}
"""The files of htmx.org 4.0.1 (npm) with their SHA-256 digests, which a test compares."""
_MEDIA_TYPES = {
    **dict.fromkeys((*VENDORED, "page.js"), "text/javascript"),
    "page.css": "text/css",
    "mark.svg": "image/svg+xml",
}


def static_files() -> Route:
    """The route of these files."""
    return Route(f"{STATIC}/{{name}}", _file)


def static_bytes(name: str) -> bytes:
    """The contents of a file."""
    return (_FILES / name).read_bytes()


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _MEDIA_TYPES:
        raise HTTPException(404)
    data, tag = _known(name)
    # Nothing of a knowledge base is in these files, so a browser may keep them, but it asks whether they have changed.
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=_MEDIA_TYPES[name])


@cache
def _known(name: str) -> tuple[bytes, str]:
    data = static_bytes(name)
    return data, f'"{sha256(data).hexdigest()[:32]}"'
