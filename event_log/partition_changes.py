"""Partitions, in any storage: notes when others change them, and gives a run one unchanging list of them.

What belongs here: noticing that somebody outside this project (in the UI, from a script) adds or deletes partitions, wipes what
is shown of them, or has a run that fails; and keeping the list of partitions the same during a run. What does not: what is done
about a change (the next `seedbank seed` compares Dagster's records with the store).
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from dagster import AssetKey, DagsterInstance, EventLogEntry
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from resources.home.home import Home
from resources.settings.config import load_settings

_here = threading.local()


@contextmanager
def own_partition_changes() -> Iterator[None]:
    """Mark what this thread changes in the body as changes by the project, which are not noted."""
    _here.known = True
    try:
        yield
    finally:
        _here.known = False


class PartitionChanges(SqlEventLogStorage):
    """A mixin for a storage. It notes in the home each change of what partitions show, unless the project made it."""

    _held: dict[str, Sequence[str]] | None = None

    @contextmanager
    def partitions_held(self) -> Iterator[None]:
        """During the body, which is a run, give the partitions as they were when they were first read in it.

        Dagster reads all of them some fifty times in a run, which takes 2 s for 10,000; and it ends a run if one of its
        partitions was deleted.
        """
        self._held = {}
        try:
            yield
        finally:
            self._held = None

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Return the partitions, during a run always the same."""
        if self._held is None:
            return super().get_dynamic_partitions(partitions_def_name)
        if partitions_def_name not in self._held:
            self._held[partitions_def_name] = super().get_dynamic_partitions(partitions_def_name)
        return self._held[partitions_def_name]

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and note the failure of a run.

        A run may fail before the project's code runs in it, and then Dagster shows finished documents as failed."""
        super().store_event(event)
        if event.is_dagster_event and event.get_dagster_event().is_run_failure:
            _note_change()

    def wipe_asset(self, asset_key: AssetKey) -> None:
        """Do as the storage does, and note the change."""
        super().wipe_asset(asset_key)
        _note_change()

    def wipe_asset_partitions(self, asset_key: AssetKey, partition_keys: Sequence[str]) -> None:
        """Do as the storage does, and note the change."""
        super().wipe_asset_partitions(asset_key, partition_keys)
        _note_change()

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """Do as the storage does, and note the change."""
        super().add_dynamic_partitions(partitions_def_name, partition_keys)
        _note_change()

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Do as the storage does, and note the change."""
        super().delete_dynamic_partition(partitions_def_name, partition_key)
        _note_change()


def partitions_held(instance: DagsterInstance) -> AbstractContextManager[None]:
    """Do as PartitionChanges.partitions_held does; nothing if the instance has another storage."""
    storage = instance.event_log_storage
    return storage.partitions_held() if isinstance(storage, PartitionChanges) else nullcontext()


def _note_change() -> None:
    if not getattr(_here, "known", False):
        Home(load_settings().home).record_out_of_sync()
