"""Removes results with the values that nothing else has, in short transactions beside processes that use the store.

What is to be removed is decided by the callers. Each batch checks again, under the write lock, what may have changed since: a
result that was published or used meanwhile stays, and so does a value that another result has. A value of a result that is being
committed cannot be lost: its row is written in the same transaction as the result, and its file is not removed while it is young.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from io_managers.store.codecs.stored_bytes import Files
from io_managers.store.sqlite.connection import transaction
from io_managers.store.sqlite.schema import SAYS_MORE

T = TypeVar("T")

BATCH = 20_000
"""Results removed in a transaction. It takes about a second, for which others wait; fewer write the same pages more often."""
# A file is written before the row that names it. A process that takes longer than this between the two computes again.
_YOUNG_SECONDS = 3600.0
_UNREFERENCED = (
    " AND NOT EXISTS (SELECT 1 FROM actions WHERE actions.content_digest = objects.content_digest)"
    " AND NOT EXISTS (SELECT 1 FROM temp.published WHERE digest = objects.content_digest)"
    " AND NOT EXISTS (SELECT 1 FROM requests WHERE response <> '' AND response = objects.content_digest)"
)
# No result, no failure and no unusable reply of the action is there any more.
_LOST = (
    "(NOT EXISTS (SELECT 1 FROM actions WHERE actions.action_key = origins.action_key)"
    " AND NOT EXISTS (SELECT 1 FROM failures WHERE failures.action_key = origins.action_key)"
    f" AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.action_key = origins.action_key AND {SAYS_MORE}))"
)
ORPHANS = f"SELECT content_digest, coalesce(length(data), size_bytes) FROM objects WHERE true{_UNREFERENCED}"
"""The values that no result, ref or request names. The connection needs the table of `note_published`."""


def note_published(connection: sqlite3.Connection) -> None:
    """Make the temporary table `published`: the digests that refs name. A later ref has an action, which is checked."""
    connection.execute("DROP TABLE IF EXISTS temp.published")
    connection.execute("CREATE TEMP TABLE published (digest TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("INSERT OR IGNORE INTO temp.published SELECT content_digest FROM refs WHERE state = ''")


def remove_actions(
    connection: sqlite3.Connection,
    files: Files,
    keys: Sequence[str],
    *,
    unused_since: int | None = None,
    keep_published: bool = True,
) -> set[str]:
    """Remove finished actions with the values that nothing else has, and return the keys that were removed.

    unused_since: a day since 1970; what was used on it or later stays. keep_published: whether an action that a ref points to
    stays. Raises sqlite3.Error; the batches before that are removed.
    """
    condition = (
        " AND NOT EXISTS (SELECT 1 FROM refs WHERE refs.action_key = actions.action_key)" if keep_published else ""
    )
    if unused_since is not None:
        condition += f" AND coalesce(used_on, 0) < {int(unused_since)}"
    removed: set[str] = set()
    for batch in _batches(keys):
        with _short_transaction(connection):
            rows = connection.execute(
                "DELETE FROM actions WHERE action_key IN (SELECT value FROM json_each(?))"
                f"{condition} RETURNING action_key, content_digest",
                (json.dumps(batch),),
            ).fetchall()
            removed.update(key for key, _ in rows)
            in_files = _remove_values(connection, [digest for _, digest in rows])
        for digest in in_files:
            remove_file(files, digest)
    return removed


def remove_values(connection: sqlite3.Connection, files: Files, digests: Sequence[str]) -> None:
    """Remove those of these values that nothing names any more. Raises sqlite3.Error."""
    for batch in _batches(digests):
        with _short_transaction(connection):
            in_files = _remove_values(connection, batch)
        for digest in in_files:
            remove_file(files, digest)


def remove_lost_origins(connection: sqlite3.Connection) -> None:
    """Remove what is recorded about the origins of results that are gone. Raises sqlite3.Error.

    What was made inside of such a result passes to what that was made for, so that it is still found from there.
    """
    while _pass_on(connection):
        pass
    after = ("", "")
    while True:
        rows = connection.execute(
            f"SELECT owner, action_key, NOT {_LOST} FROM origins WHERE (owner, action_key) > (?, ?)"
            " ORDER BY owner, action_key LIMIT 20000",
            after,
        ).fetchall()
        if not rows:
            return
        after = rows[-1][:2]
        for batch in _batches([row[:2] for row in rows if not row[2]]):
            with _short_transaction(connection):
                # Checked again: the result may have been computed again meanwhile.
                connection.executemany(
                    f"DELETE FROM origins WHERE owner = ? AND action_key = ? AND {_LOST}",
                    batch,
                )


def _pass_on(connection: sqlite3.Connection) -> int:
    """Let the owners of lost results own what was made inside of these; how many such origins are new."""
    with _short_transaction(connection):
        return connection.execute(
            "INSERT OR IGNORE INTO origins SELECT origins.owner, inner.action_key FROM origins JOIN origins AS inner"
            f" ON inner.owner = origins.action_key WHERE {_LOST}"
        ).rowcount


def remove_file(files: Files, digest: str) -> None:
    """Remove the file of a value whose row is gone, unless it is young: a process may be about to commit a row for it."""
    path = files.path(digest)
    aside = path.with_name(f".removed-{path.name}")
    with suppress(OSError):
        if _is_young(path):
            return
        os.replace(path, aside)
        # Another process may have found the file after it was looked at, and then it has renewed the time.
        if _is_young(aside) and not path.exists():
            os.replace(aside, path)
        else:
            aside.unlink()


def stray_files(files: Files, connection: sqlite3.Connection) -> Iterator[Path]:
    """The files of values that no row names, and unfinished ones, that killed processes left behind."""
    for path in files.directory.glob("??/*"):
        with suppress(OSError):
            if _is_young(path):
                continue
            digest = f"sha256:{path.parent.name}{path.name}"
            if path.name.startswith(".") or not _has_file(connection, digest):
                yield path


def _has_file(connection: sqlite3.Connection, digest: str) -> bool:
    return bool(
        connection.execute("SELECT 1 FROM objects WHERE content_digest = ? AND data IS NULL", (digest,)).fetchone()
    )


def _remove_values(connection: sqlite3.Connection, digests: Sequence[str]) -> list[str]:
    """Delete the rows of values that nothing names; the digests of those whose bytes are in files."""
    # Not by DELETE ... RETURNING, in which SQLite 3.40 takes a deleted NULL for a value.
    rows = connection.execute(
        "SELECT rowid, content_digest, data IS NULL FROM objects"
        f" WHERE content_digest IN (SELECT value FROM json_each(?)){_UNREFERENCED}",
        (json.dumps(sorted(set(digests))),),
    ).fetchall()
    connection.executemany("DELETE FROM objects WHERE rowid = ?", [(row,) for row, _, _ in sorted(rows)])
    return [digest for _, digest, in_file in rows if in_file]


@contextmanager
def _short_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A write transaction, after which other processes get about as much time as it took."""
    began = time.perf_counter()
    with transaction(connection):
        yield
    time.sleep(min(0.05, time.perf_counter() - began))


def _is_young(path: Path) -> bool:
    return time.time() - path.stat().st_mtime < _YOUNG_SECONDS


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), BATCH):
        yield list(items[start : start + BATCH])
