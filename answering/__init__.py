"""Answers to questions from the documents, with every sentence cited. It reads the tables and the store, and does not import Dagster."""
