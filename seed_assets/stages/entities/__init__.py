"""The stages of entities: in documents, over documents, and their tables."""
