"""Chat completions in OpenAI's form, so that any program that talks to OpenAI can ask the documents.

The last message is the question; the messages before it are its conversation. The content ends with the list of the cited
places; the fields `citations` and `cache`, which OpenAI's form does not have, give them in full and say what was kept. A request
may have `filters`. Parameters of models are accepted and have no effect.
"""

import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from answering.answers import Answer, Citation, Question, Reply, Turn
from retrieval.filters import NO_FILTERS, Filters
from service.asking import Asking
from service.bases import Base
from service.problems import ServiceError, problem_of, responses
from service.replies import encode
from service.routes.asking import answered, steps
from service.routes.requests import LONGEST_QUESTION, FilterBody, filters_of

MODEL = "seedbank"
# So many earlier turns are looked at; older ones hardly matter (a judgement).
_MOST_TURNS = 6
_LONGEST_ANSWER = 8_000
_MOST_MESSAGES = 500


class TextPart(BaseModel):
    """A part of a message; other parts than texts, such as pictures, are left out."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str = ""


class Message(BaseModel):
    """A message of a conversation."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The text of the message."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """How a stream is sent."""

    model_config = ConfigDict(extra="allow")

    include_usage: bool | None = False


class ChatBody(BaseModel):
    """A chat, as OpenAI's clients send it."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    messages: Annotated[list[Message], Field(min_length=1, max_length=_MOST_MESSAGES)]
    model: str = MODEL
    stream: bool | None = False
    n: Annotated[int, Field(ge=1, le=1)] | None = 1
    stream_options: StreamOptions | None = None
    filters: FilterBody | None = None


_CITATION: dict[str, Any] = {"type": "array", "items": {"$ref": "#/components/schemas/Citation"}}
_TEXT = {"type": "string"}
_COMPLETION: dict[str, Any] = {
    "type": "object",
    "required": ["id", "object", "created", "model", "choices", "usage", "citations", "cache"],
    "properties": {
        "id": _TEXT,
        "object": {"const": "chat.completion"},
        "created": {"type": "integer"},
        "model": _TEXT,
        "choices": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "message", "finish_reason"],
                "properties": {
                    "index": {"type": "integer"},
                    "finish_reason": {"const": "stop"},
                    "message": {"type": "object", "properties": {"role": {"const": "assistant"}, "content": _TEXT}},
                },
            },
        },
        "usage": {
            "type": "object",
            "description": "The tokens that were paid for this answer; 0 if it was kept, or made offline.",
            "required": ["prompt_tokens", "completion_tokens", "total_tokens"],
            "properties": {
                name: {"type": "integer"} for name in ("prompt_tokens", "completion_tokens", "total_tokens")
            },
        },
        "citations": _CITATION,
        "cache": {"$ref": "#/components/schemas/CacheUse"},
    },
}
_MODELS: dict[str, Any] = {
    "type": "object",
    "required": ["object", "data"],
    "properties": {
        "object": {"const": "list"},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": _TEXT,
                    "object": {"const": "model"},
                    "created": {"type": "integer"},
                    "owned_by": _TEXT,
                },
            },
        },
    },
}


def chat_routes(base: Base) -> APIRouter:
    """The routes over one knowledge base."""
    routes = APIRouter(prefix="/v1", tags=["OpenAI"])
    content = {"application/json": {"schema": _COMPLETION}, "text/event-stream": {}}

    @routes.post(
        "/chat/completions",
        summary="Answer the last message of a chat from the documents, in OpenAI's form",
        responses={200: {"description": "The completion, or its chunks", "content": content}} | responses(502, 504),
    )
    async def chat_completions(body: ChatBody) -> Response:
        question = question_of(body.messages, filters_of(body.filters))
        asker = await base.ready()
        kept = asker.peek(question)
        frame = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": body.model}
        if body.stream:
            counts = body.stream_options is not None and bool(body.stream_options.include_usage)
            return EventSourceResponse(_chunks(base, asker, question, kept, frame, counts=counts))
        reply = kept if kept is not None else await answered(base, asker, question, use_cache=True, refresh=False)
        message = {"role": "assistant", "content": content_of(reply.answer)}
        completion = {
            **frame,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": _usage(reply),
            "citations": reply.answer.citations,
            "cache": reply.cache,
        }
        return Response(encode(completion), media_type="application/json")

    @routes.get(
        "/models",
        summary="The one model that there is: the knowledge base",
        responses={200: {"description": "The models", "content": {"application/json": {"schema": _MODELS}}}}
        | responses(),
    )
    async def models() -> Response:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "seedbank"}
        return Response(encode({"object": "list", "data": [model]}), media_type="application/json")

    return routes


def question_of(messages: list[Message], filters: Filters = NO_FILTERS) -> Question:
    """The question of a chat: the last message, after the turns before it. Raises ServiceError if that is no question."""
    last = messages[-1]
    text = last.text.replace("\0", " ").strip()
    if last.role != "user" or not text:
        raise ServiceError(422, "The last message must be of the user, and have a text.")
    if len(text) > LONGEST_QUESTION:
        raise ServiceError(
            422,
            f"The last message has {len(text):,} characters, and {LONGEST_QUESTION:,} are allowed. Ask a shorter one.",
        )
    turns: list[Turn] = []
    asked = ""
    for message in messages[:-1]:
        if message.role == "user":
            asked = message.text
        elif message.role == "assistant" and asked:
            turns.append(Turn(asked[:LONGEST_QUESTION], _without_sources(message.text)[:_LONGEST_ANSWER]))
            asked = ""
    return Question(text, tuple(turns[-_MOST_TURNS:]), filters=filters)


def _usage(reply: Reply) -> dict[str, int]:
    """The tokens that were paid for a reply, by OpenAI's names."""
    paid, made = reply.input_tokens, reply.output_tokens
    return {"prompt_tokens": paid, "completion_tokens": made, "total_tokens": paid + made}


