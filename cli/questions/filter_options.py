"""The options of commands that leave out documents. What they mean is in retrieval.filters."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from retrieval.filters import Filters

FoldersOption = Annotated[
    list[str] | None, typer.Option("--in", metavar="FOLDER", help="Only documents below this folder of the corpus.")
]
DocumentsOption = Annotated[
    list[str] | None, typer.Option("--document", metavar="ID", help="Only this document, by its path in the corpus.")
]
FormatsOption = Annotated[
    list[str] | None, typer.Option("--format", metavar="FORMAT", help="Only documents of this format, such as pdf.")
]
ConceptsOption = Annotated[
    list[str] | None, typer.Option("--concept", metavar="NAME", help="Only documents with this concept.")
]
ClustersOption = Annotated[
    list[str] | None, typer.Option("--cluster", metavar="ID", help="Only documents of this cluster, as topic/3.")
]
SinceOption = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Only files modified on this day or later."),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Only documents with a row in a table of which this holds, as contracts.kind=lease (=, !=, <, <=, >, >=).",
    ),
]


def filters_of(
    folders: Sequence[str] | None,
    documents: Sequence[str] | None,
    formats: Sequence[str] | None,
    concepts: Sequence[str] | None,
    clusters: Sequence[str] | None,
    since: dt.datetime | None,
    where: Sequence[str] | None = None,
) -> "Filters":
    """The filters that these options give."""
    from retrieval.filters import Filters

    return Filters(
        folders=tuple(folders or ()),
        formats=tuple(formats or ()),
        concepts=tuple(concepts or ()),
        clusters=tuple(clusters or ()),
        since=since.date() if since else None,
        documents=tuple(documents or ()),
        where=tuple(where or ()),
    )
