"""Looks whether what is configured can be reached and written, and how fast it is. Nothing is changed, and no model is asked."""
