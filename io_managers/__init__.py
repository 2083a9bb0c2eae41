"""The IO manager, the store under it, and the adapter to what Dagster records of partitions."""
