"""The store: one directory with values, finished actions, refs, failures and leases.

This module opens it and makes commits that span several tables; each table has a module of its own.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from io_managers.store.account import Accounting
from io_managers.store.action_cache import ActionCache, Provenance, encode_parts
from io_managers.store.batches.batch_records import Batches
from io_managers.store.codecs.codecs import Encoded, decode, encode
from io_managers.store.content_store import ContentStore, SqliteContentStore
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreUnavailableError, is_disk_failure
from io_managers.store.failures import Failures
from io_managers.store.fingerprint import Action
from io_managers.store.free_space import FreeSpace
from io_managers.store.leases import Leases
from io_managers.store.refs import Ref, Refs
from io_managers.store.request_ledger import Attempt, RequestLedger
from io_managers.store.reserve import Reserve
from io_managers.store.sqlite.database import Database, Row
from io_managers.store.values import Result, StoredValues


class Contents(msgspec.Struct, frozen=True):
    """The contents of a store in numbers."""

    results: dict[str, int]
    """The number of finished actions by stage."""
    values: int
    """The number of values."""
    bytes: int
    """The size of all its files."""
    failures: int
    """The number of recorded failures."""


class _Finished(msgspec.Struct, frozen=True):
    """A finished action with the encoded value, as it waits in the reserve. parts: as JSON."""

    key: str
    stage: str
    parts: bytes
    data: bytes
    compressible: bool
    type_name: str
    provenance: Provenance


class _Commit(msgspec.Struct, frozen=True):
    """The content of one commit, as it waits in the reserve."""

    results: list[_Finished]
    attempts: list[Attempt]
    replace: bool
    origins: list[tuple[str, str]] = []


class Store:
    """Values by digest, finished actions by key and refs by partition. Threads and processes may share it."""

    def __init__(self, directory: Path) -> None:
        """Open the store in `directory`, or create it.

        Raises StoreUnavailableError, StoreVersionError.
        """
        self.directory = directory
        self.database = Database(directory / "store.db", watched=True)
        self.content: ContentStore = SqliteContentStore(self.database, directory / "objects")
        self.actions = ActionCache(self.database)
        self.refs = Refs(self.database)
        self.failures = Failures(self.database)
        self.leases = Leases(directory / "leases.db")
        self.requests = RequestLedger(self.database)
        self.account = Accounting(self.database)
        self.reserve = Reserve(directory)
        self.batches = Batches(directory / "batches.db")
        self.free_space = FreeSpace(directory)
        with suppress(StoreUnavailableError):  # the next write reports it
            self.take_in_reserve()

    def check_writable(self) -> None:
        """Raise StoreUnavailableError if a run could not commit its results. Answers in the reserve are committed first."""
        if not os.access(self.directory, os.W_OK) or not os.access(self.database.path, os.W_OK):
            raise StoreUnavailableError(
                f"The store {self.directory} is read-only for this user.",
                "Make it writable, or point SEEDBANK_HOME at a directory that is. Nothing was changed.",
            )
        self.take_in_reserve()
        if (problem := self.free_space.problem(now=True)) is not None:
            raise problem

    def keep_failed(self, attempt: Attempt, reply: bytes = b"", origins: Sequence[tuple[str, str]] = ()) -> None:
        """Record an attempt without a usable answer, and store the reply. origins: what it was made for, see `commit`."""
        others = [self.actions.put_origins(origins)] if origins else []
        if reply:
            digest, writes = self.content.prepare(encode(reply).data, compressible=True)
            attempt, others = msgspec.structs.replace(attempt, response=digest), [*writes, *others]
        self.requests.record(attempt, *others)

    def note_origins(self, origins: Sequence[tuple[str, str]]) -> None:
        """Queue what an action was made for that failed, and so has no result; see `commit`."""
        if origins:
            self.database.write(self.actions.put_origins(origins))

    def keep_texts(self, texts: Mapping[str, bytes]) -> None:
        """Keep texts, such as prompts, under the digests by which keys name them, so that later changes can be shown.

        They decide nothing, so a store that cannot be written keeps none and raises no error.
        """
        for digest, data in texts.items():
            if not self.content.contains(digest):
                with suppress(StoreUnavailableError):
                    _, writes = self.content.prepare(data)
                    self.database.write(*writes).result()

    def kept_text(self, digest: str) -> str | None:
        """A text that `keep_texts` has kept; None if there is none, or if it was damaged."""
        try:
            return self.content.get(digest).decode()
        except (CorruptObjectError, MissingObjectError, UnicodeDecodeError):
            return None

    def commit(
        self,
        results: Sequence[tuple[Action, object, Provenance]],
        *,
        replace: bool = False,
        attempts: Sequence[Attempt] = (),
        origins: Sequence[tuple[str, str]] = (),
    ) -> Future[list[str]]:
        """Queue finished actions with their values for one durable commit; the future gives the content digest of each.

        replace: replace results that are recorded already; otherwise the first result of a key stays. attempts: the paid
        requests that gave the results. origins: what the results were made for, see ActionCache.put_origins. A failure that is
        recorded for an action is removed. The future cannot be cancelled.
        Raises UnencodableError, and StoreUnavailableError if a large value cannot be written; the future raises
        StoreUnavailableError.
        """
        encoded = [(action, encode(value), provenance) for action, value, provenance in results]
        done: Future[list[str]] = Future()
        done.set_running_or_notify_cancel()
        keep = partial(self._keep, encoded, attempts, origins, replace=replace)
        try:
            digests, written = self._write(encoded, attempts, origins, replace=replace)
        except StoreUnavailableError as error:
            keep(error)
            raise
        written.add_done_callback(partial(_pass_on, done, digests, keep))
        return done

    def _write(
        self,
        results: Sequence[tuple[Action, Encoded, Provenance]],
        attempts: Sequence[Attempt],
        origins: Sequence[tuple[str, str]],
        *,
        replace: bool,
    ) -> tuple[list[str], Future[None]]:
        digests: list[str] = []
        rows: dict[str, list[Row]] = {}
        for action, encoded, provenance in results:
            digest, writes = self.content.prepare(encoded.data, compressible=encoded.compressible)
            digests.append(digest)
            # Rows are grouped by statement, since SQLite runs one statement over many rows faster than alternating ones.
            for statement, own in (
                *writes,
                self.actions.put(action, digest, encoded.type_name, provenance, replace=replace),
            ):
                rows.setdefault(statement, []).extend(own)
        written = self.database.write(
            *rows.items(),
            self.failures.clear([action.key for action, _, _ in results]),
            *(self.requests.put(attempt) for attempt in attempts),
            *([self.actions.put_origins(origins)] if origins else []),
        )
        return digests, written

    def _keep(
        self,
        results: Sequence[tuple[Action, Encoded, Provenance]],
        attempts: Sequence[Attempt],
        origins: Sequence[tuple[str, str]],
        error: BaseException,
        *,
        replace: bool,
    ) -> None:
        """After a commit failed: stop further requests, and put paid results into the reserve."""
        if not isinstance(error, StoreUnavailableError):
            return
        if is_disk_failure(error):
            self.reserve.stop()
        if attempts or any(provenance.requests for _, _, provenance in results):
            finished = [
                _Finished(
                    action.key,
                    action.stage,
                    encode_parts(action.parts),
                    encoded.data,
                    encoded.compressible,
                    encoded.type_name,
                    provenance,
                )
                for action, encoded, provenance in results
            ]
            self.reserve.put(msgspec.msgpack.encode(_Commit(finished, list(attempts), replace, list(origins))))

    def take_in_reserve(self) -> int:
        """Commit the answers that wait in the reserve, and return how many there were. It is cheap if there are none.

        Raises StoreUnavailableError if they cannot be committed; they stay in the reserve.
        """
        return self.reserve.take_in(self._take_in) if self.reserve.is_waiting() else 0

    def _take_in(self, payload: bytes) -> None:
        try:
            commit = msgspec.msgpack.decode(payload, type=_Commit)
        except msgspec.MsgspecError as error:
            raise StoreUnavailableError(
                f"The answers that wait in the reserve of {self.directory} were written by another version of Seedbank.",
                "Run that version once to commit them, or update to the newest one. Nothing was changed.",
            ) from error
        results = [
            (
                Action(found.stage, found.key, msgspec.json.decode(found.parts)),
                Encoded(found.data, found.type_name, found.compressible),
                found.provenance,
            )
            for found in commit.results
        ]
        _, written = self._write(results, commit.attempts, commit.origins, replace=commit.replace)
        written.result()

    def forget_used_replies(self) -> None:
        """Drop the replies of batches whose actions are finished, since nothing asks for them any more."""
        if replied := self.batches.replied():
            self.batches.forget(self.actions.existing(replied))

    def prepare_to_pay(self) -> None:
        """Commit waiting answers and allocate the reserve. Call this before anything is paid for.

        Raises StoreUnavailableError if paid answers could not be kept, because the disk is full or read-only.
        """
        if self.reserve.is_waiting() or self.reserve.is_stopped():
            self.check_writable()
            self.reserve.go_on()
        self.reserve.prepare()

    def refusal(self, since: int) -> StoreUnavailableError | None:
        """The error for which nothing more may be computed or paid, because a commit of this or another process failed, or too
        little space is left on the disk; otherwise None.

        since: how many failed commits `database` had counted when the caller began.
        """
        if self.database.refusals > since:
            return self.database.refusal
        if self.reserve.is_stopped():
            return StoreUnavailableError(
                f"Another process could not write the store {self.directory}: its disk is full or cannot be written.",
                "Free some space, then run again: all finished work is kept.",
            )
        return self.free_space.problem()

    def load(self, content_digest: str, expected: Any = Any, type_name: str = "") -> Any:
        """The verified value of a digest, as `expected` or as the class `type_name`.

        Raises MissingObjectError, CorruptObjectError, UnknownFormatError.
        """
        return decode(self.content.get(content_digest), expected, type_name)

    def opened(self, results: Mapping[str, Result], expected: Any = Any) -> Iterator[tuple[str, Any]]:
        """The partitions with the values of their results, one after the other.

        A lost value is left out: its action is a miss from then on, so the next plan has it computed again.
        """
        self.content.fetch(result.content_digest for result in results.values())
        for partition, result in results.items():
            with suppress(MissingObjectError, CorruptObjectError):
                yield partition, self.load(result.content_digest, expected)

    def values(self, stage: str, partitions: Iterable[str] | None = None, expected: Any = Any) -> StoredValues:
        """The current values of a stage by partition, opened lazily. It takes one query."""
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
        """The contents of the store in numbers."""
        results = dict(self.database.read("SELECT stage, COUNT(*) FROM actions GROUP BY stage ORDER BY stage"))
        ((values,),) = self.database.read("SELECT COUNT(*) FROM objects")
        ((failures,),) = self.database.read("SELECT COUNT(*) FROM failures")
        on_disk = sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())
        return Contents(results, values, on_disk, failures)

    def verify(self) -> list[str]:
        """Read every value and row, and return a sentence for each that is damaged, missing, or an action without a value.

        Damaged values are moved to quarantine. Damaged rows (the result of an action, the ref of a document) are deleted.
        The next run computes or publishes them again.

        Raises StoreUnavailableError if the database itself cannot be read.
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
        wrong += self._verify_rows()
        damage = [row[0] for row in self.database.read("PRAGMA integrity_check(10)") if row[0] != "ok"]
        if damage:
            wrong.append(f"The database is damaged ({'; '.join(damage)}). Run `seedbank cache repair`.")
        return wrong

    def _verify_rows(self) -> list[str]:
        """Describe the damaged rows, and delete them if the store can be written."""
        wrong = [f"The record of the finished action {key} was changed on the disk." for key in self.actions.damaged()]
        wrong += [
            f"The ref of {stage} for {partition!r} was changed on the disk." for stage, partition in self.refs.damaged()
        ]
        wrong += [f"The failure recorded for {key} was changed on the disk." for key in self.failures.damaged()]
        # Damage to the parts or the provenance of an action shows only here; the result itself is intact.
        with suppress(StoreUnavailableError):
            counts = [table.forget_damaged() for table in (self.actions, self.refs, self.failures)]
            if sum(counts) > len(wrong):
                wrong.append(
                    f"The inputs or the costs recorded for {sum(counts) - len(wrong)} finished actions were changed on the "
                    "disk and were deleted; their results are intact."
                )
        return wrong

    def close(self) -> None:
        """Write all queued commits, free the leases, and close the store."""
        self.leases.close()
        self.batches.close()
        self.actions.close()
        self.database.close()
        self.reserve.close()


def _pass_on(done: Future[Any], value: Any, keep: Callable[[BaseException], None], written: Future[None]) -> None:
    error = written.exception()
    if error is not None:
        keep(error)
        done.set_exception(error)
    else:
        done.set_result(value)
