"""The command `seedbank show`: its arguments, exit status and output. The result is found in seed_assets.session."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.process_exit import FAILED
from cli.streams import print_json, print_text
from io_managers.plain_text import plain

if TYPE_CHECKING:
    from seed_assets.session.document_result import DocumentResult


def show(
    document: Annotated[
        str,
        typer.Argument(help="The document: its path below the corpus, as in `seedbank status --json`, or its file."),
    ],
    stage: Annotated[
        str,
        typer.Argument(help="The stage whose result is shown, such as summaries; by default the text that was read."),
    ] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the store holds of a document: its text with the beginnings of its pages, or another result."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.session.document_result import document_result
        from seed_assets.session.plain_values import plain_data

        found = document_result(session, document, stage)
        if as_json:
            failure = found.failure
            print_json(
                {
                    "document": found.document,
                    "stage": found.stage,
                    "state": found.state,
                    "reason": found.reason,
                    "failure": failure
                    and {"stage": found.failed_in, "reason": failure.reason, "remedy": failure.remedy},
                    "value": None if found.value is None else plain_data(found.value, found.inputs),
                }
            )
        else:
            print_text("\n".join(_lines(found)))
    failed = found.value is None or found.state in ("failed", "blocked")
    raise typer.Exit(FAILED if failed else 0)


def _lines(found: "DocumentResult") -> Iterator[str]:
    from cli.shown_values import lines_of, text_with_pages
    from seed_assets.core.reading.extracted_text import ExtractedText
    from seed_assets.session.plain_values import plain_data

    yield f"document: {plain(found.document)}"
    yield f"stage: {found.stage}"
    yield from _state_lines(found)
    value: Any = found.value
    if isinstance(value, ExtractedText):
        yield f"title: {plain(value.title) or 'none'}"
        if value.encoding:
            yield f"encoding: {plain(value.encoding)}"
        yield from (f"warning: {plain(warning)}" for warning in value.warnings)
        yield ""
        yield text_with_pages(value)
    elif value is not None:
        yield ""
        yield from lines_of(plain_data(value, found.inputs))


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
