"""Exports and imports: a folder in the form of a remote, from which another store takes actions with all their values."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from io_managers.sharing.buckets.bucket import Bucket
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.pushing import Pushed, push
from io_managers.sharing.read_through import action_row_of, content_of
from io_managers.sharing.remote import AT_ONCE, Access, Remote
from io_managers.sharing.remote_index import RemoteIndex
from io_managers.sharing.segments.segment import SharedAction
from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.action_cache import ActionCache
from io_managers.store.errors import RemoteError
from io_managers.store.store import Store

# Values of so many actions are in memory at once.
_GROUP = AT_ONCE * 4


@dataclass(slots=True)
class Taken:
    """What was taken into a store. results: how many are new in it. refused: what was not used, by name, with the reasons.

    values, bytes: how many values are new in it, and their size.
    """

    results: int = 0
    values: int = 0
    bytes: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def export(store: Store, folder: Path, signer: SigningKey | None, private: Sequence[str] = ()) -> Pushed:
    """Write the finished actions of a store, with their values, into a folder. What is there already stays.

    Raises RemoteError if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RemoteError(f"The folder {folder} cannot be created: {error.strerror or error}.") from error
    with _in_folder(FolderBucket(folder), Trust([signer.public] if signer else (), unsigned=True), signer) as remote:
        remote.pull()
        return push(store, remote, private)


def take_in(store: Store, folder: Path, trust: Trust) -> Taken:
    """Take the actions of an exported folder into a store, with their values. Raises RemoteError."""
    bucket = FolderBucket(folder)
    trust = Trust(trust.keys, unsigned=trust.unsigned or bucket.is_own())
    with _in_folder(bucket, trust, None) as remote:
        refused = remote.pull().refused
        if not remote.index.segments():
            raise RemoteError(f"The folder {folder} holds no exported results.", "Give the folder of an export.")
        taken = take_all(store, remote)
        taken.refused |= refused
        return taken


def take_all(store: Store, remote: Remote) -> Taken:
    """Take all actions that are known of a remote into a store, with their values. Raises RemoteError."""
    return _take_rows(store, remote, remote.index.rows_in_use(remote.index.sizes()))


def take(store: Store, remote: Remote, keys: Iterable[str]) -> Taken:
    """Take those of these actions that are known of a remote into a store, with their values. Raises RemoteError."""
    rows = remote.index.rows(keys)
    remote.index.note_adopted(rows)
    return _take_rows(store, remote, iter(rows))


def _take_rows(store: Store, remote: Remote, rows: Iterator[SharedAction]) -> Taken:
    taken = Taken()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while group := list(islice(rows, _GROUP)):
            _take_group(store, remote, group, threads, taken)
    taken.refused = dict(remote.index.withheld())
    return taken


def _take_group(
    store: Store, remote: Remote, group: Sequence[SharedAction], threads: ThreadPoolExecutor, taken: Taken
) -> None:
    """Take some actions, and count them. A result that the store has under the key stays."""
    here, content = ActionCache(store.database).existing(row.key for row in group), content_of(store)
    group = [row for row in group if here.get(row.key, row.content_digest) == row.content_digest]
    sizes = {row.content_digest: row.size_bytes for row in group if not content.contains(row.content_digest)}
    found = dict(zip(sizes, threads.map(remote.value, sizes, sizes.values()), strict=True))
    new = [row for row in group if row.key not in here and found.get(row.content_digest, b"") is not None]
    values = [data for data in found.values() if data is not None]
    writes = [write for data in values for write in content.prepare(data)[1]]
    store.database.write(*writes, *ActionCache.take_over(map(action_row_of, new))).result()
    taken.results += len(new)
    taken.values += len(values)
    taken.bytes += sum(map(len, values))


@contextmanager
def _in_folder(bucket: Bucket, trust: Trust, signer: SigningKey | None) -> Iterator[Remote]:
    with tempfile.TemporaryDirectory() as temporary:
        index = RemoteIndex(Path(temporary) / "remote.db", bucket.address)
        remote = Remote(lambda: Access(bucket, trust, signer, True), index)
        try:
            yield remote
        finally:
            remote.close()
