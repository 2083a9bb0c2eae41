"""Requests that wait in batches of a provider: which batch holds them, and the replies that were not used yet.

What belongs here: rows, in a file of their own that a home gets with its first batch. What does not: files and batches of a
provider (resources.batches), and results, which are actions as any other.

A request is claimed before anything is sent, and the claim outlives the process: as long as it is there, no process of the home
sends the request again, whether in a batch or alone.
"""

import asyncio
import json
import time
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from io_managers.store.sqlite.connection import transaction
from io_managers.store.sqlite.database import Database, Write
from io_managers.store.sqlite.wiping import overwrite_deleted, wipe

_OF_UNITS = "w.outer_key IN (SELECT outer_key FROM batch_units WHERE unit IN (SELECT value FROM json_each(?1)))"

State = Literal["collecting", "uploading", "creating", "submitted", "ended"]
"""collecting: requests are added. uploading: the file is sent. creating: the provider was, or is about to be, asked to begin it.
submitted: the provider has confirmed it. ended: the provider has ended it, and all its replies are here."""
CLAIMED, REPLIED = "claimed", "replied"

_TABLES = (
    "CREATE TABLE IF NOT EXISTS batches (batch_id TEXT PRIMARY KEY, deployment TEXT NOT NULL, model TEXT NOT NULL, "
    "path TEXT NOT NULL, stage TEXT NOT NULL, state TEXT NOT NULL, digest TEXT NOT NULL, file_id TEXT NOT NULL, "
    "remote_id TEXT NOT NULL, remote_state TEXT NOT NULL, detail TEXT NOT NULL, requests INTEGER NOT NULL, "
    "answered INTEGER NOT NULL, failed INTEGER NOT NULL, refused INTEGER NOT NULL, created_at REAL NOT NULL, "
    "submitted_at REAL NOT NULL, expires_at REAL NOT NULL, ended_at REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batch_requests (action_key TEXT PRIMARY KEY, batch_id TEXT NOT NULL, state TEXT NOT NULL, "
    "most_usd REAL NOT NULL, tries INTEGER NOT NULL, status INTEGER NOT NULL, reply BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS requests_of_batch ON batch_requests (batch_id)",
    "CREATE TABLE IF NOT EXISTS batch_waits (outer_key TEXT NOT NULL, action_key TEXT NOT NULL, "
    "PRIMARY KEY (outer_key, action_key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batch_documents (document TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS batch_units (unit TEXT NOT NULL, outer_key TEXT NOT NULL, "
    "PRIMARY KEY (unit, outer_key)) WITHOUT ROWID",
)


class Batch(msgspec.Struct, frozen=True):
    """One batch.

    deployment: the server, as in action keys. path: of its requests. digest: of the keys of its requests. file_id, remote_id:
    the provider's names; "" while it has given none. remote_state: the provider's word for its state. detail: why it failed.
    requests, answered, failed, refused: how many requests it has, and how many of them were answered, failed or came back in a
    form that cannot be trusted. Times are in seconds since 1970, and 0 while they are not known.
    """

    batch_id: str
    deployment: str
    model: str
    path: str
    stage: str
    state: State
    digest: str = ""
    file_id: str = ""
    remote_id: str = ""
    remote_state: str = ""
    detail: str = ""
    requests: int = 0
    answered: int = 0
    failed: int = 0
    refused: int = 0
    created_at: float = 0.0
    submitted_at: float = 0.0
    expires_at: float = 0.0
    ended_at: float = 0.0


class KeptReply(msgspec.Struct, frozen=True):
    """What a batch gave for one request: an HTTP status and the body of the reply. tries: in how many batches it was."""

    action_key: str
    status: int
    body: bytes
    tries: int = 1


