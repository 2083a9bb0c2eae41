"""A model server on loopback that misbehaves as a script says, and counts what it was asked and what it answered.

What belongs here: the four paths of two APIs (OpenAI's, Ollama's own), the faults, the scripts, answers that fit the
request. What does not: any client, and what a client should make of a fault.

In a test: `with ModelServer(first(2, TooMany("1"))) as server: ... server.url`. For benchmarks, in a process of its own:
`python -m tests.model_server --latency 0.2`, which prints its URL; `GET /log` tells other processes what was counted.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import random
import re
import signal
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
import uvicorn
from fastapi import FastAPI, Request, Response
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Json = dict[str, Any]
Vector = NDArray[np.float32]


@dataclass(slots=True)
class Call:
    """One request. valid: a complete, valid answer was handed over while the client was there to take it."""

    number: int
    arrived_at: float  # time.monotonic()
    path: str
    headers: dict[str, str]  # names in lower case
    body: Any
    digest: str  # sha256 of path and body, whatever the order of the body's keys
    fault: str = ""  # the name of the fault that it met; "" also where the script's fault did not apply
    valid: bool = False

    @property
    def of_ollama(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def is_chat(self) -> bool:
        return self.path in ("/v1/chat/completions", "/api/chat")

    @property
    def format(self) -> Any:
        """What the call says about its answer's form: `response_format` or, for Ollama, `format`; None if nothing."""
        return self.body.get("format" if self.of_ollama else "response_format")

    @property
    def schema(self) -> Json | None:
        """The JSON schema that was sent, if one was."""
        asked = self.format
        if self.of_ollama or not isinstance(asked, dict):
            return asked if isinstance(asked, dict) else None
        return asked["json_schema"].get("schema", {}) if asked.get("type") == "json_schema" else None

    def texts(self) -> list[str]:
        """What all messages say, or the inputs of an embedding request (tokens as their JSON)."""
        if self.is_chat:
            return [_said(message) for message in self.body.get("messages", [])]
        given = self.body.get("input", [])
        alone = isinstance(given, str) or (given and isinstance(given[0], int))
        return [one if isinstance(one, str) else json.dumps(one) for one in ([given] if alone else given)]


