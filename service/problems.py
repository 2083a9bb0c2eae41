"""Errors of the service as problem documents (RFC 9457), whatever raised them.

What belongs here: which error has which status, and the form of every error. What does not: the errors' own messages.
"""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from answering.asker import QuestionError
from io_managers.store.errors import StoreError
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.tables.lance_errors import TableError
from retrieval.filters import FilterError

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Seconds after which a client may ask again, where nothing better is known (a judgement).
RETRY_SECONDS = 5


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error, as in RFC 9457.

    type: what kind of problem it is. title: the kind in a few words. status: the HTTP status. detail: what is wrong, and what to
    do. message: the same, under the name that OpenAI's clients show. errors: for a request that is not valid, what is wrong with
    each part of it.
    """

    type: str
    title: str
    status: int
    detail: str
    message: str
    errors: tuple["WrongPart", ...] = ()


class WrongPart(msgspec.Struct, frozen=True):
    """A part of a request that is not valid. where: as in `body.question`. reason: what is wrong with it."""

    where: str
    reason: str


_TITLES = {
    400: ("bad-request", "The request cannot be read"),
    401: ("token-needed", "A token is needed"),
    403: ("forbidden", "The request is not allowed"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "The method is not allowed here"),
    409: ("conflict", "The request does not fit the present state"),
    413: ("too-large", "The request is too large"),
    415: ("media-type", "The media type is not supported"),
    421: ("wrong-host", "The service is not known under this name"),
    422: ("not-valid", "The request is not valid"),
    500: ("internal", "Something went wrong in the service"),
    502: ("model-failed", "The model failed"),
    503: ("not-available", "The knowledge base cannot answer now"),
    504: ("too-slow", "It took too long"),
}


class ServiceError(Exception):
    """An error to answer a request with. status: the HTTP status. detail: what is wrong, and what to do."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, errors: tuple[WrongPart, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors

    @property
    def document(self) -> ProblemDocument:
        """The problem document."""
        slug, title = _TITLES.get(self.status, ("http", "The request failed"))
        return ProblemDocument(
            f"urn:seedbank:problem:{slug}", title, self.status, self.detail, self.detail, self.errors
        )

    def response(self) -> Response:
        """The response that answers a request with it."""
        return Response(msgspec.json.encode(self.document), self.status, self.headers, MEDIA_TYPE)


def problem_of(error: Exception) -> ServiceError:
    """The problem that an error of the project is for a client."""
    match error:
        case ServiceError():
            return error
        case DocumentError():
            return ServiceError(502, str(error))
        case StoppedError():
            return ServiceError(
                503, f"Nothing more may be paid for: {error.reason}.", {"Retry-After": str(RETRY_SECONDS)}
            )
        case FilterError() | QuestionError():
            return ServiceError(422, _encodable(str(error)))
        case ConfigurationError() | StoreError() | TableError():
            return ServiceError(503, str(error), {"Retry-After": str(RETRY_SECONDS)})
        case _:
            return ServiceError(500, "The log of the service says more. Try again; if it stays, report it.")


def install(app: FastAPI) -> None:
    """Let the app answer with problem documents only."""

    async def translated(_: Request, error: Exception) -> Response:
        return problem_of(error).response()

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        details = {404: "This path does not exist; /openapi.json lists all of them.", 405: "Use another method."}
        detail = details.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_allowed(app, request)))
        return ServiceError(error.status_code, detail, headers).response()

    async def not_valid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # The values are left out: they may be secrets, or text that cannot be encoded.
        wrong = [_wrong_part(one) for one in error.errors()]
        detail = "; ".join(f"{part.where}: {part.reason}" for part in wrong)
        return ServiceError(422, _encodable(detail), errors=tuple(map(_encodable_part, wrong))).response()

    for kind in (ServiceError, ConfigurationError, StoreError, TableError, DocumentError, StoppedError, Exception):
        app.add_exception_handler(kind, translated)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, not_valid)


def _allowed(app: FastAPI, request: Request) -> set[str]:
    """The methods of a path. Several routes may have the same path, each with one method."""
    return {method for method in _METHODS if _answers(app, {**request.scope, "method": method})}


def _answers(app: FastAPI, scope: dict[str, Any]) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def _wrong_part(found: dict[str, Any]) -> WrongPart:
    """What pydantic found, in words of ours. The body has a place in characters if it is no JSON."""
    if found["type"] == "json_invalid":
        return WrongPart("body", f"it is no JSON from character {found['loc'][-1]} on")
    return WrongPart(".".join(map(str, found["loc"])), str(found["msg"]).removeprefix("Value error, "))


def _encodable_part(part: WrongPart) -> WrongPart:
    return WrongPart(_encodable(part.where), _encodable(part.reason))


def _encodable(text: str) -> str:
    """The text without lone surrogates, which a name in a request may have and UTF-8 has not."""
    return text.encode("utf-8", "replace").decode("utf-8")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of these statuses of a route, and of those that every route may answer with."""
    always = (400, 401, 403, 413, 421, 422, 500, 503)
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {"description": _TITLES[status][1], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({*always, *statuses})
    }
