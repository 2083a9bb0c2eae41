"""Requests that wait in batches of a provider."""
