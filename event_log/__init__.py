"""Dagster event-log storages that write partition events in batches, and where they lie. Nothing of the pipeline."""

from event_log.release import check_release

# Before any name of Dagster's is imported that another release may not have.
check_release("dagster")
