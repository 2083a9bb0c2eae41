"""Segments: finished actions as signed, immutable files."""
