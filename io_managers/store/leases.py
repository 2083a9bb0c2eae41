"""Leases, by which processes agree on who does what: two processes that miss the same action do the work once.

How a dead process is recognised is in `processes`, messages about a holder are in `holders`.

A lease of a dead process is free: at once if the process was on this host and in this container, and otherwise when its
heartbeat was seen unchanged for too long. A process that was only stopped may continue after that and believe that it still
holds the lease. Two rules keep this from giving a wrong result:

- A lease of an action only saves double work: results are committed under their key, and the first one stays.
- A lease that is held (`hold`) protects work that has no key. Its holder proves it (`Lease.prove`) directly before and after
  each change, and repeats the work if it is lost. A process that takes such a lease from one that did not free it runs a
  fence first, which makes the table refuse what the earlier process might still commit.

Leases mean nothing after a crash, so taking one does not wait for the disk.
"""

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from io_managers.store import processes
from io_managers.store.errors import LeaseBusyError, LeaseLostError, StoreError
from io_managers.store.holders import FOR_EVER, Holder, Patience, Waiting
from io_managers.store.processes import Process, SeenProcess
from io_managers.store.sqlite.database import Database

# How often a waiting process looks at a lease: a judgement between delay and load.
_POLL_SECONDS = 0.05
# Columns that the first files do not have; they are added when the first lease is taken.
_ADDED = (
    ("owners", "command", "TEXT"),
    ("leases", "since", "REAL"),
    # 1 for a lease that protects work without a key. If its owner died, it must be taken over with a fence.
    ("leases", "held", "INTEGER"),
)
_SEEN = (
    "CREATE TABLE IF NOT EXISTS seen (owner TEXT NOT NULL, place TEXT NOT NULL, beat TEXT NOT NULL, at REAL NOT NULL, "
    "PRIMARY KEY (owner, place)) WITHOUT ROWID"
)
# The owner of a lease whose fence failed. The next process that takes it runs the fence again.
_NOBODY = ""

