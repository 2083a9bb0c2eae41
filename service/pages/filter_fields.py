"""The filters of a question as fields of its form: read from them, filled in again, and in words.

What does not belong here: what a filter means (retrieval.filters).
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from retrieval.filters import Filters
from service.problems import ServiceError
from service.routes.requests import LONGEST_NAME


class FilterField(NamedTuple):
    """A field for one filter. name: of the field, and the attribute of Filters without its plural. kind: of the HTML input."""

    name: str
    label: str
    value: str
    example: str = ""
    kind: str = "text"


def filter_fields(filters: Filters) -> list[FilterField]:
    """Return the fields with what is in these filters; of several values the first, since a form has one of each."""
    return [
        FilterField("folder", "Folder", _first(filters.folders), "papers/2025"),
        FilterField("document", "Document", _first(filters.documents), "papers/2025/tides.pdf"),
        FilterField("format", "Format", _first(filters.formats), "pdf"),
        FilterField("concept", "Concept", _first(filters.concepts), "tide table"),
        FilterField("cluster", "Cluster", _first(filters.clusters), "topic/3"),
        FilterField("since", "Modified since", filters.since.isoformat() if filters.since else "", kind="date"),
    ]


def filters_in(form: Mapping[str, str]) -> Filters:
    """Return the filters that a form asks for. Raises ServiceError for a day that is none, and for a name that is too long."""
    given = {name: value for name, value in ((name, form.get(name, "").strip()) for name in _NAMES) if value}
    if too_long := [name for name, value in given.items() if len(value) > LONGEST_NAME]:
        raise ServiceError(
            422, f"The {too_long[0]} has more than {LONGEST_NAME:,} characters. Enter a name that exists."
        )
    try:
        since = dt.date.fromisoformat(given["since"]) if "since" in given else None
    except ValueError as error:
        raise ServiceError(422, "The day in `Modified since` is none. Enter a day such as 2026-01-31.") from error
    names = {f"{name}s": (value,) for name, value in given.items() if name != "since"}
    return Filters(since=since, **names)


def filters_in_words(filters: Filters) -> str:
    """Return which documents a question is asked of, such as `folder reefs, format pdf`; "" for all."""
    words = [
        f"{name} {' or '.join(values)}"
        for name, values in (
            ("folder", filters.folders),
            ("document", filters.documents),
            ("format", filters.formats),
            ("concept", filters.concepts),
            ("cluster", filters.clusters),
            ("rows with", filters.where),
        )
        if values
    ]
    return ", ".join([*words, *([f"modified since {filters.since}"] if filters.since else [])])


def _first(values: tuple[str, ...]) -> str:
    return values[0] if values else ""


_NAMES = tuple(field.name for field in filter_fields(Filters()))
