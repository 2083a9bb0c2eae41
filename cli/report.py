"""The command `seedbank report`: its arguments and where it writes. The contents are in seed_assets.reports."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_json, print_text, standard_output

if TYPE_CHECKING:
    from seed_assets.session.session import Session

STANDARD_OUTPUT = Path("-")


def report(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write to this file, or - (default: report.html in the home)."
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one web page about the whole knowledge base, which loads nothing from elsewhere and can be sent to others.

    It has the documents by cluster with their summaries and verdicts, a map, failures, and what models cost.
    """
    with open_session(None, home, must_exist=True) as session:
        from io_managers.store.whole_files import write_whole
        from resources.wording import counted
        from seed_assets.reports.knowledge_report import knowledge_report
        from seed_assets.reports.report_page import report_page

        path = output or session.home.report
        check_place(path, session)
        found = knowledge_report(session)
        page = report_page(found)
        if path == STANDARD_OUTPUT:
            standard_output().write(page)
            standard_output().flush()
            return
        write_whole(path, page)
        size = path.stat().st_size
        if as_json:
            print_json(
                {"file": str(path), "bytes": size, "documents": len(found.documents), "failures": len(found.failures)}
            )
        else:
            print_text(
                f"{path}: {counted(len(found.documents), 'document')}, {size / 1e6:.1f} MB. Open it in a browser."
            )


def check_place(path: Path, session: "Session") -> None:
    """Raise ConfigurationError if a file cannot be written there, or would be a document of the next seed."""
    from resources.corpus.corpus_place import BucketAddress
    from resources.corpus.formats import format_of
    from resources.errors import ConfigurationError

    if path == STANDARD_OUTPUT:
        return
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder. Name a file in it, such as {path / 'report.html'}.")
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"{path.parent} is no folder, so {path.name} cannot be written there. Make it, or name another."
        )
    corpus = session.settings.corpus
    if isinstance(corpus, BucketAddress):
        return
    place, corpus = path.resolve(), corpus.resolve()
    inside = place.is_relative_to(corpus) and not place.is_relative_to(session.home.directory.resolve())
    if inside and format_of(path.name) is not None:
        raise ConfigurationError(
            f"{path} is in the corpus {session.settings.corpus}, so that the next seed would read it as a document. "
            "Choose a place outside of it."
        )
