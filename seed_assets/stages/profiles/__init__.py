"""The stages of profiles of entities, with their table."""
