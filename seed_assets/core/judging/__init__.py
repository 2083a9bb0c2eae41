"""Judges: they check whether a text says what its sources say, offline or with a model."""