_SOURCES = "\n\nSources:\n"
NOT_FOUND = "The documents do not say."


def content_of(answer: Answer) -> str:
    """The answer in words, with the list of its sources at the end."""
    return (answer.text or NOT_FOUND) + sources_of(answer)


def sources_of(answer: Answer) -> str:
    """The list of the cited places, a line for each; "" if there are none."""
    return _SOURCES + "\n".join(map(_source, answer.citations)) if answer.citations else ""


def _source(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page is not None else ""
    return f"[{citation.number}] {citation.document}{page}, characters {citation.start} to {citation.end}"


def _without_sources(text: str) -> str:
    """An answer as it was before the list of its sources was put at its end."""
    return text.partition(_SOURCES)[0]


async def _chunks(
    base: Base, asker: Asking, question: Question, kept: Reply | None, frame: dict[str, Any], *, counts: bool
) -> AsyncIterator[ServerSentEvent]:
    """The chunks of a completion. counts: whether the last one is to have the tokens that were paid, and the others none."""
    frame = {**frame, "object": "chat.completion.chunk", **({"usage": None} if counts else {})}

    def chunk(delta: dict[str, str], end: str | None = None, **more: Any) -> ServerSentEvent:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        return ServerSentEvent(encode({**frame, "choices": [choice], **more}).decode())

    yield chunk({"role": "assistant", "content": ""})
    between = ""
    try:
        reply = None
        async for event in steps(base, asker, question, kept):
            if event.sentence is not None:
                yield chunk({"content": between + _sentence(event.sentence.text, event.sentence.citations)})
                between = " "
            reply = event.reply or reply
        if reply is not None:
            rest = ("" if between else NOT_FOUND) + sources_of(reply.answer)
            if rest:
                yield chunk({"content": rest})
            yield chunk({}, "stop", citations=reply.answer.citations, cache=reply.cache)
            if counts:
                yield ServerSentEvent(encode({**frame, "choices": [], "usage": _usage(reply)}).decode())
    except Exception as error:
        problem = problem_of(error)
        # OpenAI's clients raise what they find under this name in a stream.
        yield ServerSentEvent(encode({"error": {"message": problem.detail, "code": problem.status}}).decode())
        if problem.status == 500:
            raise
    yield ServerSentEvent("[DONE]")


def _sentence(text: str, citations: tuple[int, ...]) -> str:
    marks = "".join(f"[{number}]" for number in citations)
    return f"{text} {marks}" if marks else text