_owners_here: set[str] = set()


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is held."""

    name: str
    _leases: "Leases"

    def prove(self) -> None:
        """Raise LeaseLostError if another process holds the lease now."""
        self._leases.prove(self.name)


class Leases:
    """The leases of one owner, which is the store of one process."""

    def __init__(self, path: Path) -> None:
        """path: a database for leases only, so that taking one does not wait until results are on the disk."""
        self._path = path
        self._owner = uuid.uuid4().hex
        self._registered = False
        self._lock = threading.Lock()
        self._names: dict[str, threading.Lock] = {}
        self._closed = threading.Event()

    @cached_property
    def database(self) -> Database:
        """The database; it is opened when the first lease is taken, so a store that is only read needs none."""
        return Database(self._path)

    def take(self, names: Sequence[str]) -> set[str]:
        """Take the leases that no other living process holds, and return their names.

        Leases that this owner already holds are among them, since its threads share them. Use this for work whose result
        has a key.
        """
        self._register()
        with self.database.volatile_transaction() as connection:
            now = time.time()
            connection.executemany(
                "INSERT OR IGNORE INTO leases (name, owner, since) VALUES (?, ?, ?)",
                [(name, self._owner, now) for name in names],
            )
            taken: set[str] = set()
            alive: dict[str, bool] = {self._owner: True}
            for name in names:
                owner = connection.execute("SELECT owner FROM leases WHERE name = ?", (name,)).fetchone()[0]
                if owner not in alive:
                    alive[owner] = self._is_alive(connection, owner)
                if not alive[owner]:
                    self._take_over(connection, name)
                    owner = self._owner
                if owner == self._owner:
                    taken.add(name)
        return taken

    def free(self, names: Sequence[str]) -> None:
        """Free leases of this owner; names that other owners hold are ignored."""
        with self.database.volatile_transaction() as connection:
            connection.executemany(
                "DELETE FROM leases WHERE name = ? AND owner = ?", [(name, self._owner) for name in names]
            )

    @contextmanager
    def hold(
        self, name: str, waiting: Waiting = FOR_EVER, fence: Callable[[], object] | None = None
    ) -> Iterator[Lease]:
        """Wait until no other process and no other thread holds the lease, and hold it for the body.

        fence: runs before the body if the earlier holder did not free the lease; after it, the table must refuse what that
        process might still commit. If the fence fails, the next holder runs it again. A thread must not call this for a
        lease that it already holds. Raises LeaseBusyError if `waiting` ends the wait.
        """
        with self._lock:
            among_threads = self._names.setdefault(name, threading.Lock())
        patience = Patience(waiting)
        while not among_threads.acquire(timeout=_POLL_SECONDS):
            if patience.is_over():
                raise LeaseBusyError(f"The lease of {name} is held by another thread of this process. Run again later.")
        try:
            taken_over = self._wait_for(name, patience)
            fenced = fence is None or not taken_over
            try:
                if fence is not None and not fenced:
                    fence()
                    fenced = True
                yield Lease(name, self)
            finally:
                if fenced:
                    self.free([name])
                else:
                    self._abandon(name)
        finally:
            among_threads.release()

    def prove(self, name: str) -> None:
        """Raise LeaseLostError if this owner does not hold the lease."""
        if self.database.read("SELECT 1 FROM leases WHERE name = ? AND owner = ?", (name, self._owner)):
            return
        raise LeaseLostError(
            f"The lease of {name} was lost: this process gave no heartbeat for {processes.EXPIRY_SECONDS:.0f} s, and another "
            "process took it. Run again: finished work is kept."
        )

    def holder(self, name: str) -> Holder | None:
        """The other process that holds a lease, for messages; None if there is none or it is not known."""
        rows = self.database.read(
            "SELECT host, pid, started_at, command, since FROM leases JOIN owners USING (owner) "
            "WHERE name = ? AND owner != ?",
            (name, self._owner),
        )
        return Holder(Process(*rows[0][:3]), rows[0][3] or "", rows[0][4]) if rows else None

    def close(self) -> None:
        """Free all leases of this owner."""
        self._closed.set()
        _owners_here.discard(self._owner)
        with self._lock:
            if not self._registered:
                return
            self._registered = False
        with suppress(StoreError), self.database.volatile_transaction() as connection:
            connection.execute("DELETE FROM leases WHERE owner = ?", (self._owner,))
            connection.execute("DELETE FROM owners WHERE owner = ?", (self._owner,))
        self.database.close()

    def _wait_for(self, name: str, patience: Patience) -> bool:
        """Take the lease as soon as no living process holds it. Returns whether the earlier holder did not free it."""
        self._register()
        while (taken_over := self._try(name)) is None:
            if patience.is_over():
                holder = self.holder(name)
                who = f"{holder}. {holder.remedy}" if holder else "another process. Run again later."
                raise LeaseBusyError(f"The lease of {name} is held by {who}")
            patience.look(f"the lease of {name}", lambda: self.holder(name))
            time.sleep(_POLL_SECONDS)
        return taken_over

    def _try(self, name: str) -> bool | None:
        """Try to take the lease: None if a living process holds it, otherwise whether the earlier holder did not free it."""
        with self.database.volatile_transaction() as connection:
            inserted = connection.execute(
                "INSERT OR IGNORE INTO leases (name, owner, since, held) VALUES (?, ?, ?, 1)",
                (name, self._owner, time.time()),
            ).rowcount
            if inserted:
                return False
            (owner,) = connection.execute("SELECT owner FROM leases WHERE name = ?", (name,)).fetchone()
            if owner not in (_NOBODY, self._owner) and self._is_alive(connection, owner):
                return None
            self._take_over(connection, name)
        return True

    def _take_over(self, connection: sqlite3.Connection, name: str) -> None:
        connection.execute("UPDATE leases SET owner = ?, since = ? WHERE name = ?", (self._owner, time.time(), name))

    def _abandon(self, name: str) -> None:
        with self.database.volatile_transaction() as connection:
            connection.execute("UPDATE leases SET owner = ? WHERE name = ? AND owner = ?", (_NOBODY, name, self._owner))

    def _register(self) -> None:
        with self._lock:
            if self._registered:
                return
            with self.database.volatile_transaction() as connection:
                self._complete(connection)
                for (owner,) in connection.execute("SELECT owner FROM owners").fetchall():
                    if not self._is_alive(connection, owner):
                        connection.execute("DELETE FROM leases WHERE owner = ? AND held IS NULL", (owner,))
                        connection.execute("DELETE FROM owners WHERE owner = ?", (owner,))
                connection.execute("DELETE FROM seen WHERE owner NOT IN (SELECT owner FROM owners)")
                self._beat_once(connection)
            self._registered = True
            _owners_here.add(self._owner)
            threading.Thread(target=self._beat, name="seedbank-leases", daemon=True).start()

    def _complete(self, connection: sqlite3.Connection) -> None:
        for table, column, type_name in _ADDED:
            if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {type_name}")
        connection.execute(_SEEN)

    def _beat(self) -> None:
        while not self._closed.wait(processes.HEARTBEAT_SECONDS):
            # A heartbeat that cannot be written is skipped; the lease expires only after six of them.
            with suppress(StoreError), self.database.volatile_transaction() as connection:
                self._beat_once(connection)

    def _beat_once(self, connection: sqlite3.Connection) -> None:
        # The whole row is written, since another host may have removed it while this machine slept.
        process = processes.this_process()
        connection.execute(
            "INSERT OR REPLACE INTO owners (owner, host, pid, started_at, heartbeat_at, command) VALUES (?, ?, ?, ?, ?, ?)",
            (self._owner, process.place, process.pid, process.started, time.time(), processes.command()),
        )

    def _is_alive(self, connection: sqlite3.Connection, owner: str) -> bool:
        """Whether an owner is alive; its heartbeat is noted for the next call."""
        row = connection.execute(
            "SELECT host, pid, started_at, heartbeat_at FROM owners WHERE owner = ?", (owner,)
        ).fetchone()
        if row is None:
            return False
        here = (owner, processes.place())
        found = connection.execute("SELECT beat, at FROM seen WHERE owner = ? AND place = ?", here).fetchone()
        before = SeenProcess(*found) if found else None
        ours = owner in _owners_here and row[1] == os.getpid()
        alive, seen = processes.judge(Process(*row[:3]), repr(row[3]), before, ours=ours)
        if seen is not None and seen != before:
            connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (*here, seen.beat, seen.at))
        return alive
