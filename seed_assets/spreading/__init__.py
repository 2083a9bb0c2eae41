"""Runs over documents, spread over worker processes of this machine."""
