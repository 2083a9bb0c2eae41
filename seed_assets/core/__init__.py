"""The methods of the stages: plain functions on texts, which know nothing of the store, runs or Dagster."""
