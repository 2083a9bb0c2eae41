"""Encoding of values as bytes, and decoding."""
