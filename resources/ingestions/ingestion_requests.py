"""The requests for ingestions, kept in a file of the home: one process asks, and Dagster's daemon takes them up.

This module keeps the requests and what became of them. It starts nothing: seed_assets.orchestration.ingestions turns requests
into runs of Dagster, and notes here what their runs do. So a process that asks and looks needs neither Dagster nor its database.

A request outlives the process that made it. Each method is one transaction, and any number of processes may use the file.
"""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from io_managers.store.errors import StoreUnavailableError
from io_managers.store.sqlite.wiping import overwrite_deleted, wipe

State = Literal["requested", "running", "cancelling", "succeeded", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("requested", "running", "cancelling")
"""The states of an ingestion that has not ended."""
STATES: tuple[State, ...] = (*OPEN, "succeeded", "failed", "cancelled")
MOST_OPEN = 100
"""How many requests may be waiting at once. Each brings everything up to date, so more of them would find nothing to do."""

# The daemon looks every few seconds. After this time without a look, it is probably not running (a judgement).
SILENT_SECONDS = 60.0
_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS ingestions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    ingestion_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS by_state ON ingestions (state);
CREATE TABLE IF NOT EXISTS looks (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
"""


class IngestionRun(msgspec.Struct, frozen=True):
    """A run of Dagster for an ingestion. status: as Dagster names it. started, ended: seconds since 1970; None before that."""

    run_id: str
    job: str
    status: str
    started: float | None = None
    ended: float | None = None
    steps_done: int = 0
    steps_failed: int = 0


class IngestionFailure(msgspec.Struct, frozen=True):
    """What failed. document: None if a table or the ingestion as a whole is at fault."""

    document: str | None
    stage: str
    reason: str
    remedy: str


class Ingestion(msgspec.Struct, frozen=True):
    """A request and what became of it.

    verify: whether every file is read, instead of trusting sizes and times. requested, ended, seen: seconds since 1970, by the
    clocks of the process that asked and of the daemon; seen: when the daemon looked at it last; None if it never did.
    note: what it waits for, or why it ended. runs: in the order in which they were created. failures: the first hundred of what
    failed; failed: how many there are.
    """

    ingestion_id: str
    state: State
    verify: bool
    requested: float
    seen: float | None = None
    ended: float | None = None
    note: str = ""
    runs: tuple[IngestionRun, ...] = ()
    failures: tuple[IngestionFailure, ...] = ()
    failed: int = 0


class IngestionRequests:
    """The requests of one home. Nothing is created before the first request."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def request(self, *, verify: bool = False) -> Ingestion | None:
        """Record a new request. None if too many are open already. Raises StoreUnavailableError."""
        with self._changing(create=True) as connection:
            assert connection is not None
            found = connection.execute(f"SELECT COUNT(*) FROM ingestions WHERE state IN ({_marks(OPEN)})", OPEN)
            if found.fetchone()[0] >= MOST_OPEN:
                return None
            made = Ingestion(secrets.token_hex(8), "requested", verify, time.time())
            connection.execute(
                "INSERT INTO ingestions (ingestion_id, state, record) VALUES (?, ?, ?)",
                (made.ingestion_id, made.state, msgspec.json.encode(made)),
            )
            return made

    def get(self, ingestion_id: str) -> Ingestion | None:
        """The ingestion of this id; None if there is none."""
        found = self._read("SELECT record FROM ingestions WHERE ingestion_id = ?", ingestion_id)
        return found[0] if found else None

    def newest(self, state: State | None = None, limit: int = 100) -> list[Ingestion]:
        """The newest ingestions, newest first. state: only those in this state."""
        if state is None:
            return self._read("SELECT record FROM ingestions ORDER BY number DESC LIMIT ?", limit)
        return self._read("SELECT record FROM ingestions WHERE state = ? ORDER BY number DESC LIMIT ?", state, limit)

    def open(self) -> list[Ingestion]:
        """The ingestions that have not ended, oldest first."""
        return self._read(f"SELECT record FROM ingestions WHERE state IN ({_marks(OPEN)}) ORDER BY number", *OPEN)

    def cancel(self, ingestion_id: str) -> Ingestion | None:
        """Cancel an ingestion: at once if no run was started for it, and otherwise ask the daemon to stop its runs.

        An ingestion that has ended stays as it is. None if there is none of this id.
        """
        with self._changing() as connection:
            before = _one(connection, ingestion_id) if connection is not None else None
            if connection is None or before is None or before.state not in ("requested", "running"):
                return before
            if before.state == "requested":
                note = "It was cancelled before a run was started for it."
                after = msgspec.structs.replace(before, state="cancelled", ended=time.time(), note=note)
            else:
                note = "Its runs are asked to stop. What they have finished is kept."
                after = msgspec.structs.replace(before, state="cancelling", note=note)
            _put(connection, after)
            return after

    def record(self, ingestion: Ingestion) -> Ingestion:
        """Record what became of an ingestion, and return what is recorded now.

        A request to cancel that came meanwhile is kept: the state stays `cancelling` until the ingestion has ended, and
        `cancelled` for good.
        """
        with self._changing() as connection:
            before = _one(connection, ingestion.ingestion_id) if connection is not None else None
            if connection is None or before is None or before.state not in OPEN:
                return before or ingestion
            if before.state == "cancelling" and ingestion.state in OPEN:
                ingestion = msgspec.structs.replace(ingestion, state="cancelling", note=before.note)
            _put(connection, ingestion)
            return ingestion

    def looked(self) -> bool:
        """Record that the daemon looked for requests now. False, and nothing is created, if none was ever made."""
        with self._changing() as connection:
            if connection is None:
                return False
            connection.execute("INSERT OR REPLACE INTO looks VALUES (1, ?)", (time.time(),))
            return True

    def silent_seconds(self) -> float | None:
        """For how many seconds no daemon has looked for requests, by this machine's clock; None if none ever did."""
        with self._connected() as connection:
            found = connection.execute("SELECT at FROM looks").fetchone() if connection is not None else None
        return max(0.0, time.time() - found[0]) if found else None

    def is_watched(self) -> bool:
        """Whether a daemon has looked for requests lately."""
        silent = self.silent_seconds()
        return silent is not None and silent < SILENT_SECONDS

    def erase(self, names: Callable[[str], bool], *, dry_run: bool) -> int:
        """Erase the failures and the notes in which a document is named; how many ingestions had any.

        names: says whether a text names one. Raises StoreUnavailableError.
        """
        changed = [
            (before, after)
            for before in self._read("SELECT record FROM ingestions")
            if (after := _without(before, names)) != before
        ]
        if changed and not dry_run:
            with self._changing() as connection:
                assert connection is not None
                overwrite_deleted(connection)
                for _, after in changed:
                    _put(connection, after)
            with self._connected() as connection:
                assert connection is not None
                wipe(connection)
        return len(changed)

    def _read(self, sql: str, *parameters: object) -> list[Ingestion]:
        with self._connected() as connection:
            if connection is None:
                return []
            rows = connection.execute(sql, parameters).fetchall()
        return [msgspec.json.decode(record, type=Ingestion) for (record,) in rows]

    @contextmanager
    def _changing(self, *, create: bool = False) -> Iterator[sqlite3.Connection | None]:
        """A transaction that writes. It gives None if there is no file, unless `create`."""
        with self._connected(create=create) as connection:
            if connection is None:
                yield None
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _connected(self, *, create: bool = False) -> Iterator[sqlite3.Connection | None]:
        """A connection for one transaction, as the file is small and seldom used. None if there is no file."""
        try:
            if not create and not self.path.exists():
                yield None
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_SCHEMA)
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailableError(
                f"The requests for ingestions in {self.path} cannot be used: {error}.",
                "See that the disk has space and that the file is writable for this user. If it is damaged, delete it: it holds "
                "only requests, and no results.",
            ) from error


def _one(connection: sqlite3.Connection, ingestion_id: str) -> Ingestion | None:
    found = connection.execute("SELECT record FROM ingestions WHERE ingestion_id = ?", (ingestion_id,)).fetchone()
    return msgspec.json.decode(found[0], type=Ingestion) if found else None


def _without(ingestion: Ingestion, names: Callable[[str], bool]) -> Ingestion:
    failures = tuple(
        one
        for one in ingestion.failures
        if not names("\n".join((one.document or "", one.stage, one.reason, one.remedy)))
    )
    return msgspec.structs.replace(ingestion, failures=failures, note="" if names(ingestion.note) else ingestion.note)


def _put(connection: sqlite3.Connection, ingestion: Ingestion) -> None:
    connection.execute(
        "UPDATE ingestions SET state = ?, record = ? WHERE ingestion_id = ?",
        (ingestion.state, msgspec.json.encode(ingestion), ingestion.ingestion_id),
    )


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" * len(values))
