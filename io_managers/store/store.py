"""The store: one directory that holds values, finished actions, refs, failures and leases.

What belongs here: opening it, and the commits that span its tables. What does not: the tables themselves, each in a
module of its own.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from io_managers.store.action_cache import ActionCache, Provenance
from io_managers.store.codecs import decode, encode
from io_managers.store.content_store import ContentStore, SqliteContentStore
from io_managers.store.database import Database, Row
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreUnavailableError
from io_managers.store.failures import Failures
from io_managers.store.fingerprint import Action
from io_managers.store.leases import Leases
from io_managers.store.refs import Ref, Refs
from io_managers.store.request_ledger import Attempt, RequestLedger
from io_managers.store.values import StoredValues

# Below this a run would fail half-way; 64 MB take the values of some thousand documents.
MINIMUM_FREE_BYTES = 64 << 20


class Contents(msgspec.Struct, frozen=True):
    """The figures of a store. results: finished actions by stage. bytes: of all its files. failures: remembered ones."""

    results: dict[str, int]
    values: int
    bytes: int
    failures: int


class Store:
    """Values by digest, finished actions by key, refs by partition. Threads and processes may share it."""

    def __init__(self, directory: Path) -> None:
        """Open the store in `directory`, creating it where missing.

        Raises StoreUnavailableError, StoreVersionError.
        """
        self.directory = directory
        self.database = Database(directory / "store.db")
        self.content: ContentStore = SqliteContentStore(self.database, directory / "objects")
        self.actions = ActionCache(self.database)
        self.refs = Refs(self.database)
        self.failures = Failures(self.database)
        self.leases = Leases(directory / "leases.db")
        self.requests = RequestLedger(self.database)

    def check_writable(self) -> None:
        """Raise StoreUnavailableError now, with the remedy, where a run could not commit its results."""
        if not os.access(self.directory, os.W_OK) or not os.access(self.database.path, os.W_OK):
            raise StoreUnavailableError(
                f"The store {self.directory} is read-only for this user. "
                "Make it writable, or point SEEDBANK_HOME at a directory that is. Nothing was changed."
            )
        free_bytes = shutil.disk_usage(self.directory).free
        if free_bytes < MINIMUM_FREE_BYTES:
            raise StoreUnavailableError(
                f"Only {free_bytes / 2**20:.0f} MB are free on the disk of {self.directory}, and a run needs at least "
                f"{MINIMUM_FREE_BYTES >> 20} MB. Free some space, then run again. Nothing was changed."
            )

    def keep_failed(self, attempt: Attempt, reply: bytes = b"") -> None:
        """Keep account of an attempt that gave nothing usable, and of what was replied."""
        if not reply:
            self.requests.record(attempt)
            return
        digest, writes = self.content.prepare(encode(reply).data, compressible=True)
        self.requests.record(msgspec.structs.replace(attempt, response=digest), *writes)

    def commit(
        self,
        results: Sequence[tuple[Action, object, Provenance]],
        *,
        replace: bool = False,
        attempts: Sequence[Attempt] = (),
    ) -> Future[list[str]]:
        """Queue finished actions with their values; done when they are durable, all or none.

        With `replace` these take the place of results that are recorded already, else the first of a key stays.
        attempts: the paid requests that gave them. Gives the content digest of each. A failure remembered for the action
        is cleared. The future cannot be cancelled. Raises UnencodableError, and StoreUnavailableError where a large value
        cannot be written; the future raises StoreUnavailableError.
        """
        digests: list[str] = []
        rows: dict[str, list[Row]] = {}
        for action, value, provenance in results:
            encoded = encode(value)
            digest, writes = self.content.prepare(encoded.data, compressible=encoded.compressible)
            digests.append(digest)
            # By statement: SQLite runs one over many rows faster than many statements in turn.
            for statement, own in (
                *writes,
                self.actions.put(action, digest, encoded.type_name, provenance, replace=replace),
            ):
                rows.setdefault(statement, []).extend(own)
        done: Future[list[str]] = Future()
        done.set_running_or_notify_cancel()
        self.database.write(
            *rows.items(),
            self.failures.clear([action.key for action, _, _ in results]),
            *(self.requests.put(attempt) for attempt in attempts),
        ).add_done_callback(partial(_pass_on, done, digests))
        return done

    def load(self, content_digest: str, expected: Any = Any, type_name: str = "") -> Any:
        """The verified value of a digest. Raises MissingObjectError, CorruptObjectError, UnknownFormatError."""
        return decode(self.content.get(content_digest), expected, type_name)

    def values(self, stage: str, partitions: Iterable[str] | None = None, expected: Any = Any) -> StoredValues:
        """The current values of a stage by partition, lazily; one query."""
        return StoredValues(stage, self.refs.get(stage, partitions), partial(self._open, expected=expected))

    def _open(self, ref: Ref, expected: Any) -> Any:
        try:
            data = self.content.get(ref.content_digest)
        except MissingObjectError as error:
            where = f"{ref.stage} of {ref.partition!r}" if ref.partition else ref.stage
            raise MissingObjectError(error.content_digest, where) from None
        if expected is not Any:
            return decode(data, expected)
        record = self.actions.lookup([ref.action_key]).get(ref.action_key)
        return decode(data, expected, record.type_name if record else "")

    def contents(self) -> Contents:
        """What is in the store, in figures."""
        results = dict(self.database.read("SELECT stage, COUNT(*) FROM actions GROUP BY stage ORDER BY stage"))
        ((values,),) = self.database.read("SELECT COUNT(*) FROM objects")
        ((failures,),) = self.database.read("SELECT COUNT(*) FROM failures")
        on_disk = sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())
        return Contents(results, values, on_disk, failures)

    def verify(self) -> list[str]:
        """Open every value, and name what is wrong: corrupt (now quarantined), missing, or an action without value.

        Raises StoreUnavailableError where the database itself cannot be read.
        """
        wrong: list[str] = []
        for digest in list(self.content.digests()):
            try:
                self.content.get(digest)
            except (CorruptObjectError, MissingObjectError) as error:
                wrong.append(str(error))
        for stage, digest in self.database.read("SELECT stage, content_digest FROM actions"):
            if not self.content.contains(digest):
                wrong.append(f"An action of {stage} has no value: {MissingObjectError(digest)}")
        damage = [row[0] for row in self.database.read("PRAGMA integrity_check(10)") if row[0] != "ok"]
        if damage:
            wrong.append(f"The database is damaged ({'; '.join(damage)}). Run `seedbank cache repair`.")
        return wrong

    def close(self) -> None:
        """Write what is queued, free the leases, close."""
        self.leases.close()
        self.database.close()


def _pass_on(done: Future[Any], value: Any, written: Future[None]) -> None:
    error = written.exception()
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(value)
