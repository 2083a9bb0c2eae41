"""The table of failed actions. A permanent failure is not repeated, and not paid for again, until its key changes.

Requests are retried in `resources.endpoints`; the runner and the planner decide which failures a run skips.

A row is used only if its seal is intact; otherwise it is ignored, and its action is tried again.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence, Set

import msgspec

from io_managers.store.sqlite.database import Database, Row, Write
from io_managers.store.sqlite.schema import SEALS
from io_managers.store.sqlite.seals import is_sound, seal, sql_seal


class FailureRecord(msgspec.Struct, frozen=True):
    """An action that failed.

    partition: the document with which it failed (documents of equal content share the key); "" if the table was at fault.
    transient: whether the next run tries it again.
    settings: a digest of the settings that shaped the request, "" if none did; the failure holds only while they stay the
    same.
    """

    action_key: str
    stage: str
    partition: str
    reason: str
    remedy: str
    transient: bool
    failed_at: float = 0.0
    settings: str = ""

    def holds(self, settings: Set[str] | None) -> bool:
        """Whether the action would fail again. settings: the digests of the current settings; None if they are unchanged."""
        return not self.transient and (not self.settings or settings is None or self.settings in settings)


_NAMES = FailureRecord.__struct_fields__


class Failures:
    """The table of failed actions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sealed = database.sealed
        # An old file in a read-only directory has no column for settings.
        there = {name for (name,) in database.read("SELECT name FROM pragma_table_info('failures')")}
        self._names = [name for name in _NAMES if name in there]
        self._columns = f"{', '.join(self._names)}, {'seal' if self._sealed else 'NULL'}"

    def _is_sound(self, row: Row) -> bool:
        return not self._sealed or is_sound((*row[:5], str(row[5])), row[-1])

    def lookup(self, keys: Iterable[str]) -> dict[str, FailureRecord]:
        """The failures of those actions that failed, by key. It takes one query."""
        wanted = msgspec.json.encode(list(keys)).decode()
        rows = self._database.read(
            f"SELECT {self._columns} FROM failures WHERE action_key IN (SELECT value FROM json_each(?))", (wanted,)
        )
        return {
            row[0]: msgspec.convert(dict(zip(self._names, row[:-1], strict=True)), FailureRecord, strict=False)
            for row in rows
            if self._is_sound(row)
        }

    def digest(self) -> str:
        """A digest of the whole table, as it is stored."""
        rows = self._database.read(f"SELECT {self._columns} FROM failures ORDER BY action_key")
        return hashlib.blake2b(repr(rows).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()

    def of(self, partitions: Iterable[str]) -> list[FailureRecord]:
        """The failures of all actions that failed with these documents."""
        wanted = msgspec.json.encode(list(partitions)).decode()
        query = "SELECT action_key FROM failures WHERE partition IN (SELECT value FROM json_each(?))"
        return list(self.lookup(key for (key,) in self._database.read(query, (wanted,))).values())

    def record(self, failures: Sequence[FailureRecord]) -> None:
        """Record failures durably; a later failure of an action replaces the earlier one."""
        self._database.write(
            (
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [failure_row(msgspec.structs.replace(failure, failed_at=time.time())) for failure in failures],
            )
        ).result()

    def damaged(self) -> list[str]:
        """The keys of all damaged rows, as they are stored now."""
        rows = self._database.read(f"SELECT {self._columns} FROM failures")
        return [str(row[0]) for row in rows if not self._is_sound(row)]

    def forget_damaged(self) -> int:
        """Delete damaged rows and return how many there were. Raises StoreUnavailableError."""
        if not self._sealed:
            return 0
        with self._database.volatile_transaction() as connection:
            return connection.execute(
                f"DELETE FROM failures WHERE seal IS NOT {sql_seal(*SEALS['failures']['seal'])}"
            ).rowcount

    def forget(self, keys: Sequence[str]) -> None:
        """Delete the failures of actions that have succeeded without committing a result."""
        if keys:
            self._database.write(self.clear(keys)).result()

    @staticmethod
    def clear(keys: Sequence[str]) -> Write:
        """The write that deletes failures, to be committed together with the results of the actions."""
        return ("DELETE FROM failures WHERE action_key = ?", [(key,) for key in keys])


def failure_row(failure: FailureRecord) -> Row:
    """The row of a failure with its seal. If the settings are damaged, they match no current ones, and it is tried again."""
    key, stage, partition, reason, remedy, transient, failed_at, settings = msgspec.structs.astuple(failure)
    sealed = seal(key, stage, partition, reason, remedy, str(int(transient)))
    return (key, stage, partition, reason, remedy, int(transient), failed_at, sealed, settings)
