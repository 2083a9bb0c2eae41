"""Action key -> why it failed. A deterministic failure is not paid for again until its key changes.

What belongs here: remembering failures. What does not: retrying (the layer that talks to the outside does) and
deciding which failures a run skips (the runner and the planner do).
"""

import time
from collections.abc import Iterable, Sequence

import msgspec

from io_managers.store.database import Database, Write


class FailureRecord(msgspec.Struct, frozen=True):
    """An action that failed.

    partition: the document for which it was seen (others of equal content share the key); "" where the fault was not
    the document's but its table's.
    transient: asking again may help; such a failure is tried again by the next run.
    """

    action_key: str
    stage: str
    partition: str
    reason: str
    remedy: str
    transient: bool
    failed_at: float = 0.0


_NAMES = FailureRecord.__struct_fields__
_COLUMNS = ", ".join(_NAMES)


class Failures:
    """The table of failed actions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lookup(self, keys: Iterable[str]) -> dict[str, FailureRecord]:
        """The failed ones among these action keys, in one query."""
        wanted = msgspec.json.encode(list(keys)).decode()
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM failures WHERE action_key IN (SELECT value FROM json_each(?))", (wanted,)
        )
        return {
            row[0]: msgspec.convert(dict(zip(_NAMES, row, strict=True)), FailureRecord, strict=False) for row in rows
        }

    def record(self, failures: Sequence[FailureRecord]) -> None:
        """Remember these, durably; a later failure of the same action replaces the earlier."""
        self._database.write(
            (
                f"INSERT OR REPLACE INTO failures ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*msgspec.structs.astuple(failure)[:6], time.time()) for failure in failures],
            )
        ).result()

    def forget(self, keys: Sequence[str]) -> None:
        """These succeeded after all, in a way that commits no result."""
        if keys:
            self._database.write(self.clear(keys)).result()

    @staticmethod
    def clear(keys: Sequence[str]) -> Write:
        """The row to commit when actions succeeded after all."""
        return ("DELETE FROM failures WHERE action_key = ?", [(key,) for key in keys])
