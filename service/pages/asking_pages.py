"""The page on which questions are asked. Answers come sentence by sentence; without JavaScript the whole page comes at the end.

What belongs here: from a form to an answer in its conversation. What does not: conversations that are there already
(conversation_pages), and how an answer is found (answering).
"""

import logging
import secrets
from collections.abc import AsyncIterator
from typing import NamedTuple

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from answering.answers import Question, Reply
from retrieval.filters import NO_FILTERS
from service.asking import Asking
from service.bases import Base
from service.pages.conversation_pages import conversations_of, shown_reply
from service.pages.filter_fields import filter_fields, filters_in
from service.pages.forms import form_of
from service.pages.rendering import HEADERS, is_part, page, text_of
from service.problems import ServiceError, problem_of
from service.routes.asking import answered, asked, steps
from service.routes.requests import LONGEST_QUESTION

logger = logging.getLogger(__name__)


class _Asked(NamedTuple):
    """A question from the form. refresh: whether a model is to be asked once more."""

    asker: Asking
    question: Question
    conversation: str
    refresh: bool


def asking_pages(base: Base) -> list[Route]:
    """The routes over one knowledge base."""

    async def ask_page(request: Request) -> Response:
        seeded = base.is_seeded
        conversations = conversations_of(await base.ready()) if seeded else []
        given = request.query_params.get("question", "")[:LONGEST_QUESTION]
        return page(
            request,
            "ask",
            seeded=seeded,
            conversations=conversations,
            given=given,
            only=filter_fields(NO_FILTERS),
            longest=LONGEST_QUESTION,
        )

    async def first_page(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/", 303)

    async def ask(request: Request) -> Response:
        wanted = await _asked(base, await form_of(request))
        kept = None if wanted.refresh else wanted.asker.peek(wanted.question)
        if is_part(request):
            return EventSourceResponse(_events(request, base, wanted, kept), headers=HEADERS)
        reply = kept or await answered(base, wanted.asker, wanted.question, True, wanted.refresh)
        conversation = _noted(wanted, reply)
        turn = len(wanted.asker.sessions.replies(conversation))
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/page/conversations/{conversation}#turn-{turn}", 303)

    return [
        Route("/", ask_page, methods=["GET"]),
        Route("/page", first_page, methods=["GET"]),
        Route("/page/", first_page, methods=["GET"]),
        Route("/page/ask", first_page, methods=["GET"]),
        Route("/page/ask", ask, methods=["POST"]),
    ]


async def _asked(base: Base, form: dict[str, str]) -> _Asked:
    """The question that a form asks. Raises ServiceError."""
    text = form.get("question", "")
    if not text.replace("\0", " ").strip():
        raise ServiceError(422, "The question is empty. Enter a question or some words.")
    if len(text) > LONGEST_QUESTION:
        raise ServiceError(
            422, f"The question has {len(text):,} characters, and {LONGEST_QUESTION:,} are allowed. Ask a shorter one."
        )
    asker = await base.ready()
    conversation = form.get("conversation", "")
    if conversation and not asker.sessions.has(conversation):
        raise ServiceError(404, "There is no such conversation any more. Begin a new one.")
    if "again" in form:
        return _Asked(asker, _earlier(asker, conversation, form["again"]), conversation, refresh=True)
    question = asked(asker, text, conversation or None, filters=filters_in(form))
    return _Asked(asker, question, conversation, refresh=False)


def _earlier(asker: Asking, conversation: str, number: str) -> Question:
    """A question of a conversation as it was asked: what was said after it is no part of it. Raises ServiceError."""
    replies = asker.sessions.replies(conversation)
    for at, reply in enumerate(replies, 1):
        if number == str(at):
            return reply.question
    raise ServiceError(404, "There is no such question in this conversation any more. Ask it as a new one.")


def _noted(wanted: _Asked, reply: Reply) -> str:
    """Add a question with its answer to its conversation, or to a new one; return the conversation."""
    sessions = wanted.asker.sessions
    conversation = wanted.conversation or sessions.begin()
    sessions.add(conversation, reply)
    return conversation


async def _events(request: Request, base: Base, wanted: _Asked, kept: Reply | None) -> AsyncIterator[ServerSentEvent]:
    """The steps to an answer as parts of the page: its place, each sentence, and in the end the whole answer.

    An error comes as the last part, since the status was sent before it.
    """
    # Answers may come into one page at the same time, so each has a place of its own.
    place = secrets.token_hex(8)
    yield _part(request, "turn_begun", place=place, question=wanted.question.text)
    try:
        async for event in steps(base, wanted.asker, wanted.question, kept, refresh=wanted.refresh):
            if event.kind == "passages":
                yield _part(request, "turn_passages", place=place, count=len(event.passages))
            elif event.sentence is not None:
                yield _part(request, "turn_sentence", place=place, sentence=event.sentence)
            elif event.reply is not None:
                conversation = _noted(wanted, event.reply)
                turn = len(wanted.asker.sessions.replies(conversation))
                yield _part(
                    request,
                    "turn_ended",
                    place=place,
                    turn=shown_reply(event.reply, turn),
                    conversation=conversation,
                    conversations=conversations_of(wanted.asker),
                )
    except Exception as error:
        problem = problem_of(error)
        yield _part(request, "turn_failed", place=place, problem=problem.document, question=wanted.question.text)
        if problem.status == 500:
            # Raising it would break off the stream, and the browser would report that instead.
            logger.exception("A question could not be answered.")


def _part(request: Request, template: str, **shown: object) -> ServerSentEvent:
    return ServerSentEvent(text_of(request, template, **shown))
