"""Summaries of single documents, made offline or by a model."""
