"""Profiles of entities: what documents say of each."""
