"""What is known here of a remote: its actions by key, in a file of its own beside the store, so that look-ups need no network.

The file is `remote.db` in the store. It may be deleted while nothing runs: the next pull writes it again from the segments. It is
also written again if the remote or the trusted keys change, so that nothing stays that a changed configuration would refuse.

The rows of a segment stay in their compressed blocks; by key there is only the digest and the block. Of two results of
one key, every reader chooses the older one, and of equally old ones that with the smaller digest.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import msgspec

from io_managers.sharing.segments.segment import Block, Segment, SharedAction, block_of, rows_of
from io_managers.store.errors import SegmentError, translate
from io_managers.store.sqlite.connection import transaction
from io_managers.store.sqlite.seals import seal, sound
from io_managers.store.sqlite.wiping import overwrite_deleted, wipe

_FORMAT = 1
_SCHEMA = """
CREATE TABLE segments (name TEXT PRIMARY KEY, taken_at REAL NOT NULL, rows INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    refusal TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (block INTEGER PRIMARY KEY, segment TEXT NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE keys (action_key TEXT PRIMARY KEY, content_digest TEXT NOT NULL, seal INTEGER NOT NULL,
    created_at REAL NOT NULL, block INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE erased (action_key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE withheld (content_digest TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE adopted (action_key TEXT PRIMARY KEY, stage TEXT NOT NULL, content_digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX adopted_digest ON adopted (content_digest);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = ("segments", "blocks", "keys", "erased", "withheld")
_OF_EACH = "FROM json_each(?) CROSS JOIN"
# The older result of a key stays. An equally old one of the same digest is the same row in another segment, by compaction.
_ADD = (
    "INSERT INTO keys (action_key, content_digest, seal, created_at, block) SELECT ?, ?, ?, ?, ?"
    " WHERE NOT EXISTS (SELECT 1 FROM erased WHERE action_key = ?1 AND at >= ?4)"
    " ON CONFLICT DO UPDATE SET content_digest = excluded.content_digest, seal = excluded.seal,"
    " created_at = excluded.created_at, block = excluded.block"
    " WHERE (excluded.created_at, excluded.content_digest) <= (keys.created_at, keys.content_digest)"
)


class Known(NamedTuple):
    """What is known of a remote. results: how many it has. adopted: how many of them are in this store."""

    results: int
    adopted: int
    segments: int
    pulled_at: float | None


class RemoteIndex:
    """The index of one remote. Threads and processes may share it."""

    def __init__(self, path: Path, source: str) -> None:
        """source: the address of the remote and whom the reader trusts; another one empties the index."""
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = self._opened(source)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise translate(error, path) from error
            path.unlink(missing_ok=True)  # it is damaged, and a pull writes it again
            self._connection = self._opened(source)

    def _opened(self, source: str) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            with transaction(connection):
                if connection.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                        connection.execute(f'DROP TABLE "{name}"')
                    for statement in _SCHEMA.strip().split(";\n"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {_FORMAT}")
                found = connection.execute("SELECT value FROM facts WHERE name = 'source'").fetchone()
                if found != (source,):
                    for table in (*_TABLES, "facts"):
                        connection.execute(f"DELETE FROM {table}")
                    connection.execute("INSERT INTO facts VALUES ('source', ?)", (source,))
        except BaseException:
            connection.close()
            raise
        return connection

    def _read(self, sql: str, *parameters: object) -> list[tuple]:
        with self._lock:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise translate(error, self._path) from error

    def _write(self, *writes: tuple[str, Sequence[tuple]]) -> None:
        with self._lock:
            try:
                with transaction(self._connection):
                    for statement, rows in writes:
                        self._connection.executemany(statement, rows)
            except sqlite3.Error as error:
                raise translate(error, self._path) from error

    def digests(self, keys: Iterable[str]) -> dict[str, str]:
        """The content digests of the actions that the remote has, by key."""
        return {key: digest for key, digest, _, _ in self._found(keys)}

    def rows(self, keys: Iterable[str]) -> list[SharedAction]:
        """The actions that the remote has, as they are in their segments."""
        found = self._found(keys)
        wanted = {key: digest for key, digest, _, _ in found}
        rows: list[SharedAction] = []
        for block, _ in groupby(sorted(found, key=itemgetter(3)), key=itemgetter(3)):
            for row in self._block(block):
                if wanted.get(row.key) == row.content_digest:
                    rows.append(row)
                    del wanted[row.key]  # an erased and repeated key may stand twice in a block
        return rows

    def _found(self, keys: Iterable[str]) -> list[tuple]:
        wanted = msgspec.json.encode(sorted(keys)).decode()
        rows = self._read(
            f"SELECT action_key, content_digest, seal, block {_OF_EACH} keys ON action_key = value", wanted
        )
        withheld = {digest for (digest,) in self._read("SELECT content_digest FROM withheld")} if rows else set()
        return [row for row in sound(rows, 2) if row[1] not in withheld]

    def _block(self, block: int) -> list[SharedAction]:
        rows = self._read("SELECT rows, data FROM blocks WHERE block = ?", block)
        try:
            return rows_of(Block(*rows[0])) if rows else []
        except SegmentError:
            return []  # The file was damaged on the disk, so its actions are misses.

    def rows_in_use(self, segments: Iterable[str]) -> Iterator[SharedAction]:
        """Those actions of some segments that `rows` gives."""
        for block in self._blocks_of(segments):
            rows = self._block(block)
            chosen = {key for key, _, _, number in self._found(row.key for row in rows) if number == block}
            for row in rows:
                if row.key in chosen:
                    chosen.discard(row.key)
                    yield row

    def segments_with(self, keys: Set[str]) -> set[str]:
        """The segments whose files hold any of these keys, whether in use or not. It reads all of the index."""
        segments = self.segments()
        return {
            name
            for name in segments
            if any(row.key in keys for block in self._blocks_of([name]) for row in self._block(block))
        }

    def _blocks_of(self, segments: Iterable[str]) -> list[int]:
        wanted = msgspec.json.encode(list(segments)).decode()
        return [
            block
            for (block,) in self._read(
                "SELECT block FROM blocks WHERE segment IN (SELECT value FROM json_each(?)) ORDER BY block", wanted
            )
        ]

    def times(self, keys: Iterable[str]) -> dict[str, float]:
        """When the actions that the remote has were made, by key, in seconds since 1970."""
        wanted = msgspec.json.encode(sorted(keys)).decode()
        return dict(self._read(f"SELECT action_key, created_at {_OF_EACH} keys ON action_key = value", wanted))

    def erased(self, keys: Iterable[str] | None = None) -> dict[str, float]:
        """The keys that were erased, of all or of these, each with the time up to which its results must not be used."""
        if keys is None:
            return dict(self._read("SELECT action_key, at FROM erased"))
        wanted = msgspec.json.encode(list(keys)).decode()
        return dict(self._read(f"SELECT action_key, at {_OF_EACH} erased ON action_key = value", wanted))

    def sizes(self) -> dict[str, int]:
        """The number of actions of each segment that was taken, by name."""
        return dict(self._read("SELECT name, rows FROM segments WHERE refusal = ''"))

    def segments(self) -> dict[str, str]:
        """All segments that were looked at, by name, with why one was refused; "" for those that were taken."""
        return dict(self._read("SELECT name, refusal FROM segments"))

    def add(self, name: str, segment: Segment, size_bytes: int) -> None:
        """Take in a segment. Raises SegmentError if a block is damaged; nothing of it is taken then."""
        rows = [rows_of(block) for block in segment.blocks]
        with self._lock:
            try:
                with transaction(self._connection):
                    self._add(name, segment, size_bytes, rows)
            except sqlite3.Error as error:
                raise translate(error, self._path) from error

    def _add(self, name: str, segment: Segment, size_bytes: int, rows: Sequence[Sequence[SharedAction]]) -> None:
        run = self._connection.execute
        if run("SELECT 1 FROM segments WHERE name = ? AND refusal = ''", (name,)).fetchone():
            return
        for statement in (
            "INSERT INTO erased VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
            "DELETE FROM keys WHERE action_key = ? AND created_at <= ?",
        ):
            self._connection.executemany(statement, list(segment.erased.items()))
        for block, actions in zip(segment.blocks, rows, strict=True):
            number = run(
                "INSERT INTO blocks (segment, rows, data) VALUES (?, ?, ?)", (name, block.rows, block.data)
            ).lastrowid
            self._connection.executemany(
                _ADD,
                [
                    (row.key, row.content_digest, seal(row.key, row.content_digest), row.created_at, number)
                    for row in actions
                ],
            )
        run(
            "INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, '')",
            (name, time.time(), segment.rows, size_bytes),
        )

    def refuse(self, name: str, reason: str) -> None:
        """Note why a segment was not taken, so that it is not fetched again. It is looked at again after `forget_refusals`."""
        self._write(("INSERT OR REPLACE INTO segments VALUES (?, ?, 0, 0, ?)", [(name, time.time(), reason)]))

    def forget_refusals(self) -> None:
        """Look at refused segments and at withheld values again."""
        self._write(("DELETE FROM segments WHERE refusal <> ''", [()]), ("DELETE FROM withheld", [()]))

    def drop(self, names: Iterable[str]) -> None:
        """Forget segments that are not in the remote any more, with the actions that are in no other."""
        gone, among = msgspec.json.encode(list(names)).decode(), "IN (SELECT value FROM json_each(?))"
        self._write(
            (f"DELETE FROM keys WHERE block IN (SELECT block FROM blocks WHERE segment {among})", [(gone,)]),
            (f"DELETE FROM blocks WHERE segment {among}", [(gone,)]),
            (f"DELETE FROM segments WHERE name {among}", [(gone,)]),
        )

    def related(self, keys: Set[str], names: Callable[[str], bool]) -> dict[str, set[str]]:
        """Content digest -> keys, of the actions with these keys and of those whose inputs name something. It reads all rows."""
        found: dict[str, set[str]] = {}
        for block in self._blocks_of(self.segments()):
            for row in self._block(block):
                if row.key in keys or names(row.parts):
                    found.setdefault(row.content_digest, set()).add(row.key)
        return found

    def others_with(self, digests: Iterable[str], keys: Set[str]) -> set[str]:
        """Those of these digests that another action than these has."""
        wanted = msgspec.json.encode(list(digests)).decode()
        rows = self._read(
            "SELECT content_digest, action_key FROM keys WHERE content_digest IN (SELECT value FROM json_each(?))",
            wanted,
        )
        return {digest for digest, key in rows if key not in keys}

    def erase(self, keys: Set[str]) -> None:
        """Remove the rows of these actions from this file, also those of segments that others have signed."""
        writes: list[tuple[str, Sequence[tuple]]] = []
        for block in self._blocks_of(self.segments()):
            rows = self._block(block)
            left = [row for row in rows if row.key not in keys]
            if len(left) < len(rows):
                kept = block_of(left)
                writes.append(("UPDATE blocks SET rows = ?, data = ? WHERE block = ?", [(kept.rows, kept.data, block)]))
        named = [(key,) for key in keys]
        with self._lock:
            try:
                overwrite_deleted(self._connection)
            except sqlite3.Error as error:
                raise translate(error, self._path) from error
        self._write(
            *writes,
            ("DELETE FROM keys WHERE action_key = ?", named),
            ("DELETE FROM adopted WHERE action_key = ?", named),
        )
        with self._lock:
            try:
                wipe(self._connection)
            except sqlite3.Error as error:
                raise translate(error, self._path) from error

    def note_pulled(self) -> None:
        """Note that the index is what the remote has now."""
        self._write(("INSERT OR REPLACE INTO facts VALUES ('pulled_at', ?)", [(str(time.time()),)]))

    def note_adopted(self, rows: Iterable[SharedAction]) -> None:
        """Note that these actions are in the store now; their values may follow later."""
        now = time.time()
        self._write(
            (
                "INSERT OR REPLACE INTO adopted VALUES (?, ?, ?, ?, ?)",
                [(row.key, row.stage, row.content_digest, row.size_bytes, now) for row in rows],
            )
        )

    def to_fetch(self, digests: Iterable[str]) -> dict[str, int]:
        """Those of these digests whose values the remote has for an adopted action, with their sizes in bytes."""
        wanted = msgspec.json.encode(sorted(digests)).decode()
        return dict(
            self._read(
                f"SELECT DISTINCT value, size_bytes {_OF_EACH} adopted ON adopted.content_digest = value"
                " WHERE NOT EXISTS (SELECT 1 FROM withheld WHERE withheld.content_digest = value)",
                wanted,
            )
        )

    def withhold(self, digest: str, reason: str) -> None:
        """Use no action with this value any more, since the remote has no right value for it."""
        self._write(("INSERT OR REPLACE INTO withheld VALUES (?, ?)", [(digest, reason)]))

    def broken(self, keys: Iterable[str]) -> dict[str, str]:
        """Those of these keys for which the remote has no right value, each with the digest of what it should have."""
        wanted = msgspec.json.encode(sorted(keys)).decode()
        return dict(
            self._read(
                f"SELECT action_key, content_digest {_OF_EACH} keys ON action_key = value"
                " WHERE content_digest IN (SELECT content_digest FROM withheld)",
                wanted,
            )
        )

    def use_again(self, digests: Iterable[str]) -> None:
        """Use actions with these values again, after the remote was given the right ones."""
        self._write(("DELETE FROM withheld WHERE content_digest = ?", [(digest,) for digest in digests]))

    def withheld(self) -> dict[str, str]:
        """The digests whose values the remote could not give, with the reasons."""
        return dict(self._read("SELECT content_digest, reason FROM withheld"))

    def known(self) -> Known:
        """What is known of the remote, in numbers."""
        ((results, adopted, segments),) = self._read(
            "SELECT (SELECT count(*) FROM keys), (SELECT count(*) FROM adopted),"
            " (SELECT count(*) FROM segments WHERE refusal = '')"
        )
        pulled = self._read("SELECT value FROM facts WHERE name = 'pulled_at'")
        return Known(results, adopted, segments, float(pulled[0][0]) if pulled else None)

    def adopted(self) -> Mapping[str, int]:
        """How many results came from the remote, by stage."""
        return dict(self._read("SELECT stage, count(*) FROM adopted GROUP BY stage ORDER BY stage"))

    def close(self) -> None:
        """Close the file."""
        with self._lock, closing(self._connection):
            pass
