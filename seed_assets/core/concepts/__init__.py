"""Concepts of single documents, found offline or by a model."""
