"""The simplest table that a sink of the user can write: some rows for each document, each with a key and its digest.

What belongs here: its declaration and its rows. A table of another form is declared as a TableSpec.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from resources.tables.table_spec import DIGEST_COLUMN, Column, TableSpec

_KEY, _DOCUMENT = "row_id", "document_id"


def document_table(name: str, *columns: Column, rows: str = "some rows a document") -> TableSpec:
    """Declare a table with these columns, and with three more, which `document_rows` fills: `row_id`, `document_id` and
    `content_digest`.

    rows: what a row stands for, such as "one row a date in a document".
    """
    first = (
        Column(_KEY, "string", "`<document_id>#<index>`", "corpus.document_id"),
        Column(_DOCUMENT, "string", "the document: its path below the corpus folder", "corpus.document_id"),
    )
    last = Column(DIGEST_COLUMN, "string", "digest of what the row was written from")
    return TableSpec(name, _KEY, rows, (*first, *columns, last))


def document_rows(document_id: str, content_digest: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Complete the rows of one document for a table from `document_table`, in their order."""
    return [
        {_KEY: f"{document_id}#{index}", _DOCUMENT: document_id, DIGEST_COLUMN: content_digest, **row}
        for index, row in enumerate(rows)
    ]
