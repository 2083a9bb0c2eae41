"""What stages are made of: plain functions on texts, without store, run or Dagster."""
