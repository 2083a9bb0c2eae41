"""The table of finished actions: action key to the digest of the result and its provenance.

A row is used only if its seal is intact. A damaged row is a miss, and the result that is recorded then replaces it. The
parts and the provenance of an action have seals of their own: if one of them is damaged, only that part is lost.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from io_managers.store.errors import StoreUnavailableError
from io_managers.store.fingerprint import Action, Part
from io_managers.store.sqlite.database import Database, Row, Write
from io_managers.store.sqlite.schema import SEALS, TODAY
from io_managers.store.sqlite.seals import are_sound, seal, sound, sql_seal

_COSTS = ("requests", "input_tokens", "output_tokens", "usd", "unpriced")
# Only the JSON of a provenance with a cost contains one of these, since quotation marks within a text would be escaped.
WITH_COST = "(instr(provenance, 'requests\":') OR instr(provenance, 'input_tokens\":'))"
# Stands in the JSON of a provenance if and only if it has warnings: within a text, the quotation marks would be escaped.
WARNED = '"warnings":['
# SQLite accepts at most 32,766 parameters per statement; a JSON array has no such limit and is as fast (measured).
_AMONG = "FROM actions WHERE action_key IN (SELECT value FROM json_each(?))"
# This form is faster, since it builds no temporary list; for sorted keys it walks the index once.
_OF_EACH = "FROM json_each(?) CROSS JOIN actions ON action_key = value"


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How a result was made, for information only; none of it is part of the action key.

    seconds: how long computing took. requests, input_tokens, output_tokens, usd: what was paid for it. unpriced: how many
    of the requests have an unknown price. model: the model that was used. preview: a line of text for people. warnings: one
    sentence for each thing that people should know about the result; a result without warnings has none here. reused_...: what
    those results had cost that were found while this one was computed, such as an answer from before a kill; it was not paid
    again. latencies: p50, p95 and p99 of its own answered requests, in seconds; empty if there were none.
    """

    seconds: float = 0.0
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    preview: str = ""
    unpriced: int = 0
    model: str = ""
    warnings: tuple[str, ...] = ()
    reused_requests: int = 0
    reused_input_tokens: int = 0
    reused_output_tokens: int = 0
    reused_usd: float = 0.0
    reused_unpriced: int = 0
    latencies: tuple[float, ...] = ()


class ActionRecord(msgspec.Struct, frozen=True, gc=False):
    """A finished action. type_name: `module:qualname` of its value's class."""

    key: str
    content_digest: str
    provenance: Provenance
    type_name: str


class ActionRow(NamedTuple):
    """All of a finished action. number: of its row; later rows have higher ones. parts, provenance: as JSON."""

    number: int
    key: str
    stage: str
    content_digest: str
    type_name: str
    parts: str
    provenance: str
    created_at: float

    def sealed(self) -> Row:
        """The row with its seals, as the table has it."""
        return action_row(
            self.key,
            self.stage,
            self.content_digest,
            self.type_name,
            self.parts,
            self.provenance,
            self.created_at,
        )


_SEALED = SEALS["actions"]["seal"]
_COLUMNS = ", ".join(_SEALED)
_PUT = (
    "INSERT INTO actions (action_key, stage, content_digest, type_name, parts, provenance, created_at, seal, parts_seal,"
    " provenance_seal)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET stage = excluded.stage, content_digest ="
    " excluded.content_digest, type_name = excluded.type_name, parts = excluded.parts, provenance ="
    " excluded.provenance, created_at = excluded.created_at, seal = excluded.seal, parts_seal = excluded.parts_seal,"
    # A damaged index may lead to the row of another key, which must not be overwritten.
    " provenance_seal = excluded.provenance_seal WHERE actions.action_key = excluded.action_key"
)
# SQLite evaluates the condition only if the key exists already.
_PUT_FIRST = f"{_PUT} AND actions.seal IS NOT {sql_seal(*(f'actions.{name}' for name in _SEALED))}"
# Results that are found although nothing current refers to them, and whose last use was on an earlier day.
_UNNOTED = (
    "action_key IN (SELECT value FROM json_each(?)) AND created_at < {today} * 86400 AND coalesce(used_on, 0) < {today}"
    " AND NOT EXISTS (SELECT 1 FROM refs WHERE refs.action_key = actions.action_key)"
).format(today=f"({TODAY})")


# The provenance follows by itself, since SQLite counts a row that begins with costs as computed here (sqlite.schema).
_EXPLAIN = "UPDATE actions SET provenance = ?, provenance_seal = ? WHERE action_key = ? AND seal = ? AND created_at = ?"


