"""What can go wrong with a table, named after what to do, and the one place that translates LanceDB's errors.

TableError              a table is unusable; nothing in it was changed
  TableMissingError     it does not exist yet: seed first
  TableSchemaError      a column is not of the type that it must have: rebuild the table
  ForeignTableError     somebody else's table is in its place: move it, or rebuild
  TableReadError        LanceDB cannot open or read it: rebuild the table
  TableWriteError       disk, permissions or another writer stood in the way: mend that, then run again
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

REBUILD = "`seedbank seed --rebuild-sink` rebuilds every table from the store, with no stage recomputed"


class TableError(Exception):
    """One table is unusable. `table` is its name, `reason` what was expected and found, `remedy` what to do next."""

    def __init__(self, table: str, reason: str, remedy: str) -> None:
        super().__init__(f"Table {table}: {reason} {remedy}")
        self.table = table
        self.reason = reason
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["TableError"], tuple[str, str, str]]:
        return type(self), (self.table, self.reason, self.remedy)


class TableMissingError(TableError):
    """The table was never written, or was removed."""


class TableSchemaError(TableError):
    """A column of the table, or of the rows for it, is not what the table's declaration says."""


class ForeignTableError(TableError):
    """A table of this name is there that was not made for this home."""


class TableReadError(TableError):
    """LanceDB cannot open or read the table: files of it are gone, damaged or not readable for this user."""


class TableWriteError(TableError):
    """The rows could not be written; the table is as it was before."""


def missing(table: str, directory: Path) -> TableMissingError:
    """The error for a table that is not in `directory`."""
    return TableMissingError(table, f"there is none in {directory} yet.", "Run `seedbank seed` first.")


def foreign(table: str, folder: Path) -> ForeignTableError:
    """The error for the table in `folder`, which has no mark of this home or one that cannot be read."""
    return ForeignTableError(
        table,
        f"the table in {folder} has rows and was not made by Seedbank for this home.",
        f"Move it away if it is wanted elsewhere; {REBUILD}, replacing it.",
    )


def check_schema(table: str, *, expected: "pa.Schema", found: "pa.Schema", where: str) -> None:
    """Raise TableSchemaError for the first column in which `found` differs; `where` says whose schema it is.

    Exact on purpose: LanceDB casts what does not fit and fills missing columns with nulls, without a word.
    """
    if expected.equals(found, check_metadata=False):
        return
    raise TableSchemaError(table, f"{_difference(expected, found)} {where}.", f"Nothing was changed. {REBUILD}.")


def _difference(expected: "pa.Schema", found: "pa.Schema") -> str:
    for field in expected:
        if field.name not in found.names:
            return f"column {field.name} ({_described(field)}) is missing from"
        if not field.equals(found.field(field.name)):
            return f"column {field.name} must be {_described(field)}, but is {_described(found.field(field.name))} in"
    for name in found.names:
        if name not in expected.names:
            return f"column {name} ({_described(found.field(name))}) is one too many in"
    return f"the columns must be in the order {', '.join(expected.names)}, but are {', '.join(found.names)} in"


def _described(field: "pa.Field") -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"


def read_error(table: str, folder: Path, error: BaseException) -> TableReadError:
    """`error`, raised by LanceDB or the operating system while reading the table in `folder`, in our words."""
    return TableReadError(
        table,
        f"it cannot be read from {folder}: {' '.join(str(error).split())[:400]}.",
        f"See that the folder is readable for this user; if it is damaged, {REBUILD}.",
    )


@contextlib.contextmanager
def reading(table: str, folder: Path) -> Iterator[None]:
    """Raise what LanceDB raises inside, while reading the table in `folder`, as a TableReadError."""
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:
        raise read_error(table, folder, error) from error


# LanceDB raises bare RuntimeError, ValueError and OSError; what happened is in the text alone. By number, since the
# words of the operating system follow its language.
_CAUSES = (
    (
        ("os error 28", "errno 28", "os error 122", "errno 122", "os error 27"),
        "the disk is full",
        "Free some space, or move the home (SEEDBANK_HOME)",
    ),
    (
        ("os error 13", "errno 13", "os error 1)", "errno 1]", "os error 30", "errno 30"),
        "its folder is not writable for this user",
        "Make it writable (owner and permissions)",
    ),
    (("os error 24", "errno 24"), "too many files are open", "Raise the limit (ulimit -n 4096)"),
    (
        ("commit conflict", "concurrent writer", "concurrent commit", "retryable", "timed out"),
        "another program keeps writing to it",
        "Let the other run finish",
    ),
)


def is_conflict(error: BaseException) -> bool:
    """Whether LanceDB gave up because somebody else committed first, so that doing it again can succeed."""
    text = str(error).lower()
    return "commit conflict" in text or "concurrent writer" in text or "retryable" in text


def write_error(table: str, folder: Path, error: BaseException) -> TableWriteError:
    """`error`, raised by LanceDB or the operating system while writing the table in `folder`, in our words."""
    text = " ".join(str(error).split())
    for marks, cause, remedy in _CAUSES:
        if any(mark in text.lower() for mark in marks):
            return TableWriteError(
                table,
                f"the rows could not be written to {folder}: {cause} ({text[:200]}).",
                f"{remedy}, then run again: only this write is repeated.",
            )
    return TableWriteError(
        table,
        f"the rows could not be written to {folder}: {text[:400]}.",
        f"Nothing was changed; run again. If it stays, {REBUILD}.",
    )
