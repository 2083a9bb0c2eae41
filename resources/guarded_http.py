"""The HTTP client that model endpoints are reached with: one pool, keep-alive, and three guards; and who sends with it.

What belongs here: what holds for every request whatever it says. What does not: retries and limits (endpoint), and what
a provider is told (openai_api, ollama_api).

- Requests can be forbidden by the environment, for tests and CI: see FORBIDDING.
- A reply is read up to MOST_REPLY_BYTES.
- Redirects are not followed: a document's text goes only to the configured address.
"""

import ipaddress
import os
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from resources.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

    import httpx2

# "forbid": no request is sent; "loopback": only to this machine. Anything else, or unset: to the configured endpoint.
FORBIDDING = "SEEDBANK_MODEL_REQUESTS"
# A batch of 64 vectors of 4,096 numbers is some 6 MB as JSON text; the longest answers are a thousandth of that.
MOST_REPLY_BYTES = 16 << 20
_CONNECT_SECONDS = 10.0


class RequestsForbiddenError(ConfigurationError):
    """The environment forbids requests to models."""


class ReplyTooLargeError(Exception):
    """A reply is longer than any that could be right."""


def open_client(*, timeout_seconds: float, connections: int) -> "httpx2.AsyncClient":
    """A client for one event loop. timeout_seconds: without a byte."""
    import httpx2

    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds), pool=None),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=connections, keepalive_expiry=60),
        follow_redirects=False,
        verify=_tls(),
        event_hooks={"request": [_check_allowed], "response": [_limit_size]},
    )


class JsonSender:
    """Sends JSON to the paths of one address, with its key; of one event loop."""

    def __init__(self, client: "httpx2.AsyncClient", base_url: str, api_key: str) -> None:
        """api_key: "" for a server that takes none."""
        import httpx2

        self._client = client
        self._base_url = httpx2.URL(base_url)
        self._urls: dict[str, httpx2.URL] = {}
        # Merged and parsed once: for each request it takes a third of a millisecond.
        self._headers = httpx2.Headers(client.headers)
        self._headers["content-type"] = "application/json"
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"

    async def post(self, path: str, body: Mapping[str, Any]) -> "httpx2.Response":
        """The whole reply, whatever its status. Raises errors of httpx2, and what the client's guards raise."""
        import httpx2

        url = self._urls.get(path)
        if url is None:
            before, question, query = self._base_url.raw_path.partition(b"?")
            url = self._base_url.copy_with(raw_path=before.rstrip(b"/") + path.encode() + question + query)
            self._urls[path] = url
        request = httpx2.Request("POST", url, headers=self._headers, content=msgspec.json.encode(body))
        return await self._client.send(request)


@cache
def _tls() -> "ssl.SSLContext":
    """Read once: the certificates take 40 ms, and each stage opens a client."""
    import httpx2

    return httpx2.create_ssl_context()


async def _check_allowed(request: "httpx2.Request") -> None:
    rule, host = os.environ.get(FORBIDDING, ""), request.url.host
    if rule == "forbid" or (rule == "loopback" and not _is_loopback(host)):
        raise RequestsForbiddenError(
            f"A request to {host} was not sent: {FORBIDDING}={rule} forbids it. Unset it where models may be asked."
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _limit_size(response: "httpx2.Response") -> None:
    response.stream = _limited_stream()(response.stream)


@cache
def _limited_stream() -> Any:
    """The class of streams that end with an error where they grow too long; httpx2 is imported for the first of them."""
    import httpx2

    class Limited(httpx2.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size_bytes = 0
            async for piece in self._stream:
                size_bytes += len(piece)
                if size_bytes > MOST_REPLY_BYTES:
                    raise ReplyTooLargeError(f"a reply of more than {MOST_REPLY_BYTES >> 20} MB")
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    return Limited
