"""Collects what the rules of a store no longer keep: results that are not in use, values that nothing names, leftovers.

What may be removed is chosen in SQL and read as a stream, so that a million results need little memory; how it is removed is in
`removal`. What a ref points to is never chosen. Neither is the basis of a published result: an action of no stage whose key names
a published value, such as what the next clustering continues from.
"""

import math
import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from io_managers.store.action_cache import WITH_COST, Provenance
from io_managers.store.codecs.stored_bytes import Files, expand
from io_managers.store.retention.removal import (
    BATCH,
    ORPHANS,
    note_published,
    remove_actions,
    remove_lost_origins,
    remove_values,
    stray_files,
)
from io_managers.store.retention.rules import Collection, Reason, Removed, Rules
from io_managers.store.retention.space import size_of, usage_of
from io_managers.store.store import Store

_DAY_SECONDS = 86_400
_GROUP = 5000
_LEASE = "collection of the store"
# The space of a row besides its texts: key, digest, numbers, and its entries in the indexes (measured).
_ROW_BYTES = 420
# The dollars that a million tokens without a known price are taken to cost, so that they are not the first to go (a judgement).
_UNPRICED_USD = 1.0
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# A value begins with the name of its codec; a text that was kept under its digest (Store.keep_texts) does not.
_VALUE = b"seedbank "
_CHOSEN = (
    "SELECT a.rowid, a.action_key, a.stage, a.content_digest, a.provenance, {parts}, coalesce(length(o.data), o.size_bytes, 0)"
    f" AS value_bytes, length(a.parts) + length(a.provenance) + {_ROW_BYTES} AS row_bytes"
    " FROM actions a LEFT JOIN objects o ON o.content_digest = a.content_digest"
    " WHERE a.created_at < ? AND coalesce(a.used_on, 0) < ?"
    " AND NOT EXISTS (SELECT 1 FROM refs WHERE refs.action_key = a.action_key)"
)
_OF_NO_STAGE = "a.stage NOT IN (SELECT stage FROM refs)"
_FREE = f"NOT ({WITH_COST.replace('provenance', 'a.provenance')})"


def collect(store: Store, rules: Rules, *, dry_run: bool) -> Collection:
    """Remove what the rules do not keep, beside other processes, or find out what that would be.

    Results go in small groups, so that an interruption loses nothing and another collection continues. One process at a time
    collects. Raises StoreUnavailableError, and LeaseBusyError if another process has been collecting for a while.
    """
    with store.leases.hold(_LEASE), store.database.maintained() as connection:
        return _Collecting(store, connection, rules, dry_run=dry_run).run()


@dataclass(frozen=True, slots=True)
class _Candidate:
    row: int
    key: str
    stage: str
    digest: str
    provenance: str
    parts: str
    value_bytes: int
    row_bytes: int


