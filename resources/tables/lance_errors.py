"""The errors of tables, and the translation of LanceDB's errors to them.

TableError              a table is unusable; nothing in it was changed
  TableMissingError     it does not exist yet: seed first
  TableSchemaError      a column does not have the declared type: rebuild the table
  ForeignTableError     another program made the table: move it away, or rebuild
  TableReadError        LanceDB cannot open or read it: check the permissions of the folder
    TableDamagedError   its files are missing or damaged: run `check`, then `seed`, which rebuilds it
  TableWriteError       the disk, permissions or another writer prevented a write: fix that, then run again
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from io_managers.plain_text import plain

if TYPE_CHECKING:
    import pyarrow as pa

REBUILD = "`seedbank seed --rebuild-sink` rebuilds every table from the store, with no stage recomputed"

_MOVE_OR_REPLACE = f"Move it away if it is wanted elsewhere; {REBUILD}, replacing it."


class TableError(Exception):
    """One table is unusable. table: its name. reason: what was expected and found. remedy: what the user can do."""

    def __init__(self, table: str, reason: str, remedy: str) -> None:
        reason, remedy = plain(reason), plain(remedy)
        super().__init__(f"Table {table}: {reason} {remedy}")
        self.table = table
        self.reason = reason
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["TableError"], tuple[str, str, str]]:
        return type(self), (self.table, self.reason, self.remedy)


class TableMissingError(TableError):
    """The table was never written, or was removed."""


class TableSchemaError(TableError):
    """A column of the table, or of the rows to be written, is not as declared."""


class ForeignTableError(TableError):
    """There is a table of this name that was not made for this home."""


class TableReadError(TableError):
    """LanceDB cannot open or read the table, for example because this user may not read its files."""


class TableDamagedError(TableReadError):
    """LanceDB cannot open or read the table because some of its files are missing or damaged."""


class TableWriteError(TableError):
    """The rows could not be written; the table is unchanged."""


def missing(table: str, directory: Path) -> TableMissingError:
    """The error for a table that is not in `directory`."""
    return TableMissingError(table, f"there is none in {directory} yet.", "Run `seedbank seed` first.")


def removed(table: str, directory: Path) -> TableMissingError:
    """The error for a table of `directory` that was removed during the run that wrote it."""
    return TableMissingError(
        table,
        f"its folder was removed from {directory} while a run was using it.",
        "Run `seedbank seed` again: it writes the rows from the store, and computes nothing.",
    )


def foreign(table: str, folder: Path) -> ForeignTableError:
    """The error for the table in `folder` without a readable mark of this home."""
    return ForeignTableError(
        table,
        f"the table in {folder} has rows and was not made by Seedbank for this home.",
        _MOVE_OR_REPLACE,
    )


def check_schema(table: str, *, expected: "pa.Schema", found: "pa.Schema", where: str, ours: bool = True) -> None:
    """Raise TableSchemaError, which names the columns in which `found` differs. where: what has the schema `found`.

    The comparison is exact, since LanceDB silently casts columns that do not fit and fills missing ones with nulls.
    ours: whether Seedbank made the table for this home.
    """
    if expected.equals(found, check_metadata=False):
        return
    first, *others = _differences(expected, found) or [
        ("", f"the columns must be in the order {', '.join(expected.names)}, but are {', '.join(found.names)} in")
    ]
    also = f"; columns that differ too: {', '.join(name for name, _ in others)}" if others else ""
    remedy = f"{REBUILD}." if ours else f"Seedbank did not make this table for this home. {_MOVE_OR_REPLACE}"
    raise TableSchemaError(table, f"{first[1]} {where}{also}.", f"Nothing was changed. {remedy}")


def _differences(expected: "pa.Schema", found: "pa.Schema") -> list[tuple[str, str]]:
    """For each column that differs, its name and what is wrong with it."""
    wrong: list[tuple[str, str]] = []
    for field in expected:
        place = found.get_field_index(field.name)
        if place < 0:
            wrong.append((field.name, f"column {field.name} ({_described(field)}) is missing from"))
        elif not field.equals(found.field(place)):
            words = f"column {field.name} must be {_described(field)}, but is {_described(found.field(place))} in"
            wrong.append((field.name, words))
    wrong += [
        (field.name, f"column {field.name} ({_described(field)}) is one too many in")
        for field in found
        if field.name not in expected.names
    ]
    return wrong


def _described(field: "pa.Field") -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"


def read_error(table: str, folder: Path, error: BaseException) -> TableReadError:
    """The error for `error`, which LanceDB or the operating system raised while reading the table in `folder`.

    It is a TableDamagedError, unless permissions or limits of this process prevented reading.
    """
    text = _words(error)
    reason = f"it cannot be read from {folder}: {text[:400]}."
    for marks, remedy in _IN_THE_WAY:
        if any(mark in text.lower() for mark in marks):
            return TableReadError(table, reason, f"{remedy}, then run again.")
    return TableDamagedError(
        table,
        reason,
        f"Check that the folder exists. If files are damaged, run `seedbank check` and then `seedbank seed`, which "
        f"rebuilds the table; {REBUILD}.",
    )


def is_from_lance(error: BaseException) -> bool:
    """Whether `error` is of a class that LanceDB or the operating system raises.

    LanceDB raises plain RuntimeError, ValueError and OSError, and for a panic in its own code, which damaged files can
    cause, a class that cannot be imported.
    """
    return isinstance(error, RuntimeError | OSError | ValueError) or type(error).__name__ in _PANICS


def _words(error: BaseException) -> str:
    """The message of an error on one line, without the place in Lance's source code."""
    return _PLACE.sub("", " ".join(str(error).split()))


@contextlib.contextmanager
def reading(table: str, folder: Path) -> Iterator[None]:
    """Turn errors of LanceDB in the body, which reads the table in `folder`, into TableReadErrors."""
    try:
        yield
    except BaseException as error:
        if not is_from_lance(error):
            raise
        raise read_error(table, folder, error) from error


_PLACE = re.compile(r",? \S+\.rs:\d+:\d+")
_PANICS = frozenset({"RustPanic", "PanicException"})
# What can prevent a process from reading intact files.
_IN_THE_WAY = (
    (
        ("os error 13)", "errno 13]", "os error 1)", "errno 1]"),
        "Make it readable for this user (owner and permissions)",
    ),
    (("os error 24)", "errno 24]", "os error 23)", "errno 23]"), "Raise the limit of open files (ulimit -n 4096)"),
    (("os error 12)", "errno 12]"), "Give this process more memory"),
)
# LanceDB's errors tell the cause only in their text. It is recognised by the error number, since the words of the operating
# system depend on its language.
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
        "Wait until the other run has finished",
    ),
)


def is_conflict(error: BaseException) -> bool:
    """Whether LanceDB gave up because another writer committed first, so that repeating the write can succeed."""
    text = str(error).lower()
    return "commit conflict" in text or "concurrent writer" in text or "retryable" in text


def write_error(table: str, folder: Path, error: BaseException) -> TableWriteError:
    """The error for `error`, which LanceDB or the operating system raised while writing the table in `folder`."""
    text = _words(error)
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
        f"Nothing was changed; run again. If the error persists: {REBUILD}.",
    )
