"""Erases what `traces` found: refs first, so that nothing is served any more, and what leads to the rest last.

An interrupted erasure is continued by another one: actions go in the reverse order of their discovery, and the origins by which
they are found go after everything else.
"""

import json
import sqlite3
from collections.abc import Collection

from io_managers.store.codecs.stored_bytes import Files
from io_managers.store.retention.collection import collect
from io_managers.store.retention.removal import note_published, remove_actions, remove_values
from io_managers.store.retention.rules import Rules
from io_managers.store.retention.traces import Outcome, Traces
from io_managers.store.sqlite.connection import transaction
from io_managers.store.sqlite.schema import SAYS_MORE
from io_managers.store.sqlite.wiping import empty_log, overwrite_deleted, wipe
from io_managers.store.store import Store

# Everything that was set aside as damaged goes: it is not known which document it was of.
_AT_ONCE = 1e-9
_AMONG = "(SELECT value FROM json_each(?))"


class PublishedRefs:
    """The refs of a store, as the part of a home that is erased first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Take out of use what is to be erased. Raises StoreUnavailableError."""
        if not dry_run:
            with self._store.database.maintained() as connection:
                overwrite_deleted(connection)
                with transaction(connection):
                    connection.executemany("DELETE FROM refs WHERE stage = ? AND partition = ?", sorted(traces.units))
        return Outcome({})


class StoredResults:
    """The results of a store, as the part of a home that is erased last. Nobody may compute any of the documents meanwhile."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Erase what was found. Raises StoreUnavailableError; then the rest can be found again."""
        store, waiting = self._store, self._store.batches.requests_for(traces.documents, traces.request_keys)
        sent = sum(state not in ("", "collecting", "ended") for state in waiting.values())
        left = (
            f"Requests that are in batches of the provider: {sent:,}. The provider keeps them until the batches end, and what "
            "comes back is not used."
            if sent
            else ""
        )
        counts = {"results": len(traces.keys), "values": len(traces.digests)}
        counts |= _look(store, traces) if dry_run else _erase(store, traces)
        counts["requests in batches"] = len(waiting)
        return Outcome({kind: count for kind, count in counts.items() if count}, (left,) if left else ())


def _look(store: Store, traces: Traces) -> dict[str, int]:
    failures = store.database.read("SELECT action_key, partition, reason, remedy FROM failures")
    return {"recorded failures": sum(_is_of(traces, *row) for row in failures)}


def _is_of(traces: Traces, key: str, unit: str, reason: str, remedy: str) -> bool:
    """Whether a recorded failure is to be erased."""
    return unit in traces.documents or key in traces.request_keys or traces.mentions.in_text(f"{reason}\n{remedy}")


def _erase(store: Store, traces: Traces) -> dict[str, int]:
    files = Files(store.directory / "objects")
    erased: dict[str, int] = {}
    with store.database.maintained() as connection:
        overwrite_deleted(connection)
        note_published(connection)
        with transaction(connection):
            failures = connection.execute("SELECT action_key, partition, reason, remedy FROM failures").fetchall()
            failed = [(row[0],) for row in failures if _is_of(traces, *row)]
            connection.executemany("DELETE FROM failures WHERE action_key = ?", failed)
            replies = _forget_replies(connection, traces.request_keys)
        erased["recorded failures"] = len(failed)
        remove_values(connection, files, sorted(replies))
        remove_actions(connection, files, traces.keys[::-1], keep_published=False)
        for digest in sorted(traces.digests | replies):
            # The files of values are not removed while they are young, but for this.
            if not connection.execute("SELECT 1 FROM objects WHERE content_digest = ?", (digest,)).fetchone():
                files.path(digest).unlink(missing_ok=True)
    store.batches.erase(traces.documents, traces.request_keys)
    found = collect(store, Rules(free_ttl_days=0, quarantine_days=_AT_ONCE), dry_run=False)
    erased |= {"values that nothing named": found.orphans, "damaged values": found.quarantined}
    store.reserve.erase()
    with store.database.maintained() as connection:
        wipe(connection)
        _forget_origins(connection, traces)
        empty_log(connection)
    return erased


def _forget_replies(connection: sqlite3.Connection, keys: Collection[str]) -> set[str]:
    """Take the replies and the reasons out of the ledger, whose figures stay; the digests of the replies."""
    chosen = (json.dumps(sorted(keys)),)
    replies = connection.execute(
        f"SELECT DISTINCT response FROM requests WHERE response <> '' AND action_key IN {_AMONG}", chosen
    ).fetchall()
    connection.execute(
        f"UPDATE requests SET response = '', detail = '' WHERE {SAYS_MORE} AND action_key IN {_AMONG}",
        chosen,
    )
    return {digest for (digest,) in replies}


def _forget_origins(connection: sqlite3.Connection, traces: Traces) -> None:
    keys = json.dumps(sorted(traces.request_keys))
    with transaction(connection):
        connection.execute(f"DELETE FROM origins WHERE owner IN {_AMONG}", (json.dumps(traces.documents),))
        connection.execute(f"DELETE FROM origins WHERE owner IN {_AMONG} OR action_key IN {_AMONG}", (keys, keys))
