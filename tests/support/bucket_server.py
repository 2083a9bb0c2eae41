"""A bucket with S3's API on loopback, in this process: what is in it, which requests arrive, and what goes wrong.

What belongs here: listing by pages, whole objects, and replies that a test gives instead. What does not: signatures and writes
(moto has both, see object_store), and assertions.
"""

import hashlib
import threading
import time
import urllib.parse
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

Reply = tuple[int, str]
"""The status, and the body."""

SLOW_DOWN: Reply = (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
DENIED: Reply = (403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
NO_BUCKET: Reply = (
    404,
    "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>",
)
_NO_KEY: Reply = (404, "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
# As S3 has it.
_PAGE = 1_000


class BucketServer:
    """Serves the bucket `corpus` while the `with` lasts.

    objects: key -> (bytes, time of modification). instead: asked for each request as "LIST", "GET key" or "HEAD key"; its reply,
    if it gives one, is sent instead. requests: these words for each request so far. page: how many names a reply lists. tags:
    whether objects have an ETag. cut: whether a page that is not the last one says that it is.
    """

    def __init__(self, objects: dict[str, bytes] | None = None, prefix: str = "docs") -> None:
        self.address = f"s3://corpus/{prefix}"
        self.prefix = prefix
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.instead: Callable[[str], Reply | None] = lambda request: None
        self.requests: list[str] = []
        self.page = _PAGE
        self.tags = True
        self.cut = False
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        for name, data in (objects or {}).items():
            self.put(name, data)

    @property
    def environment(self) -> dict[str, str]:
        """With which a client finds the server."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }

    def put(self, name: str, data: bytes = b"text", *, at: float | None = None) -> None:
        """Write an object below the prefix. at: when it was modified."""
        self.objects[f"{self.prefix}/{name}"] = (data, time.time() if at is None else at)

    def remove(self, name: str) -> None:
        """Remove an object."""
        del self.objects[f"{self.prefix}/{name}"]

    def asked(self) -> list[str]:
        """The requests since this was called last, without that for the patterns of ignored files."""
        with self._lock:
            found, self.requests = self.requests, []
        return [request for request in found if not request.endswith("/.seedbankignore")]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body are written at once; otherwise the body waits for 40 ms.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                bucket.answer(self)

            do_HEAD = do_GET  # noqa: N815 - this is the name that it looks for

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        return Handler

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        parts = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        key = urllib.parse.unquote(parts.path).removeprefix("/corpus").lstrip("/")
        request = "LIST" if "list-type" in query else f"{handler.command} {key}"
        with self._lock:
            self.requests.append(request)
        reply = self.instead(request)
        if reply is None and request == "LIST":
            reply = (200, self._listed(query))
        found = self.objects.get(key)
        if reply is None and found is not None:
            self._send(handler, 200, found[0], {"ETag": _tag(found[0])} if self.tags else {}, found[1])
            return
        status, body = reply or _NO_KEY
        self._send(handler, status, body.encode(), {}, time.time())

    def _listed(self, query: dict[str, str]) -> str:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        names: dict[str, bool] = {}
        for key in sorted(self.objects, key=str.encode):
            if key.startswith(prefix):
                inside = key[len(prefix) :]
                cut = delimiter and delimiter in inside
                name = prefix + inside.partition(delimiter)[0] + delimiter if cut else key
                if name > after:
                    names[name] = bool(cut)
        listed = list(names)[: self.page]
        more = len(names) > len(listed) and not self.cut
        body = "".join(
            f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" if names[name] else self._entry(name)
            for name in listed
        )
        token = f"<NextContinuationToken>{escape(listed[-1])}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>corpus</Name>'
            f"<KeyCount>{len(listed)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>{token}{body}</ListBucketResult>"
        )

    def _entry(self, key: str) -> str:
        data, at = self.objects[key]
        tag = f"<ETag>{escape(_tag(data))}</ETag>" if self.tags else ""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
        return f"<Contents><Key>{escape(key)}</Key><LastModified>{moment}</LastModified>{tag}<Size>{len(data)}</Size></Contents>"

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str], at: float
    ) -> None:
        handler.send_response(status)
        for name, value in {**headers, "Last-Modified": formatdate(int(at), usegmt=True)}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
