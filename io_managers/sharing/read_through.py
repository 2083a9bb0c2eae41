"""Finds actions and values in the store, and what is not there in its remote. What is found there is kept in the store.

Look-ups need no network: they ask the index. A value is fetched when it is opened for the first time.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from io_managers.sharing.remote import AT_ONCE, Remote
from io_managers.sharing.segments.segment import SharedAction
from io_managers.store.action_cache import ActionCache, ActionRecord, ActionRow
from io_managers.store.content_store import ContentStore
from io_managers.store.errors import StoreUnavailableError
from io_managers.store.sqlite.database import Database, Write
from io_managers.store.store import Store

# Values are committed in groups, which bounds the memory that they take.
_GROUP = AT_ONCE * 4


class SharedActions(ActionCache):
    """The finished actions of a store and of its remote."""

    def __init__(self, database: Database, remote: Remote) -> None:
        super().__init__(database)
        self.remote = remote

    def lookup(self, keys: Iterable[str]) -> dict[str, ActionRecord]:
        """See ActionCache. Actions of the remote are committed to the store."""
        wanted = set(keys)
        found = super().lookup(wanted)
        missing = wanted - found.keys()
        if not missing or not (rows := self.remote.index.rows(missing)):
            return found
        with suppress(StoreUnavailableError):  # a store that cannot be written takes nothing
            self.remote.index.note_adopted(rows)
            self._database.write(*self.take_over(map(action_row_of, rows))).result()
        return found | super().lookup(row.key for row in rows)

    def existing(self, keys: Iterable[str]) -> dict[str, str]:
        """See ActionCache. Nothing is committed."""
        wanted = set(keys)
        found = super().existing(wanted)
        missing = wanted - found.keys()
        return found | self.remote.index.digests(missing) if missing else found

    def close(self) -> None:
        """See ActionCache."""
        self.remote.close()


def action_row_of(row: SharedAction) -> ActionRow:
    """A shared action as a row of the store."""
    return ActionRow(
        0, row.key, row.stage, row.content_digest, row.type_name, row.parts, row.provenance, row.created_at
    )


class SharedContent:
    """The values of a store and of its remote; see ContentStore. Raises RemoteError if a value cannot be fetched now."""

    is_shared = True

    def __init__(self, local: ContentStore, database: Database, remote: Remote) -> None:
        self.local = local
        self._database = database
        self._remote = remote

    def prepare(self, data: bytes, *, compressible: bool = True) -> tuple[str, list[Write]]:
        """See ContentStore."""
        return self.local.prepare(data, compressible=compressible)

    def get(self, digest: str) -> bytes:
        """See ContentStore."""
        if not self.local.contains(digest):
            self.fetch([digest])
        return self.local.get(digest)

    def fetch(self, digests: Iterable[str]) -> None:
        """See ContentStore."""
        missing = [digest for digest in set(digests) if not self.local.contains(digest)]
        sizes = list(self._remote.index.to_fetch(missing).items()) if missing else []
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for first in range(0, len(sizes), _GROUP):
                writes: list[Write] = []
                for data in threads.map(lambda found: self._remote.value(*found), sizes[first : first + _GROUP]):
                    if data is not None:
                        writes += self.local.prepare(data)[1]
                self._database.write(*writes).result()

    def contains(self, digest: str) -> bool:
        """See ContentStore."""
        return self.local.contains(digest) or bool(self._remote.index.to_fetch([digest]))

    def sizes(self, digests: Iterable[str]) -> dict[str, int]:
        """See ContentStore."""
        wanted = set(digests)
        return self._remote.index.to_fetch(wanted) | self.local.sizes(wanted)

    def digests(self) -> Iterator[str]:
        """See ContentStore: those whose bytes are here."""
        return self.local.digests()


def content_of(store: Store) -> ContentStore:
    """The values that are in a store itself, whether or not it reads through to a remote."""
    return store.content.local if isinstance(store.content, SharedContent) else store.content
