"""A new store out of a damaged one.

What belongs here: which rows of a damaged file are believed, and how the new file takes its place. What does not: how
rows are found in a damaged file (salvage).

Values prove themselves by their digest, and an action is worth its value: what is kept is as good as it ever was. What
is lost is a miss that the next run computes. A ref whose action was lost is kept, so that the miss says so.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from io_managers.store.connection import log_of
from io_managers.store.content_store import put_row
from io_managers.store.database import Database, Row
from io_managers.store.errors import StoreUnavailableError, StoreVersionError
from io_managers.store.fingerprint import content_digest
from io_managers.store.salvage import rows
from io_managers.store.schema import APPLICATION_ID, FORMAT
from io_managers.store.stored_bytes import Files, expand, stored_size

_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 1000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{64}")

_ACTION = (
    "INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET content_digest = excluded.content_digest,"
    " type_name = excluded.type_name, parts = excluded.parts, provenance = excluded.provenance,"
    " created_at = excluded.created_at WHERE excluded.created_at > actions.created_at"
)
_REF = (
    "INSERT INTO refs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET action_key = excluded.action_key,"
    " content_digest = excluded.content_digest, run_id = excluded.run_id, state = excluded.state,"
    " published_at = excluded.published_at WHERE excluded.published_at > refs.published_at"
)
_FAILURE = "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?)"
_REQUEST = "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SAVING = "INSERT INTO savings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What became of a damaged store.

    set_aside: where its file is now. values, actions, refs, failures: how many are in the new one.
    dropped: how many values and actions were found that could not be believed; what was not even found is not in it.
    """

    set_aside: Path
    values: int
    actions: int
    refs: int
    failures: int
    dropped: int


def repair(directory: Path) -> RepairReport:
    """Put a new store in the place of a damaged one, with all of it that can be read and proves itself.

    The damaged file goes to `quarantine/` beside it. Nothing is changed until the new store is whole.
    Raises StoreUnavailableError (nothing is there, another process uses it, the disk fails), StoreVersionError.
    """
    path = directory / "store.db"
    if not path.exists():
        raise StoreUnavailableError(f"There is no store in {directory}; nothing was changed.")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    fresh = directory / f".repair-{stamp}.db"
    aside = directory / "quarantine" / f"store-{stamp}.db"
    try:
        with _alone(path) as file:
            _refuse_newer(path, file)
            new = Database(fresh)
            try:
                dropped = _copy_values(new, file, path, Files(directory / "objects"))
                dropped += _copy_the_rest(new, file, path)
                counts = [_count(new, table) for table in ("objects", "actions", "refs", "failures")]
            finally:
                new.close()
            if os.name == "nt":
                file.close()
            _swap(path, fresh, aside)
            # It means nothing while nobody uses the store.
            for leases in directory.glob("leases.db*"):
                leases.unlink()
    except OSError as error:
        raise StoreUnavailableError(
            f"The store {directory} cannot be repaired: {error}. Mend that, then run it again; nothing is lost."
        ) from error
    finally:
        for leftover in (fresh, log_of(fresh), fresh.with_name(fresh.name + "-shm")):
            leftover.unlink(missing_ok=True)
    values, actions, refs, failures = counts
    return RepairReport(aside, values, actions, refs, failures, dropped)


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """Hold the lock that every process takes which has the store open. On Windows an open file cannot be replaced.

    The lock goes with the first file of this process on that path that is closed, so only this one is opened.
    """
    with open(path, "rb+") as file:
        try:
            import fcntl

            # SQLite's range of shared locks.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
        except ImportError:
            pass
        except OSError as error:
            raise StoreUnavailableError(
                f"The store {path} is in use by another process. End it, then repair; nothing was changed."
            ) from error
        yield file


