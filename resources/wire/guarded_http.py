"""The HTTP client for model endpoints, with a connection pool, keep-alive and guards:

- The environment can forbid requests, for tests and CI: see FORBIDDING.
- A reply is read up to MOST_REPLY_BYTES.
- Redirects are not followed, so that the text of a document goes only to the configured address.
- A reply that contradicts its headers, or that comes from a proxy instead of the server, raises a WrongReplyError.

Retries and limits are in `endpoint`; failures of connections are explained in `wire_faults`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from resources.errors import ConfigurationError
from resources.wire.addresses import is_loopback
from resources.wire.certificates import trusted
from resources.wire.proxies import proxy_for

if TYPE_CHECKING:
    import httpx2

# "forbid": no request is sent; "loopback": requests go only to this machine. Any other value: no restriction.
FORBIDDING = "SEEDBANK_MODEL_REQUESTS"
# A batch of 64 vectors of length 4,096 is about 6 MB as JSON; the longest answers are a thousandth of that.
MOST_REPLY_BYTES = 16 << 20
_CONNECT_SECONDS = 10.0
_PROBE_SECONDS = 3.0
_PROXY_AUTHENTICATION = 407
# Replies with status 400 to a request without TLS on a port with TLS, of nginx, Go's server and Apache.
_WANTS_TLS = ("plain http request was sent to https port", "http request to an https server", "plain http to an ssl")


class RequestsForbiddenError(ConfigurationError):
    """The environment forbids requests to models."""


class ReplyTooLargeError(Exception):
    """A reply is longer than any valid reply."""


class WrongReplyError(Exception):
    """A reply is not the server's answer to the request.

    kind: "encoding" (the body does not fit Content-Encoding), "wants TLS" (the port speaks TLS, but the address begins with
    http://) or "proxy" (the proxy refuses the request). detail: what was found. status: the HTTP status; 0 if there is none.
    """

    def __init__(self, kind: str, detail: str, status: int = 0) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.status = status


def open_client(
    url: str, *, timeout_seconds: float, connections: int, most_reply_bytes: int = MOST_REPLY_BYTES
) -> "httpx2.AsyncClient":
    """A client for one address and event loop. timeout_seconds: the longest time without receiving a byte.

    Raises ConfigurationError if the environment names a proxy or certificates that cannot be used.
    """
    import httpx2

    proxy = proxy_for(url)
    transport = httpx2.AsyncHTTPTransport(
        verify=trusted(),
        proxy=proxy.url if proxy else None,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=connections, keepalive_expiry=60),
    )
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds), pool=None),
        # The environment was read above, for this address only.
        transport=transport if proxy else _asking_once_for_tls()(transport),
        follow_redirects=False,
        event_hooks={"request": [_check_allowed], "response": [partial(_limit_size, most_reply_bytes), _check_reply]},
    )


class JsonSender:
    """Sends JSON to the paths of one address with its key, within one event loop."""

    def __init__(self, client: "httpx2.AsyncClient", base_url: str, api_key: str) -> None:
        """api_key: "" for a server that needs none."""
        import httpx2

        self._client = client
        self._base_url = httpx2.URL(base_url)
        self._urls: dict[str, httpx2.URL] = {}
        # Merged and parsed once, since it takes 0.3 ms per request (measured).
        self._headers = httpx2.Headers(client.headers)
        self._headers["content-type"] = "application/json"
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"

    async def post(self, path: str, body: Mapping[str, Any]) -> "httpx2.Response":
        """The whole reply, whatever its status. Raises errors of httpx2, and the errors of the client's guards."""
        return await self._send("POST", path, msgspec.json.encode(body))

    async def get(self, path: str) -> "httpx2.Response":
        """The same for a request without a body."""
        return await self._send("GET", path, None)

    async def _send(self, method: str, path: str, content: bytes | None) -> "httpx2.Response":
        import httpx2

        url = self._urls.get(path)
        if url is None:
            before, question, query = self._base_url.raw_path.partition(b"?")
            url = self._base_url.copy_with(raw_path=before.rstrip(b"/") + path.encode() + question + query)
            self._urls[path] = url
        return await self._client.send(httpx2.Request(method, url, headers=self._headers, content=content))


async def _check_allowed(request: "httpx2.Request") -> None:
    rule, host = os.environ.get(FORBIDDING, ""), request.url.host
    if rule == "forbid" or (rule == "loopback" and not is_loopback(host)):
        raise RequestsForbiddenError(
            f"A request to {host} was not sent: {FORBIDDING}={rule} forbids it. Unset it to allow requests to models."
        )


async def _limit_size(most_bytes: int, response: "httpx2.Response") -> None:
    response.stream = _limited_stream()(response.stream, most_bytes)
    # JSON is UTF-8. A header may name a codec that does not produce text, such as `hex`.
    response.encoding = "utf-8"


async def _check_reply(response: "httpx2.Response") -> None:
    import httpx2

    status = response.status_code
    if status == _PROXY_AUTHENTICATION:
        raise WrongReplyError("proxy", f"HTTP {status} {response.reason_phrase}".strip(), status)
    if status == 400 and response.request.url.scheme == "http":
        await response.aread()
        if any(words in response.text.lower() for words in _WANTS_TLS):
            raise WrongReplyError("wants TLS", f"HTTP {status}, and that it speaks TLS", status)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return
    try:
        content = await response.aread()
    except httpx2.DecodingError as error:
        raise WrongReplyError("encoding", encoding, status) from error
    offered = {name.strip() for name in response.request.headers.get("accept-encoding", "").split(",")}
    packed = not set(encoding.replace(" ", "").split(",")) <= {*offered, "identity"}
    # If the body is decoded already, a Content-Encoding header that a gateway left in place can be ignored.
    if packed and status < 300 and content.lstrip()[:1] not in (b"{", b"["):
        raise WrongReplyError("encoding", encoding, status)


@cache
def _asking_once_for_tls() -> Any:
    """A transport class that checks for TLS when a server first closes the connection on a request without TLS."""
    import httpx2

    class AskingOnceForTls(httpx2.AsyncBaseTransport):
        def __init__(self, transport: httpx2.AsyncHTTPTransport) -> None:
            self._transport = transport
            self._asked = False

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            try:
                return await self._transport.handle_async_request(request)
            except (httpx2.ReadError, httpx2.RemoteProtocolError) as error:
                if request.url.scheme != "http" or self._asked:
                    raise
                self._asked = True
                if await _speaks_tls(request.url.host, request.url.port or 80):
                    raise WrongReplyError("wants TLS", "it closes the connection on a request without TLS") from error
                raise

        async def aclose(self) -> None:
            await self._transport.aclose()

    return AskingOnceForTls


async def _speaks_tls(host: str, port: int) -> bool:
    """Whether a server completes a TLS handshake, with any certificate; no request is sent."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # A server without TLS does not answer, or answers something else.
    with suppress(OSError, TimeoutError, UnicodeError):
        async with asyncio.timeout(_PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
    return False


@cache
def _limited_stream() -> Any:
    """A stream class that raises an error if the reply is too long. It is made lazily, since it needs httpx2."""
    import httpx2

    class Limited(httpx2.AsyncByteStream):
        def __init__(self, stream: Any, most_bytes: int) -> None:
            self._stream = stream
            self._most_bytes = most_bytes

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size_bytes = 0
            async for piece in self._stream:
                size_bytes += len(piece)
                if size_bytes > self._most_bytes:
                    raise ReplyTooLargeError(f"a reply of more than {self._most_bytes >> 20} MB")
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    return Limited
