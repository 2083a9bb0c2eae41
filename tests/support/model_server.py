"""A model server on loopback that misbehaves as a script says, and counts what it was asked and what it answered.

What belongs here: the four paths of two APIs (OpenAI's, Ollama's own), serving, counting. What does not: answers that fit
the request (tests.support.model_answers), faults and scripts (tests.support.model_faults), any client.

In a test: `with ModelServer(first(2, TooMany("1"))) as server: ... server.url`. For benchmarks, in a process of its own:
`python -m tests.support.model_server --latency 0.2`, which prints its URL; `GET /log` tells other processes what was counted.
"""

import argparse
import asyncio
import hashlib
import json
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.support.model_answers import (
    Call,
    Reply,
    error,
    fitting_answer,
    ollama_chat,
    ollama_embeddings,
    openai_chat,
    openai_embeddings,
    vector,
)
from tests.support.model_faults import Fault, Latency, Script, Status, Wire, always

_NO_FAULT = Latency(0)


class ModelServer:
    """Serves on a free port of 127.0.0.1 from a thread of its own while the `with` lasts.

    extra_headers are added to valid answers. Leaving ends all connections, hanging ones too, and raises whatever the
    script, `answer` or this module raised in between: to the client it was only a 500.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        answer: Callable[[Call], str] = fitting_answer,
        extra_headers: Callable[[Call], Mapping[str, str]] | None = None,
        dimensions: int = 256,
        port: int = 0,
    ) -> None:
        self.script = script or always(None)
        self._answer = answer
        self._extra_headers = extra_headers
        self._dimensions = dimensions
        self._port = port
        # Only the server's thread changes what follows, in steps that the interpreter does not divide.
        self._calls: list[Call] = []
        self._seen: Counter[str] = Counter()
        self._in_flight = 0
        self._broken: list[Exception] = []
        self.in_flight_most = 0
        self.url = ""

    @property
    def calls(self) -> list[Call]:
        """Those so far, by number."""
        return list(self._calls)

    @property
    def valid_answers(self) -> Counter[str]:
        """How many valid answers each digest has been given."""
        return Counter(call.digest for call in self.calls if call.valid)

    def arrivals(self) -> list[float]:
        """When each call came: time.monotonic()."""
        return [call.arrived_at for call in self.calls]

    def __enter__(self) -> Self:
        app = FastAPI(openapi_url=None)
        for path in ("/v1/chat/completions", "/v1/embeddings", "/api/chat", "/api/embed"):
            app.add_api_route(path, self._take, methods=["POST"])
        app.add_api_route("/log", self._log)
        self.add_routes(app)
        listener = socket.create_server(("127.0.0.1", self._port), backlog=2048)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # asyncio's own loop writes at once what it is given to write, where uvloop collects: whether the client was
        # still there is known then.
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                http=_Connection,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                timeout_keep_alive=75,  # seconds: no connection of a pool ends by itself in a test
                timeout_graceful_shutdown=2,  # seconds, for a client that connects at the very end
            )
        )
        self._thread = threading.Thread(target=self._uvicorn.run, args=([listener],), name="model-server")
        self._thread.start()
        self._uvicorn.ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._uvicorn.should_exit = True
        self._thread.join()
        if self._broken:
            raise self._broken[0]

    def add_routes(self, app: FastAPI) -> None:
        """Further paths, for subclasses."""

    async def _take(self, request: Request) -> Response:
        arrived_at = time.monotonic()
        try:
            raw = await request.body()
        except ClientDisconnect:
            return Response()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        path = request.url.path
        canonical = json.dumps([path, body], sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        call = Call(len(self._calls), arrived_at, path, dict(request.headers), body, digest)
        earlier = self._seen[digest]
        self._seen[digest] += 1
        self._calls.append(call)
        self._in_flight += 1
        self.in_flight_most = max(self.in_flight_most, self._in_flight)
        try:
            return _Sending(call, *self._reply(call, earlier), self._ended)
        except Exception as error:
            self._ended()
            self._broken.append(error)
            raise

    def _reply(self, call: Call, earlier: int) -> tuple[Fault, Reply]:
        if wrong := _misuse(call):
            return Status(400), error(call, 400, wrong)
        fault = self.script(call, earlier)
        if fault is None or not fault.applies(call):
            fault = _NO_FAULT
        else:
            call.fault = type(fault).__name__
        words = sum(len(text.split()) for text in call.texts())
        if call.is_chat:
            content = fault.content(self._answer(call))
            payload = (ollama_chat if call.of_ollama else openai_chat)(call, content, words)
        else:
            dimensions = call.body.get("dimensions") or self._dimensions
            vectors = fault.vectors([vector(text, dimensions) for text in call.texts()])
            payload = (ollama_embeddings if call.of_ollama else openai_embeddings)(call, vectors, words)
        fault.alter(call, payload)
        headers = self._extra_headers(call) if self._extra_headers and fault.valid else {}
        encoded = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
        return fault, fault.reply(call, Reply(encoded, headers=headers))

    def _ended(self) -> None:
        self._in_flight -= 1

    async def _log(self) -> Response:
        names = Call.__slots__
        calls = [{name: getattr(call, name) for name in names} for call in self._calls]
        return Response(
            json.dumps({"in_flight_most": self.in_flight_most, "calls": calls}), media_type="application/json"
        )


class _Sending(Response):
    """The answer to a call as FastAPI takes it, sent by the fault instead of at once."""

    def __init__(self, call: Call, fault: Fault, reply: Reply, ended: Callable[[], None]) -> None:
        super().__init__()
        self._call, self._fault, self._reply, self._ended = call, fault, reply, ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        def hand_over(there: bool) -> None:
            self._call.valid = there and self._fault.valid

        try:
            await self._fault.deliver(self._reply, Wire(scope["state"]["transport"], receive, send, hand_over))
        finally:
            self._ended()


class _Connection(HttpToolsProtocol):
    """Tells the application its transport: to cut it, and to see whether the client is still there."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        # asyncio does so only for sockets that name their protocol; without it a body waits 40 ms behind its headers.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {"transport": transport}


class _Uvicorn(uvicorn.Server):
    """Says when it is ready, stops soon, and waits for no client when it does."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.ready.set()

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End without the tenths of a second that uvicorn sleeps for clients that might still write."""
        for closing in (*self.servers, *(sockets or [])):
            closing.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        deadline = time.monotonic() + (self.config.timeout_graceful_shutdown or 0)
        while self.server_state.tasks and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
        for task in self.server_state.tasks:
            task.cancel()


def _misuse(call: Call) -> str:
    """What is wrong with the request itself; "" where nothing is."""
    if not isinstance(call.body, dict):
        return "The body is not a JSON object."
    # Ollama streams unless the request says no; OpenAI streams only if it says yes.
    if (call.path == "/api/chat" and call.body.get("stream", True)) or call.body.get("stream"):
        return "This server does not stream."
    return ""


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.model_server", description="A model server on loopback."
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    chosen = parser.parse_args()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before the server's thread is born, which inherits it
    with ModelServer(always(Latency(chosen.latency)), port=chosen.port) as server:
        print(server.url, flush=True)
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
