"""The tables of the knowledge base in LanceDB: reading rows, and replacing the rows of an owner (such as a document).

The tables are declared in `lance_schema`, indexes are made in `lance_indexes`. LanceDB is imported by the first method that
opens a table, since that takes seconds; `state`, which the planner uses, does not need it.

A table has one writer at a time: a process that calls `written` and then `write`, `delete_rows`, `claim`, `drop` or
`ensure_indexes` holds the lease of the table, and passes it with `under`. Readers need no lease. A writer that was stopped
for so long that it lost its lease can do no harm when it continues:

- Each commit is made on a handle that was opened before the lease was proven, and the lease is proven again after it. If it
  was lost, LeaseLostError is raised, and the work must be repeated.
- The process that takes over the lease makes a commit of a kind that conflicts with every other (`fence`). LanceDB refuses
  everything that was begun on an older handle from then on.
- LanceDB knows the key of a table. Two merges of the same *new* rows would otherwise both succeed and leave every row twice
  (measured with 0.40); with the key they conflict, and the later one updates the rows of the first.

LanceDB runs its own threads and does not survive a fork: start worker processes by spawn or forkserver.
"""

import contextlib
import copy
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from io_managers.store.errors import LeaseLostError
from resources.memory_errors import require_address_space
from resources.tables.lance_errors import (
    TableMissingError,
    TableReadError,
    check_schema,
    foreign,
    is_conflict,
    is_from_lance,
    missing,
    read_error,
    reading,
    write_error,
)
from resources.tables.lance_import import import_lancedb
from resources.tables.lance_marker import Mark, announce, newest_version, read_mark, settle, state_of
from resources.tables.lance_rows import check_rows, declare_key, delete_copies, keyed, merge, of_owners
from resources.tables.lance_schema import TABLES
from resources.tables.table_spec import TableSpec

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

_Result = TypeVar("_Result")
# LanceDB retries conflicting commits by itself for 30 seconds; conflicts that remain come from constant other writes.
_ATTEMPTS = 3
# With less, importing LanceDB and connecting fail or wait for ever for a thread; measured with limits from 500 to 1,000 MB.
_ADDRESS_SPACE_BYTES = 2**30


