"""Answers to questions from the documents, every sentence of them cited. It reads the tables and the store, without Dagster."""
