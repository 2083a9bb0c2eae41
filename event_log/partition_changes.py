"""Word of partitions that are added or deleted by others than the project: in the UI, by a sensor, from a script.

What belongs here: noticing it in any storage. What does not: what is done about it (the next `seedbank seed` compares
Dagster's records with the store).
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
    """To be put before a storage: the home is told of every change of partitions that is not the project's own."""

    def add_dynamic_partitions(self, partitions_def_name: str, partition_keys: Sequence[str]) -> None:
        """As the storage."""
        super().add_dynamic_partitions(partitions_def_name, partition_keys)
        _tell()

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """As the storage."""
        super().delete_dynamic_partition(partitions_def_name, partition_key)
        _tell()


def _tell() -> None:
    if not getattr(_here, "known", False):
        Home(load_settings().home).doubt()
