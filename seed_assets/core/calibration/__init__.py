"""Measuring how far a judge agrees with people who have labelled summaries."""
