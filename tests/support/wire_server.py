"""Servers and proxies on loopback that break the wire rather than the answer: TLS, other protocols, headers that lie.

What belongs here: bytes and connections. What does not: a model's API, but for one right answer (model_server has
all others), and any client.

In a test: `with WireServer(answering(), certificate="own") as server: ... server.port, server.requests`.
"""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CERTIFICATES = Path(__file__).parent / "certificates"
ANSWER = {
    "model": "scripted",
    "choices": [{"message": {"content": '{"summary": "Bread."}'}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}

Handler = Callable[[socket.socket, bytes], None]
"""Answers on a connection, given the request that came on it."""


class WireServer:
    """Takes connections on a free port while the `with` lasts, one request on each.

    certificate: the name of one, to speak TLS with. connections, requests: how many came, and what was asked.
    """

    def __init__(self, handler: Handler, *, certificate: str = "") -> None:
        self._handler = handler
        self._tls: ssl.SSLContext | None = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
        self.connections = 0
        self.requests: list[bytes] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="wire-server")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        serving: list[threading.Thread] = []
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                serving.append(threading.Thread(target=self._serve, args=(connection,), name="wire-connection"))
                serving[-1].start()
        for thread in serving:
            thread.join()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with suppress(OSError), connection:  # SSLError is one: the client did not like the certificate
            stream = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with stream:
                request = _request(stream)
                if request:
                    self.requests.append(request)
                    self._handler(stream, request)


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole reply of HTTP, after which the connection ends."""
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def answering(*headers: str, body: bytes | None = None, status: str = "200 OK") -> Handler:
    """Answers every request alike: rightly, or with the body and status that are given."""
    content = json.dumps(ANSWER).encode() if body is None else body

    def answer(stream: socket.socket, request: bytes) -> None:
        stream.sendall(reply(content, *headers, status=status))

    return answer


def saying(raw: bytes) -> Handler:
    """Says these bytes, whatever is asked."""
    return lambda stream, request: stream.sendall(raw)


def forwarding(stream: socket.socket, request: bytes) -> None:
    """What a proxy does for http:// addresses: asks the server that the request names, and passes on what it says."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    method, target, version = first.split(b" ")
    url = urlsplit(target.decode())
    with socket.create_connection((url.hostname or "", url.port or 80), timeout=10) as server:
        path = f"{url.path}?{url.query}" if url.query else url.path
        lines = [line for line in rest.split(b"\r\n") if not line.lower().startswith((b"connection:", b"proxy-"))]
        asked = b" ".join((method, path.encode(), version))
        server.sendall(b"\r\n".join((asked, *lines, b"Connection: close")) + b"\r\n\r\n" + body)
        while piece := server.recv(65_536):
            stream.sendall(piece)


def _request(stream: socket.socket) -> bytes:
    """A whole request, by its content-length; empty where the client said nothing of HTTP."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65_536)
        data += piece
        if data.startswith(b"\x16"):  # TLS, where none is spoken
            return data
        if not piece:
            return b""
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += stream.recv(65_536)
    return head + b"\r\n\r\n" + body
