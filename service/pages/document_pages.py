"""The list of documents, one document, and its text with a marked place.

What belongs here: the routes. What does not: what they show (document_list, document_view, text_parts).
"""

from bisect import bisect_right
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seed_assets.core.reading.extracted_text import ExtractedText
from service.bases import Base
from service.pages.conversation_pages import seen_code
from service.pages.document_list import STATES, document_list
from service.pages.document_view import document_view, text_of_document
from service.pages.rendering import is_part, page
from service.pages.text_parts import page_at, part_starts, pieces
from service.problems import ServiceError
from service.replies import question_texts

_LONGEST_NAME = 4_096


def document_pages(base: Base) -> list[Route]:
    """The routes over one knowledge base."""

    async def documents(request: Request) -> Response:
        query = request.query_params
        name, after = query.get("name", "")[:_LONGEST_NAME], query.get("after", "")[:_LONGEST_NAME]
        state = query.get("state", "")
        state = state if state in STATES else ""
        found = await base.in_thread(document_list, await base.opened(), name.strip(), state, after)
        template = "document_rows" if is_part(request) else "documents"
        return page(request, template, found=found, name=name, state=state, after=after, states=STATES)

    async def document(request: Request) -> Response:
        asker = await base.ready()
        view = await base.in_thread(document_view, base.session, request.path_params["document"])
        return page(request, "document", view=view, questions=question_texts(asker.uses_of(view.document)))

    async def text(request: Request) -> Response:
        name = request.path_params["document"]
        found = await base.in_thread(text_of_document, await base.opened(), name)
        return page(request, "text", document=name, found=found, **_part_of(found, request))

    return [
        Route("/page/documents", documents, methods=["GET"]),
        Route("/page/documents/{document:path}", document, methods=["GET"]),
        Route("/page/text/{document:path}", text, methods=["GET"]),
    ]


def _part_of(found: ExtractedText, request: Request) -> dict[str, Any]:
    """The part of a text that is asked for, by its number or by a place in it. Raises ServiceError."""
    query = request.query_params
    starts = part_starts(found.text, found.page_starts)
    mark = (0, 0)
    moved = False
    if "start" in query:
        mark = (_number(query.get("start", "")), _number(query.get("end", "")))
        if not 0 <= mark[0] < mark[1] <= len(found.text):
            # The text is shorter than it was, or the address was typed.
            moved, mark = True, (0, 0)
        seen = query.get("seen", "")
        moved = moved or bool(seen and seen != seen_code(found.text[slice(*mark)]))
    number = bisect_right(starts, mark[0]) if mark[1] else max(1, _number(query.get("part", "1")))
    if number > len(starts):
        raise ServiceError(404, f"The text has {len(starts)} parts.")
    start = starts[number - 1]
    end = max(starts[number] if number < len(starts) else len(found.text), mark[1])
    return {
        "pieces": pieces(found.text, found.page_starts, start, end, mark),
        "part": number,
        "parts": len(starts),
        "moved": moved,
        "marked": bool(mark[1]),
        "place_page": page_at(found.page_starts, mark[0]) if mark[1] else 0,
        "first_page": page_at(found.page_starts, start),
    }


def _number(text: str) -> int:
    """A whole number from an address. Raises ServiceError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise ServiceError(404, "The address names no place in the text.")
    return int(text)
