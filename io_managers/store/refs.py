"""The table of refs: which action is current for a partition of a stage.

The planner decides, by comparing action keys, whether a ref is up to date. A ref is used only if its seal is intact; a
damaged one counts as never published.
"""

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from io_managers.store.action_cache import WARNED, ActionCache
from io_managers.store.sqlite.database import Database, Row
from io_managers.store.sqlite.schema import SEALS
from io_managers.store.sqlite.seals import seal, sound, sql_seal


class Ref(msgspec.Struct, frozen=True):
    """The current result for a partition of a stage, and the run that published it.

    state: for rows, the identity and the version of the table into which they were written; "" for values.
    """

    stage: str
    partition: str
    action_key: str
    content_digest: str
    run_id: str = ""
    state: str = ""


class Published(NamedTuple):
    """The part of a ref that a plan needs. result: the digest of its action's result in the store; None if there is none."""

    action_key: str
    content_digest: str
    state: str
    result: str | None


_SEALED = SEALS["refs"]["seal"]
_COLUMNS = ", ".join(_SEALED)
_OF_STAGE = ", ".join(_SEALED[1:])
# The columns that a plan reads of a stage, without and with the results of the actions.
_ACTION_DIGEST = "(SELECT a.content_digest FROM actions a WHERE a.action_key = r.action_key)"
_OF_PLAN = [f"{_OF_STAGE}, {{seal}}, {digest} FROM refs r WHERE stage = ?" for digest in ("NULL", _ACTION_DIGEST)]
# So many rows are read at a time where they are not kept: some megabytes.
_PART = 10_000
# The state of rows is `<uuid>@<version>`, that of values is empty. A damaged ref is always replaced.
_PUBLISH = f"""INSERT INTO refs ({_COLUMNS}, run_id, published_at, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (stage, partition) DO UPDATE SET action_key = excluded.action_key,
    content_digest = excluded.content_digest, state = excluded.state, run_id = excluded.run_id,
    published_at = excluded.published_at, seal = excluded.seal
    WHERE refs.state = '' OR substr(refs.state, 1, instr(refs.state, '@'))
        IS NOT substr(excluded.state, 1, instr(excluded.state, '@'))
    OR CAST(substr(refs.state, instr(refs.state, '@') + 1) AS INTEGER)
        <= CAST(substr(excluded.state, instr(excluded.state, '@') + 1) AS INTEGER)
    OR refs.seal IS NOT {sql_seal(*(f"refs.{name}" for name in _SEALED))}"""


