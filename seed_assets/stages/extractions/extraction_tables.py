"""The table of an extraction: its columns, and a document's rows.

What belongs here: which columns a field has, and their values. What does not: the stages (extraction_stages), and what an
extraction finds (core.extractions).

A list has one column whose entries are lists. A record has a column for each of its fields, `<record>_<field>`. A quoted
field has three columns more, for the quotation, its beginning and its page; in a list they have an entry for each of its
values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resources.errors import ConfigurationError
from resources.tables.table_spec import Column, ColumnType, TableSpec
from seed_assets.core.extractions.declarations import Declaration
from seed_assets.core.extractions.extraction import Extraction, FoundRow
from seed_assets.core.extractions.fields import Field, Kind
from seed_assets.core.judging.verdicts import Judgement

_TYPES: Mapping[Kind, ColumnType] = {"number": "float64", "integer": "int64", "boolean": "bool"}
_LISTS: Mapping[ColumnType, ColumnType] = {
    "string": "list<string>",
    "float64": "list<float64>",
    "int64": "list<int64>",
    "bool": "list<bool>",
}
_KEY = "row_id"
# Where a word begins inside of a name.
_WITHIN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def table_of_extraction(declaration: Declaration) -> TableSpec:
    """Return the table of an extraction. Raises ConfigurationError if two of its columns would have one name."""
    source = declaration.name
    columns = [
        Column(_KEY, "string", "`<document_id>#<index>`", f"corpus.document_id, {source}"),
        Column("document_id", "string", "the document: its path below the corpus folder", "corpus.document_id"),
        Column("index", "int32", "position of the row among those of its document, from 0", source, reported=False),
        *(column for one in declaration.fields for column in _columns(source, one)),
        *(_verdict(source) if declaration.judge else ()),
        Column(
            "content_digest", "string", "digest of what the row was written from", f"lance_{declaration.table} inputs"
        ),
    ]
    seen: dict[str, Column] = {}
    for column in columns:
        other = seen.setdefault(column.name.casefold(), column)
        if other is not column:
            own, needed = (column, other) if column.source.startswith(f"{source}.") else (other, column)
            raise ConfigurationError(
                f"extract.{source}: the field of the column {own.name} ({own.source}) cannot have this name, since the table "
                f"{declaration.table} needs the column {needed.name} for {needed.meaning}. Choose another name for the field."
            )
    rows = "rows of what was found in a document" if declaration.many else "one row a document"
    return TableSpec(declaration.table, _KEY, rows, tuple(columns))


def rows_of(
    declaration: Declaration, document_id: str, content_digest: str, found: Extraction, judgement: Judgement | None
) -> list[dict[str, Any]]:
    """Return the rows of a document. judgement: of the values; None if they are not judged."""
    about: dict[str, Any] = {"document_id": document_id, "content_digest": content_digest}
    if judgement is not None:
        verdict = judgement.verdict
        about |= {"verdict": verdict.decision, "score": verdict.score, "needs_review": judgement.needs_review}
    return [
        {_KEY: f"{document_id}#{index}", "index": index, **about, **_values(declaration.fields, row)}
        for index, row in enumerate(found.rows)
    ]


def _columns(source: str, one: Field) -> Iterator[Column]:
    for name, field in _named(one):
        column: ColumnType = _TYPES.get(field.kind, "string")
        meaning = field.description or one.description or f"what was found for `{one.name}`"
        unit = f", in {field.unit}" if field.unit else ""
        kind = _LISTS[column] if one.is_list else column
        yield Column(name, kind, f"{meaning}{unit}; null if nothing was found", f"{source}.{one.name}", nullable=True)
    if one.quoted:
        kinds: Sequence[ColumnType] = (
            ("list<string>", "list<int64>", "list<int64>") if one.is_list else ("string", "int64", "int64")
        )
        meanings = (
            "the words of the document for",
            "offset in the extracted text of the words for",
            "page of the words for",
        )
        for place, (name, kind, meaning) in enumerate(zip(_quote_columns(one), kinds, meanings, strict=True)):
            # People read the words, and need no offset.
            said = f"{meaning} `{one.name}`"
            yield Column(name, kind, said, f"{source}.{one.name}", nullable=True, reported=place == 0)


def _named(one: Field) -> list[tuple[str, Field]]:
    """The columns of the values of a field."""
    own = column_name(one.name)
    return [(f"{own}_{column_name(part.name)}", part) for part in one.fields] or [(own, one)]


def _quote_columns(one: Field) -> tuple[str, str, str]:
    own = column_name(one.name)
    return f"{own}_quote", f"{own}_start", f"{own}_page"


def column_name(name: str) -> str:
    """Return the name of the column of a field: in small letters, `dateOfBirth` as `date_of_birth`."""
    return _WITHIN.sub("_", name).lower()


def _verdict(source: str) -> tuple[Column, ...]:
    judged = f"{source}_judgements.verdict"
    return (
        Column("verdict", "string", "accept, revise, reject: whether the document supports its values", judged),
        Column("score", "float64", "share of the values that the document supports, 0 to 1", judged, nullable=True),
        Column("needs_review", "bool", "whether a person should look at it", judged),
    )


def _values(fields: Sequence[Field], row: FoundRow) -> dict[str, Any]:
    """The columns of one row. What was not found is null."""
    values: dict[str, Any] = {}
    for one in fields:
        found = row.values.get(one.name)
        for name, part in _named(one):
            if not one.fields or found is None:
                values[name] = found
            else:
                values[name] = [item.get(part.name) for item in found] if one.is_list else found.get(part.name)
        if one.quoted:
            quotes = row.quotes.get(one.name, ())
            by_column = [(quote.text, quote.start, quote.page or None) for quote in quotes]
            columns = [list(column) for column in zip(*by_column, strict=True)] or [None, None, None]
            for name, column in zip(_quote_columns(one), columns, strict=True):
                values[name] = column if one.is_list or column is None else column[0]
    return values
