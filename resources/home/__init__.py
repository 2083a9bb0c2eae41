"""The directory that holds all state of one corpus."""
