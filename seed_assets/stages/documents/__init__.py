"""The stages with one result per document."""
