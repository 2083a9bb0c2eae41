"""(stage, partition) -> what is current there. Refs are the roots: what no ref reaches may be collected.

What belongs here: publishing, reading and dropping refs. What does not: deciding whether a ref is still right (the
planner does, by comparing action keys).
"""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from io_managers.store.database import Database


class Ref(msgspec.Struct, frozen=True):
    """What is current for a partition of a stage, and the run that said so.

    state: for a table's rows, the table's identity and version that they went into ("" for values).
    """

    stage: str
    partition: str
    action_key: str
    content_digest: str
    run_id: str = ""
    state: str = ""


class Published(NamedTuple):
    """What a plan has to know of a ref. result: the digest that its action has in the store, None where it has none."""

    action_key: str
    content_digest: str
    state: str
    result: str | None


_COLUMNS = ", ".join(Ref.__struct_fields__)


class Refs:
    """The table of current results."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, stage: str, partitions: Iterable[str] | None = None) -> dict[str, Ref]:
        """partition -> ref, of one stage, of all partitions or of these, in one query. Unpublished ones are absent."""
        if partitions is None:
            rows = self._database.read(f"SELECT {_COLUMNS} FROM refs WHERE stage = ?", (stage,))
        else:
            wanted = msgspec.json.encode(list(partitions)).decode()
            rows = self._database.read(
                f"SELECT {_COLUMNS} FROM refs WHERE stage = ? AND partition IN (SELECT value FROM json_each(?))",
                (stage, wanted),
            )
        return {row[1]: Ref(*row) for row in rows}

    def published(self, stage: str, *, results: bool) -> dict[str, Published]:
        """partition -> what is current, of all partitions, in one query; with what the store has for it, if asked."""
        digest = "(SELECT a.content_digest FROM actions a WHERE a.action_key = r.action_key)" if results else "NULL"
        rows = self._database.read(
            f"SELECT partition, action_key, content_digest, state, {digest} FROM refs r WHERE stage = ?", (stage,)
        )
        return {row[0]: Published(*row[1:]) for row in rows}

    def partitions(self, stages: Iterable[str]) -> set[str]:
        """Every partition that has a ref of any of these stages."""
        wanted = msgspec.json.encode(list(stages)).decode()
        rows = self._database.read(
            "SELECT DISTINCT partition FROM refs WHERE stage IN (SELECT value FROM json_each(?))", (wanted,)
        )
        return {row[0] for row in rows}

    def publish(self, refs: Sequence[Ref]) -> None:
        """Make these current, durably, all or none."""
        now = time.time()
        self._database.write(
            (
                f"INSERT OR REPLACE INTO refs ({_COLUMNS}, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*msgspec.structs.astuple(ref), now) for ref in refs],
            )
        ).result()

    def drop(self, stage: str, partitions: Sequence[str]) -> None:
        """Forget what was current; the results stay in the store and are found again by content."""
        self._database.write(
            (
                "DELETE FROM refs WHERE stage = ? AND partition = ?",
                [(stage, partition) for partition in partitions],
            )
        ).result()

    def drop_stage(self, stage: str) -> None:
        """Forget what was current for every partition of a stage."""
        self._database.write(("DELETE FROM refs WHERE stage = ?", [(stage,)])).result()

    def drop_partitions(self, partitions: Sequence[str]) -> None:
        """Forget these partitions in every stage, all or none."""
        self._database.write(
            ("DELETE FROM refs WHERE partition = ?", [(partition,) for partition in partitions])
        ).result()
