"""The pipeline: stages, what runs and plans them, and how Dagster sees them."""
