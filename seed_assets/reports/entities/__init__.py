"""Entities in a form that people read."""
