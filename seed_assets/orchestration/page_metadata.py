"""What Dagster's pages show of values and tables: texts, tables and pictures as metadata, safe and of limited length.

What belongs here: forms and limits. What does not: which names a stage shows (its declaration), and recording the metadata
(step_results).

Tables are Markdown: for 10,000 documents, Dagster's own table metadata takes twice the space in the event log, and four times the
memory in the step that records it (measured).
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from io_managers.plain_text import as_markdown
from resources.wording import counted, cut_at_word
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Stage, Units

# So many characters of a text, and so many rows of a table with so many characters per cell, on the pages of a document and on
# those of the corpus and of its clusters. With these limits, a document takes an eighth more space in the event log than without
# texts and tables: 3.6 KB more, where it took 29 KB (measured on 212 documents).
_TEXT = 1_500
_OF_DOCUMENT, _OF_CORPUS = (6, 120), (100, 200)


def page_metadata(stage: Stage, value: Any) -> dict[str, Any]:
    """What the page of a unit shows of its value, besides what every page shows."""
    limits = _OF_DOCUMENT if stage.units is Units.DOCUMENTS else _OF_CORPUS
    return {name: _shown(one, *limits) for name, one in stage.show(value).items()}


def clusters_metadata(stage: Stage, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of a cluster type shows of its clusters: a table with a row for each. values: by cluster."""
    shown = {unit: stage.show(value) for unit, value in values.items()}
    columns = list(dict.fromkeys(name for row in shown.values() for name in row))
    if not columns:
        return {}
    rows = [[unit, *(row.get(name, "") for name in columns)] for unit, row in shown.items()]
    return {stage.name: markdown_table(["id", *columns], rows, *_OF_CORPUS)}


def markdown_table(
    columns: Iterable[str], rows: Sequence[Sequence[Any]], most: int, characters: int
) -> dg.MarkdownMetadataValue:
    """A table, of which at most so many rows are shown, and so many characters of each text. Texts are shown literally."""
    names = list(columns)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    lines += [f"| {' | '.join(_cell(one, characters) for one in row)} |" for row in rows[:most]]
    if len(rows) > most:
        lines += ["", f"and {counted(len(rows) - most, 'more row')}"]
    return dg.MetadataValue.md("\n".join(lines))


def _shown(value: Any, most: int, characters: int) -> Any:
    match value:
        case bytes():
            return dg.MetadataValue.md(f"![picture](data:image/png;base64,{base64.b64encode(value).decode()})")
        case ShownTable(columns, rows):
            return markdown_table(columns, rows, most, characters)
        case str():
            return cut_at_word(value, _TEXT)
        case _:
            return value


def _cell(value: Any, characters: int) -> str:
    if not isinstance(value, str):
        return f"{value:,}"
    # A bar ends a cell even inside of a code span.
    return as_markdown(cut_at_word(" ".join(value.split()), characters)).replace("|", r"\|")
