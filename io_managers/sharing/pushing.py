"""Pushes finished actions of a store to its remote: first values, then segments. Compacts the segments of this signer.

An action is pushed unless the remote has one under its key. So of two hosts that did the same at once, the first one's result is
shared, and the other one keeps its own; how often that happened is counted.
"""

from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from io_managers.sharing.remote import AT_ONCE, Remote
from io_managers.sharing.segments.segment import SharedAction
from io_managers.store.action_cache import ActionRow
from io_managers.store.errors import CorruptObjectError, MissingObjectError
from io_managers.store.store import Store

# The actions of one segment, unless there are fewer.
_SEGMENT_ROWS = 1_000
# With so many segments of its own, a signer makes one of them (a judgement: a listing has 1,000 names a page).
_MOST_SEGMENTS = 48
# Larger segments are not compacted again, so that each action is written a few times only.
_COMPACTED_ROWS = 100_000


@dataclass(slots=True)
class Pushed:
    """What a push did. results, values, bytes: how many were written. twice: results that the remote has from another host.

    last_row: the last row of the store's actions that was looked at; the next push of this process goes on from there.
    """

    results: int = 0
    values: int = 0
    bytes: int = 0
    twice: int = 0
    last_row: int = 0


def push(store: Store, remote: Remote, private: Sequence[str] = (), since_row: int = 0) -> Pushed:
    """Push what the remote does not have. private: stages whose results, and the answers paid by them, stay here.

    The index should be fresh (`Remote.pull`). Raises RemoteError, StoreUnavailableError; what was pushed before stays.
    """
    remote.check_writable()
    pushed = Pushed(last_row=since_row)
    hidden = store.requests.answered_for(private)
    while rows := store.actions.after(pushed.last_row, _SEGMENT_ROWS):
        pushed.last_row = rows[-1].number
        shown = [row for row in rows if not (row.stage in private or row.key in hidden)]
        _push_rows(store, remote, shown, pushed)
    if pushed.results:
        compact(remote)
    return pushed


def _push_rows(store: Store, remote: Remote, rows: Sequence[ActionRow], pushed: Pushed) -> None:
    keys = [row.key for row in rows]
    there, erased, broken = remote.index.times(keys), remote.index.erased(keys), remote.index.broken(keys)
    pushed.twice += sum(1 for row in rows if there.get(row.key, row.created_at) != row.created_at)
    new = [
        row
        for row in rows
        if (row.key not in there or row.key in broken) and erased.get(row.key, -1.0) < row.created_at
    ]
    sizes: dict[str, int] = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for digest, found in threads.map(
            lambda digest: (digest, _push_value(store, remote, digest)), {row.content_digest for row in new}
        ):
            if found is not None:
                size_bytes, written = found
                sizes[digest] = size_bytes
                pushed.values += written
                pushed.bytes += size_bytes if written else 0
    actions = [
        SharedAction(
            row.stage,
            row.key,
            row.content_digest,
            sizes[row.content_digest],
            row.type_name,
            row.parts,
            row.provenance,
            row.created_at,
        )
        for row in new
        if row.content_digest in sizes
    ]
    if actions:
        # Where the remote has no right value for a result, the one that was computed instead takes its place.
        remote.put_segment(
            actions,
            {
                row.key: there[row.key]
                for row in actions
                if broken.get(row.key, row.content_digest) != row.content_digest
            },
        )
        remote.index.use_again(broken.values())
        pushed.results += len(actions)


def _push_value(store: Store, remote: Remote, digest: str) -> tuple[int, bool] | None:
    """Push the value of a digest. Returns its size and whether it was written; None if it is damaged or missing here."""
    try:
        data = store.content.get(digest)
    except (MissingObjectError, CorruptObjectError):
        return None  # The action is a miss from now on.
    return len(data), remote.put_value(digest, data)


def compact(remote: Remote, holding: Set[str] = frozenset()) -> None:
    """Make one segment of those that this signer has pushed, if they are many. Nobody rewrites the segments of others.

    holding: keys that were erased; segments that hold one are written again without it, however few they are.
    """
    index = remote.index
    sizes = {name: rows for name, rows in index.sizes().items() if name.startswith(f"{remote.own_folder}/")}
    small = {name for name, rows in sizes.items() if rows < _COMPACTED_ROWS}
    chosen = small if len(small) > _MOST_SEGMENTS else set[str]()
    if holding:
        chosen = chosen | (index.segments_with(holding) & sizes.keys())
    if not chosen:
        return
    made = remote.put_segment(index.rows_in_use(chosen), index.erased())
    gone = chosen - {made}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(remote.bucket.delete, sorted(gone)))
    index.drop(gone)


def erase(remote: Remote, keys: Set[str], digests: Set[str], at: float) -> list[str]:
    """Take actions and values out of a remote. Returns the names of files of other signers that still hold some of the actions.

    A mark stays in the remote, so that no reader uses these actions again, and each signer's next compaction leaves them out.
    keys: of the actions. digests: the values that nothing else needs. at: results made later than this are not meant, in seconds
    since 1970. Raises RemoteError.
    """
    remote.check_writable()
    remote.pull()
    remote.put_segment((), dict.fromkeys(keys, at))
    remote.delete_values(digests)
    compact(remote, keys)
    return sorted(remote.index.segments_with(keys))
