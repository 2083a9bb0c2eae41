"""Erases rows from a table for good: from its files, its old versions, its indexes and its log of transactions.

Deleting rows only marks them in LanceDB. So the rows that stay are written once more, as the newest version of the same table,
and all other versions are removed with their files. The indexes go with them, and the caller makes them again.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from resources.tables.lance import LanceTables
from resources.tables.lance_indexes import optimize

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table


def erase_rows(tables: LanceTables, table: str, owners: Sequence[str]) -> int:
    """Erase the rows of these owners, and all earlier versions of the table; how many rows there were.

    The caller holds the lease of the table, and nobody reads an earlier version. Raises the errors of `LanceTables.maintain`.
    """
    erased = 0

    def work(opened: "Table") -> None:
        nonlocal erased
        import pyarrow as pa

        before, schema = opened.count_rows(), opened.schema
        rows = pa.RecordBatchReader.from_batches(schema, _left(opened, schema, tables.specs[table].owner, owners))
        opened.add(rows, mode="overwrite")
        optimize(opened, timedelta(0))
        erased = before - opened.count_rows()

    tables.maintain(table, work)
    return erased


def _left(opened: "Table", schema: "pa.Schema", owner: str, owners: Sequence[str]) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    if not owner and owners:
        return
    gone = set(owners)
    for batch in opened.search().to_batches():
        kept = batch.filter(pa.array([one not in gone for one in batch[owner].to_pylist()])) if gone else batch
        yield pa.RecordBatch.from_arrays([kept[name] for name in schema.names], schema=schema)
