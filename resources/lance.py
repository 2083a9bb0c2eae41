"""The tables of the knowledge base in LanceDB. What belongs here: reading and replacing rows, document by document.

What does not: what rows say (the sink's stages), which tables there are (lance_schema.py), indexes
(lance_indexes.py), searching (retrieval). LanceDB is imported by the first method that opens a table: it takes
seconds, and `state`, which the planner asks for, does without.

One writer a table at a time: whoever calls `written` and then `write`, `delete_documents`, `claim`, `drop` or
`ensure_indexes` holds the table's lock meanwhile. LanceDB itself detects most conflicts, but two processes that merge
the same *new* rows at once put them in twice, without an error (measured with 0.40); `write` takes such copies out
again when it meets them. Readers need no lock.

LanceDB runs threads of its own and does not survive a fork: start worker processes by spawn or forkserver.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from resources.lance_errors import (
    TableSchemaError,
    TableWriteError,
    check_schema,
    foreign,
    is_conflict,
    missing,
    read_error,
    write_error,
)
from resources.lance_marker import Mark, announce, newest_version, read_mark, settle, state_of
from resources.lance_schema import TABLES, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

_Result = TypeVar("_Result")
# LanceDB retries conflicting commits by itself for 30 seconds; what is left is a table under constant fire.
_ATTEMPTS = 3


class LanceTables:
    """The tables in one directory, SEEDBANK_HOME/lancedb. Creates nothing before the first write."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._connection: Any = None

    @property
    def directory(self) -> Path:
        """Where the tables are."""
        return self._directory

    def state(self, table: str) -> str | None:
        """`<uuid>@<version>`: which table this is, and its newest commit. Microseconds, LanceDB is not imported.

        None where the table is missing, was not made for this home or was changed by others since the last write:
        what is in it must then be looked at (`written`). Rows recorded with one state are current under another as
        `lance_marker.is_current` says. Raises TableWriteError where the folder cannot be read.
        """
        try:
            return state_of(self.folder(table))
        except OSError as error:
            raise write_error(table, self.folder(table), error) from error

    def folder(self, table: str) -> Path:
        """The folder of a table."""
        return self._directory / f"{TABLES[table].name}.lance"

    def open(self, table: str) -> "Table":
        """The table in LanceDB, at its newest version. Raises TableMissingError, TableReadError."""
        folder = self.folder(table)
        if newest_version(folder) is None:
            raise missing(table, self._directory)
        try:
            return self._connected().open_table(table)
        except (RuntimeError, OSError, ValueError) as error:
            raise read_error(table, folder, error) from error

    def read(self, table: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """All rows, in the order of the table's key, with the given columns or all. Raises TableMissingError."""
        spec = TABLES[table]
        wanted = [column.name for column in spec.columns] if columns is None else list(columns)
        rows = self.open(table).search().select([*dict.fromkeys([*wanted, spec.key])]).to_arrow()
        return rows.sort_by(spec.key).select(wanted)

    def written(self, table: str, document_ids: Sequence[str]) -> dict[str, str]:
        """The content digest that each document's rows were written from, for those that have rows.

        Left out, so that they are written again: documents whose rows disagree or are there twice.
        Empty where there is no table.
        """
        if not document_ids or newest_version(self.folder(table)) is None:
            return {}
        key = TABLES[table].key
        query = self.open(table).search().where(_of_documents(document_ids))
        rows = query.select(["document_id", "content_digest", *({key} - {"document_id"})]).to_arrow()
        digests: dict[str, str] = {}
        unsound: set[str] = set()
        keys: set[str] = set()
        for document_id, digest, row_key in zip(
            rows["document_id"].to_pylist(), rows["content_digest"].to_pylist(), rows[key].to_pylist(), strict=True
        ):
            if digests.setdefault(document_id, digest) != digest or row_key in keys:
                unsound.add(document_id)
            keys.add(row_key)
        return {document_id: digest for document_id, digest in digests.items() if document_id not in unsound}

    def write(self, table: str, rows: "pa.Table | pa.RecordBatchReader", document_ids: Sequence[str]) -> str:
        """Replace all rows of these documents by `rows`, in one commit, and return the new state.

        A document without rows loses those it had. Creates the table if need be.
        Raises TableSchemaError where a column of the rows or of the table is not as declared (nothing is cast),
        ForeignTableError for somebody else's table, TableWriteError where the disk or another writer is in the way.
        In each case the table is as it was.
        """
        import pyarrow as pa

        spec = TABLES[table]
        incoming = rows.read_all() if isinstance(rows, pa.RecordBatchReader) else rows
        schema = spec.schema(spec.dimensions_of(incoming.schema))
        check_schema(table, expected=schema, found=incoming.schema, where="the rows to be written")
        _check_rows(spec, incoming, document_ids)
        with self._committing(table, schema):
            opened = self._opened_or_created(table, schema)
            result = self._retried(table, lambda: _merge(opened, spec.key, incoming, document_ids))
            if result.num_updated_rows + result.num_inserted_rows > incoming.num_rows:
                self._retried(table, lambda: _delete_copies(opened, spec.key, document_ids))
        return self._state_after_commit(table)

    def claim(self, table: str) -> str:
        """The state to record for rows that `written` found right, so that nothing had to be written.

        A table that others have changed gets a new uuid here, which makes every row recorded before be looked at
        once. Raises TableMissingError, and as `write`.
        """
        state = self.state(table)
        if state is not None:
            return state
        opened = self.open(table)
        spec = TABLES[table]
        with self._committing(table, spec.schema(spec.dimensions_of(opened.schema))):
            pass
        return self._state_after_commit(table)

    def delete_documents(self, table: str, document_ids: Sequence[str]) -> str | None:
        """Remove all rows of these documents in one commit, if there are any, and return the state after it.

        None where there is no table. Raises as `write`.
        """
        if newest_version(self.folder(table)) is None:
            return None
        opened = self.open(table)
        condition = _of_documents(document_ids)
        if not document_ids or not opened.count_rows(condition):
            return self.state(table)
        with self._committing(table, opened.schema):
            self._retried(table, lambda: opened.delete(condition))
        return self._state_after_commit(table)

    def drop(self, table: str) -> None:
        """Remove the table, whoever made it. Raises TableWriteError."""
        folder = self.folder(table)
        doomed = folder.with_name(f".dropped-{os.getpid()}-{folder.name}")
        try:
            # Renamed first: a table that is half removed would look like somebody else's.
            folder.replace(doomed)
            shutil.rmtree(doomed)
        except FileNotFoundError:
            return
        except OSError as error:
            raise write_error(table, folder, error) from error

    @contextlib.contextmanager
    def committing(self, table: str) -> Iterator["Table"]:
        """The opened table, for commits that change no row (indexes, compaction), so that its state stays known.

        Raises as `write`.
        """
        opened = self.open(table)
        spec = TABLES[table]
        with self._committing(table, spec.schema(spec.dimensions_of(opened.schema))):
            yield opened

    @contextlib.contextmanager
    def _committing(self, table: str, schema: "pa.Schema") -> Iterator[None]:
        folder = self.folder(table)
        try:
            mark = self._mark(table, schema)
            announce(folder, mark)
        except OSError as error:
            raise write_error(table, folder, error) from error
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):  # the error under way is the one to tell
                settle(folder, mark, newest_version(folder) or mark.version)
            raise
        try:
            settle(folder, mark, newest_version(folder) or mark.version)
        except OSError as error:
            raise write_error(table, folder, error) from error

    def _mark(self, table: str, schema: "pa.Schema") -> Mark:
        """The mark under which the table may be written, after looking at what is in its place."""
        folder = self.folder(table)
        version = newest_version(folder)
        if version is None:
            folder.mkdir(parents=True, exist_ok=True)
            # A new uuid, whatever mark is left: versions start again at 1.
            return Mark.new()
        opened = self.open(table)
        check_schema(table, expected=schema, found=opened.schema, where="the table on disk")
        mark = read_mark(folder)
        if mark is None and opened.count_rows():
            raise foreign(table, folder)
        if mark is None or self.state(table) is None:
            return replace(Mark.new(), version=version)
        return mark

    def _opened_or_created(self, table: str, schema: "pa.Schema") -> "Table":
        if newest_version(self.folder(table)) is not None:
            return self.open(table)
        return self._retried(table, lambda: self._connected().create_table(table, schema=schema, exist_ok=True))

    def _retried(self, table: str, commit: Callable[[], _Result]) -> _Result:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return commit()
            except (RuntimeError, OSError, ValueError) as error:
                if attempt == _ATTEMPTS or not is_conflict(error):
                    raise write_error(table, self.folder(table), error) from error
        raise AssertionError("unreachable")

    def _state_after_commit(self, table: str) -> str:
        state = self.state(table)
        if state is None:
            raise TableWriteError(
                table,
                f"another program changed {self.folder(table)} while it was being written.",
                "Let that program finish, then run again: what is already there is not written twice.",
            )
        return state

    def _connected(self) -> Any:
        if self._connection is None:
            import lancedb

            self._connection = lancedb.connect(self._directory)
        return self._connection


