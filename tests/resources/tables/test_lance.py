"""The LanceDB tables: what is written, what is refused, and what is known of a table without opening it."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import lancedb
import pyarrow as pa
import pytest

from resources.tables.lance import LanceTables
from resources.tables.lance_erasing import erase_rows
from resources.tables.lance_errors import (
    ForeignTableError,
    TableMissingError,
    TableReadError,
    TableSchemaError,
    TableWriteError,
)
from resources.tables.lance_indexes import ensure_indexes, uncovered_rows
from resources.tables.lance_marker import Mark, announce, is_current, newest_version, read_mark
from resources.tables.lance_schema import TABLES

DIMENSIONS = 4
ROOT = Path(__file__).resolve().parents[3]


def chunk_rows(document_ids: Sequence[str], *, each: int = 2, digest: str = "first") -> pa.Table:
    """Rows for the table `chunks`, `each` a document."""
    rows = [
        {
            "chunk_id": f"{document_id}#{index}",
            "document_id": document_id,
            "index": index,
            "title": "A title",
            "text": f"{digest} text {index}",
            "start": index * 10,
            "end": index * 10 + 9,
            "vector": [1.0, 0.0, 0.0, float(index)],
            "token_ids": [1, 5, index],
            "sentence_ends": [2, 3],
            "sentence_lengths": [1.5, 0.25],
            "content_digest": digest,
        }
        for document_id in document_ids
        for index in range(each)
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["chunks"].schema(DIMENSIONS))


def keys(tables: LanceTables) -> list[str]:
    return tables.read("chunks", ["chunk_id"])["chunk_id"].to_pylist()


@pytest.fixture
def tables(tmp_path: Path) -> LanceTables:
    return LanceTables(tmp_path / "lancedb")


def test_what_is_missing_reads_as_missing_and_is_not_made(tables: LanceTables) -> None:
    """Guards against a `status` that creates tables, or takes a missing one for an empty one."""
    assert tables.state("chunks") is None
    assert tables.version("chunks") is None
    assert tables.written("chunks", ["a"]) == {}
    assert tables.delete_rows("chunks", ["a"]) is None
    assert ensure_indexes(tables) == []
    tables.drop("chunks")
    with pytest.raises(TableMissingError, match=r"Table chunks.*seedbank seed"):
        tables.read("chunks")
    assert not tables.directory.exists()


@pytest.mark.integration
def test_the_state_is_reported_without_importing_lancedb(tables: LanceTables) -> None:
    """Guards the time of `plan` and `status`: the import alone takes seconds."""
    state = tables.write("chunks", chunk_rows(["a"]), ["a"])
    program = (
        "import sys; from pathlib import Path; from resources.tables.lance import LanceTables; "
        f"print(LanceTables(Path({str(tables.directory)!r})).state('chunks')); "
        "print({'lancedb', 'lance', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [state, "set()"]


def test_rows_are_replaced_document_by_document_in_one_commit(tables: LanceTables) -> None:
    """Guards against stale chunks of a document that got shorter, and against touching other documents."""
    first = tables.write("chunks", chunk_rows(["a", "b"], each=3), ["a", "b"])
    version = tables.version("chunks")
    second = tables.write("chunks", chunk_rows(["a"], each=1, digest="second"), ["a"])
    assert keys(tables) == ["a#0", "b#0", "b#1", "b#2"]
    assert tables.version("chunks") == (version or 0) + 1
    assert tables.written("chunks", ["a", "b", "c"]) == {"a": "second", "b": "first"}
    assert tables.state("chunks") == second
    assert is_current(first, second)
    assert not is_current(second, first)


def test_a_document_without_rows_loses_those_that_it_had(tables: LanceTables) -> None:
    tables.write("chunks", chunk_rows(["a", "b"]), ["a", "b"])
    tables.write("chunks", chunk_rows([]), ["a"])
    assert tables.written("chunks", ["a", "b"]) == {"b": "first"}


def test_rows_may_come_as_a_stream(tables: LanceTables) -> None:
    rows = chunk_rows(["a"])
    tables.write("chunks", pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()), ["a"])
    assert keys(tables) == ["a#0", "a#1"]


@pytest.mark.parametrize(
    "name",
    [
        "it's.md",
        'say "x".md',
        "back\\slash",
        "`tick`",
        "-- drop; /*",
        "é/日本/🎉.md",
        "e\u0301.md",
        "%0A%2C",
        "' OR '1'='1",
    ],
)
def test_any_name_of_a_document_is_just_a_name(tables: LanceTables, name: str) -> None:
    """Guards against a name that breaks out of the condition, and replaces or deletes rows of others."""
    tables.write("chunks", chunk_rows(["other", name]), ["other", name])
    tables.write("chunks", chunk_rows([name], each=1, digest="second"), [name])
    assert tables.written("chunks", ["other", name]) == {"other": "first", name: "second"}
    tables.delete_rows("chunks", [name])
    assert keys(tables) == ["other#0", "other#1"]


def test_a_thousand_documents_are_one_commit(tables: LanceTables) -> None:
    names = [f"folder/{number}.md" for number in range(1_000)]
    tables.write("chunks", chunk_rows(names, each=1), names)
    version = tables.version("chunks")
    tables.write("chunks", chunk_rows(names[:500], each=1, digest="second"), names)
    assert tables.version("chunks") == (version or 0) + 1
    assert tables.written("chunks", names) == dict.fromkeys(names[:500], "second")


def test_removing_what_is_not_there_commits_nothing(tables: LanceTables) -> None:
    state = tables.write("chunks", chunk_rows(["a"]), ["a"])
    assert tables.delete_rows("chunks", ["b"]) == state
    assert tables.delete_rows("chunks", []) == state


def retyped(rows: pa.Table, name: str, type_: pa.DataType) -> pa.Table:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, pa.field(name, type_, nullable=False), rows[name].cast(type_))


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (lambda rows: retyped(rows, "index", pa.int64()), "column index must be int32 not null, but is int64 not null"),
        (lambda rows: rows.drop_columns(["vector"]), "column vector .* is missing"),
        (
            lambda rows: rows.append_column("extra", pa.array(["x"] * rows.num_rows)),
            r"column extra \(string\) is one too",
        ),
        (lambda rows: rows.select(rows.column_names[::-1]), "the columns must be in the order chunk_id"),
    ],
)
def test_rows_of_another_schema_are_refused_by_column(tables: LanceTables, spoiled: Any, said: str) -> None:
    """Guards against LanceDB's own way: it casts what does not fit and fills what is missing with nulls, silently."""
    state = tables.write("chunks", chunk_rows(["a"]), ["a"])
    with pytest.raises(TableSchemaError, match=rf"Table chunks: {said}.*--rebuild-sink"):
        tables.write("chunks", spoiled(chunk_rows(["a"], digest="second")), ["a"])
    assert tables.state("chunks") == state
    assert tables.written("chunks", ["a"]) == {"a": "first"}


