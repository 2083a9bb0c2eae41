"""Who is working on what, across processes: two that miss the same action at once do the work once.

What belongs here: taking, holding and freeing leases, and telling a dead owner from a slow one. What does not: what
is done under a lease.

A lease is free at once when its owner is a dead process of this host (its pid is gone, or another process has it by
now); an owner on another host, or in another container, is taken for dead when its heartbeat is older than
EXPIRY_SECONDS, so their clocks must agree to well within that. Leases mean nothing after a crash, so taking one does
not wait for the disk. Losing one costs work done twice, never a wrong result.
"""

import os
import socket
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from io_managers.store.database import Database
from io_managers.store.errors import StoreError

HEARTBEAT_SECONDS = 10.0
# Six missed heartbeats: a machine that swaps or a laptop that slept briefly keeps its leases.
EXPIRY_SECONDS = 60.0
_POLL_SECONDS = 0.05


def _started_at(pid: int) -> float | None:
    """When a process of this host began (any unit, the same each time); None where it is gone or only waits to be.

    On Linux in ticks since boot, which a step of the clock does not move.
    """
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else float(fields[19])
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def _host() -> str:
    """Where the number of a process means something: this machine since it started, and this container of it."""
    name = socket.gethostname()
    if sys.platform == "linux":
        with suppress(OSError):
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return f"{name} {boot} {os.readlink('/proc/self/ns/pid')}"
    return name


class Leases:
    """The leases of one owner (a process's store) and the view it has of the others'."""

    def __init__(self, path: Path) -> None:
        """path: a file of their own: to take one must not wait for others' results to reach the disk."""
        self._path = path
        self._owner = uuid.uuid4().hex
        self._host = _host()
        self._registered = False
        self._lock = threading.Lock()
        self._names: dict[str, threading.Lock] = {}
        self._closed = threading.Event()

    @cached_property
    def database(self) -> Database:
        """Opened when the first lease is taken: a store that is only read has none."""
        return Database(self._path)

    def take(self, names: Sequence[str]) -> set[str]:
        """Those of the names that are now held by this owner; the others are held by somebody alive.

        What this owner holds already is among them: its threads share it.
        """
        self._register()
        with self.database.volatile_transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO leases (name, owner) VALUES (?, ?)",
                [(name, self._owner) for name in names],
            )
            taken: set[str] = set()
            alive: dict[str, bool] = {self._owner: True}
            for name in names:
                owner = connection.execute("SELECT owner FROM leases WHERE name = ?", (name,)).fetchone()[0]
                if owner not in alive:
                    row = connection.execute(
                        "SELECT host, pid, started_at, heartbeat_at FROM owners WHERE owner = ?", (owner,)
                    ).fetchone()
                    alive[owner] = row is not None and self._alive(*row)
                if not alive[owner]:
                    connection.execute("UPDATE leases SET owner = ? WHERE name = ?", (self._owner, name))
                    owner = self._owner
                if owner == self._owner:
                    taken.add(name)
        return taken

    def free(self, names: Sequence[str]) -> None:
        """Give up leases of this owner; those of others are left alone."""
        with self.database.volatile_transaction() as connection:
            connection.executemany(
                "DELETE FROM leases WHERE name = ? AND owner = ?", [(name, self._owner) for name in names]
            )

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Wait until nobody else, other threads of this owner included, holds the lease; hold it for the body.

        Not for a thread that holds it already.
        """
        with self._lock:
            among_threads = self._names.setdefault(name, threading.Lock())
        with among_threads:
            while not self.take([name]):
                time.sleep(_POLL_SECONDS)
            try:
                yield
            finally:
                self.free([name])

    def close(self) -> None:
        """Free everything that is held."""
        self._closed.set()
        with self._lock:
            if not self._registered:
                return
            self._registered = False
        with suppress(StoreError), self.database.volatile_transaction() as connection:
            connection.execute("DELETE FROM leases WHERE owner = ?", (self._owner,))
            connection.execute("DELETE FROM owners WHERE owner = ?", (self._owner,))
        self.database.close()

    def _register(self) -> None:
        with self._lock:
            if self._registered:
                return
            with self.database.volatile_transaction() as connection:
                for owner, *row in connection.execute(
                    "SELECT owner, host, pid, started_at, heartbeat_at FROM owners"
                ).fetchall():
                    if not self._alive(*row):
                        connection.execute("DELETE FROM leases WHERE owner = ?", (owner,))
                        connection.execute("DELETE FROM owners WHERE owner = ?", (owner,))
                self._beat_once(connection)
            self._registered = True
            threading.Thread(target=self._beat, name="seedbank-leases", daemon=True).start()

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT_SECONDS):
            # A heartbeat that cannot be written now is written by the next; the lease holds for six of them.
            with suppress(StoreError), self.database.volatile_transaction() as connection:
                self._beat_once(connection)

    def _beat_once(self, connection: sqlite3.Connection) -> None:
        # The whole row: another host may have taken a machine that slept for dead, and removed it.
        pid = os.getpid()
        connection.execute(
            "INSERT OR REPLACE INTO owners (owner, host, pid, started_at, heartbeat_at) VALUES (?, ?, ?, ?, ?)",
            (self._owner, self._host, pid, _started_at(pid), time.time()),
        )

    def _alive(self, host: str, pid: int, started_at: float, heartbeat_at: float) -> bool:
        if host != self._host:
            return abs(time.time() - heartbeat_at) < EXPIRY_SECONDS
        found = _started_at(pid)
        return found is not None and abs(found - started_at) < 1
