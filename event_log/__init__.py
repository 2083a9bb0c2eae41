"""Dagster event-log storages that write partition events in batches, and where they lie. Nothing of the pipeline."""
