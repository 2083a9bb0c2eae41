"""The stages, one module each, named after their results."""
