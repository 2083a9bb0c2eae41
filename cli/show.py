"""The command `seedbank show`: its arguments, exit status and output.

Single results of a document are found in seed_assets.session, overviews and lists in seed_assets.reports.
"""

import shutil
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.invocation import USAGE, HomeOption, JsonOption, open_session
from cli.process_exit import FAILED
from cli.streams import print_error, print_json, print_text
from io_managers.plain_text import plain

if TYPE_CHECKING:
    from seed_assets.reports.page import Page
    from seed_assets.session.document_result import DocumentResult

# Lines of prose longer than this are hard to read (a judgement).
_WIDEST = 100


class Form(StrEnum):
    """The forms in which a result is printed."""

    TEXT = "text"
    MD = "md"
    JSON = "json"
    HTML = "html"


def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="A document (its path below the corpus, or its file), a cluster such as topic/3, a category such as "
            "category/3, an entity such as entity/3f2a9c01b7, or one of the words clusters, categories, concepts and entities.",
        ),
    ],
    stage: Annotated[
        str,
        typer.Argument(
            help="For a document: the stage whose result is shown, such as summaries, or the word overview for everything; "
            "by default the text that was read."
        ),
    ] = "",
    form: Annotated[
        Form | None,
        typer.Option("--format", "--as", help="Print text (the default), Markdown, JSON, or a whole web page."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Show at most this many concepts or entities in their lists (0 = all).")
    ] = 100,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the store holds of a document, a cluster or an entity, or list all clusters, categories, concepts or entities."""
    if as_json and form not in (None, Form.JSON):
        print_error(f"--json and --format {form} exclude each other. Leave out one of them.")
        raise typer.Exit(USAGE)
    form = Form.JSON if as_json else form or Form.TEXT
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.reports.shown_results import find_shown
        from seed_assets.session.document_result import document_result

        found = find_shown(session, what, stage, limit)
        if found is not None:
            if form is Form.JSON:
                print_json({"kind": found.kind, "notes": found.notes, "value": found.value})
            else:
                _print(found.page, form)
            failed = found.value is None
        else:
            result = document_result(session, what, stage)
            if form is Form.JSON:
                print_json(_as_json(result))
            elif form is Form.TEXT:
                print_text("\n".join(_lines(result)))
            else:
                _print(_page(result), form)
            failed = result.value is None or result.state in ("failed", "blocked", "waiting")
    raise typer.Exit(FAILED if failed else 0)


def _print(page: "Page", form: Form) -> None:
    if form is Form.HTML:
        from seed_assets.reports.html_form import html_of

        print_text(html_of(page))
    elif form is Form.MD:
        from seed_assets.reports.markdown_form import markdown_lines

        print_text("\n".join(markdown_lines(page)))
    else:
        from seed_assets.reports.text_form import text_lines

        width = min(_WIDEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 80
        print_text("\n".join(text_lines(page, width)))


def _as_json(found: "DocumentResult") -> dict[str, Any]:
    from seed_assets.reports.plain_values import plain_data

    failure = found.failure
    return {
        "document": found.document,
        "stage": found.stage,
        "state": found.state,
        "reason": found.reason,
        "failure": failure and {"stage": found.failed_in, "reason": failure.reason, "remedy": failure.remedy},
        "value": None if found.value is None else plain_data(found.value, found.inputs),
    }


def _page(found: "DocumentResult") -> "Page":
    """One result of a document for forms other than text."""
    from seed_assets.reports.page import Page, Paragraph, Verbatim

    head = [line for line in _head(found) if line]
    body = "\n".join(_body(found))
    return Page(
        f"{found.document}: {found.stage}",
        [*map(Paragraph, head[2:]), *([Verbatim(body)] if found.value is not None else [])],
    )


def _lines(found: "DocumentResult") -> Iterator[str]:
    yield from _head(found)
    if found.value is not None:
        yield ""
        yield from _body(found)


def _head(found: "DocumentResult") -> Iterator[str]:
    """Lines about a result: its names, its state, and for a text its title, encoding and warnings."""
    from seed_assets.core.reading.extracted_text import ExtractedText

    yield f"document: {plain(found.document)}"
    yield f"stage: {found.stage}"
    yield from _state_lines(found)
    value: Any = found.value
    if isinstance(value, ExtractedText):
        yield f"title: {plain(value.title) or 'none'}"
        if value.encoding:
            yield f"encoding: {plain(value.encoding)}"
        yield from (f"warning: {plain(warning)}" for warning in value.warnings)


def _body(found: "DocumentResult") -> Iterator[str]:
    """Lines of the value itself; none if there is none."""
    from seed_assets.core.reading.extracted_text import ExtractedText
    from seed_assets.reports.plain_values import plain_data
    from seed_assets.reports.shown_values import lines_of, text_with_pages

    if isinstance(found.value, ExtractedText):
        yield text_with_pages(found.value)
    elif found.value is not None:
        yield from lines_of(plain_data(found.value, found.inputs))


def _state_lines(found: "DocumentResult") -> Iterator[str]:
    """Sentences that say why what is shown is not what a seed would publish; none if it is."""
    published = " What is published now is shown below." if found.value is not None else " Nothing is published."
    match found.state:
        case "current":
            return
        case "stale":
            yield f"It is stale ({plain(found.reason)}): the next `seedbank seed` makes it again.{published}"
        case "missing":
            yield f"It is not computed yet ({plain(found.reason)}). Run `seedbank seed`."
        case "waiting":
            yield f"It waits for a batch of the provider; `seedbank batch list` shows since when.{published}"
        case "gone":
            yield f"The document is not in the corpus any more; the next `seedbank seed` removes it.{published}"
        case "unknown":
            yield f"Whether it is current is not known. {plain(found.reason)}{published}"
        case "failed" | "blocked":
            where = f"The stage {found.failed_in}, which comes before it," if found.failed_in != found.stage else "It"
            failure = found.failure
            yield f"{where} failed: {plain(failure.reason) if failure else 'the reason is not recorded.'}"
            if failure and failure.remedy:
                yield f"  -> {plain(failure.remedy)}"
            yield published.strip()
