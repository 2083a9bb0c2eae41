"""Buckets: where the files of a remote lie, in a folder or in an object store."""
