"""Search over the tables of the knowledge base. What does not belong here: Dagster, and writing to a table."""
