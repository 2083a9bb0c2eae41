"""The store: content-addressed values, finished actions and refs, in one directory. No Dagster in it."""
