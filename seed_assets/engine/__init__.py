"""Runs stages: values, rows of tables, and maintenance of tables."""