@dataclass(frozen=True, slots=True)
class Reply:
    """What would go over the wire."""

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire:
    """The connection that a call came over."""

    def __init__(
        self, transport: asyncio.Transport, receive: Receive, send: Send, hand_over: Callable[[bool], None]
    ) -> None:
        self._transport = transport
        self._receive = receive
        self._send = send
        self._hand_over = hand_over

    async def whole(self, reply: Reply) -> None:
        """All of it, which makes the call's answer count where it is a valid one."""
        await self.head(reply, len(reply.body))
        # Before the bytes leave, so that whoever has the answer finds it counted; taken back if they did not leave.
        self._hand_over(not self._transport.is_closing())
        await self.part(reply.body, last=True)
        if self._transport.is_closing():
            self._hand_over(False)

    async def head(self, reply: Reply, length: int | None) -> None:
        """Status and headers; without a length the body comes in chunks."""
        headers = {"content-type": reply.media_type, **reply.headers}
        if length is not None:
            headers["content-length"] = str(length)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": reply.status, "headers": raw})

    async def part(self, body: bytes, *, last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def stays(self, seconds: float) -> bool:
        """Wait so long; False as soon as the client (or this server) has gone."""
        try:
            async with asyncio.timeout(seconds):
                await self._gone()
        except TimeoutError:
            return not self._transport.is_closing()
        return False

    async def cut(self, *, reset: bool) -> None:
        """End the connection: by a reset, which the client meets as an error, or by an end of stream."""
        if reset:
            linger_not = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        self._transport.close()
        await self._gone()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


@dataclass(frozen=True, slots=True)
class Fault:
    """What may go wrong, at four moments. Where it does not apply, the answer is a valid one."""

    valid: ClassVar[bool] = False  # whether a tolerant client can use what it gets

    def applies(self, call: Call) -> bool:
        return True

    def content(self, content: str) -> str:
        """What a completion says."""
        return content

    def vectors(self, vectors: list[Vector]) -> list[Vector]:
        return vectors

    def alter(self, call: Call, payload: Json) -> None:
        """Change the reply's JSON."""

    def reply(self, call: Call, reply: Reply) -> Reply:
        return reply

    async def deliver(self, reply: Reply, wire: Wire) -> None:
        await wire.whole(reply)


class _OfChat(Fault):
    def applies(self, call: Call) -> bool:
        return call.is_chat


class _OfEmbeddings(Fault):
    def applies(self, call: Call) -> bool:
        return not call.is_chat


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """The valid answer, so much later."""

    seconds: float
    valid: ClassVar[bool] = True

    async def deliver(self, reply: Reply, wire: Wire) -> None:
        if self.seconds == 0 or await wire.stays(self.seconds):
            await wire.whole(reply)


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """An error, in the form that the API gives its errors."""

    code: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    error_code: str | None = None  # OpenAI's `error.code`, such as insufficient_quota

    def reply(self, call: Call, reply: Reply) -> Reply:
        return _error(call, self.code, self.message or f"scripted {self.code}", self.error_code, self.headers)


@dataclass(frozen=True, slots=True)
class TooMany(Fault):
    """429, with that Retry-After as it stands."""

    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)

    def reply(self, call: Call, reply: Reply) -> Reply:
        after = {} if self.retry_after is None else {"retry-after": self.retry_after}
        return _error(call, 429, "Rate limit reached.", "rate_limit_exceeded", {**after, **self.headers})


