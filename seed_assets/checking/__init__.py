"""The checks of the knowledge base as a whole."""
