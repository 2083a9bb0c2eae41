"""The command `seedbank entities graph`: its arguments and where it writes. Graphs are in seed_assets.reports.entities."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.entities.entities import named_entity, resolved_entities
from cli.invocation import HomeOption, open_session
from cli.report import STANDARD_OUTPUT, check_place
from cli.streams import standard_output


class Form(StrEnum):
    """The forms in which a graph is written."""

    HTML = "html"
    GRAPHML = "graphml"
    JSON_LD = "json-ld"


def graph(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[WHAT]",
            help="An entity (its id or a name), or a document. Without it, the graph of all entities is written.",
        ),
    ] = "",
    form: Annotated[
        Form, typer.Option("--format", help="A web page with a picture, or a file that graph programs read.")
    ] = Form.HTML,
    most: Annotated[
        int | None,
        typer.Option(
            min=0, help="Write at most so many entities (0 = all). By default a picture has 60, and a file has all."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output.")
    ] = STANDARD_OUTPUT,
    home: HomeOption = None,
) -> None:
    """Write the graph of entities and their relationships: around one entity, of a document, or of all."""
    with open_session(None, home, must_exist=True) as session:
        from io_managers.store.whole_files import write_whole
        from seed_assets.reports.entities.entity_graphs import chosen_graph, graph_source, written
        from seed_assets.reports.published_results import TEXT, PublishedResults

        check_place(output, session)
        results = PublishedResults(session)
        entities = resolved_entities(session, results)
        source = graph_source(results)
        document = what if what in results.refs(TEXT) else ""
        entity = named_entity(entities, what) if what and not document else None
        found = chosen_graph(source, entity.entity_id if entity else "", document, _bound(form, most))
        title = f"Graph of {entity.name if entity else document or 'all entities'}"
        text = "".join(written(form.value, found, source, title))
        if output == STANDARD_OUTPUT:
            standard_output().write(text)
            standard_output().flush()
        else:
            write_whole(output, text)


def _bound(form: Form, most: int | None) -> int:
    from seed_assets.core.entity_graph.graph import USUALLY_DRAWN

    if most is not None:
        return most
    return USUALLY_DRAWN if form is Form.HTML else 0
