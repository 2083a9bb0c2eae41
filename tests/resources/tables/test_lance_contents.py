"""Reading a table to compare it: every bit counts, the order does not, and what cannot be read hides nothing else."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from resources.tables.lance import LanceTables
from resources.tables.lance_contents import OwnedRows, TableContents, as_bytes, row_digests, rows_by_owner
from resources.tables.lance_errors import TableDamagedError
from resources.tables.lance_marker import is_older
from resources.tables.lance_rows import table_of
from resources.tables.lance_schema import TABLES
from tests.resources.tables.test_lance import DIMENSIONS, chunk_rows

SPEC = TABLES["chunks"]


def owned(rows: pa.Table) -> dict[str, OwnedRows]:
    found: dict[str, OwnedRows] = {}
    rows_by_owner(SPEC, as_bytes(rows), found)
    return found


def read(tables: LanceTables) -> tuple[dict[str, OwnedRows], TableContents]:
    contents = TableContents(tables, "chunks")
    found: dict[str, OwnedRows] = {}
    for piece in contents.pieces():
        rows_by_owner(SPEC, piece, found)
    return found, contents


@pytest.fixture
def tables(tmp_path: Path) -> LanceTables:
    return LanceTables(tmp_path / "lancedb")


def test_rows_are_read_as_they_were_written_in_any_order_and_past_deleted_ones(tables: LanceTables) -> None:
    tables.write("chunks", chunk_rows(["b", "a", "gone"], each=3), ["b", "a", "gone"])
    tables.delete_rows("chunks", ["gone"])
    tables.write("chunks", chunk_rows(["c"]), ["c"])
    found, contents = read(tables)
    rows = pa.concat_tables([chunk_rows(["a", "b"], each=3), chunk_rows(["c"])])
    assert found == owned(rows) == owned(rows.take(list(reversed(range(rows.num_rows)))))
    assert (contents.rows, contents.unread, contents.fault) == (8, 0, None)


def changed(column: str, value: object) -> pa.Table:
    first, *others = chunk_rows(["a"]).to_pylist()
    return pa.Table.from_pylist([first | {column: value}, *others], SPEC.schema(DIMENSIONS))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("index", 7),
        ("text", "first text 0 "),
        ("title", ""),
        ("start", -1),
        ("vector", [1.0, 0.0, -0.0, 0.0]),
        ("vector", [1.0, 0.0, float(np.nextafter(np.float32(0), np.float32(1))), 0.0]),
        ("token_ids", [1, 5, 1]),
        ("token_ids", [1, 5]),
        ("sentence_lengths", [1.5, 0.5]),
        ("chunk_id", "a#2"),
        ("content_digest", "second"),
    ],
)
def test_any_other_value_makes_other_rows(column: str, value: object) -> None:
    """Guards against values that only look alike: -0.0 for 0.0, the next number after 0."""
    rows = chunk_rows(["a"])
    assert owned(rows) != owned(changed(column, value))
    assert row_digests(as_bytes(rows))[1] == row_digests(as_bytes(changed(column, value)))[1]


def test_rows_that_are_there_twice_are_others_than_those_that_are_there_once() -> None:
    rows = chunk_rows(["a"])
    assert owned(pa.concat_tables([rows, rows])) != owned(rows)
    assert owned(pa.concat_tables([rows, rows]))["a"].rows == 4


def test_a_table_that_lost_a_file_still_gives_the_rows_of_the_others(tables: LanceTables) -> None:
    """Guards against one lost file that makes every document an offender."""
    for name in ("a", "b", "c"):
        tables.write("chunks", chunk_rows([name], each=5), [name])
    files = sorted((tables.folder("chunks") / "data").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    files[1].unlink()
    found, contents = read(tables)
    assert found == owned(chunk_rows(["a", "c"], each=5))
    assert contents.unread == 5
    assert contents.fault is not None
    assert "cannot be read from" in contents.fault.reason


@pytest.mark.slow
def test_a_table_that_claims_rows_without_end_is_not_read_without_end(tables: LanceTables) -> None:
    """Guards against a flipped bit in the number of rows: a check would go on for days."""
    tables.write("chunks", chunk_rows(["a"]), ["a"])
    contents = TableContents(tables, "chunks")
    contents.rows = 10**13
    for _ in contents.pieces():
        pass
    assert contents.unread > 10**12


def test_a_manifest_of_zeros_is_damage_and_no_table_of_other_columns(tables: LanceTables) -> None:
    tables.write("chunks", chunk_rows(["a"]), ["a"])
    for manifest in (tables.folder("chunks") / "_versions").glob("*.manifest"):
        manifest.write_bytes(b"\0" * 100)
    with pytest.raises(TableDamagedError):
        TableContents(tables, "chunks")


def test_rows_made_into_a_table_are_those_that_pyarrow_makes_of_them() -> None:
    schema = SPEC.schema(DIMENSIONS)
    rows = chunk_rows(["a"]).to_pylist()
    kinds = {"vector": np.float32, "token_ids": np.int32, "sentence_lengths": np.float32}
    vectors = [row | {name: np.array(row[name], kind) for name, kind in kinds.items()} for row in rows]
    assert table_of(vectors, schema).equals(pa.Table.from_pylist(rows, schema))
    assert table_of(rows, schema).equals(pa.Table.from_pylist(rows, schema))
    assert table_of([], schema).schema == schema
    with pytest.raises(ValueError, match="array of size 5"):
        table_of([rows[0] | {"vector": np.ones(DIMENSIONS + 1, np.float32)}], schema)


@pytest.mark.parametrize(
    ("found", "recorded", "older"),
    [
        ("x@2", {"x@3"}, True),
        ("x@2", {"x@1", "x@2"}, False),
        ("x@2", {"y@9", "damaged", ""}, False),
    ],
)
def test_a_table_is_an_older_copy_where_rows_were_written_to_a_newer_version(
    found: str, recorded: set[str], older: bool
) -> None:
    assert is_older(found, recorded) is older