def _refuse_newer(path: Path, file: BinaryIO) -> None:
    header = file.read(100)
    version, application = int.from_bytes(header[60:64], "big"), int.from_bytes(header[68:72], "big")
    if application == APPLICATION_ID and version > FORMAT:
        raise StoreVersionError(
            f"The store {path} has format {version}, and this Seedbank knows {FORMAT}. Update Seedbank, then repair. "
            "Nothing was changed."
        )


def _count(database: Database, table: str) -> int:
    return database.read(f"SELECT count(*) FROM {table}")[0][0]


class _Batches:
    """Writes of many rows, in transactions of bounded size."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: dict[str, list[Row]] = {}
        self._count = self._bytes = 0

    def add(self, statement: str, row: Row) -> None:
        self._rows.setdefault(statement, []).append(row)
        self._count += 1
        self._bytes += len(row[-1]) if type(row[-1]) is bytes else 0
        if self._count >= _BATCH_ROWS or self._bytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        self._database.write(*self._rows.items()).result()
        self._rows, self._count, self._bytes = {}, 0, 0


def _copy_values(new: Database, file: BinaryIO, path: Path, files: Files) -> int:
    """Copy every value that proves itself; gives how many do not."""
    batches, dropped = _Batches(new), 0
    for row in rows(file, log_of(path)):
        match row:
            case (str(digest), int(size_bytes), int(compressed), bytes(stored)) if _DIGEST.fullmatch(digest):
                if content_digest(expand(stored, size_bytes, bool(compressed))) == digest:
                    batches.add(*put_row(digest, size_bytes, bool(compressed), stored))
                else:
                    dropped += 1
    for large in files.directory.glob("??/*"):
        digest = f"sha256:{large.parent.name}{large.name}"
        if not _DIGEST.fullmatch(digest):
            continue
        stored = large.read_bytes()
        for compressed in (False, True):
            size_bytes = stored_size(stored, compressed)
            if content_digest(expand(stored, size_bytes, compressed)) == digest:
                batches.add(*put_row(digest, size_bytes, compressed, None))
                break
        else:
            dropped += 1
    batches.flush()
    return dropped


def _copy_the_rest(new: Database, file: BinaryIO, path: Path) -> int:
    """Copy actions, refs, failures and the accounts of requests; gives how many actions have no value any more."""
    batches = _Batches(new)
    for row in rows(file, log_of(path)):
        match row:
            case (str(key), str(), str(digest), str(), str(), str(), float() | int()) if _KEY.fullmatch(
                key
            ) and _DIGEST.fullmatch(digest):
                batches.add(_ACTION, row)
            case (str(), str(), str(key), str(digest), str(), str(), float() | int()) if _KEY.fullmatch(
                key
            ) and _DIGEST.fullmatch(digest):
                batches.add(_REF, row)
            case (str(key), str(), str(), str(), str(), int(), float() | int()) if _KEY.fullmatch(key):
                batches.add(_FAILURE, row)
            case (str(), str(), str(), str(), str(), _, int(), int(), float() | int() | None, str(), float() | int()):
                batches.add(_REQUEST, row)
            case (str(), str(), int(), int(), int(), int(), float() | int(), int(), float() | int()):
                batches.add(_SAVING, row)
    batches.flush()
    found = _count(new, "actions")
    orphans = "DELETE FROM actions WHERE content_digest NOT IN (SELECT content_digest FROM objects)"
    settled = "DELETE FROM failures WHERE action_key IN (SELECT action_key FROM actions)"
    new.write((orphans, [()]), (settled, [()])).result()
    return found - _count(new, "actions")


def _swap(path: Path, fresh: Path, aside: Path) -> None:
    aside.parent.mkdir(exist_ok=True)
    # The old log first: left beside the new file, it would be taken for the new file's.
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            os.replace(beside, aside.with_name(aside.name + suffix))
    try:
        os.link(path, aside)  # so that there is a store.db at every moment
    except OSError:
        os.replace(path, aside)
    os.replace(fresh, path)
