"""What Dagster shows of the tables that sinks write: columns, number of rows, and a few rows.

What belongs here: reading it from the declaration and the table. What does not: writing tables (seed_assets.engine.sink), and
metadata of values (page_metadata).
"""

import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg

from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError
from resources.tables.table_spec import TableSpec
from resources.wording import counted
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage
from seed_assets.orchestration.page_metadata import markdown_table

logger = logging.getLogger(__name__)

# So many rows are shown, and so many characters of each cell (a judgement; people look at them, and search reads the table).
_ROWS, _CELL = 5, 80
_NUMBERS = ("vector", "list<int32>", "list<float32>", "list<float64>")


def table_definition(pipeline: Pipeline, stage: Stage) -> dict[str, Any]:
    """The name and the columns of the table that a stage writes, under Dagster's names for them; {} if it writes none."""
    if stage.kind != "sink":
        return {}
    spec = pipeline.tables[stage.table]
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            column.meaning,
            constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=column.name == spec.key),
        )
        for column in spec.columns
    ]
    return {"dagster/table_name": spec.name, "dagster/column_schema": dg.TableSchema(columns)}


def table_contents(tables: LanceTables, stage: Stage) -> dict[str, Any]:
    """The number of rows of the table that a stage writes, and the first rows; {} if it writes none, or it cannot be read.

    The first rows are those that LanceDB reads first.
    """
    if stage.kind != "sink":
        return {}
    spec = tables.specs[stage.table]
    try:
        table = tables.checked(stage.table)
        rows = table.search().limit(_ROWS).to_list()
        number = table.count_rows()
    except (TableError, OSError, RuntimeError, ValueError) as error:
        logger.info("The rows of table %s are not shown: %s", stage.table, error)
        return {}
    shown = [[_cell(spec, name, row) for name in _shown_columns(spec)] for row in rows]
    return {
        "dagster/row_count": number,
        "first_rows": markdown_table(_shown_columns(spec), shown, _ROWS, _CELL),
    }


def _shown_columns(spec: TableSpec) -> list[str]:
    return [column.name for column in spec.columns if column.name != "content_digest"]


def _cell(spec: TableSpec, name: str, row: Mapping[str, Any]) -> str:
    value = row[name]
    kind = next(column.type for column in spec.columns if column.name == name)
    if value is None:
        return ""
    if kind in _NUMBERS:
        return counted(len(value), "number")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
