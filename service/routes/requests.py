"""What the routes take in: types that several of them share, and the checks of names in addresses."""

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from retrieval.filters import NO_FILTERS, Filters

LONGEST_QUESTION = 2_000
"""Characters of a question, as search reads no more of it."""
LONGEST_NAME = 4_096
"""Characters of an id, a folder or another name."""


def _has_words(text: str) -> str:
    if not text.replace("\0", " ").strip():
        raise ValueError("it is empty; enter a question or some words")
    return text


QuestionText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_QUESTION,
        description="Words or a question.",
        json_schema_extra={"pattern": r"[^\s\x00]"},
    ),
    AfterValidator(_has_words),
]


def _whole(value: Any) -> Any:
    # In JSON, 8.0 is a whole number like 8.
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Accepts whole numbers that are written with a point. It comes after the limits of a number, which are shown in OpenAPI then."""
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Body(BaseModel):
    """A body in JSON: values have their own types, and unknown names are refused, since a misspelt one would do nothing."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


def _day(value: Any) -> Any:
    # For the type alone, a number would be a date as well.
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return dt.date.fromisoformat(value)
    raise ValueError("it is no day, such as 2026-01-31")


_Names = Annotated[list[Name], Field(max_length=100)]


class FilterBody(Body):
    """Which documents may be found; a document has to match one of each list that is not empty."""

    folders: Annotated[_Names, Field(description="Only documents below one of these folders of the corpus.")] = []
    documents: Annotated[_Names, Field(description="Only these documents, by their ids.")] = []
    formats: Annotated[_Names, Field(description="Only documents of these formats, such as pdf.")] = []
    concepts: Annotated[_Names, Field(description="Only documents with one of these concepts.")] = []
    clusters: Annotated[_Names, Field(description="Only documents of these clusters, such as topic/3.")] = []
    since: Annotated[
        dt.date | None, BeforeValidator(_day), Field(description="Only files modified on this day or later.")
    ] = None
    where: Annotated[
        _Names,
        Field(description="Only documents with a row of which each condition holds, such as contracts.kind=lease."),
    ] = []


def filters_of(body: FilterBody | None) -> Filters:
    """The filters of a request."""
    if body is None:
        return NO_FILTERS
    return Filters(
        tuple(body.folders),
        tuple(body.formats),
        tuple(body.concepts),
        tuple(body.clusters),
        body.since,
        tuple(body.documents),
        tuple(body.where),
    )
