"""Which files the newest version of a table needs: copied alone, they are the whole table, and nothing of earlier versions."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lancedb.table import Table

from resources.tables import lance_files
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableMissingError, TableReadError
from resources.tables.lance_files import check_copy, copy_newest, needed_files
from resources.tables.lance_indexes import ensure_indexes
from resources.tables.lance_schema import TABLES

pytestmark = pytest.mark.slow

DIMENSIONS = 16


def rows(owner: str, words: str, count: int) -> pa.Table:
    """Rows of one document in the table of chunks."""
    spec = TABLES["chunks"]
    chance = np.random.default_rng(len(words))
    values = [
        {
            "chunk_id": f"{owner}#{number}",
            "document_id": owner,
            "index": number,
            "title": f"The title of {owner}",
            "text": f"{words} {number}",
            "start": 0,
            "end": 1,
            "vector": chance.standard_normal(DIMENSIONS).astype(np.float32).tolist(),
            "token_ids": [1, 2],
            "sentence_ends": [2],
            "sentence_lengths": [1.0],
            "content_digest": words,
        }
        for number in range(count)
    ]
    return pa.Table.from_pylist(values, schema=spec.schema(DIMENSIONS))


@pytest.fixture
def tables(tmp_path: Path) -> LanceTables:
    """A table with indexes, deleted rows, and earlier versions that hold other words."""
    made = LanceTables(tmp_path / "lancedb")
    made.write("chunks", rows("a.md", "harbour", 300), ["a.md"])
    ensure_indexes(made, vector_index_rows=256)
    made.write("chunks", rows("b.md", "vanished", 20), ["b.md"])
    made.write("chunks", rows("b.md", "lighthouse", 10), ["b.md"])
    ensure_indexes(made, vector_index_rows=256)
    made.write("chunks", rows("c.md", "unindexed", 5), ["c.md"])
    made.delete_rows("chunks", ["c.md"])
    return made


def test_a_copy_of_the_newest_version_is_the_whole_table(tables: LanceTables, tmp_path: Path) -> None:
    copied = copy_newest(tables, "chunks", tmp_path / "copy")
    copy = LanceTables(tmp_path / "copy")
    check_copy(copy, "chunks")
    assert copy.read("chunks").equals(tables.read("chunks"))
    assert copy.state("chunks") == tables.state("chunks") is not None
    opened = copy.open("chunks")
    assert {index.columns[0] for index in opened.list_indices()} == {"text", "title", "vector"}
    assert opened.search("lighthouse", query_type="fts", fts_columns="text").limit(30).to_arrow().num_rows == 10
    vector = rows("b.md", "lighthouse", 1)["vector"][0].as_py()

    def nearest(table: Table) -> list[str]:
        query: Any = table.search(vector, vector_column_name="vector")
        return query.distance_type("dot").limit(9).to_arrow()["chunk_id"].to_pylist()

    assert nearest(opened) == nearest(tables.open("chunks")) != []
    assert all(path.startswith("chunks.lance/") for path in copied)


def test_a_copy_has_nothing_of_earlier_versions(tables: LanceTables, tmp_path: Path) -> None:
    """What was erased must not be published with old files."""
    copied = copy_newest(tables, "chunks", tmp_path / "copy")
    assert len([path for path in copied if path.endswith(".manifest")]) == 1
    everything = b"".join(path.read_bytes() for path in copied.values())
    assert b"vanished" not in everything
    before = b"".join(path.read_bytes() for path in tables.folder("chunks").rglob("*") if path.is_file())
    assert b"vanished" in before
    assert sum(path.stat().st_size for path in copied.values()) < len(before)


def test_a_copy_does_not_change_with_the_table(tables: LanceTables, tmp_path: Path) -> None:
    """LanceDB removes old files; the links keep them."""
    copy_newest(tables, "chunks", tmp_path / "copy")
    wanted = tables.read("chunks")
    tables.write("chunks", rows("a.md", "changed", 3), ["a.md"])
    ensure_indexes(tables, vector_index_rows=256, keep=timedelta(0))
    copy = LanceTables(tmp_path / "copy")
    check_copy(copy, "chunks")
    assert copy.read("chunks").equals(wanted)


def test_without_links_files_are_copied(tables: LanceTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    copied = copy_newest(tables, "chunks", tmp_path / "copy")
    assert all(path.stat().st_nlink == 1 for path in copied.values())
    check_copy(LanceTables(tmp_path / "copy"), "chunks")


@pytest.mark.parametrize("change", ["magic", "place", "cut"])
def test_of_a_manifest_of_another_form_all_names_count(
    change: str, tables: LanceTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later LanceDB may write it in another way; a file too many is better than one that is missing."""
    few = set(needed_files(tables.folder("chunks")))
    named = lance_files._named
    changed = {
        "magic": lambda data: data[:-4] + b"LNCE",
        "place": lambda data: data[:-16] + b"\xff" * 8 + data[-8:],
        "cut": lambda data: data[: len(data) // 2] + data[-16:],
    }[change]
    assert named(changed(b"x" * 100 + b"\0" * 12 + b"LANC")) == changed(b"x" * 100 + b"\0" * 12 + b"LANC")
    monkeypatch.setattr(lance_files, "_named", lambda data: data)
    assert few <= set(needed_files(tables.folder("chunks")))


@pytest.mark.parametrize("part", ["data", "_indices"])
def test_a_copy_that_lacks_a_file_is_refused(part: str, tables: LanceTables, tmp_path: Path) -> None:
    copied = copy_newest(tables, "chunks", tmp_path / "copy")
    for path in [path for name, path in copied.items() if f"/{part}/" in name]:
        path.unlink()
    with pytest.raises(TableReadError):
        check_copy(LanceTables(tmp_path / "copy"), "chunks")


def test_there_is_no_copy_of_a_table_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(TableMissingError):
        copy_newest(LanceTables(tmp_path / "lancedb"), "chunks", tmp_path / "copy")
    assert needed_files(tmp_path / "lancedb" / "chunks.lance") == []