class _Collecting:
    def __init__(self, store: Store, connection: sqlite3.Connection, rules: Rules, *, dry_run: bool) -> None:
        self._store = store
        self._connection = connection
        self._files = Files(store.directory / "objects")
        self._rules = rules
        self._now = time.time()
        self._found = Collection(dry_run=dry_run)
        self._shared: dict[str, int] = {}
        self._taken: list[tuple[int, str, int]] = []
        self._dry_run = dry_run

    def run(self) -> Collection:
        found, connection = self._found, self._connection
        found.before_bytes = size_of(self._store.directory)
        usage = usage_of(connection)
        note_published(connection)
        connection.execute("DROP TABLE IF EXISTS temp.chosen")
        connection.execute(
            "CREATE TEMP TABLE chosen (row INTEGER PRIMARY KEY, action_key TEXT NOT NULL, unused INTEGER)"
        )
        self._shared = dict(
            connection.execute(
                "SELECT content_digest, count(*) FROM actions GROUP BY content_digest HAVING count(*) > 1"
            )
        )
        self._choose_unused()
        freed = found.total.bytes + self._choose_orphans()
        if self._rules.limit_bytes:
            used = found.before_bytes - usage.free_bytes
            over = used - freed - self._rules.limit_bytes
            found.still_over_bytes = max(0, over - self._choose_cheapest(over)) if over > 0 else 0
        freed = found.total.bytes + found.orphan_bytes
        found.after_bytes = max(0, found.before_bytes - usage.free_bytes - freed)
        if not self._dry_run:
            self._remove()
        self._sweep()
        if not self._dry_run:
            found.after_bytes = size_of(self._store.directory)
            found.free_bytes = usage_of(connection).free_bytes
        return found

    def _before(self, days: float) -> tuple[float, int]:
        """(The time before which a result must have been computed, the day before which it must have been used last).

        A run publishes what it has found or computed within a day, so what is younger than that stays in any case.
        """
        at = self._now - max(days, 1.0) * _DAY_SECONDS
        return at, int(at // _DAY_SECONDS)

    def _choose_unused(self) -> None:
        """Choose results that were not used for their time to live."""
        for stage, days in self._rules.ttl_days.items():
            if days > 0:
                self._choose("a.stage = ?", [stage], max(days, self._rules.grace_days), "unused")
        if (days := self._rules.free_ttl_days) > 0:
            # Inner results, such as the vectors of single texts, are of no stage: newer ones do not replace them.
            named = ", ".join("?" * len(self._rules.ttl_days))
            condition = f"{_FREE} AND NOT {_OF_NO_STAGE} AND a.stage NOT IN ({named})"
            self._choose(condition, list(self._rules.ttl_days), max(days, self._rules.grace_days), "unused")

    def _choose(self, condition: str, parameters: list[object], days: float, reason: Reason) -> None:
        at, day = self._before(days)
        query = f"{_CHOSEN.format(parts=_PARTS)} AND {condition}"
        for one in self._candidates(query, [at, day, *parameters]):
            self._take(one, reason, day)
        self._keep_taken()

    def _choose_cheapest(self, over_bytes: int) -> int:
        """Choose results until so many bytes are free, those first that cost least per byte; returns how many bytes that frees.

        Costs are compared by their order of magnitude: among those of the same order, the least recently used go first.
        """
        self._connection.create_function("cost_order", 2, _cost_order, deterministic=True)
        at, day = self._before(self._rules.grace_days)
        freed = 0
        query = (
            f"{_CHOSEN.format(parts=_PARTS)} AND a.rowid NOT IN (SELECT row FROM temp.chosen)"
            " ORDER BY cost_order(a.provenance, value_bytes + row_bytes),"
            f" max(coalesce(a.used_on, 0), a.created_at / {_DAY_SECONDS}), a.created_at"
        )
        for one in self._candidates(query, [at, day]):
            freed += self._take(one, "over the limit", day)
            if freed >= over_bytes:
                break
        self._keep_taken()
        return freed

    def _candidates(self, query: str, parameters: list[object]) -> Iterator[_Candidate]:
        for row in self._connection.execute(query, parameters):
            one = _Candidate(*row)
            if one.parts and self._is_basis(one.parts):
                continue
            yield one

    def _is_basis(self, parts: str) -> bool:
        """Whether the key of an action of no stage names a published value."""
        query = "SELECT 1 FROM temp.published WHERE digest = ?"
        return any(self._connection.execute(query, (digest,)).fetchone() for digest in _DIGEST.findall(parts))

    def _take(self, one: _Candidate, reason: Reason, unused: int) -> int:
        """Choose a result; returns the bytes that this frees. unused: what is used on that day or later stays."""
        self._taken.append((one.row, one.key, unused))
        if len(self._taken) >= _GROUP:
            self._keep_taken()
        left = self._shared.get(one.digest, 1) - 1
        self._shared[one.digest] = left
        if left > 0:
            freed = one.row_bytes
        else:
            self._shared.pop(one.digest, None)
            freed = one.row_bytes + one.value_bytes
        self._found.stages.setdefault((one.stage, reason), Removed()).add(cost_of(one.provenance, freed))
        return freed

    def _keep_taken(self) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO temp.chosen (row, action_key, unused) VALUES (?, ?, ?)", self._taken
        )
        self._taken.clear()

    def _choose_orphans(self) -> int:
        """Choose values that nothing names, except for texts that are kept for explanations."""
        self._connection.execute("DROP TABLE IF EXISTS temp.orphans")
        self._connection.execute(
            "CREATE TEMP TABLE orphans (digest TEXT PRIMARY KEY, size_bytes INTEGER) WITHOUT ROWID"
        )
        self._connection.execute(f"INSERT INTO temp.orphans {ORPHANS}")
        for (digest,) in self._connection.execute("SELECT digest FROM temp.orphans").fetchall():
            if self._is_text(digest):
                self._connection.execute("DELETE FROM temp.orphans WHERE digest = ?", (digest,))
        self._found.orphans, self._found.orphan_bytes = self._connection.execute(
            "SELECT count(*), coalesce(sum(size_bytes), 0) FROM temp.orphans"
        ).fetchone()
        return self._found.orphan_bytes

    def _is_text(self, digest: str) -> bool:
        row = self._connection.execute(
            "SELECT size_bytes, compressed, data FROM objects WHERE content_digest = ?", (digest,)
        ).fetchone()
        if row is None or row[2] is None:  # kept texts are small
            return False
        size_bytes, compressed, data = row
        return not expand(data, size_bytes, bool(compressed)).startswith(_VALUE)

    def _remove(self) -> None:
        # In the order of the rows, so that a batch changes pages that lie together.
        connection = self._connection
        days = [day for (day,) in connection.execute("SELECT DISTINCT unused FROM temp.chosen")]
        removed = 0
        for day in days:
            after = 0
            while rows := connection.execute(
                f"SELECT row, action_key FROM temp.chosen WHERE unused = ? AND row > ? ORDER BY row LIMIT {BATCH}",
                (day, after),
            ).fetchall():
                after = rows[-1][0]
                removed += len(remove_actions(connection, self._files, [key for _, key in rows], unused_since=day))
        orphans = [digest for (digest,) in connection.execute("SELECT digest FROM temp.orphans")]
        remove_values(connection, self._files, orphans)
        if removed:
            remove_lost_origins(connection)

    def _sweep(self) -> None:
        """Remove files that no row names, and damaged values that were set aside long ago."""
        found, days = self._found, self._rules.quarantine_days
        for path in list(stray_files(self._files, self._connection)):
            found.files += 1
            if not self._dry_run:
                path.unlink(missing_ok=True)
        if days <= 0:
            return
        before = self._now - days * _DAY_SECONDS
        (found.quarantined,) = self._connection.execute(
            "SELECT count(*) FROM quarantine WHERE found_at < ?", (before,)
        ).fetchone()
        if found.quarantined and not self._dry_run:
            self._connection.execute("DELETE FROM quarantine WHERE found_at < ?", (before,))
        for path in self._files.quarantine.glob("*"):
            if path.is_file() and path.stat().st_mtime < before:
                found.quarantined += 1
                if not self._dry_run:
                    path.unlink(missing_ok=True)


