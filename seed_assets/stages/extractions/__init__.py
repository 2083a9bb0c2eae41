"""The stages of extractions, which follow from the settings."""
