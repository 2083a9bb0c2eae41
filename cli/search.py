"""The command `seedbank search`: its arguments and what it prints. Passages are found in retrieval."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import USAGE, HomeOption, JsonOption, open_session
from cli.questions.filter_options import (
    ClustersOption,
    ConceptsOption,
    DocumentsOption,
    FoldersOption,
    FormatsOption,
    SinceOption,
    WhereOption,
    filters_of,
)
from cli.streams import print_error, print_json, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seed_assets.reports.found_passages import FoundPassage

# How far a passage is indented, below its document; and lines of it are at least so long, however narrow the terminal is.
_INDENT, _LEAST_WIDTH = 7, 20


class Form(StrEnum):
    """The forms in which search results are printed."""

    TEXT = "text"
    MD = "md"
    JSON = "json"


def search(
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Show at most this many results.")] = 10,
    folders: FoldersOption = None,
    documents: DocumentsOption = None,
    formats: FormatsOption = None,
    concepts: ConceptsOption = None,
    clusters: ClustersOption = None,
    since: SinceOption = None,
    where: WhereOption = None,
    fold: Annotated[
        bool, typer.Option("--fold/--no-fold", help="Show passages that are nearly the same as one result, or each.")
    ] = True,
    form: Annotated[
        Form | None, typer.Option("--as", help="Print text (the default), Markdown or JSON. --format is a filter.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages of the documents that best match a query.

    --in, --document, --format, --concept and --cluster may be given several times: a document has to match one of each.
    Each --where has to hold.
    """
    if as_json and form not in (None, Form.JSON):
        print_error(f"--json and --as {form} exclude each other. Leave out one of them.")
        raise typer.Exit(USAGE)
    with open_session(None, home, must_exist=True, mirrored=True) as session:
        from seed_assets.reports.found_passages import found_passages, markdown_of

        filters = filters_of(folders, documents, formats, concepts, clusters, since, where)
        hits = session.searcher().search(query, limit, filters, fold=fold)
        found = found_passages(session, query, hits)
        if as_json or form is Form.JSON:
            print_json([_as_json(one) for one in found])
        elif form is Form.MD:
            print_text("\n".join(markdown_of(query, found)))
        else:
            show_passages(found)


def _as_json(found: "FoundPassage") -> dict[str, object]:
    hit = found.hit
    return {
        "document": hit.document,
        "title": hit.title,
        "chunk": hit.chunk,
        "score": hit.score,
        "score_parts": hit.parts._asdict(),
        "text": hit.text,
        "header": hit.header,
        "start": hit.start,
        "end": hit.end,
        "pages": found.pages,
        "highlights": found.highlights,
        "alike": hit.alike,
    }


def show_passages(passages: "Sequence[FoundPassage]") -> None:
    """Print search results for people, best first. Rows of a table stand below its header row."""
    from rich.markup import escape
    from rich.text import Text

    from cli.screen import Screen
    from io_managers.plain_text import plain

    console = Screen()
    if not passages:
        console.sentence("Nothing found.")
    for found in passages:
        hit = found.hit
        console.marked(f"[bold]{hit.score:.3f}[/]  {escape(plain(hit.document))}  [dim]{found.place}[/]")
        width = max(_LEAST_WIDTH, console.width - _INDENT)
        if found.title:
            console.sentence(f"{' ' * _INDENT}{found.title}")
        for line, words in found.lines:
            text = Text(line)
            for start, end in words:
                text.stylize("bold", start, end)
            for part in text.wrap(console, width):
                part.rstrip()
                console.print(Text(" " * _INDENT).append_text(part), soft_wrap=True)
        if found.alike:
            console.sentence(f"{' ' * _INDENT}{found.alike}")
