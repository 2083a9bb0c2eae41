"""Dagster event-log storages that write partition events in batches, and the place of their files. This package knows nothing of
the pipeline."""

from event_log.release import check_release

# This comes before any import of a name of Dagster that another release may not have.
check_release("dagster")
