"""Graphs of entities and their relationships: which ones are shown, where they are drawn, and their export."""
