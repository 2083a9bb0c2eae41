"""Questions and queries: `/ask` and `/search`."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Response
from pydantic import Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from answering.answers import Event, Question, Reply
from retrieval.filters import NO_FILTERS, Filters
from service.asking import Asking
from service.bases import Base
from service.problems import ServiceError, problem_of, responses
from service.replies import (
    AskReply,
    SearchReply,
    StreamedPassages,
    ask_reply,
    described,
    encode,
    events_of,
    reply_with,
)
from service.routes.requests import WHOLE, Body, FilterBody, Name, QuestionText, filters_of

_EVENT_STREAM = "text/event-stream"
MOST_PASSAGES = 20
MOST_HITS = 100


class AskBody(Body):
    """A question. session: the conversation that it belongs to; it may refer to the questions before it there."""

    question: QuestionText
    session: Name | None = None
    limit: Annotated[int, Field(ge=0, le=MOST_PASSAGES, description="Most passages; 0 for the setting."), WHOLE] = 0
    filters: FilterBody | None = None
    use_cache: Annotated[bool, Field(description="Whether kept passages and answers may be used.")] = True
    refresh: Annotated[bool, Field(description="Ask the model once more, and keep the new answer.")] = False
    stream: Annotated[bool, Field(description="Answer with server-sent events.")] = False


class SearchBody(Body):
    """A query for passages."""

    query: QuestionText
    limit: Annotated[int, Field(ge=1, le=MOST_HITS), WHOLE] = 10
    filters: FilterBody | None = None


def asking_routes(base: Base) -> APIRouter:
    """The routes over one knowledge base."""
    routes = APIRouter(tags=["questions"])

    @routes.post(
        "/ask",
        summary="Answer a question from the documents, every sentence with its citations",
        responses=described(AskReply, "The answer; or events, if they are asked for", _EVENT_STREAM)
        | responses(404, 502, 504),
    )
    async def ask(body: AskBody, accept: Annotated[str, Header()] = "") -> Response:
        asker = await base.ready()
        question = asked(asker, body.question, body.session, body.limit, filters_of(body.filters))
        kept = asker.peek(question) if body.use_cache and not body.refresh else None
        if body.stream or _EVENT_STREAM in accept:
            return EventSourceResponse(_events(base, asker, question, body, kept))
        reply = kept if kept is not None else await answered(base, asker, question, body.use_cache, body.refresh)
        return reply_with(_noted(asker, body.session, reply))

    @routes.post(
        "/search",
        summary="Find the passages that best match a query",
        responses=described(SearchReply, "The passages") | responses(502, 504),
    )
    async def search(body: SearchBody) -> Response:
        asker = await base.ready()
        query = body.query, body.limit, filters_of(body.filters)
        passages, cache = await base.work.once(("search", *query), lambda: asker.search(*query))
        return reply_with(SearchReply(passages, cache))

    return routes


def asked(
    asker: Asking, text: str, session: str | None = None, limit: int = 0, filters: Filters = NO_FILTERS
) -> Question:
    """The question, with what was said before it in its conversation. Raises ServiceError if there is no such conversation."""
    if session is None:
        return Question(text, limit=limit, filters=filters)
    if not asker.sessions.has(session):
        raise ServiceError(404, "There is no such conversation. POST /sessions begins one.")
    return Question(text, asker.sessions.turns(session), limit, filters)


async def answered(base: Base, asker: Asking, question: Question, use_cache: bool, refresh: bool) -> Reply:
    """The reply to a question; equal questions that are under way are worked on once.

    Raises ServiceError, and what `ask` raises.
    """
    return await base.work.once(
        (question, use_cache, refresh), lambda: asker.ask(question, use_cache=use_cache, refresh=refresh)
    )


def _noted(asker: Asking, session: str | None, reply: Reply) -> AskReply:
    if session is not None:
        asker.sessions.add(session, reply)
    return ask_reply(reply, session)


async def steps(
    base: Base, asker: Asking, question: Question, kept: Reply | None, *, use_cache: bool = True, refresh: bool = False
) -> AsyncIterator[Event]:
    """The steps to a reply. kept: the reply, if it is there already. Raises ServiceError, and what `stream` raises."""
    if kept is not None:
        for event in events_of(kept):
            yield event
        return
    async for event in base.work.stream(lambda: asker.stream(question, use_cache=use_cache, refresh=refresh)):
        yield event


async def _events(
    base: Base, asker: Asking, question: Question, body: AskBody, kept: Reply | None
) -> AsyncIterator[ServerSentEvent]:
    """The steps to a reply as events; an error is the last event, since the status was sent before it."""
    try:
        async for event in steps(base, asker, question, kept, use_cache=body.use_cache, refresh=body.refresh):
            value: msgspec.Struct | None
            if event.kind == "passages":
                value = StreamedPassages(event.passages)
            elif event.kind == "sentence":
                value = event.sentence
            else:
                value = _noted(asker, body.session, event.reply) if event.reply is not None else None
            if value is not None:
                yield ServerSentEvent(encode(value).decode(), event=event.kind)
    except Exception as error:
        problem = problem_of(error)
        yield ServerSentEvent(encode(problem.document).decode(), event="problem")
        if problem.status == 500:
            raise
