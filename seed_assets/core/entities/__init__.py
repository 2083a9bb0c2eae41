"""Entities: who and what documents speak of."""
