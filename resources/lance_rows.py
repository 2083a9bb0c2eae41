"""How rows are replaced in an opened table. What belongs here: the merge and what it must be spared.

What does not: which table, its mark and its errors (lance.py).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resources.lance_errors import TableSchemaError
from resources.lance_schema import TableSpec

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table


def merge(opened: "Table", spec: TableSpec, rows: "pa.Table", owners: Sequence[str]) -> Any:
    """Replace the rows of these owners by `rows` in one commit; LanceDB's MergeResult."""
    builder = opened.merge_insert(spec.key).when_matched_update_all().when_not_matched_insert_all()
    if owners:
        builder = builder.when_not_matched_by_source_delete(of_owners(spec, owners))
    return builder.execute(rows)


def delete_copies(opened: "Table", spec: TableSpec, owners: Sequence[str]) -> None:
    """Leave of rows of these owners with the same key only one: what two unlocked writers leave behind."""
    key = spec.key
    opened.checkout_latest()
    found = opened.search().where(of_owners(spec, owners)).select([key]).with_row_id(True).to_arrow()
    seen: set[str] = set()
    copies: list[int] = []
    for row_key, row_id in zip(found[key].to_pylist(), found["_rowid"].to_pylist(), strict=True):
        if row_key in seen:
            copies.append(row_id)
        seen.add(row_key)
    if copies:
        opened.delete(f"_rowid IN ({', '.join(map(str, copies))})")


def check_rows(spec: TableSpec, rows: "pa.Table", owners: Sequence[str]) -> None:
    """Raise TableSchemaError for a null that is not allowed, ValueError for rows that `merge` would get wrong."""
    for column in spec.columns:
        if not column.nullable and (nulls := rows[column.name].null_count):
            raise TableSchemaError(
                spec.name,
                f"column {column.name} must not be null, but is in {nulls} of the {rows.num_rows} rows to be written.",
                "Nothing was written: this is a fault of the stage that made them.",
            )
    strays = set(rows[spec.owner].to_pylist()) - set(owners) if spec.owner else set()
    if strays:
        raise ValueError(f"rows of {spec.owner} that are not to be replaced: {sorted(strays)[:3]}")
    if len(set(rows[spec.key].to_pylist())) < rows.num_rows:
        raise ValueError(f"two rows with the same {spec.key}")


def of_owners(spec: TableSpec, owners: Sequence[str]) -> str:
    """The condition for the rows of these owners, in LanceDB's SQL, where only a quote needs escaping.

    Ten thousand names in one condition cost a quarter of a second.
    """
    if not spec.owner:
        return f"{spec.key} IS NOT NULL"
    quoted = ", ".join("'" + owner.replace("'", "''") + "'" for owner in owners)
    return f"{spec.owner} IN ({quoted})"
