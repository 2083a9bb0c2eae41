"""Accepted results that models are shown as examples: a frozen selection of them, and which of them are shown for a document."""