class ActionCache:
    """The table of finished actions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sealed = database.sealed

    def lookup(self, keys: Iterable[str]) -> dict[str, ActionRecord]:
        """The records of those actions that are finished, by key. It takes one query."""
        rows = self._rows(keys, ", type_name", ", provenance", ", provenance_seal")
        if not rows:
            return {}
        found, digests, _, type_names, texts, marks = zip(*rows, strict=True)
        provenances = self._provenances(found, type_names, texts, marks)
        return dict(zip(found, map(ActionRecord, found, digests, provenances, type_names), strict=True))

    def existing(self, keys: Iterable[str]) -> dict[str, str]:
        """The content digests of the finished actions by key: `lookup` without provenance, for plans with many keys."""
        return {key: digest for key, digest, _ in self._rows(keys)}

    def any_of(self, stage: str) -> bool:
        """Whether there is a finished action of a stage."""
        return bool(self._database.read("SELECT 1 FROM actions WHERE stage = ? LIMIT 1", (stage,)))

    def _rows(self, keys: Iterable[str], *more: str) -> list[Row]:
        """The intact rows of these keys: the sealed columns, the seal, and the columns `more`."""
        wanted = _encoder.encode(sorted(keys)).decode()
        columns = f"{_COLUMNS}, seal{''.join(more)}"
        if not self._sealed:
            columns = f"{_COLUMNS}, NULL{''.join(', NULL' if name.endswith('_seal') else name for name in more)}"
        rows = self._database.read(f"SELECT {columns} {_OF_EACH}", (wanted,))
        return sound(rows, len(_SEALED)) if self._sealed else rows

    def _provenances(self, *columns: Sequence[Any]) -> Iterable[Provenance]:
        """The provenance of each row, from its sealed columns and the seal.

        A damaged one is empty. That is safe, since it decides nothing and the value has its own digest.
        """
        texts = columns[-2]
        if self._sealed:
            texts = [text if right else "{}" for text, right in zip(texts, are_sound(columns), strict=True)]
        try:
            return list(map(_provenance_decoder.decode, texts))
        except (msgspec.MsgspecError, TypeError):
            return list(map(_provenance, texts))

    def made_at(self, key: str) -> float | None:
        """When an action was recorded as finished, in seconds since 1970; None if it is not finished."""
        rows = self._database.read("SELECT created_at FROM actions WHERE action_key = ?", (key,))
        return rows[0][0] if rows else None

    def with_cost(self, keys: Iterable[str]) -> dict[str, Provenance]:
        """The provenance of those of these finished actions that have cost something, by key."""
        wanted = _encoder.encode(sorted(keys)).decode()
        rows = self._database.read(f"SELECT action_key, provenance {_OF_EACH} WHERE {WITH_COST}", (wanted,))
        return {key: _provenance(text) for key, text in rows}

    def parts(self, keys: Iterable[str]) -> dict[str, Mapping[str, Part]]:
        """The parts of the keys of finished actions, as read from JSON."""
        wanted = _encoder.encode(list(keys)).decode()
        if self._sealed:
            rows = sound(self._database.read(f"SELECT action_key, parts, parts_seal {_AMONG}", (wanted,)), 2)
        else:
            rows = self._database.read(f"SELECT action_key, parts {_AMONG}", (wanted,))
        found: dict[str, Mapping[str, Part]] = {}
        for key, parts, *_ in rows:
            # Damaged parts are left out; they only serve to explain a miss.
            with suppress(msgspec.MsgspecError):
                found[key] = _parts_decoder.decode(parts)
        return found

    def note_use(self, keys: Iterable[str]) -> list[str]:
        """Note that finished actions are used today, and return those of which this was not noted yet.

        From then on no collection removes them; one that ended just before may have, so look them up again. A store that cannot
        be written notes nothing.
        """
        wanted = _encoder.encode(list(keys)).decode()
        if not self._sealed or wanted == "[]":
            return []
        with suppress(StoreUnavailableError):
            rows = self._database.read(f"SELECT action_key FROM actions WHERE {_UNNOTED}", (wanted,))
            if rows:
                self._database.write((f"UPDATE actions SET used_on = {TODAY} WHERE {_UNNOTED}", [(wanted,)])).result()
                return [key for (key,) in rows]
        return []

    @staticmethod
    def put_origins(origins: Iterable[tuple[str, str]]) -> Write:
        """The rows to commit for (document, or key of the action inside of which it was found or computed; key of an action)."""
        return ("INSERT OR IGNORE INTO origins VALUES (?, ?)", list(origins))

    @staticmethod
    def put(
        action: Action, content_digest: str, type_name: str, provenance: Provenance, *, replace: bool = False
    ) -> Write:
        """The row to commit for a finished action. Unless `replace`, the first intact result of a key stays."""
        parts, spent = encode_parts(action.parts).decode(), _encoder.encode(provenance).decode()
        row = action_row(action.key, action.stage, content_digest, type_name, parts, spent, time.time())
        return (_PUT if replace else _PUT_FIRST, [row])

    @staticmethod
    def take_over(rows: Iterable[ActionRow]) -> list[Write]:
        """The rows to commit for actions that were finished elsewhere. An intact result of a key stays."""
        found, provenances = [], []
        for row in rows:
            complete = row.sealed()
            found.append(row._replace(provenance="{}").sealed())
            provenances.append((row.provenance, complete[9], row.key, complete[7], row.created_at))
        return [(_PUT_FIRST, found), (_EXPLAIN, provenances)]

    def after(self, number: int, limit: int) -> list[ActionRow]:
        """Up to `limit` intact rows with higher numbers than this, in the order of their numbers."""
        while True:
            rows = self._database.read(
                "SELECT rowid, action_key, stage, content_digest, type_name, parts, provenance, created_at,"
                f" {'seal, parts_seal, provenance_seal' if self._sealed else 'NULL, NULL, NULL'}"
                " FROM actions WHERE rowid > ? ORDER BY rowid LIMIT ?",
                (number, limit),
            )
            intact = [ActionRow(*row[:8]) for row in rows if not self._sealed or action_row(*row[1:8])[7:] == row[8:]]
            if intact or not rows:
                return intact
            number = rows[-1][0]

    def damaged(self) -> list[str]:
        """The keys of all damaged rows, as they are stored now."""
        if not self._sealed:
            return []
        columns = ", ".join(f"+{name}" for name in _SEALED)
        rows = self._database.read(f"SELECT {columns}, seal FROM actions NOT INDEXED")
        kept = {id(row) for row in sound(rows, len(_SEALED))}
        return [str(row[0]) for row in rows if id(row) not in kept]

    def forget_damaged(self) -> int:
        """Delete damaged rows, and clear damaged parts and provenances of the others. Returns how many there were.

        Raises StoreUnavailableError.
        """
        if not self._sealed:
            return 0
        broken = f"seal IS NOT {sql_seal(*_SEALED)}"
        with self._database.volatile_transaction() as connection:
            (count,) = connection.execute(f"SELECT count(*) FROM actions NOT INDEXED WHERE {broken}").fetchone()
            if count:
                # The index comes first, since SQLite does not delete a row that differs from its index.
                connection.execute("REINDEX actions")
                connection.execute(f"DELETE FROM actions NOT INDEXED WHERE {broken}")
            for name in ("parts", "provenance"):
                mark, sealed = f"{name}_seal", SEALS["actions"][f"{name}_seal"]
                empty = sql_seal(*sealed[:-1], "'{}'")
                count += connection.execute(
                    f"UPDATE actions NOT INDEXED SET {name} = '{{}}', {mark} = {empty}"
                    f" WHERE {mark} IS NOT {sql_seal(*sealed)}"
                ).rowcount
        return count

    def remove(self, stages: Sequence[str]) -> dict[str, int]:
        """Remove all finished actions of these stages; how many there were of each. They are misses from then on.

        Values stay, as do the answered requests that a result was made from. Raises StoreUnavailableError.
        """
        with self._database.volatile_transaction() as connection:
            return {
                stage: connection.execute("DELETE FROM actions WHERE stage = ?", (stage,)).rowcount for stage in stages
            }

    def remove_requests(self, stages: Sequence[str]) -> int:
        """Remove the answered requests to models that these stages have paid for; how many there were.

        If they are needed again, they are paid again. Raises StoreUnavailableError.
        """
        paid = "SELECT action_key FROM requests WHERE stage = ?"
        with self._database.volatile_transaction() as connection:
            return sum(
                connection.execute(f"DELETE FROM actions WHERE action_key IN ({paid})", (stage,)).rowcount
                for stage in stages
            )

    def close(self) -> None:
        """Close what is open besides the database of the store."""

    def rebuild_index(self) -> None:
        """Rebuild the index of keys from the rows. A damaged index leads to rows of other keys, or to none.

        Raises StoreUnavailableError.
        """
        with self._database.volatile_transaction() as connection:
            connection.execute("REINDEX actions")


def action_row(
    key: str, stage: str, content_digest: str, type_name: str, parts: str, provenance: str, created_at: float
) -> Row:
    """The complete row of a finished action with its seals. parts, provenance: as JSON."""
    return (
        *(key, stage, content_digest, type_name, parts, provenance, created_at),
        *(seal(key, content_digest), seal(key, parts), seal(key, type_name, provenance)),
    )


def _provenance(text: object) -> Provenance:
    try:
        return _provenance_decoder.decode(text) if isinstance(text, str) else Provenance()
    except msgspec.MsgspecError:
        return Provenance()


def _plain(part: object) -> object:
    if isinstance(part, Mapping):
        return dict(part)
    raise TypeError(f"A {type(part).__qualname__} is no part of a key.")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def encode_parts(parts: Mapping[str, Part]) -> bytes:
    """The parts of a key as JSON, as they are recorded."""
    return _encoder.encode(parts)


_provenance_decoder = msgspec.json.Decoder(Provenance)
_parts_decoder = msgspec.json.Decoder(dict[str, Any])
