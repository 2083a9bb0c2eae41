"""Conversations: shown, exported and deleted; and how a question with its answer is shown.

What does not belong here: asking (asking_pages).
"""

import hashlib
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from answering.answers import AnswerSentence, Citation, Passage, Reply
from answering.asked import Conversation
from retrieval.filters import NO_FILTERS
from service.asking import Asking
from service.bases import Base
from service.pages.filter_fields import filter_fields, filters_in_words
from service.pages.forms import form_of
from service.pages.rendering import page, path_of
from service.problems import ServiceError
from service.routes.requests import LONGEST_QUESTION

_MOST_LISTED = 30
# What a person wants to compare with an answer; the rest of the passages is in the documents.
_MOST_PASSAGES = 5


class ShownPlace(NamedTuple):
    """A place in a document. address: where it is shown, below the root of the knowledge base."""

    number: int
    document: str
    title: str
    page: int | None
    text: str
    address: str


class ShownReply(NamedTuple):
    """A question with its answer.

    number: its place in the conversation, from 1. asked_of: the filters in words, "" for all documents. citations: the cited
    places by their numbers. nearest: the nearest passages, if the documents do not say. unsupported: how many sentences the
    cited places do not support.
    """

    number: int
    reply: Reply
    asked_of: str
    sentences: tuple[AnswerSentence, ...]
    citations: dict[int, ShownPlace]
    nearest: list[ShownPlace]
    unsupported: int


def conversation_pages(base: Base) -> list[Route]:
    """The routes over one knowledge base."""

    async def listed(request: Request) -> Response:
        return page(request, "conversations", conversations=conversations_of(await base.ready(), 0))

    async def shown(request: Request) -> Response:
        asker, conversation = await _found(base, request)
        turns = [shown_reply(reply, number) for number, reply in enumerate(asker.sessions.replies(conversation), 1)]
        return page(
            request,
            "conversation",
            conversation=conversation,
            turns=turns,
            conversations=conversations_of(asker),
            only=filter_fields(turns[-1].reply.question.filters if turns else NO_FILTERS),
            longest=LONGEST_QUESTION,
        )

    async def export(request: Request) -> Response:
        asker, conversation = await _found(base, request)
        headers = {"Content-Disposition": 'attachment; filename="conversation.jsonl"'}
        return Response(b"".join(asker.sessions.export(conversation)), 200, headers, "application/jsonl")

    async def delete(request: Request) -> Response:
        await form_of(request)
        asker, conversation = await _found(base, request)
        asker.sessions.end(conversation)
        return RedirectResponse(f"{request.scope.get('root_path', '')}/page/conversations", 303)

    one = "/page/conversations/{conversation}"
    return [
        Route("/page/conversations", listed, methods=["GET"]),
        Route(one, shown, methods=["GET"]),
        Route(f"{one}/export", export, methods=["GET"]),
        Route(f"{one}/delete", delete, methods=["POST"]),
    ]


def conversations_of(asker: Asking, most: int = _MOST_LISTED) -> list[Conversation]:
    """The conversations in which something was asked, the newest first. most: how many; 0 for all."""
    found = [one for one in asker.sessions.conversations() if one.turns]
    return found[:most] if most else found


def shown_reply(reply: Reply, number: int) -> ShownReply:
    """A question with its answer, as pages show it."""
    answer = reply.answer
    return ShownReply(
        number,
        reply,
        filters_in_words(reply.question.filters),
        answer.sentences,
        {one.number: _place(one, one.number) for one in answer.citations},
        [] if answer.found else [_place(one, at) for at, one in enumerate(reply.passages[:_MOST_PASSAGES], 1)],
        sum(not sentence.supported for sentence in answer.sentences),
    )


def seen_code(text: str) -> str:
    """A short code of the words at a place, by which a page notices that other words stand there now."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def place_address(document: str, start: int, end: int, text: str = "") -> str:
    """Where a place in a document is shown, below the root. text: the words that stand there, if they are known."""
    seen = {"seen": seen_code(text)} if text else {}
    return f"/page/text/{path_of(document)}?{urlencode({'start': start, 'end': end, **seen})}#place"


def _place(found: Citation | Passage, number: int) -> ShownPlace:
    address = place_address(found.document, found.start, found.end, found.text)
    return ShownPlace(number, found.document, found.title, found.page, found.text, address)


async def _found(base: Base, request: Request) -> tuple[Asking, str]:
    asker, conversation = await base.ready(), request.path_params["conversation"]
    if not asker.sessions.has(conversation):
        raise ServiceError(404, "There is no such conversation. It may have been deleted.")
    return asker, conversation
