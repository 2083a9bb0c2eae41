"""Filters by the columns of tables: `contracts.kind=lease`, `doses.dose>=500`.

What belongs here: reading such a condition, and the documents with a row for which it holds. What does not: the other filters,
and what they mean for the table of chunks (filters).
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from resources.tables.lance import LanceTables
from resources.tables.table_spec import Column, TableSpec
from resources.wording import did_you_mean
from retrieval.filter_errors import FilterError

_CONDITION = re.compile(r"\s*(\w+)\.(\w+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*", re.DOTALL)
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_DOCUMENT = "document_id"


def documents_where(condition: str, tables: LanceTables) -> set[str]:
    """Return the documents with a row for which `TABLE.COLUMN OPERATOR VALUE` holds.

    The operators are =, !=, <, <=, > and >=. Texts are compared without regard to upper and lower case, and dates as they are
    written. Of a list it has to hold for one of its values. An empty value means that nothing was found, as in `contracts.kind=`;
    otherwise a row without a value is not among the documents. Raises FilterError for a condition that is none and for an
    unknown table or column, and the errors of LanceTables.checked.
    """
    name, column_name, sign, value = _parts(condition)
    spec, column = _column(tables, name, column_name)
    rows = tables.read(spec.name, list(dict.fromkeys((_DOCUMENT, column.name))))
    pairs = zip(rows[_DOCUMENT].to_pylist(), rows[column.name].to_pylist(), strict=True)
    if not value:
        if sign not in ("=", "!="):
            raise FilterError(f"{condition!r} needs a value after {sign}.")
        return {document for document, held in pairs if (held is None or held == []) == (sign == "=")}
    wanted, compare = _wanted(condition, column, value), _OPERATORS[sign]
    return {document for document, held in pairs if any(compare(_folded(one), wanted) for one in _values(held))}


def table_in(condition: str) -> str:
    """Return the name of the table that a condition is about. Raises FilterError for a condition that is none."""
    return _parts(condition)[0]


def _parts(condition: str) -> tuple[str, str, str, str]:
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise FilterError(
            f"{condition!r} is not a condition such as contracts.kind=lease, with one of {' '.join(_OPERATORS)}."
        )
    return found[1], found[2], found[3], found[4]


def _column(tables: LanceTables, name: str, column: str) -> tuple[TableSpec, Column]:
    known = {spec.name: spec for spec in tables.specs.values() if spec.owner == _DOCUMENT}
    if name not in known:
        raise FilterError(f"There is no table {name!r} with rows of documents.{did_you_mean(name, known)}")
    columns = {one.name: one for one in known[name].columns if one.type != "vector"}
    if column not in columns:
        raise FilterError(f"The table {name} has no column {column!r}.{did_you_mean(column, columns)}")
    return known[name], columns[column]


def _wanted(condition: str, column: Column, value: str) -> Any:
    """The value of a condition in the type of the column."""
    kind = column.type.removeprefix("list<").removesuffix(">")
    if kind == "string":
        return _folded(value)
    try:
        return _TRUTHS[value.casefold()] if kind == "bool" else float(value)
    except (KeyError, ValueError) as error:
        needed = "true or false" if kind == "bool" else "a number"
        raise FilterError(
            f"{condition!r} needs {needed}, since the column {column.name} has the type {kind}."
        ) from error


def _values(held: Any) -> list[Any]:
    return [one for one in (held if isinstance(held, list) else [held]) if one is not None]


def _folded(value: Any) -> Any:
    return " ".join(value.split()).casefold() if isinstance(value, str) else value