class Refs:
    """The table of current results."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sealed = database.sealed
        self._seal = "seal" if self._sealed else "NULL"

    def _sound(self, rows: list[Row], stage: str) -> list[Row]:
        return sound(rows, len(_SEALED) - 1, stage) if self._sealed else rows

    def get(self, stage: str, partitions: Iterable[str] | None = None) -> dict[str, Ref]:
        """The refs of a stage by partition, for all partitions or for these. Unpublished ones are absent. It takes one query."""
        query = f"SELECT {_OF_STAGE}, {self._seal}, run_id FROM refs WHERE stage = ?"
        if partitions is None:
            rows = self._database.read(query, (stage,))
        else:
            wanted = msgspec.json.encode(list(partitions)).decode()
            rows = self._database.read(f"{query} AND partition IN (SELECT value FROM json_each(?))", (stage, wanted))
        return {
            partition: Ref(stage, partition, key, digest, run_id, state)
            for partition, key, digest, state, _, run_id in self._sound(rows, stage)
        }

    def of_run(self, run_id: str) -> list[Ref]:
        """The refs that a run has published and that are current still."""
        query = f"SELECT {_COLUMNS}, {self._seal}, run_id FROM refs WHERE run_id = ?"
        rows = self._database.read(query, (run_id,))
        kept = sound(rows, len(_SEALED)) if self._sealed else rows
        return [Ref(stage, partition, key, digest, run, state) for stage, partition, key, digest, state, _, run in kept]

    def published(self, stage: str, *, results: bool) -> dict[str, Published]:
        """The refs of all partitions of a stage for a plan, in one query. results: whether to look up the actions' results."""
        return self.published_with_digest(stage, results=results)[0]

    def published_with_digest(
        self, stage: str, *, results: bool, digest: bool = False
    ) -> tuple[dict[str, Published], str]:
        """The same with the `digest` of these rows; "" without `digest`, or if a row is not text."""
        stored = self._database.read(f"SELECT {_OF_PLAN[results].format(seal=self._seal)} ORDER BY partition", (stage,))
        known = _digest([stored]) if digest else ""
        if not (rows := self._sound(stored, stage)):
            return {}, known
        partitions, keys, digests, states, _, found = zip(*rows, strict=True)
        if results and found != digests:
            # If the ref and the action agree, no further check is needed; if they differ, the action's own seal decides.
            doubted = [
                key for key, digest, other in zip(keys, digests, found, strict=True) if other not in (digest, None)
            ]
            intact = ActionCache(self._database).existing(doubted) if doubted else {}
            found = [
                other if other == digest else intact.get(key)
                for key, digest, other in zip(keys, digests, found, strict=True)
            ]
        elif results:
            found = digests  # equal texts are kept once
        columns = zip(keys, digests, map(sys.intern, states), found, strict=True)
        return dict(zip(partitions, map(Published._make, columns), strict=True)), known

    def digest(self, stage: str, *, results: bool) -> str:
        """A digest of all rows from which `published` follows, as they are stored; they are read a part at a time.

        "" if a row is not text: then no two digests are of the same rows.
        """
        return _digest(self._parts(f"SELECT {_OF_PLAN[results].format(seal=self._seal)}", stage))

    def keys(self, stage: str) -> Iterator[tuple[str, str]]:
        """(partition, action key) of all refs of a stage, sorted; they are read a part at a time."""
        for rows in self._parts(f"SELECT {_OF_STAGE}, {self._seal} FROM refs r WHERE stage = ?", stage):
            yield from ((partition, key) for partition, key, *_ in self._sound(rows, stage))

    def _parts(self, query: str, stage: str) -> Iterator[list[Row]]:
        """The rows of a query, whose first column is the partition, so many at a time."""
        after = ""
        while rows := self._database.read(
            f"{query} AND partition >= ? ORDER BY partition LIMIT {_PART}", (stage, after)
        ):
            yield rows
            last = rows[-1][0]
            if not isinstance(last, str) or last < after:  # a damaged row
                return
            after = f"{last}\0"  # the least text behind it

    def warnings(self, stage: str) -> dict[str, tuple[str, ...]]:
        """The warnings of a stage's current results by partition; those without warnings are absent. No value is opened."""
        rows = self._database.read(
            f"SELECT {_OF_STAGE}, {self._seal} FROM refs r WHERE stage = ? AND EXISTS"
            " (SELECT 1 FROM actions a WHERE a.action_key = r.action_key AND instr(a.provenance, ?))",
            (stage, WARNED),
        )
        keys = {partition: key for partition, key, *_ in self._sound(rows, stage)}
        records = ActionCache(self._database).lookup(set(keys.values())) if keys else {}
        found = {partition: records[key].provenance.warnings for partition, key in keys.items() if key in records}
        return {partition: warnings for partition, warnings in found.items() if warnings}

    def states(self, stage: str) -> set[str]:
        """All states that the refs of a stage have."""
        return {row[0] for row in self._database.read("SELECT DISTINCT state FROM refs WHERE stage = ?", (stage,))}

    def counts(self) -> dict[str, int]:
        """Stage -> how many refs it has, of all stages that have any, by name."""
        return dict(self._database.read("SELECT stage, count(*) FROM refs GROUP BY stage ORDER BY stage"))

    def partitions(self, stages: Iterable[str]) -> set[str]:
        """Every partition that has a ref of any of these stages."""
        wanted = msgspec.json.encode(list(stages)).decode()
        rows = self._database.read(
            "SELECT DISTINCT partition FROM refs WHERE stage IN (SELECT value FROM json_each(?))", (wanted,)
        )
        return {row[0] for row in rows}

    def publish(self, refs: Sequence[Ref]) -> None:
        """Publish refs durably, in one transaction.

        A ref of rows is kept if it belongs to a later version of the same table: the process that wrote the earlier rows was
        delayed before it could publish them.
        """
        if not refs:
            return
        self._database.write((_PUBLISH, [ref_row(ref, time.time()) for ref in refs])).result()

    def damaged(self) -> list[tuple[str, str]]:
        """(stage, partition) of all damaged refs, as they are stored now."""
        rows = self._database.read(f"SELECT {_COLUMNS}, {self._seal} FROM refs")
        kept = {id(row) for row in (sound(rows, len(_SEALED)) if self._sealed else rows)}
        return [(str(row[0]), str(row[1])) for row in rows if id(row) not in kept]

    def forget_damaged(self) -> int:
        """Delete damaged refs and return how many there were. Raises StoreUnavailableError."""
        if not self._sealed:
            return 0
        with self._database.volatile_transaction() as connection:
            return connection.execute(f"DELETE FROM refs WHERE seal IS NOT {sql_seal(*_SEALED)}").rowcount

    def drop(self, stage: str, partitions: Sequence[str]) -> None:
        """Delete the refs of these partitions of a stage; the results stay in the store and can be reused."""
        self._database.write(
            (
                "DELETE FROM refs WHERE stage = ? AND partition = ?",
                [(stage, partition) for partition in partitions],
            )
        ).result()

    def drop_stage(self, stage: str) -> None:
        """Delete all refs of a stage."""
        self._database.write(("DELETE FROM refs WHERE stage = ?", [(stage,)])).result()

    def drop_partitions(self, partitions: Sequence[str], besides: Sequence[str] = ()) -> None:
        """Delete the refs of these partitions in all stages, in one transaction. besides: stages that keep theirs."""
        kept = msgspec.json.encode(list(besides)).decode()
        self._database.write(
            (
                "DELETE FROM refs WHERE partition = ? AND stage NOT IN (SELECT value FROM json_each(?))",
                [(partition, kept) for partition in partitions],
            )
        ).result()


def _digest(parts: Iterable[list[Row]]) -> str:
    """The digest of rows of `_OF_PLAN`. Their seals are not in it, since they follow from the rest."""
    hasher = hashlib.blake2b(digest_size=16)
    try:
        for rows in parts:
            # No column contains a null character, and no partition a line break.
            hasher.update("".join([f"{r[0]}\0{r[1]}\0{r[2]}\0{r[3]}\0{r[5] or ''}\n" for r in rows]).encode())
    except UnicodeError:
        return ""
    return hasher.hexdigest()


def ref_row(ref: Ref, published_at: float) -> Row:
    """The row of a ref with its seal."""
    sealed = (ref.stage, ref.partition, ref.action_key, ref.content_digest, ref.state)
    return (*sealed, ref.run_id, published_at, seal(*sealed))
