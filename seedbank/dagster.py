"""The parts for Dagster projects of any kind: an IO manager that stores values by content, and storages that write events in
batches."""

from event_log.sqlite import BatchedSqliteEventLogStorage
from event_log.sqlite_storage import BatchedSqliteStorage
from io_managers.content_hash import ContentHashIOManager
from io_managers.store.values import StoredValues

__all__ = ["BatchedSqliteEventLogStorage", "BatchedSqliteStorage", "ContentHashIOManager", "StoredValues"]
