"""The tables of the knowledge base in LanceDB. What belongs here: reading and replacing rows, by whose they are.

What does not: what rows say (the sink's stages), which tables there are (lance_schema.py), indexes
(lance_indexes.py), searching (retrieval). LanceDB is imported by the first method that opens a table: it takes
seconds, and `state`, which the planner asks for, does without.

One writer a table at a time: whoever calls `written` and then `write`, `delete_rows`, `claim`, `drop` or
`ensure_indexes` holds the table's lock meanwhile. LanceDB itself detects most conflicts, but two processes that merge
the same *new* rows at once put them in twice, without an error (measured with 0.40); `write` takes such copies out
again when it meets them. Readers need no lock.

LanceDB runs threads of its own and does not survive a fork: start worker processes by spawn or forkserver.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from resources.lance_errors import (
    check_schema,
    foreign,
    is_conflict,
    missing,
    reading,
    write_error,
)
from resources.lance_marker import Mark, announce, newest_version, read_mark, settle, state_of
from resources.lance_rows import check_rows, delete_copies, merge, of_owners
from resources.lance_schema import TABLES

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
        `lance_marker.is_current` says. Raises TableReadError where the folder cannot be read.
        """
        with reading(table, self.folder(table)):
            return state_of(self.folder(table))

    def folder(self, table: str) -> Path:
        """The folder of a table."""
        return self._directory / f"{TABLES[table].name}.lance"

    def version(self, table: str) -> int | None:
        """The newest version of the table, whoever made it; None where there is no table. Raises TableReadError."""
        with reading(table, self.folder(table)):
            return newest_version(self.folder(table))

    def open(self, table: str) -> "Table":
        """The table in LanceDB, at its newest version. Raises TableMissingError, TableReadError."""
        folder = self.folder(table)
        if self.version(table) is None:
            raise missing(table, self._directory)
        with reading(table, folder):
            return self._connected().open_table(table)

    def read(self, table: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """All rows, in the order of the table's key, with the given columns or all. Raises TableMissingError, TableReadError."""
        spec = TABLES[table]
        wanted = [column.name for column in spec.columns] if columns is None else list(columns)
        with reading(table, self.folder(table)):
            rows = self.open(table).search().select([*dict.fromkeys([*wanted, spec.key])]).to_arrow()
        return rows.sort_by(spec.key).select(wanted)

    def owners(self, table: str) -> set[str]:
        """Those that have rows in a table of owners. Empty where there is no table. Raises TableReadError."""
        spec = TABLES[table]
        if not spec.owner or self.version(table) is None:
            return set()
        return set(self.read(table, [spec.owner])[spec.owner].to_pylist())

    def written(self, table: str, owners: Sequence[str]) -> dict[str, str]:
        """The content digest that each owner's rows were written from, for those that have rows.

        Left out, so that they are written again: owners whose rows disagree or are there twice. A table without owners
        is all of "". Empty where there is no table. Raises TableReadError.
        """
        if not owners or self.version(table) is None:
            return {}
        spec = TABLES[table]
        with reading(table, self.folder(table)):
            query = self.open(table).search().where(of_owners(spec, owners))
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
        """Replace all rows of these owners by `rows`, in one commit, and return the new state.

        An owner without rows loses those it had. Creates the table if need be.
        Raises TableSchemaError where a column of the rows or of the table is not as declared (nothing is cast),
        ForeignTableError for somebody else's table, TableWriteError where the disk or another writer is in the way.
        In each case the table is as it was.
        """
        import pyarrow as pa

        spec = TABLES[table]
        incoming = rows.read_all() if isinstance(rows, pa.RecordBatchReader) else rows
        schema = spec.schema(spec.dimensions_of(incoming.schema))
        check_schema(table, expected=schema, found=incoming.schema, where="the rows to be written")
        check_rows(spec, incoming, owners)

        def replace_rows() -> None:
            opened = self._opened_or_created(table, schema)
            result = self._retried(table, lambda: merge(opened, spec, incoming, owners))
            if result.num_updated_rows + result.num_inserted_rows > incoming.num_rows:
                self._retried(table, lambda: delete_copies(opened, spec, owners))

        return self._commit(table, schema, replace_rows)

    def claim(self, table: str) -> str:
        """The state to record for rows that `written` found right, so that nothing had to be written.

        A table that others have changed gets a new uuid here, which makes every row recorded before be looked at
        once. Raises TableMissingError, and as `write`.
        """
        state = self.state(table)
        if state is not None:
            return state
        return self.maintain(table, lambda opened: None)

    def delete_rows(self, table: str, owners: Sequence[str]) -> str | None:
        """Remove all rows of these owners in one commit, if there are any, and return the state after it.

        None where there is no table. Raises as `write`.
        """
        if self.version(table) is None:
            return None
        opened = self.open(table)
        condition = of_owners(TABLES[table], owners)
        with reading(table, self.folder(table)):
            if not owners or not opened.count_rows(condition):
                return self.state(table)
        return self._commit(table, opened.schema, lambda: self._retried(table, lambda: opened.delete(condition)))

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

    def maintain(self, table: str, work: "Callable[[Table], object]") -> str:
        """Let `work` make commits that change no row (indexes, compaction), and return the state after them.

        Raises TableMissingError, TableSchemaError, ForeignTableError, TableWriteError.
        """
        opened = self.open(table)
        spec = TABLES[table]

        def commit() -> None:
            try:
                work(opened)
            except (RuntimeError, OSError, ValueError) as error:
                raise write_error(table, self.folder(table), error) from error

        return self._commit(table, spec.schema(spec.dimensions_of(opened.schema)), commit)

    def _commit(self, table: str, schema: "pa.Schema", work: Callable[[], object]) -> str:
        """Let `work` make its commits, known as ours whatever interrupts them, and return the state after them."""
        folder = self.folder(table)
        try:
            mark = self._mark(table, schema)
            announce(folder, mark)
        except OSError as error:
            raise write_error(table, folder, error) from error
        try:
            work()
        except BaseException:
            with contextlib.suppress(OSError):  # the error under way is the one to tell
                settle(folder, mark, newest_version(folder) or mark.version)
            raise
        try:
            return settle(folder, mark, newest_version(folder) or mark.version)
        except OSError as error:
            raise write_error(table, folder, error) from error

    def _mark(self, table: str, schema: "pa.Schema") -> Mark:
        """The mark under which the table may be written, after looking at what is in its place."""
        folder = self.folder(table)
        version = self.version(table)
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
        if self.version(table) is not None:
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

    def _connected(self) -> Any:
        if self._connection is None:
            import lancedb

            self._connection = lancedb.connect(self._directory)
        return self._connection
