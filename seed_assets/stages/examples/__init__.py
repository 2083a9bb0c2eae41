"""Stages that choose examples for a document, and stages that show them to their model, if a setting says so."""
