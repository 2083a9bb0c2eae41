"""Editions: states of a set of files that one home publishes in a bucket, and that others keep as local mirrors."""
