"""Prompts, requests for answers of a given shape, and reading and checking these answers."""
