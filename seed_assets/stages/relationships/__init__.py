"""The stages of relationships between entities, with their table."""
