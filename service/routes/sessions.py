"""Conversations: questions that refer to the questions before them. They are kept in the home."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from service.asking import Asking
from service.bases import Base
from service.problems import ServiceError, responses
from service.replies import NewSession, SessionEntry, SessionReply, Sessions, ask_reply, described, reply_with

SessionId = Annotated[str, Path(min_length=1, max_length=200)]


def session_routes(base: Base) -> APIRouter:
    """The routes over one knowledge base."""
    routes = APIRouter(prefix="/sessions", tags=["conversations"])

    @routes.post(
        "",
        status_code=201,
        summary="Begin a conversation",
        responses=described(NewSession, "Its id, for the field `session` of a question", status=201) | responses(),
    )
    async def begin() -> Response:
        return reply_with(NewSession((await base.ready()).sessions.begin()), 201)

    @routes.get("", summary="List the conversations", responses=described(Sessions, "The conversations") | responses())
    async def conversations() -> Response:
        found = (await base.ready()).sessions.conversations()
        return reply_with(Sessions([SessionEntry(one.id, one.title, one.made_at, one.turns) for one in found]))

    @routes.get(
        "/{session}",
        summary="Show a conversation",
        responses=described(SessionReply, "Its questions and answers") | responses(404),
    )
    async def turns(session: SessionId) -> Response:
        asker = await _with_session(base, session)
        return reply_with(
            SessionReply(session, [ask_reply(reply, session) for reply in asker.sessions.replies(session)])
        )

    @routes.delete(
        "/{session}",
        status_code=204,
        summary="Delete a conversation",
        responses={204: {"description": "It is deleted"}} | responses(404),
    )
    async def end(session: SessionId) -> Response:
        (await _with_session(base, session)).sessions.end(session)
        return Response(status_code=204)

    @routes.get(
        "/{session}/export",
        summary="Export a conversation as lines of JSON, one for each question",
        responses={200: {"description": "The lines", "content": {"application/jsonl": {"schema": {"type": "string"}}}}}
        | responses(404),
    )
    async def export(session: SessionId) -> Response:
        lines = b"".join((await _with_session(base, session)).sessions.export(session))
        headers = {"Content-Disposition": 'attachment; filename="conversation.jsonl"'}
        return Response(lines, headers=headers, media_type="application/jsonl")

    return routes


async def _with_session(base: Base, session: str) -> Asking:
    """What answers questions. Raises ServiceError if there is no such conversation."""
    asker = await base.ready()
    if not asker.sessions.has(session):
        raise ServiceError(404, "There is no such conversation. GET /sessions lists all of them.")
    return asker