@dataclass(frozen=True, slots=True)
class DropMidReply(Fault):
    """The headers with the full Content-Length, half of the body, then the connection ends."""

    reset: bool = True

    async def deliver(self, reply: Reply, wire: Wire) -> None:
        await wire.head(reply, len(reply.body))
        await wire.part(reply.body[: len(reply.body) // 2])
        await wire.cut(reset=self.reset)


@dataclass(frozen=True, slots=True)
class DropBeforeReply(Fault):
    """The connection ends when the request has arrived."""

    reset: bool = True

    async def deliver(self, reply: Reply, wire: Wire) -> None:
        await wire.cut(reset=self.reset)


@dataclass(frozen=True, slots=True)
class Stall(Fault):
    """The headers, then nothing; the connection ends after that time, or with the server."""

    seconds: float

    async def deliver(self, reply: Reply, wire: Wire) -> None:
        await wire.head(reply, len(reply.body))
        if await wire.stays(self.seconds):
            await wire.cut(reset=False)


class InvalidJson(_OfChat):
    """The completion's content is JSON in parts, which no repairing brings to a schema."""

    def content(self, content: str) -> str:
        return '}]" ,: {[ ' + " ".join(re.findall(r"\w+", content)[:3])


class FencedJson(_OfChat):
    """A sentence, then the valid content in a fenced block: valid."""

    valid = True

    def content(self, content: str) -> str:
        return f"Here is the JSON that you asked for:\n\n```json\n{content}\n```"


class WrongSchema(_OfChat):
    """The completion's content is JSON, of a schema that nobody asked for."""

    def content(self, content: str) -> str:
        return '{"unasked": [1, 2], "for": {"nothing": null}}'


class Truncated(_OfChat):
    """The content's first half, with finish_reason (Ollama: done_reason) "length"."""

    def content(self, content: str) -> str:
        return content[: len(content) // 2]

    def alter(self, call: Call, payload: Json) -> None:
        _finish(call, payload, "length")


class Refusal(_OfChat):
    """`refusal` instead of `content`; Ollama has no such field: a sentence as the content."""

    def alter(self, call: Call, payload: Json) -> None:
        sentence = "I cannot help with that."
        _message(call, payload).update(
            {"content": sentence} if call.of_ollama else {"content": None, "refusal": sentence}
        )


class ContentFilter(_OfChat):
    """finish_reason "content_filter" and empty content; Ollama filters nothing: empty content alone."""

    def alter(self, call: Call, payload: Json) -> None:
        _message(call, payload)["content"] = ""
        if not call.of_ollama:
            _finish(call, payload, "content_filter")


class EmptyChoices(_OfChat):
    """`choices: []`; of Ollama the empty message with done_reason "load", as it gives when it only loaded the model."""

    def alter(self, call: Call, payload: Json) -> None:
        if call.of_ollama:
            _message(call, payload)["content"] = ""
            _finish(call, payload, "load")
        else:
            payload["choices"] = []


class MissingUsage(Fault):
    """No `usage` (Ollama: no counts), also for embeddings: valid."""

    valid = True

    def alter(self, call: Call, payload: Json) -> None:
        for name in ("usage", "prompt_eval_count", "eval_count"):
            payload.pop(name, None)


class HtmlInstead(Fault):
    """200 with a proxy's page."""

    def reply(self, call: Call, reply: Reply) -> Reply:
        return Reply(b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>", media_type="text/html")


class PlainContentType(Fault):
    """The valid JSON as text/plain: valid."""

    valid = True

    def reply(self, call: Call, reply: Reply) -> Reply:
        return replace(reply, media_type="text/plain")


class BadBody(Fault):
    """200 application/json, and no JSON."""

    def reply(self, call: Call, reply: Reply) -> Reply:
        return replace(reply, body=b"upstream connect error or disconnect/reset before headers")


@dataclass(frozen=True, slots=True)
class Huge(Fault):
    """A body of that size in chunks, with no length said before; JSON that never closes."""

    megabytes: int = 50

    async def deliver(self, reply: Reply, wire: Wire) -> None:
        await wire.head(reply, None)
        await wire.part(b'{"padding": "')
        megabyte = b"x" * 1_000_000
        for _ in range(self.megabytes):
            await wire.part(megabyte)
        await wire.part(b"", last=True)


class RejectsJsonSchema(_OfChat):
    """400 where the call sends a schema (Ollama: as its `format`)."""

    def applies(self, call: Call) -> bool:
        return call.is_chat and call.schema is not None

    def reply(self, call: Call, reply: Reply) -> Reply:
        return _error(call, 400, "response_format of type json_schema is not supported by this model")


class RejectsResponseFormat(_OfChat):
    """400 for any `response_format` (Ollama: `format`)."""

    def applies(self, call: Call) -> bool:
        return call.is_chat and call.format is not None

    def reply(self, call: Call, reply: Reply) -> Reply:
        return _error(call, 400, "Unrecognized request argument supplied: response_format")


class ShuffledEmbeddings(_OfEmbeddings):
    """The last item first, each with its right `index`: valid. Ollama's items have none: does not apply there."""

    valid = True

    def applies(self, call: Call) -> bool:
        return call.path == "/v1/embeddings"

    def alter(self, call: Call, payload: Json) -> None:
        payload["data"].reverse()


class WrongDimension(_OfEmbeddings):
    """Every vector is one number short."""

    def vectors(self, vectors: list[Vector]) -> list[Vector]:
        return [vector[:-1] for vector in vectors]


class NanEmbedding(_OfEmbeddings):
    """A NaN in the last vector; in JSON the literal that Python writes and strict readers refuse."""

    def vectors(self, vectors: list[Vector]) -> list[Vector]:
        return [*vectors[:-1], *(np.append(np.float32("nan"), vector[1:]) for vector in vectors[-1:])]


class MissingEmbedding(_OfEmbeddings):
    """One item less: the last."""

    def vectors(self, vectors: list[Vector]) -> list[Vector]:
        return vectors[:-1]


# What becomes of a call, of whose digest so many came before it; None: a valid answer at once.
Script = Callable[[Call, int], Fault | None]


def always(fault: Fault | None) -> Script:
    return lambda call, earlier: fault


def first(n: int, fault: Fault) -> Script:
    """The first n calls of each digest meet the fault."""
    return lambda call, earlier: fault if earlier < n else None


def sequence(*faults: Fault | None) -> Script:
    """By the number of the call; valid answers from there on."""
    return lambda call, earlier: faults[call.number] if call.number < len(faults) else None


def sometimes(share: float, faults: Sequence[Fault], seed: int, at_most: int = 2) -> Script:
    """That share of all calls fails, of one digest at most so many in a row; by digest, whatever the order of arrival."""

    def script(call: Call, earlier: int) -> Fault | None:
        chance = random.Random(f"{seed} {call.digest}")
        row, met = 0, None
        for _ in range(earlier + 1):
            drawn, which = chance.random(), chance.choice(faults)
            met = which if drawn < share and row < at_most else None
            row = row + 1 if met else 0
        return met

    return script


def fitting_answer(call: Call) -> str:
    """What a model that does as it is told could say to a chat; always the same to the same request.

    Concepts: three of the document's longest words, each with a piece of a sentence that holds it. A summary: the first
    40 words. Any other schema is filled by its types; without schema or a word of either, the first 40 words as text.
    """
    texts = call.texts()
    said = [text for message, text in zip(call.body.get("messages", []), texts, strict=True) if _by_user(message)]
    marked = [match[1] for text in said if (match := _DOCUMENT.search(text))]
    document = marked[-1] if marked else "\n".join(said[-1:])
    schema = call.schema
    if schema is not None:
        filled = _filled(schema, schema, document)
        known = [name for name in ("concepts", "summary") if name in schema.get("properties", {})]
        return json.dumps({**filled, **_known(known, document)} if known else filled, ensure_ascii=False)
    prompt = "\n".join(_DOCUMENT.sub("", text) for text in texts)
    # In quotes first: a prompt for a summary may speak of concepts, but it will not quote the word as a key.
    for sign in ('"concepts"', '"summary"', "concepts", "summary"):
        if sign in prompt:
            return json.dumps(_known([sign.strip('"')], document), ensure_ascii=False)
    return _words(document, 40)


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
        self._script = script or always(None)
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
            return Status(400), _error(call, 400, wrong)
        fault = self._script(call, earlier)
        if fault is None or not fault.applies(call):
            fault = _NO_FAULT
        else:
            call.fault = type(fault).__name__
        words = sum(len(text.split()) for text in call.texts())
        if call.is_chat:
            content = fault.content(self._answer(call))
            payload = (_ollama_chat if call.of_ollama else _openai_chat)(call, content, words)
        else:
            dimensions = call.body.get("dimensions") or self._dimensions
            vectors = fault.vectors([_vector(text, dimensions) for text in call.texts()])
            payload = (_ollama_embeddings if call.of_ollama else _openai_embeddings)(call, vectors, words)
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
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


_NO_FAULT = Latency(0)
_DOCUMENT = re.compile(r"<document>(.*?)</document>", re.DOTALL)


def _by_user(message: Json) -> bool:
    return message.get("role") == "user"


def _said(message: Json) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _misuse(call: Call) -> str:
    """What is wrong with the request itself; "" where nothing is."""
    if not isinstance(call.body, dict):
        return "The body is not a JSON object."
    # Ollama streams unless it is told not to, OpenAI the other way round.
    if (call.path == "/api/chat" and call.body.get("stream", True)) or call.body.get("stream"):
        return "This server does not stream."
    return ""


def _error(
    call: Call, status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    kind = "server_error" if status >= 500 else "requests" if status == 429 else "invalid_request_error"
    error = message if call.of_ollama else {"message": message, "type": kind, "param": None, "code": code}
    return Reply(json.dumps({"error": error}).encode(), status, headers=headers or {})


def _openai_chat(call: Call, content: str, prompt_tokens: int) -> Json:
    said = len(content.split())
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": f"chatcmpl-{call.number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": call.body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": said, "total_tokens": prompt_tokens + said},
    }


def _ollama_chat(call: Call, content: str, prompt_tokens: int) -> Json:
    return {
        "model": call.body.get("model"),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "message": {"role": "assistant", "content": content},
        "done": True,
        "done_reason": "stop",
        "total_duration": 1,
        "prompt_eval_count": prompt_tokens,
        "eval_count": len(content.split()),
    }


def _openai_embeddings(call: Call, vectors: list[Vector], prompt_tokens: int) -> Json:
    encoded = call.body.get("encoding_format") == "base64"
    items = [base64.b64encode(each.astype("<f4").tobytes()).decode() if encoded else each.tolist() for each in vectors]
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": item} for index, item in enumerate(items)],
        "model": call.body.get("model"),
        "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
    }


def _ollama_embeddings(call: Call, vectors: list[Vector], prompt_tokens: int) -> Json:
    embeddings = [vector.tolist() for vector in vectors]
    model = call.body.get("model")
    return {"model": model, "embeddings": embeddings, "total_duration": 1, "prompt_eval_count": prompt_tokens}


def _message(call: Call, payload: Json) -> Json:
    return payload["message"] if call.of_ollama else payload["choices"][0]["message"]


def _finish(call: Call, payload: Json, reason: str) -> None:
    if call.of_ollama:
        payload["done_reason"] = reason
    else:
        payload["choices"][0]["finish_reason"] = reason


def _vector(text: str, dimensions: int) -> Vector:
    """Of length 1, in a direction that only the text decides."""
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    vector = np.random.default_rng(seed).standard_normal(dimensions, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def _words(document: str, count: int) -> str:
    return " ".join(document.split(maxsplit=count)[:count])


def _known(names: Sequence[str], document: str) -> Json:
    """The answers that are more than their types: concepts with evidence, a summary."""
    makers: dict[str, Callable[[str], Any]] = {"concepts": _concepts, "summary": lambda text: _words(text, 40)}
    return {name: makers[name](document) for name in names}


def _concepts(document: str) -> list[Json]:
    found = {word[0].casefold(): word for word in reversed(list(re.finditer(r"\b[^\W\d_]{2,40}\b", document)))}
    longest = sorted(found.values(), key=lambda word: (word.start() - word.end(), word.start()))[:3]
    return [{"name": word[0], "kind": "term", "evidence": _around(word, document)} for word in longest]


def _around(word: re.Match[str], document: str) -> str:
    """At most 120 characters of the sentence that the word stands in, as they stand there."""
    begin = max(document.rfind(mark, 0, word.start()) + 1 for mark in ".!?\n")
    begin = max(begin, word.start() - 40)
    ends = [at for mark in ".!?\n" if (at := document.find(mark, word.end(), begin + 120)) >= 0]
    return document[begin : min(ends, default=begin + 119) + 1].strip()


def _filled(schema: Json, root: Json, document: str) -> Any:
    """A value that the schema allows, by its types alone; patterns and formats of strings are not looked at."""
    if "$ref" in schema:
        target: Any = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        return _filled(target, root, document)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _filled(schema[choice][0], root, document)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {name: _filled(each, root, document) for name, each in schema.get("properties", {}).items()}
        case "array":
            item = _filled(schema.get("items", {}), root, document)
            return [item] * min(max(1, schema.get("minItems", 1)), schema.get("maxItems", 1_000))
        case "integer" | "number":
            return min(max(1, schema.get("minimum", 1)), schema.get("maximum", 1_000_000))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _words(document, 8)[: schema.get("maxLength")]


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.model_server", description="A model server on loopback.")
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