def test_a_null_where_none_may_be_is_refused_by_column(tables: LanceTables) -> None:
    rows = chunk_rows(["a"])
    nulls = rows.set_column(4, rows.schema.field("text"), pa.array([None, "x"], pa.string()))
    with pytest.raises(TableSchemaError, match="column text must not be null, but is in 1 of the 2 rows"):
        tables.write("chunks", nulls, ["a"])


def test_rows_that_would_stay_behind_are_refused(tables: LanceTables) -> None:
    """Guards against rows of documents that the same commit would not replace next time."""
    with pytest.raises(ValueError, match="not to be replaced"):
        tables.write("chunks", chunk_rows(["a", "b"]), ["a"])
    with pytest.raises(ValueError, match="same chunk_id"):
        tables.write("chunks", pa.concat_tables([chunk_rows(["a"])] * 2), ["a"])


def test_a_table_of_another_schema_is_named_by_column_and_kept(tables: LanceTables) -> None:
    """Guards the incident behind this project: a schema fault in the last write must cost nothing."""
    tables.write("chunks", chunk_rows(["a"]), ["a"])
    wrong = pa.table({"chunk_id": ["x"], "document_id": ["x"], "index": ["one"]})
    lancedb.connect(tables.directory).create_table("chunks", wrong, mode="overwrite")
    assert tables.state("chunks") is None
    with pytest.raises(TableSchemaError, match=r"column chunk_id must be string not null.*--rebuild-sink"):
        tables.write("chunks", chunk_rows(["a"]), ["a"])
    assert tables.open("chunks").to_arrow() == wrong
    tables.drop("chunks")
    assert tables.state("chunks") is None
    tables.write("chunks", chunk_rows(["a"]), ["a"])
    assert keys(tables) == ["a#0", "a#1"]


def test_vectors_of_another_length_are_refused_by_column(tables: LanceTables) -> None:
    tables.write("chunks", chunk_rows(["a"]), ["a"])
    longer = retyped_vectors(chunk_rows(["a"]), 8)
    with pytest.raises(TableSchemaError, match=r"column vector must be .*\[8\] not null, but is .*\[4\]"):
        tables.write("chunks", longer, ["a"])


