"""The sink stages, which write rows to tables."""
