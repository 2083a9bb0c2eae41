"""The tables of stages that the settings add, such as those of extractions, for the report on a knowledge base.

What belongs here: which tables, columns and rows are shown, and how many. What does not: how they look (the template
report.html).

Rows are read from the tables themselves, so LanceDB is imported if a stage of the settings has written one, and otherwise not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError
from resources.tables.lance_rows import is_one_of, of_owners
from resources.tables.table_spec import DIGEST_COLUMN, Column, TableSpec
from resources.wording import cut_at_word
from seed_assets.graph.stage import Stage
from seed_assets.reports.published_results import PublishedResults
from seed_assets.session.session import Session

MOST_ROWS = 300
"""So many rows of a table are shown at most. The number was chosen by judgement, as the others of this module were."""
_CELL_CHARACTERS = 240
# The keys of the rows of so many documents are read at a time, and so many keys of these.
_OWNERS_AT_ONCE, _MOST_KEYS = 100, 100_000
_NUMBERS = frozenset({"int32", "int64", "float64"})
_VECTORS = frozenset({"vector", "list<float32>"})
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class ReportedColumn:
    """A column. meaning: what its values are, in words. numeric: whether they are numbers."""

    name: str
    meaning: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class ReportedTable:
    """A table of a stage that the settings add.

    declared_in: where, such as `[extract.contracts]`. about: what a row stands for. owner: what rows belong to, such as
    `document`; "" for a table without owners. rows: for each row the name of its owner, and a text for each column. count: the
    number of rows that the table has. problem: why its rows cannot be shown; "" if they can.
    """

    name: str
    declared_in: str
    about: str
    owner: str
    columns: list[ReportedColumn]
    rows: list[tuple[str, list[str]]]
    count: int
    problem: str = ""


def reported_tables(session: Session, results: PublishedResults) -> list[ReportedTable]:
    """Read the first rows of each table that a stage of the settings declares, in the order of the stages."""
    return [
        _reported(session.tables, stage, stage.table_spec, sorted(results.refs(stage.name)))
        for stage in session.pipeline.stages.values()
        if stage.declared_in and stage.table_spec is not None
    ]


def _reported(tables: LanceTables, stage: Stage, spec: TableSpec, owners: Sequence[str]) -> ReportedTable:
    own = {spec.key, spec.owner, DIGEST_COLUMN}
    columns = [one for one in spec.columns if one.reported and one.name not in own and one.type not in _VECTORS]
    rows: list[tuple[str, list[str]]] = []
    count, problem = 0, ""
    try:
        if tables.version(spec.name) is None:
            problem = "Nothing has been written to it yet. Run `seedbank seed`."
        else:
            rows, count = _first_rows(tables, spec, columns, owners), tables.count(spec.name)
    except TableError as error:
        problem = str(error)
    shown = [ReportedColumn(one.name, one.meaning, one.type in _NUMBERS) for one in columns]
    owner = spec.owner.removesuffix("_id").replace("_", " ")
    return ReportedTable(spec.name, stage.declared_in, spec.rows, owner, shown, rows, count, problem)


def _first_rows(
    tables: LanceTables, spec: TableSpec, columns: Sequence[Column], owners: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """The rows of the first owners, each owner's rows in the order of their keys."""
    # Keys are read first, so that no more than the rows that are shown is ever in memory.
    names = list(filter(None, (spec.owner, spec.key)))
    keys: list[str] = []
    for start in range(0, len(owners), _OWNERS_AT_ONCE):
        some = of_owners(spec, owners[start : start + _OWNERS_AT_ONCE])
        read = tables.rows_where(spec.name, some, names, _MOST_KEYS)
        read.sort(key=lambda row: (row.get(spec.owner, ""), _in_order(row[spec.key])))
        keys += [row[spec.key] for row in read[: MOST_ROWS - len(keys)]]
        if len(keys) == MOST_ROWS:
            break
    wanted = list(dict.fromkeys((*names, *(one.name for one in columns))))
    rows = tables.rows_where(spec.name, is_one_of(spec.key, keys), wanted, MOST_ROWS) if keys else []
    by_key = {row[spec.key]: row for row in rows}
    found = [by_key[key] for key in keys if key in by_key]
    return [(row.get(spec.owner, ""), [_cell(row[one.name]) for one in columns]) for row in found]


def _in_order(key: str) -> list[str | int]:
    """A key in the order of the numbers in it: `a.md#9` comes before `a.md#10`."""
    return [int(part) if place % 2 else part for place, part in enumerate(_DIGITS.split(key))]


def _cell(value: Any) -> str:
    return cut_at_word(" ".join(_said(value).split()), _CELL_CHARACTERS)


def _said(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.10g}"
        case list():
            return "; ".join(_said(one) for one in value)
        case _:
            return str(value)