def retyped_vectors(rows: pa.Table, dimensions: int) -> pa.Table:
    vectors = pa.array([[0.5] * dimensions] * rows.num_rows, pa.list_(pa.float32(), dimensions))
    field = TABLES["chunks"].schema(dimensions).field("vector")
    return rows.set_column(rows.schema.get_field_index("vector"), field, vectors)


def test_somebody_elses_table_is_neither_read_as_ours_nor_overwritten(tables: LanceTables) -> None:
    lancedb.connect(tables.directory).create_table("chunks", chunk_rows(["theirs"]))
    assert tables.state("chunks") is None
    for attempt in (lambda: tables.write("chunks", chunk_rows(["a"]), ["a"]), lambda: tables.claim("chunks")):
        with pytest.raises(ForeignTableError, match=r"not made by Seedbank for this home.*--rebuild-sink"):
            attempt()
    assert keys(tables) == ["theirs#0", "theirs#1"]


def test_an_empty_table_of_our_schema_is_taken_over(tables: LanceTables) -> None:
    lancedb.connect(tables.directory).create_table("chunks", schema=TABLES["chunks"].schema(DIMENSIONS))
    assert tables.state("chunks") is None
    assert tables.write("chunks", chunk_rows(["a"]), ["a"]) == tables.state("chunks")


def test_a_table_changed_by_others_is_looked_at_before_it_is_trusted(tables: LanceTables) -> None:
    """Guards against rows that somebody deleted by hand and that `seed` goes on calling current."""
    recorded = tables.write("chunks", chunk_rows(["a", "b"]), ["a", "b"])
    lancedb.connect(tables.directory).open_table("chunks").delete("document_id = 'a'")
    assert tables.state("chunks") is None
    assert tables.written("chunks", ["a", "b"]) == {"b": "first"}
    claimed = tables.claim("chunks")
    assert tables.state("chunks") == claimed
    assert not is_current(recorded, claimed)
    assert tables.claim("chunks") == claimed


def test_a_commit_cut_off_before_it_was_noted_is_known_as_our_own(tables: LanceTables) -> None:
    """Guards against looking at all rows again after a `kill -9` between the commit and its note."""
    recorded = tables.write("chunks", chunk_rows(["a"]), ["a"])
    mark = read_mark(tables.folder("chunks"))
    assert mark is not None
    announce(tables.folder("chunks"), mark)
    tables.open("chunks").add(chunk_rows(["b"]))
    assert is_current(recorded, tables.state("chunks"))
    assert tables.written("chunks", ["a", "b"]) == {"a": "first", "b": "first"}


def test_a_crash_before_the_table_was_there_leaves_nothing_in_the_way(tables: LanceTables) -> None:
    folder = tables.folder("chunks")
    folder.mkdir(parents=True)
    left = Mark.new()
    announce(folder, left)
    assert tables.state("chunks") is None
    state = tables.write("chunks", chunk_rows(["a"]), ["a"])
    assert tables.state("chunks") == state
    assert not is_current(f"{left.table_uuid}@1", state)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2, "uuid": "x", "version": 1, "committing": false}'])
def test_a_damaged_or_newer_mark_is_no_mark(tables: LanceTables, content: str) -> None:
    tables.write("chunks", chunk_rows(["a"]), ["a"])
    (tables.folder("chunks") / "seedbank.json").write_text(content)
    assert tables.state("chunks") is None
    with pytest.raises(ForeignTableError):
        tables.write("chunks", chunk_rows(["a"]), ["a"])


def test_manifests_of_both_naming_schemes_are_understood(tmp_path: Path) -> None:
    versions = tmp_path / "_versions"
    versions.mkdir()
    assert newest_version(tmp_path) is None
    for name in ("9.manifest", "10.manifest", "latest_version_hint.json", "11.manifest.tmp", "d12.manifest"):
        (versions / name).touch()
    assert newest_version(tmp_path) == 10
    (versions / f"{2**64 - 1 - 12:020}.manifest").touch()
    assert newest_version(tmp_path) == 12


def test_a_table_that_is_made_again_is_another_table(tables: LanceTables) -> None:
    """Guards against rows of a dropped table that pass for rows of its successor."""
    before = tables.write("chunks", chunk_rows(["a"]), ["a"])
    tables.drop("chunks")
    after = tables.write("chunks", chunk_rows(["b"]), ["b"])
    assert not is_current(before, after)
    assert [path.name for path in tables.directory.iterdir()] == ["chunks.lance"]


