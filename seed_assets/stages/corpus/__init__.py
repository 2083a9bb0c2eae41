"""The stages with one result for the whole corpus."""
