"""Dagster's records in PostgreSQL, with events in batches; it needs the extra `postgres`."""

from event_log.postgres import BatchedPostgresEventLogStorage, BatchedPostgresStorage, PostgresStorage

__all__ = ["BatchedPostgresEventLogStorage", "BatchedPostgresStorage", "PostgresStorage"]
