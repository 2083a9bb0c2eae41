"""Repairs a damaged store: copies everything intact into a new file, which then replaces the damaged one.

Rows are found in the damaged file by `salvage`. Values are verified by their digests, and an action is kept if its value is.
So everything that is kept is correct, and everything that is lost is a miss that the next run computes. A ref whose action
was lost is kept, so that the plan can explain the miss.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from io_managers.store.action_cache import action_row
from io_managers.store.codecs.stored_bytes import Files, expand, stored_size
from io_managers.store.content_store import put_row
from io_managers.store.errors import StoreUnavailableError, StoreVersionError
from io_managers.store.failures import FailureRecord, failure_row
from io_managers.store.fingerprint import content_digest
from io_managers.store.refs import Ref, ref_row
from io_managers.store.sqlite.connection import log_of
from io_managers.store.sqlite.database import Database, Row
from io_managers.store.sqlite.log_loss import position_of
from io_managers.store.sqlite.salvage import rows
from io_managers.store.sqlite.schema import APPLICATION_ID, FORMAT

_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 1000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{64}")

_ACTION = (
    "INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET content_digest ="
    " excluded.content_digest, type_name = excluded.type_name, stage = excluded.stage, parts = excluded.parts,"
    " provenance = excluded.provenance, created_at = excluded.created_at, seal = excluded.seal, parts_seal ="
    " excluded.parts_seal, provenance_seal = excluded.provenance_seal, used_on = excluded.used_on"
    " WHERE excluded.created_at > actions.created_at"
)
_REF = (
    "INSERT INTO refs (stage, partition, action_key, content_digest, state, run_id, published_at, seal)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET action_key = excluded.action_key,"
    " content_digest = excluded.content_digest, run_id = excluded.run_id, state = excluded.state, seal = excluded.seal,"
    " published_at = excluded.published_at WHERE excluded.published_at > refs.published_at"
)
_FAILURE = "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_REQUEST = "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ORIGIN = "INSERT OR IGNORE INTO origins VALUES (?, ?)"
_SAVING = "INSERT INTO savings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class RepairReport:
    """The result of a repair.

    set_aside: where the damaged file is now. values, actions, refs, failures: how many are in the new store.
    dropped: how many values and actions were found but failed their check; those that were not found are not counted.
    """

    set_aside: Path
    values: int
    actions: int
    refs: int
    failures: int
    dropped: int


def repair(directory: Path) -> RepairReport:
    """Replace a damaged store by a new one with everything that can be read and passes its check.

    The damaged file is moved to `quarantine/` beside it. Nothing is changed until the new store is complete.
    Raises StoreUnavailableError (there is no store, another process uses it, or the disk fails) and StoreVersionError.
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
            # Its content means nothing while no process uses the store.
            for leases in directory.glob("leases.db*"):
                leases.unlink()
    except OSError as error:
        raise StoreUnavailableError(
            f"The store {directory} cannot be repaired: {error}. Fix that, then run the command again; nothing is lost."
        ) from error
    finally:
        for leftover in (fresh, log_of(fresh), fresh.with_name(fresh.name + "-shm")):
            leftover.unlink(missing_ok=True)
    values, actions, refs, failures = counts
    return RepairReport(aside, values, actions, refs, failures, dropped)


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """Hold the lock that every process with an open store takes. Windows does not need it: open files cannot be replaced.

    POSIX frees the lock when this process closes any file on that path, so the file is opened only once.
    """
    with open(path, "rb+") as file:
        try:
            import fcntl

            # The byte range of SQLite's shared locks (https://sqlite.org/fileformat.html).
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
        except ImportError:
            pass
        except OSError as error:
            raise StoreUnavailableError(
                f"The store {path} is in use by another process. End that process, then repair; nothing was changed."
            ) from error
        yield file


def _refuse_newer(path: Path, file: BinaryIO) -> None:
    header = file.read(100)
    version, application = int.from_bytes(header[60:64], "big"), int.from_bytes(header[68:72], "big")
    if application == APPLICATION_ID and version > FORMAT:
        raise StoreVersionError(
            f"The store {path} has format {version}, but this Seedbank knows only {FORMAT}. Update Seedbank, then repair. "
            "Nothing was changed."
        )


def _count(database: Database, table: str) -> int:
    return database.read(f"SELECT count(*) FROM {table}")[0][0]