class LanceTables:
    """The tables in one directory, SEEDBANK_HOME/lancedb. Nothing is created before the first write.

    specs: the declarations of the tables, by name.
    """

    def __init__(self, directory: Path, specs: Mapping[str, TableSpec] = TABLES) -> None:
        self.specs = specs
        self._directory = directory
        self._prove: Callable[[], object] = bool
        self._connection: Any = None

    def under(self, prove: Callable[[], object]) -> "LanceTables":
        """The same tables for a caller that holds the lease of a table. prove: raises LeaseLostError if it is lost."""
        tables = copy.copy(self)
        tables._prove = prove
        return tables

    def prove(self) -> None:
        """Raise LeaseLostError if the caller has lost its lease."""
        self._prove()

    def fence(self, table: str) -> None:
        """Let LanceDB refuse all commits to a table that other processes have begun or will make on an older handle.

        No row is changed. Call it after taking the lease of the table from a process that did not free it. A table that is
        missing or cannot be read needs no fence. Raises TableWriteError.
        """
        try:
            opened = self.open(table)
        except (TableMissingError, TableReadError):
            return
        folder, mark = self.folder(table), read_mark(self.folder(table))
        ours = self.state(table) is not None

        def restore() -> None:
            # This is the only kind of commit that conflicts with every other. Restoring the newest version changes no row.
            opened.restore(opened.version)

        try:
            if mark is not None and ours:
                announce(folder, mark)
            self._retried(table, restore)
            if mark is not None and ours:
                settle(folder, mark, newest_version(folder) or mark.version)
        except OSError as error:
            raise write_error(table, folder, error) from error

    @property
    def directory(self) -> Path:
        """The folder of the tables."""
        return self._directory

    def state(self, table: str) -> str | None:
        """The identity of the table and its newest commit, `<uuid>@<version>`. It takes microseconds, without LanceDB.

        None if the table is missing, was not made for this home, or was changed by another program since the last write;
        its rows must then be compared (`written`). `lance_marker.is_current` tells whether rows that were recorded with one
        state are current in another. Raises TableReadError if the folder cannot be read.
        """
        with reading(table, self.folder(table)):
            return state_of(self.folder(table))

    def folder(self, table: str) -> Path:
        """The folder of a table."""
        return self._directory / f"{table}.lance"

    def present(self) -> list[str]:
        """The names of all tables that are there, also of those that are not declared; sorted."""
        return sorted(path.stem for path in self._directory.glob("[!.]*.lance") if self.version(path.stem) is not None)

    def version(self, table: str) -> int | None:
        """The newest version of the table by any program; None if there is no table. Raises TableReadError."""
        with reading(table, self.folder(table)):
            return newest_version(self.folder(table))

    def open(self, table: str) -> "Table":
        """The table in LanceDB, at its newest version. Raises TableMissingError, TableReadError."""
        folder = self.folder(table)
        if self.version(table) is None:
            raise missing(table, self._directory)
        with reading(table, folder):
            return self._connected().open_table(table)

    def checked(self, table: str) -> "Table":
        """The table as from `open`, after checking that its columns are as declared.

        Raises TableSchemaError, which names the wrong columns, TableMissingError and TableReadError.
        """
        spec = self.specs[table]
        opened = self.open(table)
        with reading(table, self.folder(table)):
            schema = opened.schema
        self._check_columns(table, spec.schema(spec.dimensions_of(schema)), schema)
        return opened

    def _check_columns(self, table: str, expected: "pa.Schema", found: "pa.Schema") -> None:
        if not found.names:  # LanceDB reads a manifest of zeros as that of a table without columns
            raise read_error(table, self.folder(table), ValueError("its newest manifest names no column"))
        ours = read_mark(self.folder(table)) is not None
        check_schema(table, expected=expected, found=found, where="the table on disk", ours=ours)

    def read(self, table: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """All rows in the order of the table's key, with the given columns or all. Raises the errors of `checked`."""
        spec = self.specs[table]
        wanted = [column.name for column in spec.columns] if columns is None else list(columns)
        opened = self.checked(table)
        with reading(table, self.folder(table)):
            rows = opened.search().select([*dict.fromkeys([*wanted, spec.key])]).to_arrow()
        return rows.sort_by(spec.key).select(wanted)

    def count(self, table: str) -> int:
        """The number of rows. Raises TableMissingError, TableReadError."""
        with reading(table, self.folder(table)):
            return self.open(table).count_rows()

    def rows_where(self, table: str, condition: str, columns: Sequence[str], most: int) -> list[dict[str, Any]]:
        """At most so many of the rows for which a condition holds, in no order, with these columns.

        Raises the errors of `checked`.
        """
        opened = self.checked(table)
        with reading(table, self.folder(table)):
            return opened.search().where(condition).select(list(columns)).limit(most).to_arrow().to_pylist()

    def rows_read(self, table: str) -> int:
        """The number of rows, after reading every column of each. Raises TableMissingError, TableReadError."""
        with reading(table, self.folder(table)):
            return sum(batch.num_rows for batch in self.open(table).search().to_batches())

    def owners(self, table: str) -> set[str]:
        """The owners that have rows in the table; empty if there is no table. Raises the errors of `written`."""
        spec = self.specs[table]
        if not spec.owner or self.version(table) is None:
            return set()
        return set(self.read(table, [spec.owner])[spec.owner].to_pylist())

    def written(self, table: str, owners: Sequence[str]) -> dict[str, str]:
        """For each owner with rows, the content digest from which they were written.

        Owners whose rows have different digests or are duplicated are left out, so that they are written again. All rows of
        a table without owners belong to "". Empty if there is no table. Raises TableReadError, TableSchemaError.
        """
        if not owners or self.version(table) is None:
            return {}
        spec = self.specs[table]
        opened = self.checked(table)
        with reading(table, self.folder(table)):
            query = opened.search().where(of_owners(spec, owners))
            rows = query.select([*dict.fromkeys(filter(None, (spec.owner, "content_digest", spec.key)))]).to_arrow()
        found = rows[spec.owner].to_pylist() if spec.owner else [""] * rows.num_rows
        digests: dict[str, str] = {}
        unsound: set[str] = set()
        keys: set[str] = set()
        for owner, digest, row_key in zip(
            found, rows["content_digest"].to_pylist(), rows[spec.key].to_pylist(), strict=True
        ):
            if digests.setdefault(owner, digest) != digest or row_key in keys:
                unsound.add(owner)
            keys.add(row_key)
        return {owner: digest for owner, digest in digests.items() if owner not in unsound}

    def write(self, table: str, rows: "pa.Table | pa.RecordBatchReader", owners: Sequence[str]) -> str:
        """Replace all rows of these owners by `rows` in one commit, and return the new state.

        The old rows of an owner without new rows are removed. The table is created if it is missing.
        Raises TableSchemaError if a column of the rows or of the table is not as declared (nothing is cast),
        ForeignTableError if another program made the table, and TableWriteError if the disk or another writer prevents it.
        In each case the table is unchanged.
        """
        import pyarrow as pa

        spec = self.specs[table]
        incoming = rows.read_all() if isinstance(rows, pa.RecordBatchReader) else rows
        schema = spec.schema(spec.dimensions_of(incoming.schema))
        check_schema(table, expected=schema, found=incoming.schema, where="the rows to be written")
        check_rows(spec, incoming, owners)

        def replace_rows() -> None:
            opened = self._opened_or_created(table, schema)
            self._retried(table, lambda: declare_key(opened, spec))
            result = self._retried(table, lambda: merge(opened, spec, incoming, owners))
            if result.num_updated_rows + result.num_inserted_rows > incoming.num_rows:
                # A table of an earlier version may contain the rows of two concurrent writers.
                self._retried(table, lambda: delete_copies(opened, spec, owners))

        return self._commit(table, schema, replace_rows)

    def distrust(self, table: str) -> None:
        """Make the state of the table unknown, so that all its rows are compared again. Raises TableWriteError."""
        folder = self.folder(table)
        mark = read_mark(folder)
        if mark is not None:
            try:
                settle(folder, mark, -1)
            except OSError as error:
                raise write_error(table, folder, error) from error

    def claim(self, table: str) -> str:
        """The state to record for rows that `written` found up to date, so that nothing had to be written.

        A table that another program has changed gets a new uuid here, so that every row that was recorded before is compared
        once. Raises TableMissingError and the errors of `write`.
        """
        state = self.state(table)
        if state is not None:
            return state
        return self.maintain(table, lambda opened: None)

    def delete_rows(self, table: str, owners: Sequence[str]) -> str | None:
        """Remove all rows of these owners in one commit, if there are any, and return the new state.

        None if there is no table. Raises the errors of `write`.
        """
        if self.version(table) is None:
            return None
        opened = self.checked(table)
        condition = of_owners(self.specs[table], owners)
        with reading(table, self.folder(table)):
            if not owners or not opened.count_rows(condition):
                return self.state(table)
        return self._commit(table, opened.schema, lambda: self._retried(table, lambda: opened.delete(condition)))

    def drop(self, table: str) -> None:
        """Remove the table, even if another program made it. Raises TableWriteError."""
        folder = self.folder(table)
        doomed = folder.with_name(f".dropped-{os.getpid()}-{folder.name}")
        self._prove()
        try:
            # It is renamed first, since a partly removed table would look like one of another program.
            folder.replace(doomed)
            shutil.rmtree(doomed)
        except FileNotFoundError:
            return
        except OSError as error:
            raise write_error(table, folder, error) from error

    def maintain(self, table: str, work: "Callable[[Table], object]") -> str:
        """Let `work` make commits that change no row (indexes, compaction), and return the new state.

        Raises TableMissingError, TableSchemaError, ForeignTableError, TableWriteError.
        """
        opened = self.checked(table)
        spec = self.specs[table]

        def commit() -> None:
            self._prove()
            try:
                work(opened)
            except Exception as error:
                if not is_from_lance(error):
                    raise
                self._prove()
                raise write_error(table, self.folder(table), error) from error

        return self._commit(table, spec.schema(spec.dimensions_of(opened.schema)), commit)

    def _commit(self, table: str, schema: "pa.Schema", work: Callable[[], object]) -> str:
        """Let `work` make commits, which the mark announces so that an interruption is recognised; return the new state."""
        folder = self.folder(table)
        self._prove()
        try:
            mark = self._mark(table, schema)
            announce(folder, mark)
        except OSError as error:
            raise write_error(table, folder, error) from error
        try:
            work()
        except LeaseLostError:
            raise  # the mark belongs to another process now
        except BaseException:
            with contextlib.suppress(OSError):  # the current error is the one to report
                settle(folder, mark, newest_version(folder) or mark.version)
            raise
        # Changes that another process has made meanwhile must not be marked as ours.
        self._prove()
        try:
            return settle(folder, mark, newest_version(folder) or mark.version)
        except OSError as error:
            raise write_error(table, folder, error) from error

    def _mark(self, table: str, schema: "pa.Schema") -> Mark:
        """The mark under which the table may be written, after checking the folder."""
        folder = self.folder(table)
        version = self.version(table)
        if version is None:
            folder.mkdir(parents=True, exist_ok=True)
            # A new uuid, even if an old mark is left, since versions start again at 1.
            return Mark.new()
        opened = self.open(table)
        self._check_columns(table, schema, opened.schema)
        mark = read_mark(folder)
        if mark is None and opened.count_rows():
            raise foreign(table, folder)
        if mark is None or self.state(table) is None:
            return replace(Mark.new(), version=version)
        return mark

    def _opened_or_created(self, table: str, schema: "pa.Schema") -> "Table":
        if self.version(table) is not None:
            return self.open(table)
        made = keyed(schema, self.specs[table])
        return self._retried(table, lambda: self._connected().create_table(table, schema=made, exist_ok=True))

    def _retried(self, table: str, commit: Callable[[], _Result]) -> _Result:
        for attempt in range(1, _ATTEMPTS + 1):
            self._prove()
            try:
                return commit()
            except Exception as error:
                if not is_from_lance(error):
                    raise
                self._prove()  # the commit may have been refused by the fence of the process that has the lease now
                if attempt == _ATTEMPTS or not is_conflict(error):
                    raise write_error(table, self.folder(table), error) from error
        raise AssertionError("unreachable")

    def _connected(self) -> Any:
        if self._connection is None:
            require_address_space(_ADDRESS_SPACE_BYTES)
            self._connection = import_lancedb().connect(self._directory)
        return self._connection