class Batches:
    """The batches of one store."""

    def __init__(self, path: Path) -> None:
        """path: the file, which is created by the first batch."""
        self._path = path
        self._exists = False

    def any(self) -> bool:
        """Whether this home ever had a batch. It costs nothing without one."""
        self._exists = self._exists or self._path.exists()
        return self._exists

    @cached_property
    def _database(self) -> Database:
        database = Database(self._path)
        with database.volatile_transaction() as connection:
            for statement in _TABLES:
                connection.execute(statement)
        return database

    def close(self) -> None:
        """Close the file if it was opened."""
        if "_database" in self.__dict__:
            self._database.close()

    def keep(self, batch: Batch) -> None:
        """Record a batch as it is now; durable when this returns."""
        self._database.write(_kept(batch)).result()

    def all(self, state: State | None = None) -> list[Batch]:
        """The batches, the oldest first. state: only those in this state."""
        if not self.any():
            return []
        columns = ", ".join(Batch.__struct_fields__)
        rows = self._database.read(f"SELECT {columns} FROM batches ORDER BY created_at, batch_id")
        return [found for found in (Batch(*row) for row in rows) if state in (None, found.state)]

    def open(self) -> list[Batch]:
        """The batches that have not ended, the oldest first."""
        return [batch for batch in self.all() if batch.state != "ended"]

    async def claim(
        self, batch: Batch, action_key: str, outer_key: str, unit: str, most_usd: float, tries: int
    ) -> None:
        """Claim a request for a batch. outer_key: of the stage's action that needs it; unit: what that is for. most_usd: the most
        that it costs.
        """
        row = (action_key, batch.batch_id, CLAIMED, most_usd, tries, 0, b"")
        claimed = self._database.write(
            (f"INSERT OR REPLACE INTO batch_requests VALUES ({', '.join('?' * len(row))})", [row]),
            *_waits(outer_key, unit, action_key),
        )
        await asyncio.wrap_future(claimed)

    def found(self, action_key: str) -> tuple[str, KeptReply] | None:
        """The state of a request and its reply; None if no batch has it."""
        if not self.any():
            return None
        rows = self._database.read(
            "SELECT state, status, reply, tries FROM batch_requests WHERE action_key = ?", (action_key,)
        )
        return (rows[0][0], KeptReply(action_key, *rows[0][1:])) if rows else None

    def wait(self, outer_key: str, unit: str, action_key: str) -> None:
        """Record that one more action of a stage waits for a request."""
        self._database.write(*_waits(outer_key, unit, action_key))

    def waiting(self) -> frozenset[str]:
        """The keys of the stages' actions that wait for a batch which was submitted."""
        if not self.any():
            return frozenset()
        rows = self._database.read(
            "SELECT DISTINCT outer_key FROM batch_waits JOIN batch_requests USING (action_key) JOIN batches USING (batch_id) "
            "WHERE batch_requests.state = ? AND batches.state IN ('creating', 'submitted')",
            (CLAIMED,),
        )
        return frozenset(key for (key,) in rows)

    def requests_of(self, batch_id: str) -> frozenset[str]:
        """The keys of the requests of a batch that are not used up, with and without a reply."""
        rows = self._database.read("SELECT action_key FROM batch_requests WHERE batch_id = ?", (batch_id,))
        return frozenset(key for (key,) in rows)

    def take_in(self, batch: Batch, replies: Sequence[KeptReply]) -> None:
        """Record replies of a batch, and the batch with them; durable when this returns."""
        rows = [(REPLIED, one.status, one.action_key, batch.batch_id, CLAIMED, one.body) for one in replies]
        statement = (
            "UPDATE batch_requests SET state = ?1, status = ?2, reply = ?6 "
            "WHERE action_key = ?3 AND batch_id = ?4 AND state = ?5"
        )
        self._database.write((statement, rows), _kept(batch)).result()

    def refuse(self, replies: Iterable[KeptReply]) -> None:
        """Replace replies that cannot be trusted by these, which are no answers."""
        rows = [(one.status, one.body, one.action_key) for one in replies]
        if rows:
            self._database.write(
                ("UPDATE batch_requests SET status = ?, reply = ? WHERE action_key = ?", rows)
            ).result()

    def release(self, batch: Batch) -> None:
        """Drop the claims of a batch that have no reply, so that their requests can be sent again, and record the batch."""
        orphans = "DELETE FROM batch_waits WHERE action_key NOT IN (SELECT action_key FROM batch_requests)"
        self._database.write(
            ("DELETE FROM batch_requests WHERE batch_id = ? AND state = ?", [(batch.batch_id, CLAIMED)]),
            (orphans, [()]),
            _kept(batch),
        ).result()

    def replied(self) -> list[str]:
        """The keys of the requests whose replies are kept."""
        if not self.any():
            return []
        return [
            key for (key,) in self._database.read("SELECT action_key FROM batch_requests WHERE state = ?", (REPLIED,))
        ]

    def note_documents(self, documents: Iterable[str]) -> None:
        """Record that documents wait for a batch, so that somebody goes on with them when it has ended."""
        self._database.write(
            ("INSERT OR IGNORE INTO batch_documents VALUES (?)", [(one,) for one in documents])
        ).result()

    def documents(self) -> list[str]:
        """The documents that wait, or waited, for a batch, and with which nobody has gone on to the end."""
        return [one for (one,) in self._database.read("SELECT document FROM batch_documents")] if self.any() else []

    def drop_documents(self, documents: Iterable[str]) -> None:
        """Record that there is nothing more to do for these documents."""
        rows = [(one,) for one in documents]
        if rows:
            self._database.write(("DELETE FROM batch_documents WHERE document = ?", rows)).result()

    def forget(self, keys: Iterable[str]) -> None:
        """Drop replies that are of no use any more: their actions are finished, or the replies were recorded as failed."""
        rows = [(key,) for key in keys]
        if rows:
            self._database.write(
                ("DELETE FROM batch_requests WHERE action_key = ?", rows),
                ("DELETE FROM batch_waits WHERE action_key = ?", rows),
            ).result()

    def requests_for(self, units: Iterable[str], keys: Iterable[str] = ()) -> dict[str, str]:
        """The requests that only these units, or these actions, wait for -> the states of their batches."""
        if not self.any():
            return {}
        return dict(
            self._database.read(
                "SELECT action_key, coalesce(batches.state, '') FROM batch_requests LEFT JOIN batches USING (batch_id)"
                " WHERE action_key IN (SELECT value FROM json_each(?2)) OR (EXISTS (SELECT 1 FROM batch_waits w"
                f" WHERE w.action_key = batch_requests.action_key AND {_OF_UNITS}) AND NOT EXISTS (SELECT 1 FROM batch_waits w"
                f" WHERE w.action_key = batch_requests.action_key AND NOT {_OF_UNITS}))",
                (json.dumps(list(units)), json.dumps(list(keys))),
            )
        )

    def erase(self, units: Collection[str], keys: Iterable[str]) -> int:
        """Erase the requests that only these units, or these actions, wait for, with their replies; how many there were."""
        found = self.requests_for(units, keys)
        if not self.any():
            return 0
        chosen, named = json.dumps(list(found)), json.dumps(list(units))
        of_units = "IN (SELECT outer_key FROM batch_units WHERE unit {} IN (SELECT value FROM json_each(?1)))"
        with self._database.maintained() as connection:
            overwrite_deleted(connection)
            with transaction(connection):
                for statement, parameter in (
                    ("DELETE FROM batch_requests WHERE action_key IN (SELECT value FROM json_each(?))", chosen),
                    ("DELETE FROM batch_waits WHERE action_key IN (SELECT value FROM json_each(?))", chosen),
                    (
                        f"DELETE FROM batch_waits WHERE outer_key {of_units.format('')}"
                        f" AND outer_key NOT {of_units.format('NOT')}",
                        named,
                    ),
                    ("DELETE FROM batch_units WHERE unit IN (SELECT value FROM json_each(?))", named),
                    ("DELETE FROM batch_documents WHERE document IN (SELECT value FROM json_each(?))", named),
                ):
                    connection.execute(statement, (parameter,))
            wipe(connection)
        return len(found)

    def promised_usd(self) -> float:
        """The most that requests cost which are in a batch, and whose cost is not in the account yet."""
        if not self.any():
            return 0.0
        ((usd,),) = self._database.read("SELECT TOTAL(most_usd) FROM batch_requests")
        return usd


def new_batch(batch_id: str, deployment: str, model: str, path: str, stage: str) -> Batch:
    """A batch to which requests are added."""
    return Batch(batch_id, deployment, model, path, stage, "collecting", created_at=time.time())


def _kept(batch: Batch) -> Write:
    row = msgspec.structs.astuple(batch)
    return (f"INSERT OR REPLACE INTO batches VALUES ({', '.join('?' * len(row))})", [row])


def _waits(outer_key: str, unit: str, action_key: str) -> tuple[Write, Write]:
    return (
        ("INSERT OR IGNORE INTO batch_waits VALUES (?, ?)", [(outer_key, action_key)]),
        ("INSERT OR IGNORE INTO batch_units VALUES (?, ?)", [(unit, outer_key)]),
    )
