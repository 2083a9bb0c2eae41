"""Sessions: one home, its corpus and its pipeline, opened together."""
