"""The IO manager, the store below it, and the adapter to Dagster's records of partitions."""