class _Batches:
    """Writes many rows in transactions of bounded size."""

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
    """Copy every value that matches its digest; returns how many do not."""
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
    """Copy actions, refs, failures and the request ledger; returns how many actions failed their check."""
    batches, broken, unsealed = _Batches(new), 0, False
    for row in rows(file, log_of(path)):
        match row:
            case (str(key), str(), str(digest), str(), str(), str(), float() | int(), *seals) if _is_named(key, digest):
                if not seals:
                    unsealed = True
                elif (action := _believed(row)) is not None:
                    batches.add(_ACTION, action)
                else:
                    broken += 1
            case (str(), str(), str(key), str(digest), str(), str(), float() | int(), *seals) if _is_named(key, digest):
                ref = _ref(row)
                if not seals:
                    unsealed = True
                elif ref[-1] == row[-1]:
                    batches.add(_REF, ref)
            case (str(key), str(), str(), str(), str(), int(), float() | int(), *seals) if _is_failure(key, seals):
                failure = _failure(row)
                if not seals:
                    unsealed = True
                elif failure[7] == row[7]:
                    batches.add(_FAILURE, failure)
            case (str(), str(), str(), str(), str(), _, int(), int(), float() | int() | None, str(), float() | int()):
                batches.add(_REQUEST, row)
            case (str(), str(), int(), int(), int(), int(), float() | int(), int(), float() | int()):
                batches.add(_SAVING, row)
            case (str(), str(key)) if _KEY.fullmatch(key):
                batches.add(_ORIGIN, row)
    batches.flush()
    if unsealed:
        _copy_unsealed(new, file, path)
    found = _count(new, "actions")
    orphans = "DELETE FROM actions WHERE content_digest NOT IN (SELECT content_digest FROM objects)"
    settled = "DELETE FROM failures WHERE action_key IN (SELECT action_key FROM actions)"
    new.write((orphans, [()]), (settled, [()])).result()
    return found - _count(new, "actions") + broken


def _copy_unsealed(new: Database, file: BinaryIO, path: Path) -> None:
    """Copy rows from before format 2, which have no seals, unless sealed rows with the same keys were copied."""
    batches = _Batches(new)
    for row in rows(file, log_of(path)):
        match row:
            case (str(key), str(), str(digest), str(), str(), str(), float() | int()) if _is_named(key, digest):
                statement = _ACTION.partition(" ON CONFLICT")[0] + " ON CONFLICT DO NOTHING"
                batches.add(statement, (*action_row(*_texts(row)), None))
            case (str(), str(), str(key), str(digest), str(), str(), float() | int()) if _is_named(key, digest):
                batches.add(_REF.partition(" ON CONFLICT")[0] + " ON CONFLICT DO NOTHING", _ref(row))
            case (str(key), str(), str(), str(), str(), int(), float() | int()) if _KEY.fullmatch(key):
                batches.add(_FAILURE.replace("OR REPLACE", "OR IGNORE"), _failure(row))
    batches.flush()


def _is_failure(key: str, rest: Sequence[object]) -> bool:
    # A row of the request ledger begins like one of the failures, and has more columns.
    return bool(_KEY.fullmatch(key)) and len(rest) <= 2


def _is_named(key: str, digest: str) -> bool:
    return bool(_KEY.fullmatch(key) and _DIGEST.fullmatch(digest))


def _texts(row: Row) -> tuple[str, str, str, str, str, str, float]:
    key, stage, digest, type_name, parts, provenance, created_at = row[:7]
    return key, stage, digest, type_name, parts, provenance, created_at


def _believed(row: Row) -> Row | None:
    """A sealed action, without its parts or provenance if these are damaged; None if the seal of the result is broken."""
    key, stage, digest, type_name, parts, provenance, created_at = _texts(row)
    sealed = action_row(key, stage, digest, type_name, parts, provenance, created_at)
    columns = len(sealed)
    if not columns <= len(row) <= columns + 1 or sealed[7] != row[7]:
        return None
    # A row from before `used_on` has no such value.
    used_on = row[columns] if len(row) > columns and isinstance(row[columns], int) else None
    if sealed[8:] != row[8:columns]:
        parts, provenance = (
            text if seal == found else "{}"
            for text, seal, found in zip((parts, provenance), sealed[8:], row[8:columns], strict=True)
        )
    return (*action_row(key, stage, digest, type_name, parts, provenance, created_at), used_on)


def _ref(row: Row) -> Row:
    stage, partition, key, digest, run_id, state, published_at = row[:7]
    return ref_row(Ref(stage, partition, key, digest, run_id, state), published_at)


def _failure(row: Row) -> Row:
    key, stage, partition, reason, remedy, transient, failed_at = row[:7]
    settings = str(row[8]) if len(row) > 8 else ""
    return failure_row(FailureRecord(key, stage, partition, reason, remedy, bool(transient), failed_at, settings))


def _swap(path: Path, fresh: Path, aside: Path) -> None:
    aside.parent.mkdir(exist_ok=True)
    # The old log is moved first, since beside the new file it would be taken for the log of that file.
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            os.replace(beside, aside.with_name(aside.name + suffix))
    # The position belongs to the damaged file; the new file has another one.
    position_of(path).unlink(missing_ok=True)
    try:
        os.link(path, aside)  # with a link, a store.db exists at every moment
    except OSError:
        os.replace(path, aside)
    os.replace(fresh, path)
