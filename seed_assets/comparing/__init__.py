"""Comparisons: a change of settings, tried on a sample of documents beside what is published."""
