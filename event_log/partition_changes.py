"""Partitions, in any storage: word of what others do to them, and one view of them for the length of a run.

What belongs here: noticing that somebody else than the project adds or deletes partitions, wipes what is shown of them, or
lets a run fail (in the UI, from a script), and holding them still. What does not: what is done about it (the next
`seedbank seed` compares Dagster's records with the store).
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from dagster import AssetKey, DagsterInstance, EventLogEntry
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from resources.config import load_settings
from resources.home import Home

_here = threading.local()


@contextmanager
def own_partition_changes() -> Iterator[None]:
    """What this thread changes in the body is known to the project."""
    _here.known = True
    try:
        yield
    finally:
        _here.known = False


class PartitionChanges(SqlEventLogStorage):
    """To be put before a storage: the home is told of every change of what partitions show, unless it is the project's."""

    _held: dict[str, Sequence[str]] | None = None

    @contextmanager
    def partitions_held(self) -> Iterator[None]:
        """For the body, a run, the partitions are as they were when they were first asked for in it.

        Dagster reads all of them some fifty times a run, 2 s for 10,000; and gives up a run of which one was deleted.
        """
        self._held = {}
        try:
            yield
        finally:
            self._held = None

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """As the storage."""
        if self._held is None:
            return super().get_dynamic_partitions(partitions_def_name)
        if partitions_def_name not in self._held:
            self._held[partitions_def_name] = super().get_dynamic_partitions(partitions_def_name)
        return self._held[partitions_def_name]

    def store_event(self, event: EventLogEntry) -> None:
        """As the storage. A run may fail before it comes to the project's code, and shows finished documents as failed."""
        super().store_event(event)
        if event.is_dagster_event and event.get_dagster_event().is_run_failure:
            _tell()

    def wipe_asset(self, asset_key: AssetKey) -> None:
        """As the storage."""
        super().wipe_asset(asset_key)
        _tell()

    def wipe_asset_partitions(self, asset_key: AssetKey, partition_keys: Sequence[str]) -> None:
        """As the storage."""
        super().wipe_asset_partitions(asset_key, partition_keys)
        _tell()

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """As the storage."""
        super().add_dynamic_partitions(partitions_def_name, partition_keys)
        _tell()

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """As the storage."""
        super().delete_dynamic_partition(partitions_def_name, partition_key)
        _tell()


def partitions_held(instance: DagsterInstance) -> AbstractContextManager[None]:
    """See PartitionChanges.partitions_held; nothing where the instance has another storage."""
    storage = instance.event_log_storage
    return storage.partitions_held() if isinstance(storage, PartitionChanges) else nullcontext()


def _tell() -> None:
    if not getattr(_here, "known", False):
        Home(load_settings().home).doubt()
