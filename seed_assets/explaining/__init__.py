"""Explanations: why a result would be computed, kept or left as it is, from the parts of keys and from stored values."""
