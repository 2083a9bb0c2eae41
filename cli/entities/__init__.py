"""The commands about entities."""