def test_a_damaged_table_is_named_with_what_to_do(tables: LanceTables) -> None:
    tables.write("chunks", chunk_rows(["a"]), ["a"])
    for manifest in (tables.folder("chunks") / "_versions").glob("*.manifest"):
        manifest.write_bytes(b"\0" * 100)
    with pytest.raises(TableReadError, match=r"Table chunks.*--rebuild-sink"):
        tables.read("chunks")


FAULTS = {
    # A limit on the size of files fails as a full disk does, in the middle of a file.
    "full": "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))",
    "denied": "import os; os.geteuid() or os.setuid(65534)",
}


@pytest.fixture
def shared_directory() -> Iterator[Path]:
    """A directory that another user can reach, as pytest's own cannot."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("fault", "said"), [("full", "the disk is full"), ("denied", "its folder is not writable for this user")]
)
def test_a_write_that_fails_says_why_and_changes_nothing(shared_directory: Path, fault: str, said: str) -> None:
    """Guards against rows that are half written, and an error in the words of Lance's source."""
    tables = LanceTables(shared_directory / "lancedb")
    state = tables.write("chunks", chunk_rows(["a"]), ["a"])
    program = f"""
from pathlib import Path
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableWriteError
from tests.resources.tables.test_lance import chunk_rows
names = ["a", *map(str, range(2_000))]
rows = chunk_rows(names, digest="second")
{FAULTS[fault]}
try:
    LanceTables(Path({str(tables.directory)!r})).write("chunks", rows, names)
except TableWriteError as error:
    print(error)
"""
    everything = [tables.directory, *tables.directory.rglob("*")]
    if fault == "denied":
        for path in everything:
            path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    for path in everything:
        path.chmod(0o755)
    assert done.stdout.startswith(f"Table chunks: the rows could not be written to {tables.folder('chunks')}: {said}")
    assert "run again" in done.stdout
    assert tables.state("chunks") == state
    assert tables.read("chunks") == chunk_rows(["a"])


def test_vectors_that_are_not_numbers_are_refused(tables: LanceTables) -> None:
    rows = chunk_rows(["a"])
    vectors = pa.array([[float("nan")] * DIMENSIONS] * 2, pa.list_(pa.float32(), DIMENSIONS))
    with pytest.raises(TableWriteError, match=r"vector.*NaN"):
        tables.write("chunks", rows.set_column(7, rows.schema.field("vector"), vectors), ["a"])


def test_rows_that_are_there_twice_are_written_again_and_once(tables: LanceTables) -> None:
    """Guards against copies that two writers without a lock leave: a merge updates both and removes neither."""
    tables.write("chunks", chunk_rows(["a", "b"]), ["a", "b"])
    tables.open("chunks").add(chunk_rows(["a"]))
    assert tables.written("chunks", ["a", "b"]) == {"b": "first"}
    tables.write("chunks", chunk_rows(["a"], digest="second"), ["a"])
    assert tables.written("chunks", ["a", "b"]) == {"a": "second", "b": "first"}
    assert keys(tables) == ["a#0", "a#1", "b#0", "b#1"]


@pytest.mark.slow
def test_a_writer_outlasts_others_that_commit_meanwhile(tables: LanceTables) -> None:
    """Guards against a run that fails because somebody compacts the table while it is written."""
    names = [f"d{number}" for number in range(50)]
    tables.write("chunks", chunk_rows(names), names)
    stop = threading.Event()
    failures: list[Exception] = []

    def compact() -> None:
        theirs = lancedb.connect(tables.directory).open_table("chunks")
        while not stop.is_set():
            try:
                theirs.optimize(cleanup_older_than=timedelta(days=1))
            except RuntimeError as error:  # theirs to retry
                failures.append(error)

    thread = threading.Thread(target=compact)
    thread.start()
    try:
        for number in range(8):
            tables.write("chunks", chunk_rows(names, digest=f"round {number}"), names)
    finally:
        stop.set()
        thread.join()
    assert tables.read("chunks").select(["chunk_id", "text"]) == (
        chunk_rows(names, digest="round 7").sort_by("chunk_id").select(["chunk_id", "text"])
    )