def _merge(opened: "Table", key: str, rows: "pa.Table", document_ids: Sequence[str]) -> Any:
    merge = opened.merge_insert(key).when_matched_update_all().when_not_matched_insert_all()
    if document_ids:
        merge = merge.when_not_matched_by_source_delete(_of_documents(document_ids))
    return merge.execute(rows)


def _delete_copies(opened: "Table", key: str, document_ids: Sequence[str]) -> None:
    opened.checkout_latest()
    found = opened.search().where(_of_documents(document_ids)).select([key]).with_row_id(True).to_arrow()
    seen: set[str] = set()
    copies: list[int] = []
    for row_key, row_id in zip(found[key].to_pylist(), found["_rowid"].to_pylist(), strict=True):
        if row_key in seen:
            copies.append(row_id)
        seen.add(row_key)
    if copies:
        opened.delete(f"_rowid IN ({', '.join(map(str, copies))})")


def _check_rows(spec: TableSpec, rows: "pa.Table", document_ids: Sequence[str]) -> None:
    for column in spec.columns:
        if not column.nullable and (nulls := rows[column.name].null_count):
            raise TableSchemaError(
                spec.name,
                f"column {column.name} must not be null, but is in {nulls} of the {rows.num_rows} rows to be written.",
                "Nothing was written: this is a fault of the stage that made them.",
            )
    strays = set(rows["document_id"].to_pylist()) - set(document_ids)
    if strays:
        raise ValueError(f"rows of documents that are not to be replaced: {sorted(strays)[:3]}")
    if len(set(rows[spec.key].to_pylist())) < rows.num_rows:
        raise ValueError(f"two rows with the same {spec.key}")


def _of_documents(document_ids: Sequence[str]) -> str:
    """The rows of these documents, in LanceDB's SQL, where only a quote needs escaping."""
    quoted = ", ".join("'" + document_id.replace("'", "''") + "'" for document_id in document_ids)
    return f"document_id IN ({quoted})"