# The parts are needed only to find out what is the basis of a published result.
_PARTS = f"CASE WHEN {_OF_NO_STAGE} THEN a.parts ELSE '' END"


def cost_of(provenance: str, freed_bytes: int) -> Removed:
    """The figures of one result."""
    made = _decoded(provenance)
    return Removed(
        1,
        freed_bytes,
        made.usd + made.reused_usd,
        made.unpriced + made.reused_unpriced,
        made.requests + made.reused_requests,
        made.seconds,
    )


def _cost_order(provenance: str, size_bytes: int) -> int:
    """The order of magnitude of what a result costs per byte. What costs money comes after whatever only takes time."""
    made = _decoded(provenance)
    tokens = made.input_tokens + made.output_tokens + made.reused_input_tokens + made.reused_output_tokens
    unpriced = made.unpriced + made.reused_unpriced
    usd = made.usd + made.reused_usd + (tokens * _UNPRICED_USD / 1e6 if unpriced else 0.0)
    paid = made.requests + made.reused_requests or tokens
    per_byte = (usd if paid else made.seconds) / max(1, size_bytes)
    return (1000 if paid else 0) + (math.floor(math.log10(per_byte)) if per_byte > 1e-30 else -30)


def _decoded(provenance: str) -> Provenance:
    try:
        return _decoder.decode(provenance)
    except (msgspec.MsgspecError, TypeError):
        return Provenance()


_decoder = msgspec.json.Decoder(Provenance)