@pytest.mark.integration
@pytest.mark.slow
def test_three_processes_that_write_the_same_documents_in_turn_leave_each_row_once(tables: LanceTables) -> None:
    """Guards the lock's contract: `written` and `write` under one lock, each seeing what the one before has done."""
    program = f"""
import fcntl, sys
from pathlib import Path
from resources.tables.lance import LanceTables
from tests.resources.tables.test_lance import chunk_rows
names = [f"d{{number}}" for number in range(200)]
tables = LanceTables(Path({str(tables.directory)!r}))
print("ready", flush=True)
sys.stdin.readline()
wrote = 0
for start in range(0, 200, 20):
    batch = names[start : start + 20]
    with open({str(tables.directory.parent / "lock")!r}, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = tables.written("chunks", batch)
        todo = [name for name in batch if there.get(name) != "first"]
        if todo:
            tables.write("chunks", chunk_rows(todo), todo)
            wrote += len(todo)
print(wrote)
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    wrote = [int(process.communicate("\n")[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(wrote) == 200
    assert keys(tables) == sorted(f"d{number}#{index}" for number in range(200) for index in range(2))
    assert tables.state("chunks") is not None


def test_indexes_cover_every_row_and_are_left_alone_when_they_do(tables: LanceTables) -> None:
    """Guards against a maintenance that commits each time, and so makes itself necessary again."""
    names = [f"d{number}" for number in range(30)]
    written = tables.write("chunks", chunk_rows(names), names)
    tables.write("concepts", pa.Table.from_pylist([], schema=TABLES["concepts"].schema(0)), ["d0"])
    done = {indexed.table: indexed for indexed in ensure_indexes(tables, vector_index_rows=100)}
    assert done["chunks"].indexed == ("text", "title")
    assert done["chunks"].rows == 60
    assert done["concepts"].indexed == ()
    assert is_current(written, done["chunks"].state)
    assert done["chunks"].state == tables.state("chunks")
    assert {indexed.table: indexed for indexed in ensure_indexes(tables, vector_index_rows=100)} == done

    more = [f"e{number}" for number in range(30)]
    tables.write("chunks", chunk_rows(more), more)
    assert uncovered_rows(tables.open("chunks"), "text") == 60
    done = {indexed.table: indexed for indexed in ensure_indexes(tables, vector_index_rows=100)}
    assert done["chunks"].indexed == ("text", "title", "vector")
    assert [uncovered_rows(tables.open("chunks"), column) for column in done["chunks"].indexed] == [0, 0, 0]
    assert len(keys(tables)) == 120


def test_maintenance_keeps_recent_versions_by_default(tables: LanceTables) -> None:
    """Guards `forget`, which must erase old versions, and everybody else, who wants them; neither loses the mark."""
    for number in range(3):
        tables.write("chunks", chunk_rows(["a"], digest=str(number)), ["a"])
    ensure_indexes(tables)
    opened = tables.open("chunks")
    opened.checkout(2)
    assert opened.to_arrow()["content_digest"].to_pylist() == ["0", "0"]
    ensure_indexes(tables, keep=timedelta(0))
    assert len([name for name in os.listdir(tables.folder("chunks") / "_versions") if name.endswith(".manifest")]) == 1
    assert tables.state("chunks") is not None
    assert tables.written("chunks", ["a"]) == {"a": "2"}


def test_erased_rows_are_in_no_file_and_the_state_of_others_stays(tables: LanceTables) -> None:
    """Deleted rows stay in files of LanceDB, in old versions, in indexes, and as conditions in its log of transactions."""
    names = ["zqvx", "b", "c"]
    written = tables.write("chunks", chunk_rows(names, digest="zqvxdigest"), names)
    tables.write("chunks", chunk_rows(["b", "c"]), ["b", "c"])
    ensure_indexes(tables)
    tables.delete_rows("chunks", ["c"])
    assert _files_with(tables, b"zqvx")
    assert erase_rows(tables, "chunks", ["zqvx"]) == 2
    assert _files_with(tables, b"zqvx") == []
    assert is_current(written, tables.state("chunks"))
    assert tables.written("chunks", ["b", "c", "zqvx"]) == {"b": "first"}
    assert len(tables.open("chunks").list_versions()) == 1
    ensure_indexes(tables)
    tables.write("chunks", chunk_rows(["b", "d"], digest="second"), ["b", "d"])
    assert tables.written("chunks", ["b", "d"]) == {"b": "second", "d": "second"}
    assert erase_rows(tables, "chunks", []) == 0
    assert erase_rows(tables, "chunks", ["b", "d"]) == 4
    assert keys(tables) == []
    tables.write("chunks", chunk_rows(["e"]), ["e"])
    assert tables.written("chunks", ["e"]) == {"e": "first"}


def _files_with(tables: LanceTables, word: bytes) -> list[Path]:
    return [path for path in tables.directory.rglob("*") if path.is_file() and word in path.read_bytes()]
