"""What may go wrong between a client and the model server, and scripts that say when it does.

What belongs here: the connection that a reply goes over, the faults, the scripts. What does not: valid answers
(tests.support.model_answers), serving (tests.support.model_server), and what a client should make of a fault.
"""

import asyncio
import random
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from starlette.types import Receive, Send

from tests.support.model_answers import Call, Json, Reply, Vector, error, finish, message

# How often a gate is looked at.
_GATE_SECONDS = 0.02


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
        # Counted before the bytes leave, so that a client that has the answer finds it counted; taken back if they were not sent.
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
class Held(Fault):
    """The valid answer, once a gate is open: for what a test does while so many requests are on their way."""

    gate: threading.Event
    valid: ClassVar[bool] = True

    async def deliver(self, reply: Reply, wire: Wire) -> None:
        while not self.gate.is_set():
            if not await wire.stays(_GATE_SECONDS):
                return
        await wire.whole(reply)


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """An error, in the form that the API gives its errors."""

    code: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    error_code: str | None = None  # OpenAI's `error.code`, such as insufficient_quota

    def reply(self, call: Call, reply: Reply) -> Reply:
        return error(call, self.code, self.message or f"scripted {self.code}", self.error_code, self.headers)


@dataclass(frozen=True, slots=True)
class TooMany(Fault):
    """429, with that Retry-After as it stands."""

    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)

    def reply(self, call: Call, reply: Reply) -> Reply:
        after = {} if self.retry_after is None else {"retry-after": self.retry_after}
        return error(call, 429, "Rate limit reached.", "rate_limit_exceeded", {**after, **self.headers})


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
        finish(call, payload, "length")


class Refusal(_OfChat):
    """`refusal` instead of `content`; Ollama has no such field: a sentence as the content."""

    def alter(self, call: Call, payload: Json) -> None:
        sentence = "I cannot help with that."
        message(call, payload).update(
            {"content": sentence} if call.of_ollama else {"content": None, "refusal": sentence}
        )


class ContentFilter(_OfChat):
    """finish_reason "content_filter" and empty content; Ollama filters nothing: empty content alone."""

    def alter(self, call: Call, payload: Json) -> None:
        message(call, payload)["content"] = ""
        if not call.of_ollama:
            finish(call, payload, "content_filter")


class EmptyChoices(_OfChat):
    """`choices: []`; of Ollama the empty message with done_reason "load", as it gives when it only loaded the model."""

    def alter(self, call: Call, payload: Json) -> None:
        if call.of_ollama:
            message(call, payload)["content"] = ""
            finish(call, payload, "load")
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
        return error(call, 400, "response_format of type json_schema is not supported by this model")


class RejectsResponseFormat(_OfChat):
    """400 for any `response_format` (Ollama: `format`)."""

    def applies(self, call: Call) -> bool:
        return call.is_chat and call.format is not None

    def reply(self, call: Call, reply: Reply) -> Reply:
        return error(call, 400, "Unrecognized request argument supplied: response_format")


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
